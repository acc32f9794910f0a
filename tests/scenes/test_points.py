"""Scattered data: how a file of points is read, what is trained on and scored, and runs from the command line."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from fieldlens import cli
from fieldlens.configs.errors import InputError
from fieldlens.configs.run import Target
from fieldlens.configs.space import Space
from fieldlens.fitting import initial_state
from fieldlens.render.files import read_png, write_npz
from fieldlens.scenes.load import load, restore
from fieldlens.scenes.points import LEAST_SIDE, MOST_SIDE, Points
from fieldlens.scenes.scene import Scene, View
from fieldlens.studies.subjects.choice import subject_of
from tests.support.runs import small_config


def scattered(count: int = 200, channels: int = 3, seed: int = 0) -> dict[str, np.ndarray]:
    """Points in a box twice as wide as high, off the origin, with a smooth value and a tenth of them held out."""
    random = np.random.default_rng(seed)
    coordinates = random.uniform((10.0, -3.0), (14.0, -1.0), (count, 2))
    values = 0.5 + 0.4 * np.sin(coordinates[:, :1] * np.arange(1, channels + 1))
    return {"coordinates": coordinates, "values": values, "heldout": np.arange(count) % 10 == 0}


def file_of(folder: Path, **changes: Any) -> str:
    """The path of a file with these points; an array that is None is left out."""
    arrays: dict[str, Any] = {name: array for name, array in (scattered() | changes).items() if array is not None}
    np.savez(folder / "points.npz", **arrays)
    return str(folder / "points.npz")


def read(folder: Path, **changes: Any) -> Points:
    """The scene of such a file."""
    scene = load(file_of(folder, **changes))
    assert isinstance(scene, Points)
    return scene


COORDINATES, VALUES, HELDOUT = scattered().values()


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"coordinates": None}, "has no 'coordinates'; points are `coordinates` (n, 2) and `values` (n, 1) or (n, 3)"),
        ({"values": None}, "has no 'values'; points are `coordinates` (n, 2) and `values` (n, 1) or (n, 3)"),
        ({"coordinates": COORDINATES[:, :1]}, "coordinates are (n, 2), and not (200, 1)"),
        ({"coordinates": COORDINATES[:, 0]}, "coordinates are (n, 2), and not (200,)"),
        ({"coordinates": np.array(1.0)}, "coordinates are (n, 2), and not ()"),
        ({"values": np.array(1.0)}, "values are (n, 1) or (n, 3) with n = 200, and not ()"),
        ({"values": VALUES[:-1]}, "values are (n, 1) or (n, 3) with n = 200, and not (199, 3)"),
        ({"values": VALUES[None]}, "values are (n, 1) or (n, 3) with n = 200, and not (1, 200, 3)"),
        ({"values": VALUES[:, :2]}, "values have one channel or three, and not 2"),
        ({"coordinates": COORDINATES.astype(str)}, "coordinates are numbers, and not <U"),
        ({"values": VALUES.astype(complex)}, "values are numbers, and not complex128"),
        ({"coordinates": np.where(COORDINATES > 13.9, np.nan, COORDINATES)}, "some of the coordinates are not finite"),
        ({"values": np.where(VALUES > 0.8, np.inf, VALUES)}, "some of the values are not finite"),
        ({"heldout": HELDOUT[:-1]}, "heldout is (n), true or false at each point"),
        ({"heldout": HELDOUT.astype(float)}, "heldout is (n), true or false at each point"),
        ({"heldout": np.arange(200) > 0}, "fewer than two points are left to train on"),
        ({name: array[:0] for name, array in scattered().items()}, "fewer than two points are left to train on"),
        ({"coordinates": np.full((200, 2), 7.0)}, "all points are in one place"),
    ],
)
def test_what_is_no_points_is_refused_in_one_sentence(tmp_path: Path, changes: dict[str, Any], why: str) -> None:
    with pytest.raises(InputError) as caught:
        read(tmp_path, **changes)
    sentence = str(caught.value)
    assert "points.npz'" in sentence
    assert why in sentence
    assert "\n" not in sentence


@pytest.mark.parametrize("array", ["coordinates", "values", "heldout"])
def test_a_file_is_never_unpickled(tmp_path: Path, array: str) -> None:
    class Trap:
        def __reduce__(self) -> tuple:
            return (Path.touch, (tmp_path / "executed",))

    with pytest.raises(
        InputError, match=r"^'.*points\.npz' cannot be read as points: it is damaged, or no \.npz of numbers"
    ):
        read(tmp_path, **{array: np.array([Trap()] * 200, dtype=object)})
    assert not (tmp_path / "executed").exists()


@pytest.mark.parametrize("data", [b"", b"PK\x03\x04", b"coordinates"])
def test_a_damaged_file_is_refused_in_one_sentence(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "points.npz").write_bytes(data)
    with pytest.raises(
        InputError, match=r"^'.*points\.npz' cannot be read as points: it is damaged, or no \.npz of numbers"
    ):
        load(str(tmp_path / "points.npz"))


@pytest.mark.parametrize(
    ("target", "why"),
    [
        (Target(holdout="checkerboard"), "--holdout is for pictures and signals, .* points: the file says which"),
        (Target(max_side=64), "--max-side is for pictures and photographs, and .* is a file of points"),
    ],
)
def test_what_is_chosen_for_pictures_is_refused(tmp_path: Path, target: Target, why: str) -> None:
    with pytest.raises(InputError, match=why):
        load(file_of(tmp_path), target)


def test_fields_see_the_longer_side_of_the_box_from_0_to_1_and_y_down(tmp_path: Path) -> None:
    corners = np.array([[10.0, -3.0], [14.0, -3.0], [10.0, -1.0], [14.0, -1.0]])
    points = read(tmp_path, coordinates=corners, values=np.zeros(4), heldout=None)
    np.testing.assert_allclose(points.coordinates, [[0, 0.5], [1, 0.5], [0, 0], [1, 0]])
    assert points.coordinates.dtype == points.values.dtype == np.float32
    assert points.notes == ("4 points in a box of 4 x 2, y up",)


@pytest.mark.parametrize("unit", [1e-60, 1e-3, 1e60])
def test_the_unit_of_coordinates_and_where_their_origin_is_make_no_difference(tmp_path: Path, unit: float) -> None:
    changed = read(tmp_path, coordinates=(COORDINATES - 12) * unit)
    np.testing.assert_allclose(changed.coordinates, read(tmp_path).coordinates, atol=1e-6)


def test_values_beyond_0_to_1_are_scaled_to_it_and_that_is_said(tmp_path: Path) -> None:
    inside, beyond = read(tmp_path), read(tmp_path, values=400 * VALUES - 100)
    np.testing.assert_array_equal(inside.values, VALUES.astype(np.float32))
    assert len(inside.notes) == 1
    low, high = VALUES.min(), VALUES.max()
    np.testing.assert_allclose(beyond.values, (VALUES - low) / (high - low), atol=1e-6)
    said = f"values scaled from {400 * low - 100:.4g} .. {400 * high - 100:.4g} to 0 .. 1, which is what PSNR is of"
    assert beyond.notes[1:] == (said,)


def test_one_value_a_point_and_whole_numbers_are_values_as_well(tmp_path: Path) -> None:
    points = read(tmp_path, values=np.arange(200, dtype=np.uint8))
    assert points.values.shape == (200, 1)
    np.testing.assert_allclose(points.values[:, 0], np.arange(200) / 199, atol=1e-6)


def test_what_a_run_folder_keeps_is_the_same_scene(tmp_path: Path) -> None:
    points = read(tmp_path, values=3 * VALUES)
    write_npz(tmp_path / "target.npz", **points.to_npz_arrays())
    again = restore(tmp_path / "target.npz", Space())
    assert isinstance(again, Points)
    assert isinstance(again, Scene)
    assert (again.name, again.notes) == (points.name, points.notes) == ("points", points.notes)
    for name in ("coordinates", "values", "heldout"):
        np.testing.assert_array_equal(getattr(again, name), getattr(points, name))


def test_batches_are_of_trained_points_alone_and_miss_none(tmp_path: Path) -> None:
    points = read(tmp_path)
    everything = points.batch(torch.Generator().manual_seed(0), 180)
    np.testing.assert_array_equal(everything.coordinates, points.coordinates[~HELDOUT])
    np.testing.assert_array_equal(everything.values, points.values[~HELDOUT])
    assert points.training_samples == 180
    trained = {tuple(point) for point in points.coordinates[~HELDOUT].tolist()}
    generator = torch.Generator().manual_seed(1)
    for size in (1, 64, 500):
        batch = points.batch(generator, size)
        assert len(batch.coordinates) == len(batch.values) == size
        assert {tuple(point) for point in batch.coordinates.tolist()} <= trained


def test_each_pixel_of_the_raster_has_the_value_of_the_nearest_point(tmp_path: Path) -> None:
    points = read(tmp_path)
    raster = points.raster
    assert isinstance(raster, View)
    assert raster.width == LEAST_SIDE
    assert raster.height == round(LEAST_SIDE * float(points.coordinates[:, 1].max()))
    target = raster.target()
    for row in range(raster.height):
        for column in range(raster.width):
            centre = (np.array([column, row]) + 0.5) / raster.width
            away = np.square(points.coordinates - centre).sum(1)
            assert (target[row, column] == points.values[away.argmin()]).all()


@pytest.mark.parametrize(("count", "longer"), [(3, LEAST_SIDE), (20_000, 200), (200_000, MOST_SIDE)])
def test_a_raster_has_about_a_pixel_for_each_point(tmp_path: Path, count: int, longer: int) -> None:
    raster = read(tmp_path, **scattered(count)).raster
    assert raster.width == pytest.approx(longer, abs=1)


def test_points_on_a_line_have_a_raster_of_one_row(tmp_path: Path) -> None:
    flat = read(tmp_path, coordinates=COORDINATES * [1, 0]).raster
    assert flat.height == 1
    assert 200 <= flat.width <= MOST_SIDE


def test_psnr_is_of_the_points_and_those_held_out_are_scored_apart(tmp_path: Path) -> None:
    points = read(tmp_path)
    field = initial_state(small_config("points.npz", tmp_path), points).field
    drawn = field(torch.from_numpy(points.coordinates)).detach().numpy()

    def by_hand(chosen: np.ndarray) -> float:
        squares = [
            (min(max(float(got), 0.0), 1.0) - float(wanted)) ** 2
            for i in np.flatnonzero(chosen)
            for got, wanted in zip(drawn[i], points.values[i], strict=True)
        ]
        return -10 * np.log10(sum(squares) / len(squares))

    subject = subject_of(points)
    for scores in (subject.observe(field).scores, subject.finish(field, lambda _share: None).scores):
        assert scores.psnr_db == pytest.approx(by_hand(~HELDOUT), abs=1e-4)
        assert scores.heldout_psnr_db == pytest.approx(by_hand(HELDOUT), abs=1e-4)
    unheld = subject_of(read(tmp_path, heldout=None)).observe(field).scores
    assert unheld.psnr_db == pytest.approx(by_hand(HELDOUT | True), abs=1e-4)
    assert unheld.heldout_psnr_db is None


OPTIONS = ["--steps", "20", "--batch-size", "64", "--threads", "1", "--device", "cpu", "--precision", "fp32", "--json"]
NETWORK = ["--network.depth", "4", "--network.width", "16"]


@pytest.fixture
def said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Any:
    """What a verb says of points.npz of the working folder, as JSON."""
    monkeypatch.chdir(tmp_path)
    file_of(tmp_path)

    def say(*words: str) -> dict[str, Any]:
        assert cli.main(words) == 0
        return json.loads(capfd.readouterr().out.splitlines()[-1])

    return say


def test_points_are_fitted_explained_and_drawn_from_the_command_line(
    said: Any, capfd: pytest.CaptureFixture[str]
) -> None:
    found = said("fit", "points.npz", "--encoding", "fourier:2", *NETWORK, *OPTIONS)
    run = Path(found["path"])
    assert run.parts[:3] == ("outputs", "points", "fourier-2")
    assert (found["steps"], found["network"]) == (20, "4x16")
    assert found["heldout_psnr_db"] is not None
    assert found["crossings_per_pixel"] > 0
    assert any("200 points, 20 of them held out" in note for note in found["notes"])
    assert read_png(run / "reconstruction.png").shape == (16, 32, 3)
    for name in ("target.npz", "progress.mp4", "analysis/explain.json", "analysis/density.png", "analysis/error.png"):
        assert (run / name).stat().st_size > 0, name
    page = (run / "report.html").read_text()
    assert "points, fourier:2" in page
    assert "of the points" in page
    before = (run / "analysis" / "explain.json").read_bytes()
    assert said("analyze", "--json")["verdict"] == found["verdict"]
    assert (run / "analysis" / "explain.json").read_bytes() == before
    assert Path(said("render", "--scale", "2", "--json")["path"]).exists()
    assert said("analyze", "--cells", "--region", "0.4", "0.4", "0.2", "0.2", "--json")["cells"] > 1
    for words, sentence in [
        (["analyze", "--kernel"], "--kernel is for pictures, and this run is of scattered points;"),
        (["render", "--orbit", "4"], "--orbit and --path are for 3D scenes, and this run is of scattered points"),
    ]:
        assert cli.main(words) == 2
        assert sentence in capfd.readouterr().err.replace("\n", " ")


def test_encodings_are_compared_on_points(said: Any) -> None:
    found = said("compare", "points.npz", "--encodings", "raw", "fourier:2", "--networks", "4x16", *OPTIONS)
    assert [run["encoding"] for run in found["runs"]] == ["raw", "fourier:2"]
    assert Path(found["video"]).stat().st_size > 0
    assert "held-out dB" in (Path(found["path"]) / "table.md").read_text()
    assert "fourier:2" in Path(found["report"]).read_text()
