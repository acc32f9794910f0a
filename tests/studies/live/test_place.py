"""What is told of a place: the numbers that the target, the field and the explanation have there."""

import numpy as np
import pytest

from fieldlens.analysis import crossings, detail_speed, explain, explained_details, nearest_crease, relu_network
from fieldlens.configs.network import Network
from fieldlens.render.colour import to_rgb
from fieldlens.scenes.picture import Picture
from fieldlens.studies.live.asked import Place
from fieldlens.studies.live.place import how_it_moves, what_is_at
from fieldlens.studies.subjects.choice import subject_of
from fieldlens.studies.subjects.picture import PictureSubject
from tests.support.small_fits import plan, start


def texture(height: int, width: int) -> Picture:
    y, x = np.mgrid[:height, :width]
    fine = 0.5 + 0.3 * np.sin(2.2 * x) * np.sin(2.0 * y) + 0.1 * x / width
    return Picture("texture", (255 * np.repeat(fine[..., None], 3, 2)).astype(np.uint8))


def test_a_place_of_a_picture_has_its_colours_its_creases_and_what_is_missing_around_it() -> None:
    picture, field = texture(32, 48), start(network=Network(16, 3)).field
    subject = subject_of(picture)
    seen = subject.observe(field)
    found = what_is_at(Place(x=30.5 / 48, y=20.5 / 32), subject, field, seen)
    target, drawn = to_rgb(picture.target())[20, 30], to_rgb(seen.reconstruction)[20, 30]
    assert (found["Target"], found["Here"]) == tuple("#" + bytes(one).hex() for one in (target, drawn))
    assert found["Error"] == f"{100 * np.sqrt(np.mean(((target.astype(float) - drawn) / 255) ** 2)):.1f} %"
    assert found["Pixel"] == "30, 20"
    network = relu_network(field)
    assert found["Crossings"] == f"{crossings(network, 32, 48).mean_per_pixel[20, 30]:.3g} / px"
    near = nearest_crease(network, 32, 48)
    assert found["Nearest crease"] == f"{near.px[20, 30]:.2g} px, layer {near.layer[20, 30] + 1}"
    assert found["Neurons on, by layer"].count(" of 16") == 3
    explained = explain(picture.target(), seen.reconstruction, {"coarea": None})
    share = explained.energies.missing_fraction[20 // 16, 30 // 16]
    assert found[f"Missing of {explained.band.replace('-', '–')} detail"] == f"{100 * share:.0f} %"


def test_the_far_corner_is_the_last_pixel() -> None:
    picture, field = texture(8, 5), start().field
    subject = subject_of(picture)
    assert what_is_at(Place(x=1.0, y=1.0), subject, field, subject.observe(field))["Pixel"] == "4, 7"


def test_a_network_without_creases_is_told_without_them() -> None:
    picture, field = texture(16, 16), start(network=Network(8, 2, activation="sine")).field
    subject = subject_of(picture)
    found = what_is_at(Place(x=0.5, y=0.5), subject, field, subject.observe(field))
    assert not {"Crossings", "Nearest crease", "Neurons on, by layer"} & found.keys()
    assert {"Target", "Here", "Error"} <= found.keys()


def test_the_detail_around_a_place_has_the_speed_and_the_progress_of_its_window() -> None:
    picture, state = texture(32, 48), start(network=Network(16, 3))
    subject = subject_of(picture)
    assert isinstance(subject, PictureSubject)
    steps_planned = plan(scene=picture, steps=100)
    motion = subject.raster.windows(state, steps_planned)
    assert motion is not None
    (detail,) = explained_details(picture.target())[:1]
    (speed,) = detail_speed(state.field, [detail])
    for place, window in ((Place(x=30.5 / 48, y=20.5 / 32), (1, 1)), (Place(x=1.0, y=0.0), (0, 2))):
        found = how_it_moves(place, motion)
        assert found[f"Speed of {detail.label.replace('-', '–')} detail"] == f"{speed.per_energy[window]:.2g}"
        steps = found["Steps until half of what is missing is mended"]
        expected = motion.foreseen.octave.steps_to_mend[window]
        if np.isinf(expected):
            assert steps == "never: steps make it worse"
        else:
            assert float(steps.removeprefix("about ").replace(",", "")) == pytest.approx(expected, rel=0.06)


def test_where_nothing_is_to_be_moved_nothing_is_told_of_it() -> None:
    flat = Picture("flat", np.full((32, 32, 3), 128, np.uint8))
    subject = subject_of(flat)
    assert isinstance(subject, PictureSubject)
    assert subject.raster.windows(start(), plan(scene=flat, steps=100)) is None
