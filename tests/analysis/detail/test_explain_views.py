"""The explanation of several views of a scene, made so that the answer is known."""

import dataclasses
import json
import re
from collections.abc import Callable, Sequence

import numpy as np
import pytest

from fieldlens.analysis import Explanation, SeenView, explain, explain_views
from fieldlens.configs.errors import InputError
from tests.analysis.detail.test_explain import Made, per_window

SIDE = 96

Losing = Callable[[Made, np.ndarray], np.ndarray]
"""The share of amplitude that each window loses, given its density."""


def by_density(_: Made, density: np.ndarray) -> np.ndarray:
    return 0.9 - 0.25 * density


def by_chance(made: Made, _: np.ndarray) -> np.ndarray:
    return made.uniform(0.2, 0.8)


def view_of(number: int, losing: Losing = by_density, side: int = SIDE) -> SeenView:
    """A view that is filled by the scene."""
    made = Made(side, seed=number)
    density = made.uniform(0.5, 3)
    lost = made.losing(losing(made, density))
    return SeenView(made.target, lost, {"coarea": per_window(density)}, np.ones((side, side), np.float32))


def views_of(count: int, losing: Losing = by_density) -> list[SeenView]:
    return [view_of(number, losing) for number in range(count)]


def explained(views: Sequence[SeenView]) -> Explanation:
    return explain_views(views, resamples=300)


def estimate(views: Sequence[SeenView]) -> float:
    found = explained(views).primary.estimate
    assert found is not None
    return found


def padded(view: SeenView, rim: int) -> SeenView:
    """The view with background around it, in the tone that the scene has in the mean, and so without an edge."""

    def grown(values: np.ndarray, tone: float) -> np.ndarray:
        widths = [(rim, rim), (rim, rim)] + [(0, 0)] * (values.ndim - 2)
        return np.pad(values, widths, constant_values=tone)

    densities = {name: None if values is None else grown(values, 0.0) for name, values in view.densities.items()}
    return SeenView(grown(view.target, 0.5), grown(view.reconstruction, 0.5), densities, grown(view.opacity, 0.0))


def test_detail_missing_where_creases_are_few_goes_with_them_through_all_views() -> None:
    found = explained(views_of(18))
    assert (found.verdict.detail, found.verdict.creases) == ("missing", "goes with")
    assert (found.primary.windows, found.primary.blocks) == (18 * 36, 18)
    assert found.primary.interval is not None
    assert found.primary.interval.high < -0.5
    assert found.attribution is not None
    assert found.attribution.explains_most == "coarea"


def test_creases_laid_at_random_do_not_explain_what_is_missing() -> None:
    assert explained(views_of(24, by_chance)).verdict.creases == "does not explain it here"


def test_the_sentences_speak_of_a_scene_and_of_views() -> None:
    assert "the scene is shown in 9 views, and 16 are needed." in explained(views_of(9)).verdict.sentences[1]
    for losing in (by_density, by_chance):
        for count in (1, 9, 18):
            assert not re.search("picture|block", " ".join(explained(views_of(count, losing)).verdict.sentences))


@pytest.mark.parametrize(("count", "words"), [(1, "1 view"), (15, "15 views")])
def test_fewer_than_sixteen_views_leave_it_undecided(count: int, words: str) -> None:
    found = explained(views_of(count))
    assert found.verdict.creases == "undecided"
    assert f"cannot be said: the scene is shown in {words}, and 16 are needed." in found.verdict.sentences[1]
    assert found.primary.interval is None
    assert found.primary.estimate is not None


def test_one_view_that_the_scene_fills_has_the_numbers_of_its_picture() -> None:
    view = view_of(0, side=256)
    picture = explain(view.target, view.reconstruction, view.densities, resamples=300)
    scene = explain_views([view], resamples=300)
    assert scene.primary.estimate == picture.primary.estimate
    assert scene.bands == picture.bands
    assert scene.lowest_quarter == picture.lowest_quarter
    assert scene.crossings_per_pixel == picture.crossings_per_pixel
    assert scene.verdict.sentences[0] == picture.verdict.sentences[0].replace("picture", "scene")
    np.testing.assert_array_equal(scene.missing_map(), picture.missing_map())
    np.testing.assert_array_equal(scene.densities["coarea"], picture.densities["coarea"])


def test_the_order_of_views_does_not_matter() -> None:
    views = views_of(18)
    forward, backward = explained(views), explained(views[::-1])
    assert forward.primary.estimate == pytest.approx(backward.primary.estimate, abs=1e-12)
    for one, other in zip(forward.bands, backward.bands, strict=True):
        assert one.missing == pytest.approx(other.missing)


def test_background_around_the_scene_changes_nothing() -> None:
    views = [padded(view, 16) for view in views_of(18)]
    near, far = explained(views), explained([padded(view, 64) for view in views])
    assert far.primary.windows == near.primary.windows == 18 * 36
    assert far.primary.blocks == 18
    assert far.crossings_per_pixel == near.crossings_per_pixel
    assert far.verdict.creases == near.verdict.creases == "goes with"
    # but for what little of an octave reaches over the border of a window
    assert far.primary.estimate == pytest.approx(near.primary.estimate, abs=1e-3)


