"""Reading picture files: every kind comes out as what was put in, and every bad one as one sentence with its name."""

import contextlib
import os
import struct
import sys
import warnings
import zlib

import cv2
import numpy as np
import pytest
import tifffile
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageCms

from fieldlens.configs.errors import InputError
from fieldlens.scenes.pictures.decoding import sniff
from fieldlens.scenes.pictures.reading import picture_size, premultiplied, read_picture
from tests.support.picture_files import encoded, every_kind, noise, png, png16, smooth, written


def refusal(path, **options) -> str:
    """The sentence with which a file is refused; it is one line and names the file."""
    with pytest.raises(InputError) as caught:
        read_picture(path, **options)
    message = str(caught.value)
    assert path.name in message
    assert "\n" not in message
    return message


# Kinds of file --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", ["L", "RGB", "RGBA", "LA"])
@pytest.mark.parametrize(("kind", "options"), [("PNG", {}), ("TIFF", {}), ("TIFF", {"compression": "tiff_lzw"})])
def test_lossless_files_of_8_bits_keep_every_value(tmp_path, kind, options, mode) -> None:
    channels = {"L": 1, "LA": 2, "RGB": 3, "RGBA": 4}[mode]
    values = noise(7, 5, channels)
    image = (
        Image.fromarray(values.squeeze(), mode)
        if channels != 2
        else Image.merge("LA", [Image.fromarray(plane) for plane in np.moveaxis(values, -1, 0)])
    )
    reading = read_picture(written(tmp_path / "picture", encoded(image, kind, **options)))
    assert reading.pixels.dtype == np.uint8
    np.testing.assert_array_equal(reading.pixels, premultiplied(values) if channels in (2, 4) else values)
    assert f"{kind} of 5x7" in reading.notes[0]
    assert "8 bit" in reading.notes[0]
    assert "sRGB" in reading.notes[0]
    assert "[0, 1]" in reading.notes[0]


@pytest.mark.parametrize(
    ("kind", "options", "tolerance"),
    [
        ("BMP", {}, 0),
        ("WEBP", {"lossless": True}, 0),
        ("WEBP", {"quality": 95}, 8),
        ("JPEG", {"quality": 95, "subsampling": 0}, 4),
        ("AVIF", {}, 8),
    ],
)
def test_other_colour_files_come_out_as_they_were(tmp_path, kind, options, tolerance) -> None:
    values = smooth(24, 40)
    reading = read_picture(written(tmp_path / "picture", encoded(Image.fromarray(values), kind, **options)))
    assert reading.pixels.shape == (24, 40, 3)
    assert np.abs(reading.pixels.astype(int) - values).max() <= tolerance


def test_the_kind_is_known_by_the_bytes_and_not_by_the_name(tmp_path) -> None:
    values = noise(4, 6, 3)
    path = written(tmp_path / "holiday.jpg", encoded(Image.fromarray(values), "PNG"))
    np.testing.assert_array_equal(read_picture(path).pixels, values)


@pytest.mark.parametrize("channels", [1, 2, 3, 4])
def test_png_of_16_bits_keeps_all_of_them(tmp_path, channels) -> None:
    values = noise(6, 5, channels, dtype=np.uint16)
    reading = read_picture(written(tmp_path / "deep.png", png16(values)))
    assert reading.pixels.dtype == np.uint16
    np.testing.assert_array_equal(reading.pixels, premultiplied(values) if channels in (2, 4) else values)
    assert "16 bit" in reading.notes[0]


@pytest.mark.parametrize("dtype", [np.uint16, np.float16, np.float32, np.float64])
@pytest.mark.parametrize("options", [{}, {"compression": "zlib"}, {"planarconfig": "separate"}])
def test_deep_and_float_tiff_keep_every_value(tmp_path, dtype, options) -> None:
    values = noise(6, 5, 3, dtype=dtype)
    data = np.moveaxis(values, -1, 0) if "planarconfig" in options else values
    tifffile.imwrite(tmp_path / "deep.tiff", data, photometric="rgb", **options)
    reading = read_picture(tmp_path / "deep.tiff")
    assert reading.pixels.dtype == (np.uint16 if dtype is np.uint16 else np.float32)
    np.testing.assert_array_equal(reading.pixels, values.astype(reading.pixels.dtype))
    assert reading.pixels.flags.c_contiguous


