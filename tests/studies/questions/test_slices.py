"""Slices through scenes: what is where on them, and how their words are read."""

import itertools
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from fieldlens import cli
from fieldlens.analysis import crease_area_density, relu_network
from fieldlens.configs.encoding import Encoding, Fourier, HashGrid, Raw
from fieldlens.configs.errors import InputError
from fieldlens.configs.network import Network
from fieldlens.configs.records import read_json_as
from fieldlens.configs.space import Slice, parse_slice
from fieldlens.fields import RadianceField, position_of
from fieldlens.fitting import initial_state
from fieldlens.scenes.solids.writing import write_mesh
from fieldlens.studies.questions.cells import draw_cells
from fieldlens.studies.questions.slices import draw_slice
from fieldlens.studies.runs.answers import CellsFound, SliceFound
from fieldlens.studies.runs.checkpoints import write_checkpoint
from fieldlens.studies.runs.fit import start
from fieldlens.studies.runs.folder import RunFolder
from fieldlens.studies.runs.saved import open_run
from fieldlens.studies.subjects.subject import plane_of
from tests.support.runs import small_config, small_picture
from tests.support.small_meshes import icosphere
from tests.support.small_runs import fitted, small_radiance

MIDDLE = (0.6, 0.5, 0.3)
SIDE = 48


@pytest.fixture(autouse=True)
def _small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fieldlens.studies.questions.slices.SIDE", SIDE)


@pytest.fixture(scope="module")
def radiance(tmp_path_factory: pytest.TempPathFactory) -> RunFolder:
    """A small radiance field under an encoding."""
    return small_radiance(tmp_path_factory.mktemp("radiance"))


def shape(parent: Path, encoding: Encoding, network: Network | None = None) -> RunFolder:
    """A run of a ball that has not gone beyond its first checkpoint."""
    write_mesh(parent / "ball.ply", icosphere(halvings=1))
    config = small_config(parent / "ball.ply", parent / "outputs", 8, encoding)
    config = config if network is None else replace(config, network=network)
    folder = start(config)
    write_checkpoint(folder.checkpoints, initial_state(config, folder.scene(), torch.device("cpu")))
    return folder


@pytest.fixture(scope="module")
def solid(tmp_path_factory: pytest.TempPathFactory) -> RunFolder:
    """A small shape of raw coordinates."""
    return shape(tmp_path_factory.mktemp("shape"), Raw())


def points(cut: Slice) -> np.ndarray:
    """The points of a slice's pixels, each set by hand: the earlier free axis to the right, the later one upwards."""
    along = (np.arange(SIDE) + 0.5) / SIDE
    right, up = (axis for axis in range(3) if axis != "xyz".index(cut.axis))
    found = np.full((SIDE, SIDE, 3), cut.position, np.float32)
    found[..., right] = along[None]
    found[..., up] = 1 - along[:, None]
    return found


@pytest.mark.parametrize("word", ["x=0.5", "y=0.125", "z=0", "z=1"])
def test_a_word_is_read_and_written(word: str) -> None:
    assert str(parse_slice(word)) == word


@pytest.mark.parametrize("word", ["", "z", "w=0.5", "xy=0.5", "z=", "z=half", "z:0.5", "z=1.01", "z=-0.1", "z=nan"])
def test_a_word_that_names_no_slice_is_refused_with_one_that_does(word: str) -> None:
    with pytest.raises(InputError, match=r"a slice .* from 0 to 1, such as z=0\.5; got"):
        parse_slice(word)


@pytest.mark.parametrize("word", ["x=0.25", "y=0.3", "z=0.75"])
def test_creases_and_density_of_a_slice_are_those_at_its_points(
    radiance: RunFolder, monkeypatch: pytest.MonkeyPatch, word: str
) -> None:
    def away(x: torch.Tensor) -> torch.Tensor:
        return (x - x.new_tensor(MIDDLE)).norm(dim=1)

    monkeypatch.setattr(RadianceField, "density", lambda field, x: 50 * away(x))
    full = torch.ones(2, 2, 2, dtype=torch.bool)
    full[0] = False  # where x < 0.5
    monkeypatch.setattr(RadianceField, "occupied", full)
    found = draw_slice(radiance, parse_slice(word)).found
    held, at = np.load(radiance.analysis / "slice.npz"), points(parse_slice(word))
    expected = 50 * np.linalg.norm(at - MIDDLE, axis=2) * (at[..., 0] >= 0.5)
    np.testing.assert_allclose(held["density"], expected, rtol=1e-4)
    chosen = np.random.default_rng(0).integers(0, SIDE, (2, 500))
    network = relu_network(position_of(open_run(radiance).field))
    area = crease_area_density(network, torch.from_numpy(at[*chosen])).numpy() * 3**0.5
    at_chosen = held["area_density"][:, *chosen]
    # the last bits of points differ, and with them a few of the creases at the edges of the band
    assert (np.abs(at_chosen - area) > 1e-3).mean() < 0.01
    assert np.ptp(area) > 0
    assert found.area_per_volume == pytest.approx(held["area_density"].sum(0).mean(), rel=1e-5)
    stopped = 1 - np.exp(-expected / 32)  # 32 samples along the cube
    assert found.solid_share == pytest.approx(stopped.mean(), rel=1e-4)
    if stopped.max() > 0:
        weighted = (held["area_density"].sum(0) * stopped).sum() / stopped.sum()
        assert found.area_per_volume_solid == pytest.approx(weighted, rel=1e-4)
    else:
        assert found.area_per_volume_solid is None
    assert found.slice == word
    assert read_json_as(radiance.analysis / "slice.json", SliceFound) == found
    assert f"How dense creases are where {word}" in radiance.report.read_text()


