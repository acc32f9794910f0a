"""TIFFs: the picture and the bands that are meant, or a sentence. Files are other libraries' or made byte by byte."""

import struct
import tracemalloc
import zlib

import cv2
import numpy as np
import pytest
import tifffile
from PIL import Image
from skimage.color import lab2rgb

from fieldlens.configs.errors import InputError
from fieldlens.scenes.pictures.reading import picture_size, premultiplied, read_picture
from tests.support.picture_files import encoded, noise, smooth, tiff, written


def refusal(path, **options) -> str:
    with pytest.raises(InputError) as caught:
        read_picture(path, **options)
    assert repr(str(path)) in str(caught.value)
    return str(caught.value)


# Which picture --------------------------------------------------------------------------------------------------------


def raw_file(path, *, dng: bool, compact: bool = False) -> None:
    """A raw photograph as cameras write it: the first picture is a preview, and the sensor's mosaic lies below it."""
    version = [(50706, "B", 4, (1, 4, 0, 0), True)] if dng else []
    with tifffile.TiffWriter(path, bigtiff=compact) as file:
        preview = np.full((40, 60, 3), 99, np.uint8)
        file.write(preview, photometric="rgb", subfiletype=1, subifds=1, extratags=version)
        pattern = [(33421, "H", 2, (2, 2), True), (33422, "B", 4, (0, 1, 1, 2), True)]
        file.write(np.zeros((400, 600), np.uint16), photometric=32803, subfiletype=0, extratags=pattern)


@pytest.mark.parametrize("compact", [False, True])
@pytest.mark.parametrize(
    ("name", "dng"), [("photo.dng", True), ("photo.tif", True), ("photo.NEF", False), ("a", False)]
)
def test_a_raw_photograph_is_never_its_preview(tmp_path, name, dng, compact) -> None:
    raw_file(tmp_path / name, dng=dng, compact=compact)
    assert "raw photograph" in refusal(tmp_path / name)
    assert "export it as TIFF or PNG" in refusal(tmp_path / name)
    with pytest.raises(InputError, match="raw photograph"):
        picture_size(tmp_path / name)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("photo.cr2", b"II*\0\x10\0\0\0CR\2\0" + bytes(40)),
        ("photo", b"II*\0\x10\0\0\0CR\2\0" + bytes(40)),
        ("photo.tif", b"II*\0\x10\0\0\0IIII" + bytes(40)),
        ("photo", b"\0\0\0\x18ftypcrx \0\0\0\1crx isom" + bytes(40)),
        ("photo", b"FUJIFILMCCD-RAW 0201" + bytes(40)),
        ("photo", b"IIRO\x08\0\0\0" + bytes(40)),
        ("photo", b"IIU\0\x08\0\0\0" + bytes(40)),
        ("photo.kdc", bytes(range(60))),
    ],
)
def test_raw_photographs_are_known_by_their_first_bytes_or_by_their_ending(tmp_path, name, content) -> None:
    assert "raw photograph" in refusal(written(tmp_path / name, content))


def test_a_plain_tiff_called_as_raw_files_are_is_refused_too(tmp_path) -> None:
    content = encoded(Image.fromarray(noise(4, 5, 3)), "TIFF")
    assert "raw photograph" in refusal(written(tmp_path / "old.ARW", content))
    np.testing.assert_array_equal(read_picture(written(tmp_path / "old.tif", content)).pixels, noise(4, 5, 3))


@pytest.mark.parametrize("compression", [None, "zlib"])
def test_the_full_picture_is_read_and_not_the_preview_before_it(tmp_path, compression) -> None:
    path, values = tmp_path / "scan.tif", noise(20, 30, 3)
    with tifffile.TiffWriter(path) as file:
        file.write(np.zeros((10, 15, 3), np.uint8), photometric="rgb", subfiletype=1, subifds=1)
        file.write(values, photometric="rgb", subfiletype=0, compression=compression)
    reading = read_picture(path)
    np.testing.assert_array_equal(reading.pixels, values)
    assert "not its preview of 15x10" in reading.notes
    assert "first frame only" not in reading.notes
    assert picture_size(path) == (20, 30)


def test_previews_and_masks_behind_the_picture_are_no_other_pictures(tmp_path) -> None:
    path, values = tmp_path / "a.tif", noise(20, 30, 3)
    with tifffile.TiffWriter(path) as file:
        file.write(values, photometric="rgb", subifds=1)
        file.write(values[::2, ::2], photometric="rgb", subfiletype=1)
        file.write(values[..., 0] > 99, photometric="mask", subfiletype=4)
    reading = read_picture(path)
    np.testing.assert_array_equal(reading.pixels, values)
    assert reading.notes[1:] == ("its mask of transparency is not used",)