@pytest.mark.parametrize("dtype", [np.uint16, np.float32])
@pytest.mark.parametrize("channels", [1, 3])
def test_lzw_compressed_deep_tiff_is_read_too(tmp_path, dtype, channels) -> None:
    values = noise(6, 5, channels, dtype=dtype)
    cv2.imwrite(str(tmp_path / "deep.tiff"), values[..., ::-1], [cv2.IMWRITE_TIFF_COMPRESSION, 5])
    np.testing.assert_array_equal(read_picture(tmp_path / "deep.tiff").pixels, values)


def test_tiff_in_which_white_is_zero_is_turned_round(tmp_path) -> None:
    values = noise(6, 5, dtype=np.uint16)
    tifffile.imwrite(tmp_path / "fax.tiff", values, photometric="miniswhite")
    np.testing.assert_array_equal(read_picture(tmp_path / "fax.tiff").pixels[:, :, 0], 65535 - values)


def test_alpha_that_a_tiff_has_multiplied_in_is_not_multiplied_again(tmp_path) -> None:
    values = premultiplied(noise(6, 5, 4, dtype=np.uint16))
    tifffile.imwrite(tmp_path / "a.tiff", values, photometric="rgb", extrasamples=["assocalpha"])
    np.testing.assert_array_equal(read_picture(tmp_path / "a.tiff").pixels, values)
    tifffile.imwrite(tmp_path / "b.tiff", values, photometric="rgb", extrasamples=["unassalpha"])
    np.testing.assert_array_equal(read_picture(tmp_path / "b.tiff").pixels, premultiplied(values))


def test_a_radiance_picture_keeps_its_range(tmp_path) -> None:
    values = (10 * noise(8, 12, 3, dtype=np.float32)).clip(0.5)
    cv2.imwrite(str(tmp_path / "sky.hdr"), values[..., ::-1])
    reading = read_picture(tmp_path / "sky.hdr")
    assert reading.pixels.dtype == np.float32
    # Three mantissas of 8 bits share one exponent: an error of half a step of the brightest channel.
    assert np.abs(reading.pixels - values).max() <= values.max() / 128
    assert "from 0.5" in reading.notes[0]
    assert "linear light" in reading.notes


def test_a_radiance_picture_of_other_colours_than_rgb_is_refused(tmp_path) -> None:
    content = cv2.imencode(".hdr", np.ones((3, 4, 3), np.float32))[1].tobytes()
    assert b"32-bit_rle_rgbe" in content
    assert "XYZ" in refusal(written(tmp_path / "a.hdr", content.replace(b"32-bit_rle_rgbe", b"32-bit_rle_xyze")))


def gif(transparent: bytes) -> bytes:
    """A GIF of 3x2 pixels whose frame is the 2x1 in its middle and right above: colours 1 and 2 of four."""
    palette = bytes([250, 0, 0, 0, 250, 0, 0, 0, 250, 9, 9, 9])
    codes = [4, 1, 4, 2, 5]  # clear, a colour, clear, a colour, end, of three bits each
    packed = sum(code << (3 * place) for place, code in enumerate(codes)).to_bytes(2, "little")
    screen = b"GIF89a" + struct.pack("<HHBBB", 3, 2, 0b10000001, 3, 0) + palette
    return screen + transparent + b"," + struct.pack("<HHHHB", 1, 0, 2, 1, 0) + b"\2\2" + packed + b"\0;"


