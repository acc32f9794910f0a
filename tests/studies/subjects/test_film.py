"""The film of a fit in progress, from a camera that goes around its scene."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from fieldlens.configs.encoding import Fourier, Raw
from fieldlens.configs.errors import InputError
from fieldlens.configs.run import CompareConfig, FitConfig
from fieldlens.configs.space import Space
from fieldlens.fields import Field
from fieldlens.render.video import read_frames
from fieldlens.scenes.demos import DEMOS, photographed
from fieldlens.scenes.posed import PosedScene
from fieldlens.scenes.shape import VIEW_ELEVATION, Shape
from fieldlens.scenes.solids.writing import write_mesh
from fieldlens.studies.runs.compare import run_comparison, start_comparison
from fieldlens.studies.runs.fit import run, start
from fieldlens.studies.runs.folder import RunFolder
from fieldlens.studies.runs.saved import open_run
from fieldlens.studies.subjects.choice import spatial
from fieldlens.studies.subjects.creases import creased
from fieldlens.studies.subjects.film import AROUND, MODES, TURN, Film, orbit_of, read_around, turntable
from fieldlens.studies.subjects.photographs import PhotographsSubject
from fieldlens.studies.subjects.solid import SolidSubject
from tests.support.runs import StopAt, small_config, small_picture, with_training
from tests.support.small_meshes import icosphere
from tests.support.small_runs import fitted, small_radiance_config


def filmed(config: FitConfig, frames: str = "every:2") -> FitConfig:
    """The configuration with a turntable."""
    return replace(config, output=replace(config.output, turntable=True, frames=frames))


@pytest.fixture(scope="module")
def config(tmp_path_factory: pytest.TempPathFactory) -> FitConfig:
    """Of a few photographs."""
    return filmed(small_radiance_config(tmp_path_factory.mktemp("radiance"), steps=6))


@pytest.fixture(scope="module")
def whole(config: FitConfig) -> RunFolder:
    """Its fit, to be read only."""
    return fitted(config)


@pytest.fixture
def coarse(monkeypatch: pytest.MonkeyPatch) -> None:
    """How far apart surfaces are is found in a moment."""
    monkeypatch.setattr("fieldlens.studies.subjects.solid.SURFACE_CELLS", 16)
    monkeypatch.setattr("fieldlens.studies.subjects.solid.COMPARED", 500)


def shape_config(parent: Path) -> FitConfig:
    """Of a ball, which is written."""
    write_mesh(parent / "ball.ply", icosphere(halvings=1))
    config = small_config(parent / "ball.ply", parent / "outputs", steps=4)
    return filmed(replace(config, space=Space(kind="occupancy")))


def film_of(folder: RunFolder) -> dict[int, bytes]:
    """The turntable's frames by step."""
    return {step: folder.frame(step, "turntable").read_bytes() for step in folder.frame_steps("turntable")}


def test_the_film_has_a_frame_for_each_that_is_drawn(whole: RunFolder) -> None:
    assert whole.frame_steps("turntable") == whole.frame_steps() == [0, 2, 4, 6]
    assert whole.record().turntable == whole.turntable
    assert str(whole.turntable) in "\n".join(whole.record().lines)
    frames, progress = (list(read_frames(video)) for video in (whole.turntable, whole.video))
    assert len(frames) == len(progress)


