"""PNGs as pictures to fit: transparent colours of every depth, long texts, and no damage unseen."""

import struct
import zlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, PngImagePlugin

from fieldlens.configs.errors import InputError
from fieldlens.scenes.pictures.reading import premultiplied, read_picture
from tests.support.picture_files import encoded, noise, png, png16, smooth, written


def packed(values: np.ndarray, depth: int) -> bytes:
    """Rows of samples, each with its filter type, the first sample in the highest bits."""
    text = ["".join(f"{value:0{depth}b}" for value in row.ravel()) for row in values]
    return b"".join(b"\0" + int(row.ljust(-(-len(row) // 8) * 8, "0"), 2).to_bytes(-(-len(row) // 8)) for row in text)


@pytest.mark.parametrize("depth", [1, 2, 4, 8, 16])
def test_the_transparent_colour_of_a_grey_picture_is_alpha_in_any_depth(tmp_path, depth) -> None:
    most = (1 << depth) - 1
    values = np.random.default_rng(depth).integers(0, most + 1, (3, 11))
    chosen = int(values[1, 2])
    # bits above the depth have to be ignored
    wanted = (b"tRNS", struct.pack(">H", chosen | (0 if depth == 16 else 0x8000)))
    pixels = read_picture(written(tmp_path / "t.png", png(11, 3, depth, 0, packed(values, depth), wanted))).pixels
    top = 65535 if depth == 16 else 255
    assert pixels.dtype == (np.uint16 if depth == 16 else np.uint8)
    seen = values != chosen
    np.testing.assert_array_equal(pixels[..., 1], np.where(seen, top, 0))
    np.testing.assert_array_equal(pixels[..., 0], np.where(seen, values * (top // most), 0))


@pytest.mark.parametrize("depth", [8, 16])
def test_the_transparent_colour_of_rgb_is_alpha_only_where_all_three_are_alike(tmp_path, depth) -> None:
    values = np.random.default_rng(0).integers(0, 3, (5, 9, 3)) * ((1 << depth) // 3)
    chosen = values[2, 3]
    content = png(9, 5, depth, 2, packed(values, depth), (b"tRNS", struct.pack(">3H", *chosen)))
    reading = read_picture(written(tmp_path / "t.png", content))
    seen = (values != chosen).any(-1)
    assert 0 < seen.sum() < seen.size
    np.testing.assert_array_equal(reading.pixels[..., 3] > 0, seen)
    np.testing.assert_array_equal(reading.pixels[..., :3], values * seen[..., None])


@pytest.mark.parametrize("depth", [1, 2, 4, 8])
def test_colours_of_a_palette_are_transparent_by_their_number(tmp_path, depth) -> None:
    count = 1 << depth
    numbers = np.random.default_rng(0).integers(0, count, (4, 10))
    palette, alpha = noise(count, 3), noise(count)[: count - 1]  # the last has no alpha of its own
    chunks = (b"PLTE", palette.tobytes()), (b"tRNS", alpha.tobytes())
    reading = read_picture(written(tmp_path / "t.png", png(10, 4, depth, 3, packed(numbers, depth), *chunks)))
    colours = np.hstack([palette, np.append(alpha, np.uint8(255))[:, None]])
    np.testing.assert_array_equal(reading.pixels, premultiplied(colours[numbers]))


def test_a_pixel_whose_colour_the_palette_lacks_is_damage(tmp_path) -> None:
    path = written(tmp_path / "p.png", png(2, 1, 8, 3, b"\0\0\2", (b"PLTE", bytes(6))))
    with pytest.raises(InputError, match=r"damaged.*palette lacks"):
        read_picture(path)


@pytest.mark.parametrize("mode", ["L", "RGB", "P", "LA", "RGBA", "I;16"])
def test_texts_and_profiles_of_any_length_are_no_reason_to_refuse(tmp_path, mode) -> None:
    grey = smooth(8, 8, 1)[..., 0]
    image = Image.fromarray(257 * grey.astype(np.uint16)) if mode == "I;16" else Image.fromarray(grey).convert(mode)
    plain = read_picture(written(tmp_path / "plain.png", encoded(image, "PNG"))).pixels
    texts = PngImagePlugin.PngInfo()
    for number in range(3):
        texts.add_text(f"workflow {number}", "x" * (3 << 20), zip=True)
        texts.add_itxt(f"prompt {number}", "y" * (3 << 20), zip=number == 1)
    content = encoded(image, "PNG", pnginfo=texts, icc_profile=noise(3 << 20).tobytes())
    reading = read_picture(written(tmp_path / "long.png", content))
    np.testing.assert_array_equal(reading.pixels, plain)


def test_an_orientation_in_a_text_is_followed(tmp_path) -> None:
    values = noise(2, 3, 3)
    rows = b"".join(b"\0" + row.tobytes() for row in values)
    xmp = b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:Description tiff:Orientation="3"/></x:xmpmeta>'
    text = b"XML:com.adobe.xmp\0\0\0\0\0" + xmp
    reading = read_picture(written(tmp_path / "t.png", png(3, 2, 8, 2, rows, (b"iTXt", text))))
    np.testing.assert_array_equal(reading.pixels, values[::-1, ::-1])


def test_a_gamma_that_is_not_that_of_screens_is_said(tmp_path) -> None:
    def notes(*chunks: tuple[bytes, bytes]) -> str:
        return "; ".join(read_picture(written(tmp_path / "g.png", png(1, 1, 8, 0, b"\0\7", *chunks))).notes)

    linear = (b"gAMA", struct.pack(">I", 100_000))
    assert "gamma 1 not applied" in notes(linear)
    assert "gamma" not in notes((b"gAMA", struct.pack(">I", 45_455)))
    assert "gamma" not in notes(linear, (b"sRGB", b"\0"))


DAMAGED = {
    "8 bits": encoded(Image.fromarray(noise(9, 8, 3)), "PNG"),
    "16 bits": png16(noise(9, 8, 3, dtype=np.uint16)),
    "a palette": encoded(Image.fromarray(smooth(9, 8)).quantize(8), "PNG"),
}


@pytest.mark.parametrize("kind", DAMAGED)
@settings(max_examples=50)
@given(st.data())
def test_no_bit_of_a_picture_can_be_changed_unseen(tmp_path_factory, kind, data) -> None:
    content = bytearray(DAMAGED[kind])
    content[data.draw(st.integers(0, len(content) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    with pytest.raises(InputError):
        read_picture(written(tmp_path_factory.getbasetemp() / "spoilt.png", bytes(content)))


def test_a_picture_without_its_end_is_refused(tmp_path) -> None:
    rows = b"".join(b"\0" + row.tobytes() for row in noise(9, 8, 3))
    whole = png(8, 9, 8, 2, rows)
    with pytest.raises(InputError, match="cut short"):
        read_picture(written(tmp_path / "cut.png", whole[:-12]))
    spoilt = zlib.compress(rows)[:-1] + b"?"
    start = whole.index(b"IDAT") - 4
    chunk = struct.pack(">I", len(spoilt)) + b"IDAT" + spoilt + struct.pack(">I", zlib.crc32(b"IDAT" + spoilt))
    with pytest.raises(InputError, match="do not inflate"):
        read_picture(written(tmp_path / "spoilt.png", whole[:start] + chunk + whole[-12:]))


@pytest.mark.parametrize("depth", [1, 4, 8, 16])
def test_an_interlaced_picture_is_that_without_passes(tmp_path, depth) -> None:
    values = np.random.default_rng(0).integers(0, 1 << depth, (11, 13))
    # the passes of Adam7: first row and column, and the steps between rows and columns
    starts = [(0, 0, 8, 8), (0, 4, 8, 8), (4, 0, 8, 4), (0, 2, 4, 4), (2, 0, 4, 2), (0, 1, 2, 2), (1, 0, 2, 1)]
    rows = b"".join(packed(values[top::down, left::across], depth) for top, left, down, across in starts)
    clear = (b"tRNS", struct.pack(">H", values[5, 5]))
    whole = png(13, 11, depth, 0, rows, clear)
    header = whole[12:28] + b"\1"  # interlace is the last byte of the header
    content = whole[:12] + header + struct.pack(">I", zlib.crc32(header)) + whole[33:]
    plain = png(13, 11, depth, 0, packed(values, depth), clear)
    expected = read_picture(written(tmp_path / "plain.png", plain)).pixels
    np.testing.assert_array_equal(read_picture(written(tmp_path / "passes.png", content)).pixels, expected)