def test_a_gif_is_transparent_where_it_says_so_and_a_smaller_frame_is_said(tmp_path) -> None:
    plain = read_picture(written(tmp_path / "a.gif", gif(b"")))
    assert plain.pixels[0, 1:].tolist() == [[0, 250, 0], [0, 0, 250]]
    assert any("first frame is smaller" in note for note in plain.notes)
    clear = read_picture(written(tmp_path / "a.gif", gif(b"\x21\xf9\4\1\0\0\1\0")))
    assert clear.pixels.tolist() == [[[0] * 4, [0] * 4, [0, 0, 250, 255]], [[0] * 4] * 3]
    assert not any("smaller" in note for note in clear.notes)


def test_a_palette_is_written_out(tmp_path) -> None:
    image = Image.fromarray(smooth(8, 8)).quantize(16)
    reading = read_picture(written(tmp_path / "p.png", encoded(image, "PNG")))
    np.testing.assert_array_equal(reading.pixels, np.asarray(image.convert("RGB")))
    assert "palette written out" in reading.notes


@pytest.mark.parametrize(
    "image", [Image.fromarray(smooth(8, 8)).quantize(16), Image.fromarray(smooth(8, 8, 1)[..., 0])]
)
def test_a_transparent_colour_becomes_alpha(tmp_path, image) -> None:
    reading = read_picture(
        written(tmp_path / "t.png", encoded(image, "PNG", transparency=int(np.asarray(image)[0, 0])))
    )
    assert reading.pixels.shape[2] == (4 if image.mode == "P" else 2)
    assert reading.pixels[0, 0].tolist() == [0] * reading.pixels.shape[2]
    assert reading.pixels[-1, -1, -1] == 255


@pytest.mark.parametrize("depth", [1, 2, 4])
def test_grey_of_few_bits_spans_black_to_white(tmp_path, depth) -> None:
    path = written(tmp_path / "few.png", png(2, 1, depth, 0, bytes([0, ((1 << depth) - 1) << (8 - 2 * depth)])))
    assert read_picture(path).pixels[0, :, 0].tolist() == [0, 255]


def test_cmyk_is_converted_and_said(tmp_path) -> None:
    inks = np.zeros((8, 8, 4), np.uint8)
    inks[:, :4] = (255, 0, 0, 0)  # cyan
    inks[:, 4:] = (0, 255, 255, 0)  # red
    image = Image.fromarray(inks, "CMYK")
    for kind in ("JPEG", "TIFF"):
        reading = read_picture(written(tmp_path / "inks", encoded(image, kind)))
        assert np.abs(reading.pixels[4, 1].astype(int) - (0, 255, 255)).max() <= 6
        assert np.abs(reading.pixels[4, 6].astype(int) - (255, 0, 0)).max() <= 6
        assert "CMYK converted to RGB" in reading.notes


@pytest.mark.parametrize("broken", [False, True])
def test_a_colour_profile_is_named_and_the_values_stay_as_stored(tmp_path, broken) -> None:
    profile = b"no profile" if broken else ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    values = noise(4, 5, 3)
    reading = read_picture(written(tmp_path / "p.png", encoded(Image.fromarray(values), "PNG", icc_profile=profile)))
    np.testing.assert_array_equal(reading.pixels, values)
    assert ("unreadable" if broken else "sRGB") in reading.notes[1]
    assert "not applied" in reading.notes[1]


def test_the_first_of_several_frames_is_read_and_that_is_said(tmp_path) -> None:
    frames = [Image.fromarray(np.full((6, 6), grey, np.uint8)) for grey in (40, 200)]
    for kind, lossless in (("GIF", {}), ("WEBP", {"lossless": True}), ("PNG", {}), ("TIFF", {})):
        content = encoded(frames[0], kind, save_all=True, append_images=frames[1:], **lossless)
        reading = read_picture(written(tmp_path / "film", content))
        assert (reading.pixels[..., 0] == 40).all(), kind
        assert "first frame only" in reading.notes, kind
    tifffile.imwrite(tmp_path / "film", noise(3, 6, 5, dtype=np.uint16), photometric="minisblack")
    np.testing.assert_array_equal(read_picture(tmp_path / "film").pixels[..., 0], noise(3, 6, 5, dtype=np.uint16)[0])


