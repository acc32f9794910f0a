"""Pictures: every kind spoilt, headers that lie, bombs, and what is no picture at all."""

import gzip
import io
import os
import pickle
import struct
import tempfile
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from fieldlens.scenes.load import load
from tests.support.picture_files import encoded, every_kind, noise, png, png_chunk, smooth, tiff

from .case import EITHER, REFUSED, Case, Kind, spoilt

SIDE = (8, 6, 3)
"""Height, width and channels of the small pictures that are to be read."""


def read(path: Path) -> Any:
    """Height, width and channels of what would be fitted."""
    (view,) = load(str(path)).views()
    return list(view.target().shape)


def cases() -> Iterator[Case]:
    """All of them."""
    for kind, whole in every_kind().items():
        yield from spoilt(f"{kind}.{kind.partition('16')[0].partition('-')[0].lower()}", whole)
    for name, whole in _of_extras().items():
        yield Case(f"good_{name}", whole, [40, 50, 3])
        yield from spoilt(name, whole)
    yield from _png()
    yield from _jpeg()
    yield from _tiff()
    yield from _others()
    yield from _no_pictures()


def _of_extras() -> dict[str, bytes]:
    """Pictures of the kinds that extra packages read, which write them here as well."""
    import OpenEXR
    import pillow_heif

    pillow_heif.register_heif_opener()
    colour = smooth(40, 50)
    header = {"compression": OpenEXR.ZIP_COMPRESSION, "type": OpenEXR.scanlineimage}
    with tempfile.TemporaryDirectory() as place:
        path = Path(place) / "picture.exr"
        with OpenEXR.File(header, {"RGB": np.ascontiguousarray(colour / 255).astype(np.float16)}) as file:
            file.write(str(path))
        return {"light.exr": path.read_bytes(), "photo.heic": encoded(Image.fromarray(colour), "HEIF", quality=90)}


def _png() -> Iterator[Case]:
    rows = b"".join(b"\0" + row.tobytes() for row in smooth(*SIDE[:2]))
    good = png(6, 8, 8, 2, rows)
    yield Case("good.png", good, [8, 6, 3])
    yield Case("bomb.png", png(30_000, 30_000, 8, 0, bytes(1000)))
    yield Case("no_width.png", png(0, 8, 8, 2, b""))
    yield Case("no_height.png", png(6, 0, 8, 2, b""))
    yield Case("widest.png", png(2**31 - 1, 1, 8, 2, rows))
    yield Case("too_wide_to_count.png", png(2**32 - 1, 2**32 - 1, 8, 2, rows))
    yield Case("depth_3.png", png(6, 8, 3, 2, rows))
    yield Case("colour_type_5.png", png(6, 8, 8, 5, rows))
    yield Case("no_palette.png", png(6, 8, 8, 3, rows))
    yield Case("palette_of_4_bytes.png", png(6, 8, 8, 3, rows, (b"PLTE", b"1234")))
    yield Case("pixels_missing.png", png(6, 8, 8, 2, rows[:50]))
    yield Case("more_pixels_than_said.png", png(6, 8, 8, 2, rows + bytes(4_000_000)), EITHER)
    yield Case("filter_9.png", png(6, 8, 8, 2, b"".join(b"\x09" + bytes(18) for _ in range(8))))
    yield Case(
        "text_bomb.png", png(6, 8, 8, 2, rows, (b"zTXt", b"a\0\0" + zlib.compress(bytes(20_000_000)))), [8, 6, 3]
    )
    yield Case(
        "profile_bomb.png", png(6, 8, 8, 2, rows, (b"iCCP", b"a\0\0" + zlib.compress(bytes(20_000_000)))), [8, 6, 3]
    )
    yield Case("profile_of_noise.png", png(6, 8, 8, 2, rows, (b"iCCP", b"a\0\0" + noise(99).tobytes())), [8, 6, 3])
    yield Case("gamma_0.png", png(6, 8, 8, 2, rows, (b"gAMA", bytes(4))), [8, 6, 3])
    yield Case("needs_an_unknown_chunk.png", png(6, 8, 8, 2, rows, (b"ABCD", b"?")))
    header, data, end = good[8:33], png_chunk(b"IDAT", zlib.compress(rows)), png_chunk(b"IEND", b"")
    yield Case("no_pixels.png", good[:8] + header + end)
    yield Case("two_headers.png", good[:8] + header + header + data + end, EITHER)
    yield Case("header_last.png", good[:8] + data + header + end)
    pixels = zlib.compress(rows)
    singly = b"".join(png_chunk(b"IDAT", pixels[at : at + 1]) for at in range(len(pixels)))
    yield Case("a_chunk_for_each_byte.png", good[:8] + header + singly + end, [8, 6, 3])
    yield Case("a_million_empty_chunks.png", good[:8] + header + png_chunk(b"IDAT", b"") * 80_000 + data + end, EITHER)
    yield Case("longest_chunk.png", good[:8] + header + struct.pack(">I", 2**32 - 1) + data[4:] + end)
    yield Case("wrong_checksum.png", good[:8] + header + data[:-1] + bytes([data[-1] ^ 1]) + end)
    yield Case("as_text_transfer_leaves_it.png", good.replace(b"\r\n", b"\n"))
    yield Case("something_behind_the_end.png", good + b"<?php ?>" * 100, [8, 6, 3])


