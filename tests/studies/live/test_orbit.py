"""The camera that a viewer moves or puts at a view: where it stands, and that the field is drawn from there."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from fieldlens.configs.errors import InputError
from fieldlens.configs.network import Network
from fieldlens.configs.run import FitConfig
from fieldlens.configs.space import Space
from fieldlens.fields.radiance import RadianceField
from fieldlens.fitting import initial_state
from fieldlens.render.colour import error_rgb, to_rgb
from fieldlens.render.surface import SEARCH_CELLS
from fieldlens.scenes.load import load
from fieldlens.scenes.scene import Function
from fieldlens.scenes.shape import Shape
from fieldlens.studies.live import orbit as orbits
from fieldlens.studies.live.asked import Photograph, View
from fieldlens.studies.live.orbit import SIDES, Orbit
from fieldlens.studies.subjects import solid
from fieldlens.studies.subjects.choice import spatial, subject_of
from fieldlens.studies.subjects.film import orbit_of
from fieldlens.studies.subjects.subject import Spatial
from tests.support.small_meshes import icosphere
from tests.support.small_runs import small_radiance_config


@pytest.fixture(scope="module")
def scene_and_field(tmp_path_factory: pytest.TempPathFactory) -> tuple[Spatial, RadianceField]:
    config = small_radiance_config(tmp_path_factory.mktemp("scene"))
    scene = load(config.scene, config.target, config.space)
    return spatial(subject_of(scene), "this is"), initial_state(config, scene).field


def at(**changes: float | str) -> View:
    return View(**{"azimuth": 0.0, "elevation": 0.0, "away": 1.0} | changes)  # type: ignore[arg-type]


def test_at_first_it_stands_where_an_orbit_begins(scene_and_field: tuple[Spatial, RadianceField]) -> None:
    subject, _ = scene_and_field
    orbit, first = Orbit(subject), subject.bounds.camera_to_unit(orbit_of(subject, 1)[0])
    camera = orbit.camera(at(elevation=orbit.elevation))
    np.testing.assert_allclose(camera.pose, first.pose, atol=1e-9)
    assert orbit.for_page()["size"] == (first.height, first.width)


def test_it_goes_around_as_a_film_does(scene_and_field: tuple[Spatial, RadianceField]) -> None:
    subject, _ = scene_and_field
    orbit = Orbit(subject)
    for number, camera in enumerate(orbit_of(subject, 4)):
        moved = orbit.camera(at(azimuth=90.0 * number, elevation=orbit.elevation))
        np.testing.assert_allclose(moved.pose, subject.bounds.camera_to_unit(camera).pose, atol=1e-9)


def test_wherever_it_is_it_looks_at_the_middle_from_its_distance(
    scene_and_field: tuple[Spatial, RadianceField],
) -> None:
    subject, _ = scene_and_field
    orbit = Orbit(subject)
    near = np.linalg.norm(orbit.camera(at()).position - 0.5)
    for azimuth, elevation, away in ((0.0, 89.0, 1.0), (77.0, -60.0, 0.25), (-400.0, 12.0, 4.0)):
        camera = orbit.camera(at(azimuth=azimuth, elevation=elevation, away=away))
        to_middle = 0.5 - camera.position
        assert np.linalg.norm(to_middle) == pytest.approx(away * near)
        np.testing.assert_allclose(camera.forward, to_middle / np.linalg.norm(to_middle), atol=1e-9)
        assert camera.pose[:3, 1] @ [0.0, 0.0, 1.0] > 0, "what is up stays up"


def test_a_picture_is_what_the_field_shows_that_camera(scene_and_field: tuple[Spatial, RadianceField]) -> None:
    subject, field = scene_and_field
    orbit, view = Orbit(subject), at(azimuth=30.0, elevation=20.0, size="fine")
    seen = subject.eye(field)(orbit.camera(view))
    np.testing.assert_array_equal(orbit.picture(subject.eye(field), view), to_rgb(seen.colour))
    np.testing.assert_array_equal(orbit.picture(subject.eye(field), replace(view, mode="creases")), seen.creases)
    modes = ("colour", "distance", "normals", "creases")
    pictures = [orbit.picture(subject.eye(field), replace(view, mode=mode, size="draft")) for mode in modes]
    assert {max(picture.shape[:2]) for picture in pictures} == {min(SIDES["draft"], 24)}


def test_a_fine_picture_is_its_strips_one_below_the_other(
    scene_and_field: tuple[Spatial, RadianceField], monkeypatch: pytest.MonkeyPatch
) -> None:
    subject, field = scene_and_field
    orbit, view = Orbit(subject), at(azimuth=30.0, elevation=20.0, size="fine")
    whole = orbit.picture(subject.eye(field), view)
    monkeypatch.setattr(orbits, "STRIP", 7)
    strips = [orbit.picture(subject.eye(field), replace(view, strip=number)) for number in range(4)]
    assert [len(strip) for strip in strips] == [7, 7, 7, 3]
    assert np.abs(np.concatenate(strips).astype(int) - whole).max() <= 1  # sums are of other chunks
    with pytest.raises(InputError, match="a fine picture has 4 strips here, from 0, and none of number 4"):
        orbit.picture(subject.eye(field), replace(view, strip=4))


def test_where_pixels_are_wider_than_steps_a_draft_asks_fewer_points(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = replace(small_radiance_config(tmp_path), space=Space(grid=16, samples=128))
    scene = load(config.scene, config.target, config.space)
    subject, field = spatial(subject_of(scene), "this is"), initial_state(config, scene).field
    orbit, view, asked = Orbit(subject), at(elevation=20.0), list[int]()
    radiance = RadianceField.radiance

    def counted(one: RadianceField, x: Tensor, directions: Tensor) -> tuple[Tensor, Tensor]:
        asked.append(len(x))
        return radiance(one, x, directions)

    monkeypatch.setattr(RadianceField, "radiance", counted)
    orbit.picture(subject.eye(field), view)
    of_draft = sum(asked)
    subject.eye(field)(orbit.camera(view), 0)
    of_own_steps = sum(asked) - of_draft
    assert of_draft == pytest.approx(of_own_steps / 4, rel=0.15), "a pixel is wider than 4 steps, which is the most"


def test_from_a_view_s_place_there_are_its_photograph_the_field_and_the_error_between_both(
    scene_and_field: tuple[Spatial, RadianceField],
) -> None:
    subject, field = scene_and_field
    orbit, view = Orbit(subject), subject.every_view[1]
    shown = {
        mode: orbit.photograph(subject.eye(field), Photograph(1, mode, "fine"))
        for mode in ("photograph", "colour", "error")
    }
    drawn = view.draw(field)
    np.testing.assert_array_equal(shown["photograph"], to_rgb(view.target()))
    np.testing.assert_array_equal(shown["colour"], to_rgb(drawn))
    np.testing.assert_array_equal(shown["error"], error_rgb(view.target(), drawn))
    with pytest.raises(InputError, match="there are 2 views, from 0, and none of number 2"):
        orbit.photograph(subject.eye(field), Photograph(2))


def test_the_pyramid_of_a_camera_has_the_corners_of_its_picture(
    scene_and_field: tuple[Spatial, RadianceField],
) -> None:
    subject, _ = scene_and_field
    for shown, view in zip(Orbit(subject).for_page()["views"], subject.every_view, strict=True):
        xy, depth = view.camera.project(np.array(shown["corners"]))
        width, height = view.width, view.height
        np.testing.assert_allclose(xy, [(0, 0), (width, 0), (width, height), (0, height)], atol=1e-9)
        assert np.all(depth > 0)
        assert (shown["name"], shown["eye"]) == (view.name, view.camera.position.tolist())


def test_sines_have_no_creases_to_be_shown(tmp_path_factory: pytest.TempPathFactory) -> None:
    config = small_radiance_config(tmp_path_factory.mktemp("sines"))
    config = replace(config, network=Network(8, 2, activation="sine"))
    scene = load(config.scene, config.target, config.space)
    subject, field = spatial(subject_of(scene), "this is"), initial_state(config, scene).field
    orbit = Orbit(subject)
    with pytest.raises(InputError, match="this field has no creases"):
        orbit.picture(subject.eye(field), at(mode="creases"))


def test_where_the_surface_of_a_solid_is_looked_for_is_found_once_for_all_strips(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    scene, config = Shape(icosphere(), "sdf", pool_size=64), FitConfig(network=Network(8, 2))
    subject, field = spatial(subject_of(scene), "this is"), initial_state(config, scene).field
    found, orbit = list[int](), Orbit(subject)
    look = solid.cells_near_surface

    def counted(level: Function, *, cells: int, device: torch.device) -> Tensor:
        found.append(cells)
        return look(level, cells=cells, device=device)

    monkeypatch.setattr(solid, "cells_near_surface", counted)
    eye = subject.eye(field)
    for strip in range(4):
        orbit.picture(eye, at(size="fine", strip=strip))
    orbit.picture(eye, at())
    orbit.picture(eye, at(azimuth=30.0))
    assert len(found) == 2
    assert found[1] < found[0] == SEARCH_CELLS, "a draft is looked for in a coarser grid"
    orbit.picture(subject.eye(field), at())
    assert len(found) == 3