@pytest.mark.parametrize("size", [(1, 1), (1, 9), (9, 1)])
def test_the_smallest_pictures_are_read(tmp_path, size) -> None:
    values = noise(*size, 3)
    np.testing.assert_array_equal(
        read_picture(written(tmp_path / "s", encoded(Image.fromarray(values), "PNG"))).pixels, values
    )
    assert read_picture(written(tmp_path / "s", png16(noise(*size, 1, dtype=np.uint16)))).pixels.shape == (*size, 1)


@pytest.mark.parametrize(
    "name", ["two words.png", 'it\'s "quoted".png', "<script>alert(1).png", "katze 🐈.png", "%s {}.png", "ß\nß.png"]
)
def test_a_file_may_have_any_name(tmp_path, name) -> None:
    values = noise(3, 4, 3, dtype=np.uint16)
    np.testing.assert_array_equal(read_picture(written(tmp_path / name, png16(values))).pixels, values)
    cv2_read = written(tmp_path / name, cv2.imencode(".hdr", np.ones((3, 4, 3), np.float32))[1].tobytes())
    assert read_picture(cv2_read).pixels.shape == (3, 4, 3)


# What is done to them -------------------------------------------------------------------------------------------------


def corners(orientation: int) -> np.ndarray:
    """A 2x3 picture as a camera stores it that is held so that 1 2 3 / 4 5 6 is upright, by EXIF's own table."""
    upright = 40 * np.arange(1, 7, dtype=np.uint8).reshape(2, 3)
    # The 0th row of the stored picture is this side of the scene, and its 0th column that side (EXIF 2.3, table 4).
    row, column = {
        1: ("top", "left"),
        2: ("top", "right"),
        3: ("bottom", "right"),
        4: ("bottom", "left"),
        5: ("left", "top"),
        6: ("right", "top"),
        7: ("right", "bottom"),
        8: ("left", "bottom"),
    }[orientation]
    stored = upright if row in ("top", "bottom") else upright.T
    stored = stored[::-1] if row in ("bottom", "right") else stored
    return np.ascontiguousarray(stored[:, ::-1] if column in ("bottom", "right") else stored)


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("kind", ["PNG", "TIFF", "WEBP", "PNG16", "TIFF16", "TIFF16-lzw"])
def test_pictures_are_turned_upright_as_exif_says_unless_wanted_as_stored(tmp_path, kind, orientation) -> None:
    stored, path = corners(orientation), tmp_path / "turned"
    exif = Image.Exif()
    exif[0x0112] = orientation
    if kind == "PNG16":
        rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in stored)
        chunk = (b"eXIf", exif.tobytes().removeprefix(b"Exif\0\0"))
        path.write_bytes(png(stored.shape[1], stored.shape[0], 16, 0, rows, chunk))
    elif kind == "TIFF16-lzw":
        image = Image.fromarray(stored.astype(np.uint16))
        path.write_bytes(encoded(image, "TIFF", exif=exif, compression="tiff_lzw"))
    elif kind == "TIFF16":
        tifffile.imwrite(
            path, stored.astype(np.uint16), photometric="minisblack", extratags=[(274, 3, 1, orientation, True)]
        )
    else:
        path.write_bytes(encoded(Image.fromarray(stored), kind, exif=exif, lossless=True))
    reading = read_picture(path)
    np.testing.assert_array_equal(reading.pixels[..., 0], 40 * np.arange(1, 7).reshape(2, 3))
    assert any("upright" in note for note in reading.notes) == (orientation != 1)
    as_stored = read_picture(path, upright=False)
    np.testing.assert_array_equal(as_stored.pixels[..., 0], stored)
    assert any("not followed" in note for note in as_stored.notes) == (orientation != 1)
    assert picture_size(path) == stored.shape


