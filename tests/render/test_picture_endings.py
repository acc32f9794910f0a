"""Pictures in files are what their endings say."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from fieldlens.configs.errors import InputError
from fieldlens.render.files import PICTURE_ENDINGS, require_ending, write_picture
from fieldlens.scenes.pictures.reading import premultiplied, read_picture
from tests.support.picture_files import smooth

FORMATS = {".png": "PNG", ".jpg": "JPEG", ".jpeg": "JPEG", ".webp": "WEBP", ".tif": "TIFF", ".tiff": "TIFF"}


@pytest.mark.parametrize("ending", PICTURE_ENDINGS)
@pytest.mark.parametrize("upper", [False, True])
def test_a_picture_is_written_as_its_ending_says(tmp_path: Path, ending: str, upper: bool) -> None:
    values = smooth(20, 31)
    path = tmp_path / f"picture{ending.upper() if upper else ending}"
    write_picture(path, values)
    with Image.open(path) as read:
        assert read.format == FORMATS[ending]
        difference = np.abs(np.asarray(read.convert("RGB")).astype(int) - values)
    assert difference.max() <= (8 if FORMATS[ending] == "JPEG" else 0)


@pytest.mark.parametrize("ending", [".png", ".webp", ".tiff"])
def test_transparency_stays_where_a_format_has_it(tmp_path: Path, ending: str) -> None:
    values = smooth(9, 7, 4)
    write_picture(tmp_path / f"x{ending}", values)
    with Image.open(tmp_path / f"x{ending}") as read:
        np.testing.assert_array_equal(np.asarray(read.convert("RGBA")), values)
    np.testing.assert_array_equal(read_picture(tmp_path / f"x{ending}").pixels, premultiplied(values))


@pytest.mark.parametrize(
    ("name", "shape", "sentence"),
    [
        ("x.jpg", (4, 4, 4), "cannot hold the picture's transparency"),
        ("x.webp", (2, 16_384, 3), "cannot hold more than 16,383 pixels"),
        ("x.jpg", (65_501, 1, 3), "cannot hold more than 65,500 pixels"),
        ("x.gif", (4, 4, 3), "a picture is written as .png, .jpg, .jpeg, .webp, .tif, .tiff, not as 'x.gif'"),
        ("x", (4, 4, 3), "not as 'x'"),
        ("x.png.bmp", (4, 4, 3), "not as 'x.png.bmp'"),
    ],
)
def test_what_a_file_cannot_hold_is_refused_and_not_written(
    tmp_path: Path, name: str, shape: tuple[int, int, int], sentence: str
) -> None:
    with pytest.raises(InputError, match=sentence):
        write_picture(tmp_path / name, np.zeros(shape, np.uint8))
    assert not list(tmp_path.iterdir())


def test_a_folder_is_no_file_to_write(tmp_path: Path) -> None:
    (tmp_path / "x.png").mkdir()
    with pytest.raises(InputError, match="is a folder; name a file in it"):
        require_ending(tmp_path / "x.png", PICTURE_ENDINGS, "a drawing")