def test_the_slice_of_a_shape_has_the_fields_level(solid: RunFolder) -> None:
    cut = Slice("y", 0.4)
    draw_slice(solid, cut)
    with torch.no_grad():
        level = open_run(solid).field(torch.from_numpy(points(cut))).numpy()[..., 0]
    np.testing.assert_allclose(np.load(solid.analysis / "slice.npz")["level"], level, atol=1e-5)


@pytest.mark.parametrize("axis", ["x", "y", "z"])
def test_exact_cells_of_a_slice_are_those_of_its_straight_lines(solid: RunFolder, axis: str) -> None:
    """The first layer's, by how many lines enter the region and how many pairs of them meet in it."""
    cut, (left, top, wide, high) = parse_slice(f"{axis}=0.4"), (0.1, 0.3, 0.5, 0.6)
    found = draw_cells(solid, region=(left, top, wide, high), slice=cut).found
    assert found.exact
    assert found.slice == f"{axis}=0.4"
    assert found.area.mean * found.cells == pytest.approx(wide * high)
    first = relu_network(position_of(open_run(solid).field))
    weight, bias = (part[0].detach().double().numpy() for part in (first.weights, first.biases))
    weight, bias = 2 * weight, bias - weight.sum(1)  # raw coordinates are seen in [-1, 1]
    across, (right, up) = "xyz".index(axis), (i for i in range(3) if "xyz"[i] != axis)
    lines = np.stack([weight[:, right], weight[:, up], bias + 0.4 * weight[:, across]], 1)
    low, high_up = np.array([left, 1 - top - high]), np.array([left + wide, 1 - top])
    corners = np.array(list(itertools.product(*zip(low, high_up, strict=True))))
    sides = corners @ lines[:, :2].T + lines[:, 2] > 0
    entering = lines[sides.any(0) & ~sides.all(0)]
    meetings = [np.cross(one, other) for one, other in itertools.combinations(entering, 2)]
    at = np.array([meeting[:2] / meeting[2] for meeting in meetings])
    inside = ((at > low) & (at < high_up)).all(1).sum()
    assert found.cells_per_layer[0] == 1 + len(entering) + inside
    assert len(entering) > 3


def test_cells_under_an_encoding_are_those_of_the_interpolated_one(radiance: RunFolder) -> None:
    found = draw_cells(radiance, region=(0.4, 0.4, 0.1, 0.1), slice=Slice()).found
    assert not found.exact
    assert found.interpolation is not None
    assert found.interpolation.unit == "sides"
    assert found.area.mean * found.cells == pytest.approx(0.01)
    assert read_json_as(radiance.analysis / "cells.json", CellsFound) == found
    assert "cells where z=0.5" in radiance.report.read_text()


def test_a_hash_grid_or_a_field_without_creases_is_refused(tmp_path: Path) -> None:
    run = shape(tmp_path, HashGrid(levels=2))
    assert draw_slice(run, Slice()).found.area_per_volume >= 0
    with pytest.raises(InputError, match="a hash grid's own lines"):
        draw_cells(run, slice=Slice())
    with pytest.raises(InputError, match="sine"):
        draw_slice(shape(tmp_path, Fourier(2), Network(8, 2, "sine")), Slice())


def test_what_does_not_go_together_is_said_in_a_sentence(
    solid: RunFolder, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    scene, picture = str(solid.path), str(fitted(small_config(small_picture(tmp_path / "p.png"), tmp_path / "o")).path)
    signal = str(fitted(small_config("signal:1,4,samples=64", tmp_path / "o")).path)
    for words, hint in (
        ([scene, "--cells"], "name one, such as --slice z=0.5"),
        ([scene, "--slice", "z=2"], "from 0 to 1, such as z=0.5; got 2"),
        ([scene, "--slice", "0.5"], "AXIS=POSITION"),
        ([scene, "--slice", "z=0.5", "--kernel"], "--slice and --kernel are two analyses"),
        ([scene, "--slice", "z=0.5", "--region", "0", "0", "0.5", "0.5"], "--region goes with --cells"),
        ([picture, "--slice", "z=0.5"], "this run is of a picture"),
        ([picture, "--cells", "--slice", "z=0.5"], "this run is of a picture"),
        ([signal, "--slice", "z=0.5"], "this run is of a signal"),
    ):
        capfd.readouterr()
        assert cli.main(["analyze", *words]) == 2, words
        (line,) = capfd.readouterr().err.splitlines()
        assert hint in line
    assert cli.main(["analyze", scene, "--slice", "z=0.5"]) == 0
    assert "how dense creases are where z=0.5: " in capfd.readouterr().out
    assert plane_of(Slice()).origin == (0.0, 1.0, 0.5)