def _jpeg() -> Iterator[Case]:
    colour = Image.fromarray(smooth(*SIDE[:2]))
    good = encoded(colour, "JPEG")
    size = good.index(b"\xff\xc0") + 5
    yield Case("good.jpg", good, [8, 6, 3])
    yield Case("bomb.jpg", good[:size] + struct.pack(">HH", 65_500, 65_500) + good[size + 4 :])
    yield Case("no_height.jpg", good[:size] + struct.pack(">HH", 0, 6) + good[size + 4 :])
    yield Case("no_tables.jpg", good[: good.index(b"\xff\xdb")] + good[good.index(b"\xff\xc0") :])
    yield Case("markers_alone.jpg", b"\xff\xd8" + b"\xff\xe0\0\x02" * 20_000 + b"\xff\xd9")
    yield Case("begun_alone.jpg", b"\xff\xd8\xff")
    turned = Image.Exif()
    turned[0x0112] = 9
    yield Case("turned_in_a_ninth_way.jpg", encoded(colour, "JPEG", exif=turned), [8, 6, 3])
    turned[0x0112] = 6
    yield Case("on_its_side.jpg", encoded(colour, "JPEG", exif=turned), [6, 8, 3])
    itself = b"Exif\0\0II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0\x01\0\0\0\x08\0\0\0"
    yield Case("exif_that_follows_itself.jpg", encoded(colour, "JPEG", exif=itself), [8, 6, 3])
    yield Case("exif_of_noise.jpg", encoded(colour, "JPEG", exif=b"Exif\0\0" + noise(60).tobytes()), [8, 6, 3])
    yield Case("for_a_press.jpg", encoded(colour.convert("CMYK"), "JPEG"), EITHER)
    yield Case("pixel_of_one.jpg", encoded(Image.new("RGB", (1, 1)), "JPEG"), [1, 1, 3])