def test_of_nothing_but_previews_the_largest_is_read_and_called_so(tmp_path) -> None:
    with tifffile.TiffWriter(tmp_path / "a.tif") as file:
        for height in (4, 9, 6):
            file.write(noise(height, 8), photometric="minisblack", subfiletype=1)
    reading = read_picture(tmp_path / "a.tif")
    np.testing.assert_array_equal(reading.pixels[..., 0], noise(9, 8))
    assert "a preview, as the file says, of a picture that is not there" in reading.notes


def test_a_larger_picture_behind_the_first_is_named(tmp_path) -> None:
    with tifffile.TiffWriter(tmp_path / "a.tif") as file:
        for height in (4, 9, 6):
            file.write(noise(height, 8, dtype=np.uint16), photometric="minisblack")
    reading = read_picture(tmp_path / "a.tif")
    assert reading.pixels.shape == (4, 8, 1)
    assert reading.notes[1:] == ("first frame only", "another of its pictures is larger: 8x9")


def test_a_jpeg_behind_a_preview_is_decoded_from_its_own_place(tmp_path) -> None:
    """JPEG is a library's, which reads the first picture of a file, and so has to be shown another file."""
    values, path = smooth(24, 40), tmp_path / "a.tif"
    frames = [Image.fromarray(values[::2, ::2]), Image.fromarray(values)]
    options = {"save_all": True, "append_images": frames[1:], "compression": "jpeg", "quality": 95}
    content = bytearray(encoded(frames[0], "TIFF", **options))
    with tifffile.TiffFile(written(path, bytes(content))) as file:
        at = file.pages[0].offset
    (count,) = struct.unpack_from("<H", content, at)
    # Pillow wrote no tag 254; its place is taken from ResolutionUnit, which nobody needs
    for entry in range(at + 2, at + 2 + 12 * count, 12):
        if struct.unpack_from("<H", content, entry)[0] in (282, 283, 296, 305):
            struct.pack_into("<HHII", content, entry, 254, 4, 1, 1)
            break
    else:
        struct.pack_into("<HHII", content, at + 2 + 12 * (count - 1), 254, 4, 1, 1)
    reading = read_picture(written(path, bytes(content)))
    assert reading.pixels.shape == (24, 40, 3)
    assert np.abs(reading.pixels.astype(int) - values).max() <= 12


# Which bands ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
@pytest.mark.parametrize("planar", ["contig", "separate"])
def test_near_infrared_in_a_fourth_band_is_left_out_and_said(tmp_path, dtype, planar) -> None:
    values = noise(6, 5, 4, dtype=dtype)
    data = values if planar == "contig" else np.moveaxis(values, -1, 0)
    tifffile.imwrite(tmp_path / "a.tif", data, photometric="rgb", planarconfig=planar, extrasamples=["unspecified"])
    reading = read_picture(tmp_path / "a.tif")
    np.testing.assert_array_equal(reading.pixels, values[..., :3])
    assert "1 of its 4 bands, neither colour nor alpha, left out" in reading.notes


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize(("photometric", "colours"), [("rgb", 3), ("minisblack", 1)])
@pytest.mark.parametrize("alpha", ["assocalpha", "unassalpha"])
@pytest.mark.parametrize("before", [0, 1])
def test_alpha_is_the_band_that_says_so_wherever_it_stands(
    tmp_path, dtype, photometric, colours, alpha, before
) -> None:
    values = noise(6, 5, colours + before + 1, dtype=dtype)
    meant = [*["unspecified"] * before, alpha]
    tifffile.imwrite(tmp_path / "a.tif", values, photometric=photometric, planarconfig="contig", extrasamples=meant)
    reading = read_picture(tmp_path / "a.tif")
    expected = np.delete(values, range(colours, colours + before), axis=2)
    expected = premultiplied(expected) if alpha == "unassalpha" else expected
    np.testing.assert_array_equal(reading.pixels, expected)
    assert any("left out" in note for note in reading.notes) == bool(before)


def test_a_fourth_band_of_which_nothing_is_said_is_no_alpha(tmp_path) -> None:
    values = noise(3, 2, 4)
    path = written(tmp_path / "a.tif", tiff({256: 2, 257: 3, 258: 8, 259: 1, 262: 2, 277: 4}, values.tobytes()))
    np.testing.assert_array_equal(read_picture(path).pixels, values[..., :3])


def test_grey_with_several_bands_of_which_nothing_is_said_is_refused(tmp_path) -> None:
    for dtype in (np.uint8, np.uint16):
        tifffile.imwrite(
            tmp_path / "a.tif", noise(4, 5, 3, dtype=dtype), photometric="minisblack", planarconfig="contig"
        )
        assert "3 channels" in refusal(tmp_path / "a.tif")