@given(st.integers(0, 255), st.integers(0, 255))
def test_premultiplied_bytes_are_the_nearest_to_colour_times_alpha(colour, alpha) -> None:
    result = premultiplied(np.array([[[colour, alpha]]], np.uint8))
    assert abs(int(result[0, 0, 0]) - colour * alpha / 255) <= 0.5
    assert result[0, 0, 1] == alpha


def test_max_side_averages_areas_and_says_so(tmp_path) -> None:
    values = noise(30, 40, 3)
    path = written(tmp_path / "large.png", encoded(Image.fromarray(values), "PNG"))
    reading = read_picture(path, max_side=20)
    expected = values.reshape(15, 2, 20, 2, 3).mean(axis=(1, 3))
    assert np.abs(reading.pixels - expected).max() <= 0.5
    assert reading.pixels.dtype == np.uint8
    assert reading.notes[-1] == "reduced from 40x30 to 20x15 by area averaging"
    for side in (40, 41, None):
        same = read_picture(path, max_side=side)
        np.testing.assert_array_equal(same.pixels, values)
        assert "reduced" not in " ".join(same.notes)
    with pytest.raises(InputError, match="--max-side"):
        read_picture(path, max_side=0)


def test_a_long_strip_keeps_at_least_one_row(tmp_path) -> None:
    path = written(tmp_path / "strip.png", encoded(Image.fromarray(noise(2, 300, 3)), "PNG"))
    assert read_picture(path, max_side=30).pixels.shape == (1, 30, 3)


# What is wrong with them ----------------------------------------------------------------------------------------------


def test_files_that_are_no_pictures_are_refused_by_name(tmp_path) -> None:
    assert "there is no file" in refusal(tmp_path / "gone.png")
    assert "a folder" in refusal(tmp_path)
    assert "is empty" in refusal(written(tmp_path / "empty.png", b""))
    assert "looks like text" in refusal(written(tmp_path / "notes.png", b"Dear reader,\nthis is no picture.\n"))
    assert "looks like text" not in refusal(written(tmp_path / "data.png", bytes(range(100))))
    assert "'it\\'s'" in refusal(written(tmp_path / "it's", b"x")) or '"' in refusal(tmp_path / "it's")


def test_a_file_that_may_not_be_read_is_refused(tmp_path, monkeypatch) -> None:
    path = written(tmp_path / "secret.png", b"x")

    def denied(*args, **kwargs):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("pathlib.Path.open", denied)
    assert "Permission denied" in refusal(path)


def test_memory_that_is_not_there_is_no_damage(tmp_path, monkeypatch) -> None:
    failure = cv2.error("no memory")
    failure.code, failure.err = cv2.Error.StsNoMem, "Insufficient memory"
    monkeypatch.setattr("cv2.imdecode", lambda *_: (_ for _ in ()).throw(failure))
    path = written(tmp_path / "deep.png", png16(noise(4, 5, 3, dtype=np.uint16)))
    assert "not enough memory" in refusal(path)
    failure.code = cv2.Error.StsBadArg
    assert "damaged" in refusal(path)


def test_a_pipe_or_a_device_is_no_picture(tmp_path) -> None:
    os.mkfifo(tmp_path / "pipe.png")
    assert "it is a pipe" in refusal(tmp_path / "pipe.png")
    (tmp_path / "zero.png").symlink_to("/dev/zero")
    assert "it is a device" in refusal(tmp_path / "zero.png")


DAMAGED = every_kind()


