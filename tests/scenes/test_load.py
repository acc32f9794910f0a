"""From a word to a scene: files before built-in names, and hints for words that are neither."""

import math
import os
from functools import partial
from importlib import import_module
from pathlib import Path

import numpy as np
import pytest
import tifffile
import torch
from PIL import Image

from fieldlens.configs.errors import InputError
from fieldlens.configs.run import Target
from fieldlens.configs.space import Space
from fieldlens.scenes import BUILTINS, Picture, load, thumbnail_sheet
from fieldlens.scenes.demo_folder import demo_folder
from fieldlens.scenes.demos import DEMOS
from fieldlens.scenes.digits import digits
from fieldlens.scenes.load import restore
from fieldlens.scenes.mesh_photographs import photographed_mesh
from fieldlens.scenes.posed import PosedScene
from fieldlens.scenes.solids.writing import write_mesh
from tests.support.picture_files import encoded, noise, png16, written
from tests.support.posed_scenes import small_capture
from tests.support.small_meshes import box


def picture(word: str, **choices) -> Picture:
    scene = load(word, Target(**choices))
    assert isinstance(scene, Picture)
    return scene


@pytest.fixture
def here(tmp_path, monkeypatch) -> Path:
    """An empty working folder."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def some_png(path: Path) -> np.ndarray:
    values = noise(6, 8, 3)
    written(path, encoded(Image.fromarray(values), "PNG"))
    return values


@pytest.mark.parametrize("name", ["coffee", "siemens"])
def test_a_bare_name_is_a_builtin_picture(here, name) -> None:
    scene = picture(name)
    assert scene.name == name
    assert (scene.height, scene.width) == (BUILTINS[name].height, BUILTINS[name].width)


def test_an_existing_file_wins_over_a_builtin_name_but_a_folder_does_not(here) -> None:
    (here / "coffee").mkdir()
    assert picture("coffee").width == 600
    values = some_png(here / "astronaut")
    np.testing.assert_array_equal(picture("astronaut").pixels, values)


def test_max_side_reduces_builtin_pictures_and_files_alike(here) -> None:
    some_png(here / "a.png")
    for word in ("a.png", "coffee", "zoneplate"):
        scene = picture(word, max_side=4)
        assert scene.resolution == 4
        assert "by area averaging" in scene.notes[-1]


def test_the_holdout_and_the_limit_on_pixels_are_passed_on(here) -> None:
    some_png(here / "a.png")
    assert picture("a.png", holdout="checkerboard").training_samples == 24
    with pytest.raises(InputError, match="--max-pixels 48"):
        load("a.png", Target(max_pixels=47))


def test_max_side_reduces_the_photographs_of_a_builtin_scene_and_of_a_mesh(here, monkeypatch) -> None:
    monkeypatch.setenv("FIELDLENS_CACHE", str(here / "cache"))
    module = import_module("fieldlens.scenes.load")
    monkeypatch.setattr(module, "demo_folder", partial(demo_folder, side=12, train=2, heldout=1))
    monkeypatch.setattr(module, "photographed_mesh", partial(photographed_mesh, train=2, heldout=1))
    write_mesh(here / "box.ply", box())
    for word in ("demo:solids", "box.ply"):
        scene = load(word, Target(max_side=6), Space(kind="radiance"))
        assert isinstance(scene, PosedScene)
        assert {photograph.pixels.shape[:2] for photograph in scene.capture.train} == {(6, 6)}


@pytest.mark.parametrize(
    ("target", "sentence"),
    [(Target(max_side=8), "--max-side is for pictures"), (Target(holdout="checkerboard"), "--holdout is for pictures")],
)
@pytest.mark.parametrize("kind", ["auto", "occupancy"])
def test_a_solid_has_no_pixels_to_reduce_or_to_hold_out(here, target, sentence, kind) -> None:
    write_mesh(here / "box.ply", box())
    with pytest.raises(InputError, match=sentence):
        load("box.ply", target, Space(kind=kind))


def test_the_limit_on_pixels_is_that_of_photographs_too(here) -> None:
    small_capture(here)
    with pytest.raises(InputError, match=r"frame 1 of 9 .* = 64 pixels, more than the limit of 63; .* --max-pixels 64"):
        load(str(here), Target(max_pixels=63))


@pytest.mark.parametrize("name", ["two words", 'it\'s "quoted"', "<script>alert(1)<", "katze 🐈", "dot.dot"])
def test_a_scene_is_called_like_its_file(here, name) -> None:
    some_png(here / f"{name}.png")
    assert load(f"{name}.png").name == name
    assert load(str(here / f"{name}.png")).name == name


def test_a_file_name_that_is_no_text_still_gives_a_name_that_is(here) -> None:
    word = b"caf\xe9.png".decode("utf-8", "surrogateescape")
    some_png(here / word)
    assert load(word).name == "caf\N{REPLACEMENT CHARACTER}"


@pytest.mark.parametrize(
    ("word", "hint"),
    [
        ("astronat", "did you mean 'astronaut'?"),
        ("zone-plate", "did you mean 'zoneplate'?"),
        ("holidey.png", "did you mean 'holiday.png'?"),
        ("pictures/beech.jpg", "did you mean 'pictures/beach.jpg'?"),
        ("qqqq", "choose from astronaut, brick, cell"),
        ("nowhere/qqqq.png", "nowhere/qqqq.png'; built in are astronaut, brick, cell, chelsea"),
        ("demo:digger", "choose from checker, crane, lattice, solids, teapot"),
        ("https://example.org/cat.jpg", "is an address: download it first"),
        ("a\0b", "no file"),
        ("x" * 5000, "no file"),
        ("", "no file"),
    ],
)
def test_a_word_that_is_nothing_gets_the_nearest_that_is_something(here, word, hint) -> None:
    some_png(here / "holiday.png")
    (here / "pictures").mkdir()
    some_png(here / "pictures" / "beach.jpg")
    with pytest.raises(InputError) as caught:
        load(word)
    assert hint in str(caught.value)


@pytest.mark.parametrize(
    ("kind", "tasks"),
    [("sdf", ["reading the mesh"]), ("radiance", ["reading the mesh", "photographing the mesh"])],
)
def test_what_is_told_of_a_mesh_rises_to_all_task_by_task(here, monkeypatch, kind, tasks) -> None:
    few = partial(photographed_mesh, side=8, train=2, heldout=1)
    monkeypatch.setattr(import_module("fieldlens.scenes.load"), "photographed_mesh", few)
    write_mesh(here / "box.ply", box())
    told: dict[str, list[float]] = {}
    load("box.ply", space=Space(kind=kind), working=lambda task, share: told.setdefault(task, []).append(share))
    assert list(told) == tasks
    for shares in told.values():
        assert shares == sorted(shares)
        assert shares[-1] == 1


def test_a_link_to_nothing_is_called_so(here) -> None:
    Path("link.png").symlink_to("gone.png")
    with pytest.raises(InputError, match=r"link.png' is a symbolic link to 'gone.png', which is not there"):
        load("link.png")


def test_endings_may_be_in_capital_letters(here) -> None:
    small_capture(Path.cwd())
    Path("transforms.json").rename("CAMERAS.JSON")
    assert isinstance(load("CAMERAS.JSON"), PosedScene)


def test_a_folder_is_refused(here) -> None:
    (here / "album").mkdir()
    with pytest.raises(InputError, match="'album' is no folder of posed photographs: it has neither"):
        load("album")


def test_photographs_without_cameras_are_refused_with_what_can_be_done(here) -> None:
    (here / "my album").mkdir()
    for name in ("b.JPG", "a.png", "notes.txt"):
        (here / "my album" / name).touch()
    with pytest.raises(InputError) as refused:
        load("my album")
    assert "Fit its 2 pictures one by one, as in `fieldlens fit 'my album/a.png'`" in str(refused.value)
    assert "`ns-process-data images --data 'my album' --output-dir posed`" in str(refused.value)


@pytest.mark.parametrize("size", [(1, 1), (1, 7), (7, 1)])
def test_the_smallest_pictures_can_be_trained_on_and_drawn(here, size) -> None:
    written(here / "small.png", png16(noise(*size, 3, dtype=np.uint16)))
    scene = load("small.png")
    field = torch.nn.Linear(2, 3)
    batch = scene.batch(torch.Generator().manual_seed(0), 64)
    scene.loss(scene.predict(field, batch), batch).backward()
    (view,) = scene.views()
    assert view.draw(field).shape == view.target().shape == (*size, 3)
    assert field.weight.grad is not None


def test_the_thumbnail_sheet_shows_every_builtin() -> None:
    sheet = thumbnail_sheet()
    assert sheet.dtype == np.uint8
    # Each thumbnail's pixels cover at least its picture's share of rows of four.
    assert sheet.shape[0] > math.ceil((len(BUILTINS) + len(DEMOS)) / 4) * 256
    assert sheet.shape[1] > 4 * 256
    assert len(np.unique(sheet.reshape(-1, 3), axis=0)) > 1000


def test_negative_values_of_a_float_picture_become_0_before_anything_else_is_done(tmp_path) -> None:
    values = np.array([[[-0.5, 0.25, 4.0], [0.5, 1.0, -2.0]]], np.float32)
    tifffile.imwrite(tmp_path / "overshot.tiff", values, photometric="rgb")
    overshot = picture(str(tmp_path / "overshot.tiff"))
    np.testing.assert_array_equal(overshot.target(), np.maximum(values, 0) / 4)
    assert "2 negative values (33.3 %) set to 0" in overshot.notes
    half = picture(str(tmp_path / "overshot.tiff"), max_side=1)
    np.testing.assert_allclose(half.target()[0, 0] * 2, [0.25, 0.625, 2.0])


def test_a_picture_of_values_below_0_alone_is_black(tmp_path) -> None:
    tifffile.imwrite(tmp_path / "below.tiff", np.full((2, 3), -1, np.float32))
    below = picture(str(tmp_path / "below.tiff"))
    assert not below.target().any()
    assert "6 negative values (100 %) set to 0" in below.notes


def test_a_float_picture_without_negative_values_has_no_note_of_any(tmp_path) -> None:
    tifffile.imwrite(tmp_path / "plain.tiff", np.full((2, 3), -0.0, np.float32))
    assert not any("negative" in note for note in picture(str(tmp_path / "plain.tiff")).notes)


def test_a_float_picture_with_more_light_than_1_becomes_shares_of_its_brightest_value(tmp_path) -> None:
    values = np.array([[[0.5, 1.0, 8.0]], [[4.0, 0.0, 2.0]]], np.float32)
    tifffile.imwrite(tmp_path / "sun.tiff", values)
    sun = picture(str(tmp_path / "sun.tiff"))
    np.testing.assert_array_equal(sun.target(), values / 8)
    assert any("brightest value, 8" in note for note in sun.notes)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"scene": None}, "names no kind of scene"),
        ({"scene": np.array("hologram")}, "names no kind of scene"),
        ({"pixels": None}, "has no 'pixels'"),
    ],
)
def test_a_saved_target_of_no_known_kind_or_without_an_array_of_its_kind_is_refused(tmp_path, change, said) -> None:
    arrays = Picture("grey", np.zeros((2, 2, 1), np.uint8)).to_npz_arrays() | change
    np.savez(
        tmp_path / "target.npz",
        allow_pickle=False,
        **{name: array for name, array in arrays.items() if array is not None},
    )
    with pytest.raises(InputError, match=rf"target\.npz' is no saved target, or is damaged \(it {said}"):
        restore(tmp_path / "target.npz", Space())


def test_digits_are_not_restored_as_they_cannot_be_drawn(tmp_path) -> None:
    np.savez(tmp_path / "target.npz", allow_pickle=False, **digits().to_npz_arrays())
    with pytest.raises(InputError, match="holds digits"):
        restore(tmp_path / "target.npz", Space())


@pytest.mark.parametrize("name", ["a.png", "a.json", "a.npz", "a.obj", "astronauts"])
def test_what_is_no_file_is_refused_whatever_it_is_called(tmp_path, name) -> None:
    os.mkfifo(tmp_path / name)
    with pytest.raises(InputError, match="it is a pipe, and not a file"):
        load(str(tmp_path / name))


def test_a_saved_picture_that_takes_more_than_its_run_was_allowed_is_refused(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(import_module("fieldlens.scenes.load"), "LARGEST_TARGET", 10_000)
    arrays = Picture("noise", noise(64, 64, 3)).to_npz_arrays()
    np.savez(tmp_path / "target.npz", allow_pickle=False, **arrays)
    with pytest.raises(InputError, match=r"arrays take 12,\d* bytes, more than the 10,000 "):
        restore(tmp_path / "target.npz", Space(), max_pixels=100)
    assert restore(tmp_path / "target.npz", Space(), max_pixels=64 * 64).name == "noise"


def test_a_bit_of_a_saved_picture_cannot_be_changed_unseen(tmp_path) -> None:
    values = noise(40, 40, 3)
    np.savez(tmp_path / "target.npz", allow_pickle=False, **Picture("noise", values).to_npz_arrays())
    content = (tmp_path / "target.npz").read_bytes()
    place = content.index(values.tobytes()) + 4799
    for changed in (place, place - 2400):
        spoilt = content[:changed] + bytes([content[changed] ^ 4]) + content[changed + 1 :]
        with pytest.raises(InputError, match=r"is damaged .*CRC"):
            restore(written(tmp_path / "spoilt.npz", spoilt), Space())
