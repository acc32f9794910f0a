"""PNGs are read only when every checksum in them is right, whatever else stands in the file."""

import io
import struct
import zlib
from collections.abc import Iterator
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from fieldlens.configs.errors import InputError
from fieldlens.render.files import png_bytes, read_png
from fieldlens.render.png import SIGNATURE, PngHeader, checked_png
from tests.support.picture_files import encoded, noise, png, png_chunk


def chunks_of(content: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Kind and data of each chunk, as the specification lays them out."""
    at = len(SIGNATURE)
    while at < len(content):
        (length,) = struct.unpack_from(">I", content, at)
        yield content[at + 4 : at + 8], content[at + 8 : at + 8 + length]
        at += 12 + length


PICTURE = noise(9, 7, 3)
WHOLE = png_bytes(PICTURE)
ROWS = b"".join(b"\0" + row.tobytes() for row in PICTURE)


def fault(content: bytes) -> str:
    with pytest.raises(ValueError) as caught:  # noqa: PT011
        checked_png(io.BytesIO(content))
    return str(caught.value)


@pytest.mark.parametrize("text", [b"tEXt", b"zTXt", b"iTXt"])
def test_what_decoders_get_is_the_picture_without_its_texts(text) -> None:
    long = png(7, 9, 8, 2, ROWS, (text, bytes(3 << 20)), (b"tIME", bytes(7)))
    lean = checked_png(io.BytesIO(long)).file()
    assert [kind for kind, _ in chunks_of(lean)] == [b"IHDR", b"IDAT", b"IEND"]
    np.testing.assert_array_equal(np.asarray(Image.open(io.BytesIO(lean))), PICTURE)


def test_pixels_in_one_long_chunk_are_inflated_in_time_that_goes_with_its_length(monkeypatch) -> None:
    given = []

    class Counting:
        def __init__(self) -> None:
            self.stream = zlib.decompressobj()

        def decompress(self, data: bytes, most: int) -> bytes:
            given.append(len(data))
            return self.stream.decompress(data, most)

        def __getattr__(self, name: str) -> object:
            return getattr(self.stream, name)

    monkeypatch.setattr("fieldlens.render.png.zlib", SimpleNamespace(**{**vars(zlib), "decompressobj": Counting}))
    pixels = noise(1024, 8192)
    content = png(8192, 1024, 8, 0, b"".join(b"\0" + row.tobytes() for row in pixels))
    checked_png(io.BytesIO(content))
    assert pixels.size <= sum(given) <= 1.1 * pixels.size


@settings(max_examples=60)
@given(st.integers(0, len(WHOLE) - 1), st.integers(1, 255))
def test_no_byte_of_a_frame_can_be_changed_unseen(tmp_path_factory, place, change) -> None:
    path = tmp_path_factory.getbasetemp() / "frame.png"
    content = bytearray(WHOLE)
    content[place] ^= change
    path.write_bytes(content)
    with pytest.raises(InputError, match="is damaged"):
        read_png(path)


@pytest.mark.parametrize("length", range(0, len(WHOLE), 11))
def test_a_frame_cut_short_anywhere_is_damaged(tmp_path, length) -> None:
    (tmp_path / "frame.png").write_bytes(WHOLE[:length])
    with pytest.raises(InputError, match="is damaged"):
        read_png(tmp_path / "frame.png")


def test_what_stands_behind_the_end_is_nobodys(tmp_path) -> None:
    (tmp_path / "frame.png").write_bytes(WHOLE + b"a video, say")
    np.testing.assert_array_equal(read_png(tmp_path / "frame.png"), PICTURE)


def made(data: bytes, *, header: bytes = struct.pack(">IIBBBBB", 7, 9, 8, 2, 0, 0, 0), end: bool = True) -> bytes:
    parts = [png_chunk(b"IHDR", header), png_chunk(b"IDAT", data), png_chunk(b"IEND", b"") if end else b""]
    return SIGNATURE + b"".join(parts)


def test_pixels_are_checked_though_every_chunk_has_its_checksum() -> None:
    data = zlib.compress(ROWS)
    assert checked_png(io.BytesIO(made(data))).header == PngHeader(7, 9, 8, 2, False)
    assert "inflate" in fault(made(data[:-1] + bytes([data[-1] ^ 1])))
    assert "end early" in fault(made(data[:-4]))
    assert "end early" in fault(made(zlib.compress(ROWS[:-1])))
    assert "inflate" in fault(made(b"no zlib"))
    assert "cut short" in fault(made(data, end=False))


def test_pixels_beyond_the_size_are_not_inflated() -> None:
    bomb = zlib.compress(bytes(1 << 24))
    assert "more than its width and height say" in fault(made(bomb))
    assert "more than its width and height say" in fault(made(b"\x78\x01" + b"\0\0\0\xff\xff" * (1 << 19)))


@pytest.mark.parametrize("header", [(0, 3), (2, 4), (3, 16), (5, 8), (7, 8)])
def test_a_header_that_makes_no_sense_is_refused(header) -> None:
    colour_type, depth = header
    assert "header" in fault(made(b"", header=struct.pack(">IIBBBBB", 7, 9, depth, colour_type, 0, 0, 0)))
    assert "header" in fault(SIGNATURE + png_chunk(b"IDAT", b""))
    assert "header" in fault(SIGNATURE + png_chunk(b"IEND", b""))


def test_an_unknown_chunk_that_is_needed_is_named() -> None:
    assert "'NeEd'" in fault(png(7, 9, 8, 2, ROWS, (b"NeEd", b"")))
    assert checked_png(io.BytesIO(png(7, 9, 8, 2, ROWS, (b"neEd", b""))))


@pytest.mark.parametrize("palette", [None, b"", b"12", bytes(3 * 257)])
def test_a_palette_that_makes_no_sense_is_refused(palette) -> None:
    extra = () if palette is None else ((b"PLTE", palette),)
    assert "palette" in fault(png(1, 1, 8, 3, b"\0\0", *extra))


@given(st.integers(1, 40), st.integers(1, 40), st.sampled_from(["1", "L", "LA", "RGB", "RGBA", "P"]))
def test_the_bytes_of_a_picture_are_those_that_another_writer_gives(width, height, mode) -> None:
    content = encoded(Image.new(mode, (width, height)), "PNG")
    inflated = zlib.decompress(b"".join(data for kind, data in chunks_of(content) if kind == b"IDAT"))
    assert checked_png(io.BytesIO(content)).header.data_bytes == len(inflated)


def test_an_interlaced_picture_has_a_row_for_each_row_of_its_passes() -> None:
    # 9 x 9 pixels of a byte: passes of 2x2, 1x2, 3x1, 2x3... written out by the specification's own figure of Adam7.
    figure = ["16462646", "77777777", "56565656", "77777777", "36463646", "77777777", "56565656", "77777777"]
    expected = 0
    for number in "1234567":
        rows = [sum(figure[y % 8][x % 8] == number for x in range(9)) for y in range(9)]
        expected += sum(1 + count for count in rows if count)
    assert PngHeader(9, 9, 8, 0, True).data_bytes == expected