@pytest.mark.parametrize("kind", DAMAGED)
@pytest.mark.parametrize("share", [0.02, 0.5, 0.9])
def test_a_file_cut_short_is_refused_and_nothing_else_is_printed(tmp_path, capfd, kind, share) -> None:
    whole = DAMAGED[kind]
    assert read_picture(written(tmp_path / "whole", whole)).pixels.shape == (40, 50, 3)
    message = refusal(written(tmp_path / "cut", whole[: max(16, int(share * len(whole)))]))
    assert "damaged or cut short" in message
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("kind", DAMAGED)
@settings(max_examples=30)
@given(st.integers(0, 2**32))
def test_whatever_bytes_are_spoilt_a_file_is_read_or_refused_but_never_crashes(tmp_path_factory, kind, seed) -> None:
    rng = np.random.default_rng(seed)
    content = np.frombuffer(DAMAGED[kind], np.uint8).copy()
    places = rng.integers(0, min(len(content), 400), 4)
    content[places] = rng.integers(0, 256, 4)
    path = written(tmp_path_factory.getbasetemp() / "spoilt", content.tobytes())
    with contextlib.suppress(InputError), warnings.catch_warnings(action="error"):
        assert read_picture(path, max_pixels=10_000).pixels.size


def test_a_decompression_bomb_is_refused_by_its_header_and_the_limit_can_be_raised(tmp_path) -> None:
    # 30,000 x 30,000 black pixels would be 900 MB; the data here is not even complete.
    bomb = png(30_000, 30_000, 8, 0, bytes(1000))
    message = refusal(written(tmp_path / "bomb.png", bomb))
    assert "30000x30000 = 900,000,000 pixels" in message
    assert "100,000,000" in message
    assert "--max-pixels 900000000" in message
    small = written(tmp_path / "small.png", encoded(Image.fromarray(noise(10, 10, 3)), "PNG"))
    assert "--max-pixels 100" in refusal(small, max_pixels=99)
    assert read_picture(small, max_pixels=100).pixels.shape == (10, 10, 3)


@pytest.mark.parametrize("kind", DAMAGED)
def test_every_kind_has_its_limit_checked_before_decoding(tmp_path, kind, monkeypatch) -> None:
    for decoder in ("by_pillow._decode", "png._decode", "tiff._decode", "tiff._decode_by_pillow", "hdr._decode"):
        monkeypatch.setattr(f"fieldlens.scenes.pictures.{decoder}", lambda *args, **kwargs: pytest.fail("decoded"))
    assert "--max-pixels 2000" in refusal(written(tmp_path / "large", DAMAGED[kind]), max_pixels=1999)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_values_that_are_no_numbers_are_refused_with_their_place(tmp_path, bad) -> None:
    values = noise(6, 5, 3, dtype=np.float32)
    values[2, 3, 1] = values[4, 0, 0] = bad
    tifffile.imwrite(tmp_path / "hole.tiff", values, photometric="rgb")
    message = refusal(tmp_path / "hole.tiff")
    assert "in 2 of its pixels" in message
    assert "row 2, column 3" in message


def test_doubles_too_large_for_float32_are_refused(tmp_path) -> None:
    tifffile.imwrite(tmp_path / "huge.tiff", np.full((2, 2), 1e300))
    assert "infinite" in refusal(tmp_path / "huge.tiff")


@pytest.mark.parametrize(
    "values", [np.zeros((4, 4), np.int32), np.zeros((4, 4), np.uint32), np.zeros((4, 4), np.int16)]
)
def test_samples_of_other_types_are_refused(tmp_path, values) -> None:
    tifffile.imwrite(tmp_path / "odd.tiff", values)
    assert str(values.dtype) in refusal(tmp_path / "odd.tiff")


def test_more_than_four_channels_are_refused(tmp_path) -> None:
    tifffile.imwrite(
        tmp_path / "many.tiff", noise(4, 5, 6, dtype=np.uint16), photometric="minisblack", planarconfig="contig"
    )
    assert "6 channels" in refusal(tmp_path / "many.tiff")


# Extras ---------------------------------------------------------------------------------------------------------------

HEIC = b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + bytes(40)
EXR = b"v/1\x01\x02\0\0\0" + bytes(40)