def test_were_background_counted_it_would_have_changed_the_statistic() -> None:
    views = [padded(view, 64) for view in views_of(18)]
    all_counted = [dataclasses.replace(view, opacity=np.ones_like(view.opacity)) for view in views]
    assert abs(estimate(all_counted) - estimate(views)) > 0.05


def test_the_density_of_a_window_is_that_of_what_is_seen_of_the_scene_in_it() -> None:
    views = views_of(18)

    def thinned(view: SeenView) -> SeenView:
        """Every other row of the left half sees past the scene."""
        opacity = view.opacity.copy()
        opacity[::2, : SIDE // 2] = 0.2
        return dataclasses.replace(view, opacity=opacity, densities={"coarea": view.densities["coarea"] * opacity})

    assert estimate([thinned(view) for view in views]) == pytest.approx(estimate(views), abs=1e-6)


def test_views_without_the_scene_are_no_blocks() -> None:
    views = views_of(16)
    empty = dataclasses.replace(views[3], opacity=np.full((SIDE, SIDE), 0.4, np.float32))
    found = explained([*views, empty])
    assert (found.primary.blocks, found.primary.windows) == (16, 16 * 36)
    assert explained([empty, *views]).primary.estimate == pytest.approx(found.primary.estimate)


def test_where_no_view_shows_the_scene_it_is_undecided_and_no_error() -> None:
    nothing = [dataclasses.replace(view, opacity=np.zeros((SIDE, SIDE), np.float32)) for view in views_of(3)]
    found = explained(nothing)
    assert found.verdict.creases == "undecided"
    assert found.verdict.sentences[1].endswith("the field fills half of a window, or more, in none of the views.")
    assert (found.primary.windows, found.primary.blocks, found.primary.estimate) == (0, 0, None)
    assert found.attribution is None
    json.dumps(found.to_json(), allow_nan=False)


def test_the_octave_is_that_of_all_views_together() -> None:
    """A view of one tone adds no detail, and its own finest octave is not asked for."""
    flat = np.full((SIDE, SIDE, 1), 0.5, np.float32)
    tone = SeenView(flat, flat, {"coarea": np.ones((SIDE, SIDE), np.float32)}, np.ones((SIDE, SIDE), np.float32))
    with_tone = explained([tone, *views_of(16)])
    assert with_tone.band == "2-4 px"
    assert with_tone.primary.blocks == 17
    assert with_tone.bands[0].missing == pytest.approx(explained(views_of(16)).bands[0].missing)
    assert explained([tone] * 3).verdict.detail == "no detail"


def test_views_of_two_sizes_are_explained_together_where_both_have_the_octave() -> None:
    views = [view_of(number, side=96 if number % 2 else 160) for number in range(16)]
    found = explained(views)
    assert found.primary.windows == 8 * 36 + 8 * 100
    assert found.verdict.creases == "goes with"
    assert {band.label for band in found.bands} >= {"2-4 px", "32+ px", "64+ px"}
    few = np.ones((3, 3), np.float32)
    tiny = SeenView(few[..., None], few[..., None], {"coarea": few}, few)
    with pytest.raises(InputError, match=r"a view of 3x3 has no octave 2-4 px"):
        explained([*views, tiny])


def test_a_diverged_view_is_said_and_no_error() -> None:
    views = views_of(17)
    views[5] = dataclasses.replace(views[5], reconstruction=np.full_like(views[5].reconstruction, np.nan))
    found = explained(views)
    assert found.verdict.detail == "diverged"
    assert found.primary.estimate is None
    json.dumps(found.to_json(), allow_nan=False)


def test_a_network_without_creases_is_explained_without_them() -> None:
    views = [dataclasses.replace(view, densities={"coarea": None}) for view in views_of(16)]
    found = explained(views)
    assert (found.verdict.detail, found.verdict.creases) == ("missing", "n/a")
    assert found.secondary == ()


def test_the_json_says_that_blocks_are_views() -> None:
    protocol = json.loads(json.dumps(explained(views_of(16)).to_json(), allow_nan=False))["protocol"]
    assert (protocol["blocks"], protocol["block_px"], protocol["least_opacity"]) == ("views", None, 0.5)


def test_what_cannot_be_explained_together_is_refused() -> None:
    views = views_of(2)
    with pytest.raises(InputError, match="no views to explain"):
        explain_views([])
    with pytest.raises(InputError, match="different densities"):
        explain_views([views[0], dataclasses.replace(views[1], densities={"coarea": None})])
    with pytest.raises(InputError, match="does not belong to a picture"):
        explain_views([dataclasses.replace(views[0], densities={"coarea": np.ones((50, 30))})])