# Which values ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", [np.int8, np.int16, np.int32, np.uint32, np.int64, np.uint64, np.complex64])
@pytest.mark.parametrize("channels", [1, 3])
def test_samples_of_other_types_are_refused_by_their_type(tmp_path, dtype, channels) -> None:
    values = np.ones((4, 4, channels), dtype)
    tifffile.imwrite(tmp_path / "odd.tif", values, photometric="rgb" if channels == 3 else "minisblack")
    message = refusal(tmp_path / "odd.tif")
    assert (np.dtype(dtype).name if dtype is not np.complex64 else "complex") in message
    assert "save it with 8 or 16 bits" in message


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize("compression", [None, "zlib"])
def test_white_is_zero_in_any_depth(tmp_path, dtype, compression) -> None:
    values = noise(6, 5, dtype=dtype)
    tifffile.imwrite(tmp_path / "fax.tif", values, photometric="miniswhite", compression=compression)
    np.testing.assert_array_equal(read_picture(tmp_path / "fax.tif").pixels[..., 0], np.iinfo(dtype).max - values)


@pytest.mark.parametrize("bits", [1, 2, 4])
@pytest.mark.parametrize("photometric", [0, 1, 3])
def test_few_bits_are_grey_from_end_to_end_or_a_palettes_colours(tmp_path, bits, photometric) -> None:
    count, width = 1 << bits, 5
    numbers = np.arange(2 * width).reshape(2, width) % count
    text = ["".join(f"{number:0{bits}b}" for number in row) for row in numbers]
    rows = b"".join(int(row.ljust(-len(row) % 8 + len(row), "0"), 2).to_bytes(-(-len(row) // 8)) for row in text)
    palette = noise(3, count).astype(int)
    tags = {256: width, 257: 2, 258: bits, 259: 1, 262: photometric, 277: 1}
    path = written(tmp_path / "a.tif", tiff(tags | {320: (257 * palette).ravel().tolist()}, rows))
    pixels = read_picture(path).pixels
    if photometric == 3:
        np.testing.assert_array_equal(pixels, palette.T[numbers])
    else:
        grey = numbers * 255 // (count - 1)
        np.testing.assert_array_equal(pixels[..., 0], grey if photometric else 255 - grey)


@pytest.mark.parametrize("byteorder", ["<", ">"])
@pytest.mark.parametrize("predictor", [1, 2])
@pytest.mark.parametrize("tile", [None, (16, 32)])
@pytest.mark.parametrize("planar", ["contig", "separate"])
def test_strips_and_tiles_and_predictors_are_undone_to_every_value(
    tmp_path, byteorder, predictor, tile, planar
) -> None:
    for dtype in (np.uint8, np.uint16) if predictor == 2 else (np.uint8, np.uint16, np.float32):
        values = noise(37, 45, 3, dtype=dtype)
        tifffile.imwrite(
            tmp_path / "a.tif",
            values if planar == "contig" else np.moveaxis(values, -1, 0),
            photometric="rgb",
            planarconfig=planar,
            tile=tile,
            rowsperstrip=None if tile else 10,
            compression="zlib",
            predictor=predictor,
            byteorder=byteorder,
        )
        np.testing.assert_array_equal(read_picture(tmp_path / "a.tif").pixels, values)


@pytest.mark.parametrize("predictor", [1, 2, 3])
@pytest.mark.parametrize("compression", [5, 8])  # LZW, deflate
@pytest.mark.parametrize("channels", [1, 3])
def test_floats_are_read_with_any_predictor_that_libtiff_writes(tmp_path, predictor, compression, channels) -> None:
    values = noise(37, 45, channels, dtype=np.float32)
    options = [cv2.IMWRITE_TIFF_COMPRESSION, compression, cv2.IMWRITE_TIFF_PREDICTOR, predictor]
    content = cv2.imencode(".tiff", values[..., ::-1], options)[1].tobytes()
    np.testing.assert_array_equal(read_picture(written(tmp_path / "a.tif", content)).pixels, values)


@pytest.mark.parametrize("compression", ["tiff_lzw", "packbits", "tiff_adobe_deflate", "lzma", "group3", "group4"])
def test_what_another_library_packed_is_unpacked(tmp_path, compression) -> None:
    fax = compression.startswith("group")
    image = Image.fromarray(noise(33, 41, 3)).convert("1") if fax else Image.fromarray(noise(33, 41, 3))
    reading = read_picture(written(tmp_path / "a.tif", encoded(image, "TIFF", compression=compression)))
    expected = np.asarray(image.convert("L"))[..., None] if fax else noise(33, 41, 3)
    np.testing.assert_array_equal(reading.pixels, expected)


def test_lab_is_converted_and_said(tmp_path) -> None:
    lab = np.array([[[60.0, 40, -30], [70, -30, 50], [50, 0, 0]]])
    stored = np.rint(lab * [2.55, 1, 1]).astype(int).astype(np.uint8, casting="unsafe")
    tifffile.imwrite(tmp_path / "a.tif", stored, photometric="cielab")
    reading = read_picture(tmp_path / "a.tif")
    # the oracle's white is that of daylight at noon, and a colour profile's that of print: colours differ a little
    assert np.abs(reading.pixels - 255 * lab2rgb(lab)).max() < 12
    assert "LAB converted to RGB" in reading.notes


@pytest.mark.parametrize(
    ("tags", "said"),
    [
        ({262: 6}, "YCbCr"),
        ({262: 32844}, "colours of a kind"),
        ({258: 12, 262: 1, 277: 1}, "uint12"),
        ({259: 34712}, "compressed in a way"),
        ({266: 2}, "reverse order"),
        ({262: 1, 277: 1, 32997: 1_000_000}, "volume"),
        ({262: 0, 277: 1, 258: 32, 339: 3}, "0 is white"),
        ({277: 65_535}, "65,535 channels"),
        ({262: 5, 277: 4, 332: 2}, "other inks"),
    ],
)
def test_what_is_not_read_is_named(tmp_path, tags, said) -> None:
    plain = {256: 4, 257: 3, 258: 8, 259: 1, 262: 2, 277: 3}
    assert said in refusal(written(tmp_path / "a.tif", tiff(plain | tags, bytes(4 * 3 * 16))))


# What it costs --------------------------------------------------------------------------------------------------------


def test_a_strip_is_inflated_no_further_than_its_size(tmp_path) -> None:
    """A strip of 64 x 64 pixels of which the data goes on for 64 MiB."""
    packed = zlib.compressobj(9)
    data = packed.compress(bytes(4096)) + b"".join(packed.compress(bytes(1 << 22)) for _ in range(16)) + packed.flush()
    tags = {256: 64, 257: 64, 258: 8, 259: 8, 262: 1, 277: 1}
    path = written(tmp_path / "bomb.tif", tiff(tags, data))
    tracemalloc.start()
    try:
        assert read_picture(path).pixels.shape == (64, 64, 1)
        assert tracemalloc.get_traced_memory()[1] < 1 << 22
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize(
    ("tags", "said"),
    [
        ({256: 10_000, 257: 10_000, 258: 16, 277: 4, 338: 2}, "takes 800,000,000 bytes"),
        ({256: 5_000, 257: 5_000, 277: 40}, "takes 1,000,000,000 bytes"),
        ({322: 4096, 323: 4096, 324: 8, 325: 8, 258: 64, 339: 3, 277: 5}, "takes 671,088,640 bytes"),
        ({256: 1 << 31, 257: 1 << 31}, "more than the limit of 100,000,000"),
    ],
)
def test_what_its_values_take_is_known_from_its_tags(tmp_path, tags, said) -> None:
    plain = {256: 64, 257: 64, 258: 8, 259: 1, 262: 2, 277: 3}
    path = written(tmp_path / "a.tif", tiff(plain | tags, bytes(100)))
    assert said in refusal(path)
    assert "--max-pixels" in refusal(path)


def test_a_tile_far_larger_than_its_picture_is_damage(tmp_path) -> None:
    tags = {256: 64, 257: 64, 258: 8, 259: 1, 262: 1, 277: 1, 322: 1 << 30, 323: 1 << 30, 324: 8, 325: 8}
    assert "tiles make no sense" in refusal(written(tmp_path / "a.tif", tiff(tags, bytes(100))))


def test_a_limit_on_bytes_is_raised_by_the_number_that_the_sentence_names(tmp_path) -> None:
    tags = {256: 10_000, 257: 10_000, 258: 16, 259: 1, 262: 2, 277: 4, 338: 2}
    path = written(tmp_path / "a.tif", tiff(tags, bytes(100)))
    enough = int(refusal(path).split("--max-pixels ")[1])
    assert "takes" in refusal(path, max_pixels=enough - 1)
    assert "end early" in refusal(path, max_pixels=enough)


@pytest.mark.parametrize("where", ["itself", "chain", "below"])
def test_directories_that_go_round_are_looked_at_once(tmp_path, where) -> None:
    tags = {256: 5, 257: 4, 258: 8, 259: 1, 262: 1, 277: 1}
    content = tiff(tags | ({330: 8} if where == "below" else {}), bytes(20), following=8 if where != "below" else 0)
    assert read_picture(written(tmp_path / "a.tif", content)).pixels.shape == (4, 5, 1)


@pytest.mark.parametrize(
    "content", [b"II*\0" + bytes(4), b"II*\0\x08\0\0\0\xff\xff", b"MM\0+" + b"\xff" * 12, b"II*\0"]
)
def test_directories_that_are_not_there_are_damaged(tmp_path, content) -> None:
    assert "damaged" in refusal(written(tmp_path / "a.tif", content))