def _tiff() -> Iterator[Case]:
    rows = smooth(*SIDE[:2]).tobytes()
    tags: dict[int, int | list[int]] = {256: 6, 257: 8, 258: [8, 8, 8], 259: 1, 262: 2, 277: 3, 278: 8}
    yield Case("good.tiff", tiff(tags, rows), [8, 6, 3])
    yield Case("next_is_itself.tiff", tiff(tags, rows, following=8), EITHER)
    yield Case("next_is_nowhere.tiff", tiff(tags, rows, following=2**31), EITHER)
    yield Case("bomb.tiff", tiff(tags | {256: 65_000, 257: 65_000}, rows))
    yield Case("no_width.tiff", tiff(tags | {256: 0}, rows))
    yield Case("widest.tiff", tiff(tags | {256: 2**32 - 1, 257: 2**32 - 1}, rows))
    yield Case("pixels_missing.tiff", tiff(tags, rows[:40]))
    yield Case("samples_200.tiff", tiff(tags | {277: 200}, rows))
    yield Case("samples_4_billion.tiff", tiff(tags | {277: 2**32 - 1}, rows))
    yield Case("bits_7.tiff", tiff(tags | {258: [7, 7, 7]}, rows))
    yield Case("packing_unknown.tiff", tiff(tags | {259: 12_345}, rows))
    yield Case("rows_0.tiff", tiff(tags | {278: 0}, rows), EITHER)
    yield Case("planes_7.tiff", tiff(tags | {284: 7}, rows), EITHER)
    yield Case("head_alone.tiff", b"II*\0\x08\0\0\0")
    yield Case("directory_of_many.tiff", b"II*\0\x08\0\0\0\xff\xff" + bytes(40))
    yield Case("big_head_alone.tiff", b"II+\0\x08\0\0\0" + struct.pack("<Q", 2**63))
    preview = tiff(tags, rows)
    yield Case("photo.dng", preview)
    yield Case("photo.cr2", b"II*\0\x10\0\0\0CR\2\0" + preview[12:])