@pytest.mark.parametrize(("content", "module", "extra"), [(EXR, "OpenEXR", "exr"), (HEIC, "pillow_heif", "heic")])
def test_kinds_that_need_an_extra_name_it(tmp_path, monkeypatch, content, module, extra) -> None:
    monkeypatch.setitem(sys.modules, module, None)  # as if it were not installed
    assert f"pip install 'fieldlens[{extra}]'" in refusal(written(tmp_path / "photo", content))


@pytest.mark.parametrize("names", ["RGB", "RGBA", "Y"])
def test_exr_is_read_where_its_extra_is_installed(tmp_path, names) -> None:
    openexr = pytest.importorskip("OpenEXR", reason="the extra 'exr' is not installed")
    values = noise(6, 5, len(names), dtype=np.float32)
    header = {"compression": openexr.ZIP_COMPRESSION, "type": openexr.scanlineimage}
    path = tmp_path / "photo 🐈.exr"
    openexr.File(header, {names: values if len(names) > 1 else values[..., 0].copy()}).write(str(path))
    np.testing.assert_array_equal(read_picture(path).pixels, values)
    assert "--max-pixels 30" in refusal(path, max_pixels=29)
    assert "damaged" in refusal(written(tmp_path / "cut.exr", path.read_bytes()[:-20]))


def test_channels_of_an_exr_that_are_left_out_are_named(tmp_path) -> None:
    openexr = pytest.importorskip("OpenEXR", reason="the extra 'exr' is not installed")
    header = {"compression": openexr.ZIP_COMPRESSION, "type": openexr.scanlineimage}
    depth, values = noise(6, 5, dtype=np.float32), noise(6, 5, 3, dtype=np.float32)
    openexr.File(header, {"RGB": values, "Z": depth}).write(str(tmp_path / "a.exr"))
    reading = read_picture(tmp_path / "a.exr")
    np.testing.assert_array_equal(reading.pixels, values)
    assert "channels left out: Z" in reading.notes
    openexr.File(header, {"Z": depth}).write(str(tmp_path / "z.exr"))
    assert "has the channels Z, but no RGB and no Y" in refusal(tmp_path / "z.exr")


def test_heic_of_more_than_8_bits_is_said_to_lose_them(tmp_path) -> None:
    heif = pytest.importorskip("pillow_heif", reason="the extra 'heic' is not installed")
    values = noise(32, 32, 3, dtype=np.uint16)
    heif.encode("RGB;16", (32, 32), values.tobytes(), str(tmp_path / "deep.heic"))
    assert "10 bits of a sample reduced to 8" in read_picture(tmp_path / "deep.heic").notes


def test_heic_is_read_where_its_extra_is_installed(tmp_path) -> None:
    heif = pytest.importorskip("pillow_heif", reason="the extra 'heic' is not installed")
    heif.register_heif_opener()
    values = smooth(24, 40)
    path = written(tmp_path / "photo.heic", encoded(Image.fromarray(values), "HEIF", quality=95))
    assert np.abs(read_picture(path).pixels.astype(int) - values).max() <= 8
    assert "damaged" in refusal(written(tmp_path / "cut.heic", path.read_bytes()[:-200]))


def test_kinds_are_told_by_their_first_bytes() -> None:
    assert sniff(HEIC) == "HEIC"
    assert sniff(b"\0\0\0\x1cftypmif1\0\0\0\0mif1avifmiaf") == "AVIF"
    assert sniff(b"RIFF\0\0\0\0WAVEfmt ") is None
    assert sniff(b"\0\0\0\x18ftypisom\0\0\0\0isommp41") is None
    assert sniff(b"") is None


def test_a_picture_of_no_pixels_is_refused(tmp_path) -> None:
    bmp = b"BM" + struct.pack("<IHHI", 54, 0, 0, 54) + struct.pack("<IiiHHIIiiII", 40, 0, 0, 1, 24, 0, 0, 0, 0, 0, 0)
    refusal(written(tmp_path / "none.bmp", bmp))
    refusal(written(tmp_path / "none.png", png(0, 0, 8, 0, zlib.compress(b""))))