def test_the_camera_goes_around_the_scene_and_comes_back(whole: RunFolder) -> None:
    saved = open_run(whole)
    film = turntable(spatial(saved.subject, "a film is"))
    first, half, again = (film.frame(saved.field, number, "") for number in (0, TURN // 2, TURN))
    np.testing.assert_array_equal(first, again)
    assert (first != half).any()
    places = np.stack([camera.position for camera in film.cameras]) - 0.5
    np.testing.assert_allclose(np.roll(places, TURN // 2, axis=0)[:, :2], -places[:, :2], atol=1e-9)  # z is upwards
    np.testing.assert_allclose(places[:, 2], places[0, 2], atol=1e-9)


def test_large_photographs_are_filmed_at_the_size_of_frames_in_progress() -> None:
    large = PosedScene(photographed(DEMOS["solids"], 250, 2, 1), Space(grid=8))
    assert large.views()[0].preview == (200, 200)
    assert {(camera.height, camera.width) for camera in turntable(PhotographsSubject(large)).cameras} == {(200, 200)}


@pytest.mark.parametrize("stop_at", [1, 4])
def test_a_resumed_fit_has_the_film_of_one_that_was_never_stopped(
    config: FitConfig, whole: RunFolder, stop_at: int
) -> None:
    stopped, reporter = start(config), StopAt(stop_at)
    result = run(stopped, reporter=reporter, controls=reporter.controls)
    assert result.stopped_because == "interrupted"
    assert run(stopped).stopped_because == "steps"
    assert film_of(stopped) == film_of(whole)


def test_a_fit_that_goes_on_beyond_its_limit_turns_on_from_where_it_was(
    config: FitConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    numbers: list[int] = []
    draw = Film.frame

    def noted(film: Film, field: Field, number: int, title: str) -> Any:
        numbers.append(number)
        return draw(film, field, number, title)

    monkeypatch.setattr(Film, "frame", noted)
    folder = start(with_training(config, steps=3))
    run(folder)
    run(folder, with_training(folder.config(), steps=5))
    assert folder.frame_steps("turntable") == [0, 2, 4, 5]
    assert numbers == [0, 1, 2, 2, 3]  # step 3, which is no frame of the longer fit, had been the third


@pytest.mark.usefixtures("coarse")
def test_a_shape_is_filmed_as_well(tmp_path: Path) -> None:
    folder = fitted(shape_config(tmp_path))
    assert folder.frame_steps("turntable") == folder.frame_steps() == [0, 2, 4]
    assert isinstance(folder.scene(), Shape)
    assert len(list(read_frames(folder.turntable))) == len(list(read_frames(folder.video)))


@pytest.mark.usefixtures("coarse")
@pytest.mark.parametrize("kind", ["radiance", "shape"])
def test_a_fit_that_diverges_is_filmed_to_its_end(config: FitConfig, kind: str, tmp_path: Path) -> None:
    of_kind = config if kind == "radiance" else shape_config(tmp_path)
    folder = fitted(with_training(of_kind, steps=6, learning_rate=1e29, schedule="constant"))
    assert creased(open_run(folder).field) is None
    assert folder.turntable.exists()


def test_the_pictures_from_around_are_what_a_film_of_as_many_frames_shows(whole: RunFolder) -> None:
    saved = open_run(whole)
    subject = spatial(saved.subject, "a film is")
    found = read_around(whole.analysis)
    assert found is not None
    seen = found.seen
    film = turntable(subject, seen.pictures)
    assert tuple(seen.modes) == MODES
    for number in (0, 7, seen.pictures - 1):
        drawn = film.pictures(film.sighting(subject.eye(saved.field), number), creased=True)
        for mode in MODES:
            np.testing.assert_array_equal(found.picture(mode, number), drawn[mode], err_msg=f"{mode} {number}")
    np.testing.assert_allclose(seen.eye, film.cameras[0].position)
    np.testing.assert_allclose(seen.up, [0, 0, 1])


def test_a_comparison_is_filmed_side_by_side_from_all_around(config: FitConfig) -> None:
    compared = CompareConfig(
        scene=config.scene,
        space=config.space,
        encodings=(Raw(), Fourier(2)),
        networks=(config.network,),
        training=replace(config.training, steps=4),
        output=config.output,
    )
    comparison = start_comparison(compared)
    record = run_comparison(comparison)
    assert (record.turntable, record.orbit) == (comparison.turntable, comparison.orbit)
    assert {str(comparison.turntable), str(comparison.orbit)} <= set(" ".join(record.lines).split())
    one, other = comparison.runs()
    turned = list(read_frames(comparison.turntable))
    assert len(turned) == len(list(read_frames(one.turntable)))
    assert len(list(read_frames(comparison.orbit))) == AROUND
    page = comparison.report.read_text(encoding="utf-8")
    assert page.count('data-part="pictures"') == 2
    assert all(name in page for name in ("turntable.mp4", "orbit.mp4"))
    assert comparison.record().turntable == comparison.turntable

    (other.analysis / "around_colour.png").write_bytes(b"damaged")
    again = run_comparison(comparison)
    assert again.orbit is None
    assert not comparison.orbit.exists()


def test_without_the_option_there_is_no_film(config: FitConfig) -> None:
    folder = fitted(replace(config, output=replace(config.output, turntable=False)))
    assert folder.record().turntable is None
    assert not folder.turntable.exists()
    assert folder.frame_steps("turntable") == []


@pytest.mark.parametrize("scene", ["picture.png", "signal:2,3"])
def test_what_no_camera_can_go_around_is_refused_before_anything_is_written(tmp_path: Path, scene: str) -> None:
    picture = small_picture(tmp_path / "picture.png")
    config = filmed(small_config(picture if scene == picture.name else scene, tmp_path / "outputs"))
    with pytest.raises(InputError, match="--turntable is for 3D scenes"):
        start(config)
    with pytest.raises(InputError, match="--turntable is for 3D scenes"):
        start_comparison(CompareConfig(scene=config.scene, output=config.output))
    assert not (tmp_path / "outputs").exists()


def test_a_shape_is_flown_around_from_above() -> None:
    shape = Shape(icosphere(halvings=1), "sdf")
    centre, up = np.array(shape.bounds.centre), np.array(shape.mesh.up)
    heights = [
        (camera.position - centre) @ up / np.linalg.norm(camera.position - centre)
        for camera in orbit_of(SolidSubject(shape), 5)
    ]
    np.testing.assert_allclose(heights, np.sin(VIEW_ELEVATION), atol=1e-6)