def _others() -> Iterator[Case]:
    colour = Image.fromarray(smooth(*SIDE[:2]))
    gif, bmp, webp = (encoded(colour, kind) for kind in ("GIF", "BMP", "WEBP"))
    yield Case("bomb.gif", gif[:6] + struct.pack("<HH", 65_535, 65_535) + gif[10:])
    yield Case("frame_beyond_its_screen.gif", gif[:6] + struct.pack("<HH", 1, 1) + gif[10:], EITHER)
    yield Case("no_frames.gif", gif[:13] + b";")
    frames = [Image.fromarray(noise(8, 6, 3) // (number + 1)) for number in range(40)]
    yield Case("many_frames.gif", encoded(frames[0], "GIF", save_all=True, append_images=frames[1:]), [8, 6, 3])
    yield Case("bomb.bmp", bmp[:18] + struct.pack("<ii", 60_000, 60_000) + bmp[26:])
    yield Case("below_itself.bmp", bmp[:18] + struct.pack("<ii", -6, -(2**31)) + bmp[26:])
    yield Case("bits_33.bmp", bmp[:28] + struct.pack("<H", 33) + bmp[30:])
    yield Case("pixels_nowhere.bmp", bmp[:10] + struct.pack("<I", 2**32 - 1) + bmp[14:])
    yield Case("runs.bmp", bmp[:30] + struct.pack("<I", 1) + bmp[34:], EITHER)
    yield Case("bomb.webp", _webp(16_383, 16_383), REFUSED)
    yield Case("head_alone.webp", webp[:12])
    yield Case("length_that_lies.webp", webp[:4] + struct.pack("<I", 2**32 - 2) + webp[8:], EITHER)
    for name, size in {"bomb": "-Y 100000 +X 100000", "none": "", "below": "-Y -8 +X 6", "noise": "-Y a +X b"}.items():
        yield Case(f"{name}.hdr", f"#?RADIANCE\nFORMAT=32-bit_rle_rgbe\n\n{size}\n".encode() + bytes(64))
    yield Case("a_header_without_end.hdr", b"#?RADIANCE\n" + b"COMMENT=x\n" * 200_000)
    yield Case(
        "exposure.hdr", b"#?RADIANCE\nEXPOSURE=1e999\nFORMAT=32-bit_rle_rgbe\n\n-Y 1 +X 1\n\x80\x80\x80\x80", EITHER
    )
    yield Case("head_alone.exr", b"v/1\x01\x02\0\0\0")
    yield Case("window_that_lies.exr", _exr(2**31 - 1))
    yield Case("window_below_itself.exr", _exr(-5))
    yield Case("noise.exr", b"v/1\x01\x02\0\0\0" + noise(400).tobytes())
    for brand, ending in ((b"avif", "avif"), (b"heic", "heic"), (b"mif1", "heic"), (b"crx ", "cr3")):
        box = b"\0\0\0\x18ftyp" + brand + b"\0\0\0\0mif1" + brand
        yield Case(f"head_alone_{brand.decode().strip()}.{ending}", box)
        yield Case(f"noise_{brand.decode().strip()}.{ending}", box + noise(300).tobytes())
        yield Case(f"box_within_itself_{brand.decode().strip()}.{ending}", box + b"\0\0\0\x08meta" * 2000)


def _webp(width: int, height: int) -> bytes:
    """A canvas of this size with nothing on it."""
    canvas = (
        b"VP8X"
        + struct.pack("<I", 10)
        + bytes(4)
        + struct.pack("<I", width - 1)[:3]
        + struct.pack("<I", height - 1)[:3]
    )
    return b"RIFF" + struct.pack("<I", 4 + len(canvas)) + b"WEBP" + canvas


def _exr(right: int) -> bytes:
    """A header of OpenEXR whose pixels go up to a column."""

    def attribute(name: str, kind: str, value: bytes) -> bytes:
        return name.encode() + b"\0" + kind.encode() + b"\0" + struct.pack("<I", len(value)) + value

    window = struct.pack("<iiii", 0, 0, right, 1)
    channels = b"".join(c + b"\0" + struct.pack("<iiii", 1, 0, 1, 1) for c in (b"B", b"G", b"R")) + b"\0"
    parts = attribute("channels", "chlist", channels) + attribute("compression", "compression", b"\0")
    parts += attribute("dataWindow", "box2i", window) + attribute("displayWindow", "box2i", window)
    parts += attribute("lineOrder", "lineOrder", b"\0") + attribute("pixelAspectRatio", "float", struct.pack("<f", 1))
    parts += attribute("screenWindowCenter", "v2f", bytes(8)) + attribute(
        "screenWindowWidth", "float", struct.pack("<f", 1)
    )
    return b"v/1\x01\x02\0\0\0" + parts + b"\0" + bytes(100)


def _no_pictures() -> Iterator[Case]:
    good = encoded(Image.fromarray(smooth(*SIDE[:2])), "PNG")
    archive, arrays = io.BytesIO(), io.BytesIO()
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr("picture.png", good)
    np.save(arrays, noise(4, 4))
    yield Case("empty.png", b"")
    yield Case("a_byte.png", b"\x89")
    yield Case("zeros.png", bytes(5000))
    yield Case("text.png", b"Dear reader,\nthis is no picture.\n")
    yield Case("page_in_place_of_a_download.jpg", b"<!doctype html><title>404</title>" + b" " * 900)
    yield Case("drawing.svg", b'<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>')
    yield Case("document.pdf", b"%PDF-1.7\n1 0 obj\n<<>>\nendobj\n")
    yield Case("packed.png", gzip.compress(good))
    yield Case("archive.png", archive.getvalue())
    yield Case("array.png", arrays.getvalue())
    yield Case("pickle.png", pickle.dumps({"a": 1}))
    yield Case("video.png", b"\0\0\0\x20ftypisom\0\0\x02\0isomiso2avc1mp41" + bytes(100))
    yield Case("what_git_lfs_left.png", b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 12345\n")
    yield Case("another_kind_by_its_name.jpg", good, [8, 6, 3])
    yield Case("pipe.png", os.mkfifo)
    yield Case("device.png", lambda path: path.symlink_to("/dev/zero"))
    yield Case("link_to_itself.png", lambda path: path.symlink_to(path.name))
    yield Case("link_to_nothing.png", lambda path: path.symlink_to("nothing.png"))
    yield Case("folder.png", lambda path: path.mkdir())
    yield Case("hole_of_a_terabyte.png", _hole)


def _hole(path: Path) -> None:
    with path.open("wb") as file:
        file.write(b"\x89PNG\r\n\x1a\n")
        file.truncate(1 << 40)


PICTURES = Kind("pictures", read, cases)
