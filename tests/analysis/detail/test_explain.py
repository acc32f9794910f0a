"""The whole explanation on pictures made so that the answer is known."""

import dataclasses
import json

import numpy as np
import pytest

from fieldlens.analysis.detail.bands import band_labels
from fieldlens.analysis.detail.explain import early_prediction, explain
from fieldlens.analysis.detail.explanation import PARTIAL, PLAIN, Explanation
from fieldlens.configs.errors import InputError

WINDOW = 16


def per_window(values: np.ndarray) -> np.ndarray:
    """A map of pixels from one value for each window of 16 px."""
    return values.repeat(WINDOW, 0).repeat(WINDOW, 1).astype(np.float32)


class Made:
    """A grey texture whose contrast changes from window to window, and reconstructions that lose some of it."""

    def __init__(self, side: int = 512, seed: int = 0) -> None:
        self.rng = np.random.default_rng(seed)
        self.windows = (side // WINDOW, side // WINDOW)
        self.contrast = self.rng.uniform(0.02, 0.2, self.windows)
        self.texture = per_window(self.contrast) * self.rng.standard_normal((side, side)).astype(np.float32)
        self.target = self.picture(self.texture)

    def uniform(self, low: float, high: float) -> np.ndarray:
        return self.rng.uniform(low, high, self.windows)

    def picture(self, texture: np.ndarray) -> np.ndarray:
        return np.clip(0.5 + texture, 0, 1)[..., None]

    def losing(self, share: np.ndarray) -> np.ndarray:
        """The texture without this share of its amplitude, one share a window."""
        return self.picture(self.texture * (1 - per_window(share)))


def explain_density(made: Made, reconstruction: np.ndarray, density: np.ndarray) -> Explanation:
    return explain(made.target, reconstruction, {"coarea": per_window(density)}, resamples=300)


def test_detail_missing_where_creases_are_few_goes_with_them():
    made = Made()
    density = made.uniform(0.5, 3)
    result = explain_density(made, made.losing(0.9 - 0.25 * density), density)
    assert (result.verdict.detail, result.verdict.creases) == ("missing", "goes with")
    assert result.primary.estimate is not None
    assert result.primary.interval is not None
    assert result.primary.estimate < -0.7
    assert result.primary.interval.low < result.primary.estimate < result.primary.interval.high < -0.5
    quarter = result.lowest_quarter
    assert quarter is not None
    assert quarter.ratio is not None
    assert quarter.target_share == pytest.approx(0.25, abs=0.05)
    assert quarter.ratio > 1.5


def test_creases_laid_at_random_do_not_explain_what_is_missing():
    made = Made()
    result = explain_density(made, made.losing(made.uniform(0.2, 0.8)), made.uniform(0.5, 3))
    assert result.verdict.creases == "does not explain it here"
    assert "errors are hardly larger where there are fewer creases" in result.verdict.sentences[1]
    assert result.lowest_quarter is not None
    assert result.lowest_quarter.ratio == pytest.approx(1, abs=0.25)


def test_creases_and_error_that_both_follow_the_detail_do_not_explain_each_other():
    """The confounder: busy windows have more creases and more error, and neither says anything about the other."""
    made = Made()
    density = 10 * made.contrast * made.uniform(0.8, 1.25)
    result = explain_density(made, made.losing(made.uniform(0.4, 0.6)), density)
    assert result.verdict.creases == "does not explain it here"
    error = np.asarray(result.energies.residual).ravel()
    assert np.corrcoef(result.densities["coarea"].ravel(), error)[0, 1] > 0.7


def test_detail_missing_where_creases_are_many_is_no_lack_of_creases():
    made = Made()
    density = made.uniform(0.5, 3)
    result = explain_density(made, made.losing(0.1 + 0.25 * density), density)
    assert result.verdict.creases == "does not explain it here"
    assert "there are more creases, not fewer" in result.verdict.sentences[1]


def test_a_small_picture_leaves_it_undecided():
    made = Made(side=192)
    density = made.uniform(0.5, 3)
    result = explain_density(made, made.losing(0.9 - 0.25 * density), density)
    assert result.verdict.creases == "undecided"
    assert (result.primary.windows, result.primary.blocks, result.primary.interval) == (144, 9, None)
    assert result.primary.estimate is not None


def test_256_pixels_make_just_enough_blocks():
    made = Made(side=256)
    density = made.uniform(0.5, 3)
    result = explain_density(made, made.losing(0.9 - 0.25 * density), density)
    assert result.primary.blocks == 16
    assert result.verdict.creases == "goes with"


def test_tens_of_crossings_per_pixel_are_no_lack_of_creases():
    made = Made()
    density = 20 * made.uniform(2, 4)
    result = explain_density(made, made.losing(0.9 - 0.01 * density), density)
    assert result.verdict.plenty
    assert result.crossings_per_pixel == pytest.approx(2 / np.pi * np.median(density))
    assert result.verdict.sentences[1].startswith("There are plenty of creases (about 38 per pixel). ")


def test_nothing_missing_leaves_nothing_to_explain():
    made = Made(side=256)
    result = explain_density(made, made.target + np.float32(1e-4), made.uniform(0.5, 3))
    assert result.verdict.detail == "nothing missing"
    assert result.verdict.creases == "nothing to explain"


@pytest.mark.parametrize("wrong", [0.0, 0.2])
def test_a_picture_of_one_tone_has_no_detail_to_miss(wrong):
    made = Made(side=256)
    tone = np.full_like(made.target, 0.4)
    result = explain(tone, tone + wrong * made.texture[..., None], {"coarea": per_window(made.uniform(1, 2))})
    assert result.verdict.detail == "no detail"
    assert {band.target_share for band in result.bands} == {None}
    assert result.bands[0].missing is None


def test_a_network_without_creases_is_explained_without_them():
    made = Made(side=256)
    result = explain(made.target, made.losing(made.uniform(0.2, 0.8)), {"coarea": None, "bend": None})
    assert result.verdict.creases == "n/a"
    assert result.verdict.detail == "missing"
    assert result.primary.estimate is None
    assert result.secondary == ()
    assert result.lowest_quarter is None
    assert result.crossings_per_pixel is None


def test_a_diverged_fit_is_said_and_no_error():
    made = Made(side=256)
    broken = made.target.copy()
    broken[3, 4] = np.nan
    result = explain_density(made, broken, made.uniform(0.5, 3))
    assert result.verdict.detail == "diverged"
    assert result.primary.estimate is None
    assert np.isnan(result.missing_map()).all()
    json.dumps(result.to_json(), allow_nan=False)
    infinite = made.target.copy()
    infinite[0, 0] = np.inf
    assert explain_density(made, infinite, made.uniform(0.5, 3)).to_json()["verdict"]["detail"] == "diverged"


def test_a_reconstruction_of_one_tone_leaves_the_correlation_undefined():
    """Then the error is the target's detail itself, and nothing is left to correlate where that is equal."""
    made = Made(side=256)
    result = explain_density(made, np.full_like(made.target, 0.5), made.uniform(0.5, 3))
    assert result.primary.estimate is None
    assert result.verdict.creases == "undecided"
    assert result.bands[0].missing == pytest.approx(1)


def test_density_that_is_the_same_everywhere_leaves_it_undecided():
    made = Made(side=256)
    result = explain_density(made, made.losing(made.uniform(0.2, 0.8)), np.ones(made.windows))
    assert result.verdict.creases == "undecided"


@pytest.mark.parametrize("shape", [(1, 1), (1, 7), (300, 1), (5, 40), (17, 33)])
def test_the_smallest_pictures_are_explained_too(shape):
    rng = np.random.default_rng(0)
    target, reconstruction = rng.random((2, *shape, 3), np.float32)
    result = explain(target, reconstruction, {"coarea": rng.random(shape, np.float32)})
    assert result.verdict.creases in ("undecided", "nothing to explain")
    assert result.missing_map().shape == shape
    assert [band.label for band in result.bands] == list(band_labels(*shape))
    json.dumps(result.to_json(), allow_nan=False)


@pytest.mark.parametrize("channels", [1, 2, 3, 4])
def test_grey_and_colour_with_and_without_alpha_give_the_same_explanation(channels):
    made = Made(side=256)
    density = made.uniform(0.5, 3)
    lost = made.losing(0.9 - 0.25 * density)
    colours = 3 if channels >= 3 else 1

    def as_channels(picture: np.ndarray) -> np.ndarray:
        alpha = [np.ones_like(picture)] * (channels - colours)
        return np.concatenate([picture] * colours + alpha, -1)

    grey = explain_density(made, lost, density)
    other = explain(as_channels(made.target), as_channels(lost), {"coarea": per_window(density)}, resamples=300)
    assert other.primary.estimate == pytest.approx(grey.primary.estimate, abs=1e-3)
    assert other.verdict.sentences[0] == grey.verdict.sentences[0]


def test_a_brighter_peak_changes_nothing_when_everything_is_scaled():
    made = Made(side=256)
    density = made.uniform(0.5, 3)
    lost = made.losing(0.9 - 0.25 * density)
    hdr = explain(8 * made.target, 8 * lost, {"coarea": per_window(density)}, peak=8.0, resamples=300)
    assert hdr.verdict == explain_density(made, lost, density).verdict


def test_the_finest_octave_with_a_hundredth_of_the_variance_is_looked_at():
    x = np.arange(256) + 0.5
    coarse = np.tile(0.5 + 0.3 * np.cos(2 * np.pi * x / 12), (256, 1))
    rng = np.random.default_rng(0)
    for fine_amplitude, label in ((0.01, "8-16 px"), (0.1, "2-4 px")):
        fine = fine_amplitude * np.cos(2 * np.pi * x[:, None] / (512 / 180))
        target = (coarse + fine).astype(np.float32)[..., None]
        result = explain(target, 0.5 * target + 0.25, {"coarea": rng.random((256, 256), np.float32)})
        assert result.band == label


def test_a_density_map_of_every_fourth_pixel_gives_nearly_the_same_answer():
    made = Made(side=256)
    density = made.uniform(0.5, 3)
    full = per_window(density)
    lost = made.losing(0.9 - 0.25 * density)
    whole = explain(made.target, lost, {"coarea": full}, resamples=300)
    strided = explain(made.target, lost, {"coarea": full[2::4, 2::4]}, resamples=300)
    assert strided.primary == whole.primary


def test_only_the_primary_statistic_has_an_interval_and_the_secondary_ones_are_all_there():
    made = Made()
    density = made.uniform(0.5, 3)
    maps = {"coarea": per_window(density), "crofton": per_window(density + 0.1), "bend": per_window(density**2)}
    result = explain(made.target, made.losing(0.9 - 0.25 * density), maps, resamples=100)
    assert (result.primary.density, result.primary.statistic) == ("coarea", PARTIAL)
    assert all(association.interval is None for association in result.secondary)
    listed = {(a.density, a.band, a.statistic) for a in result.secondary}
    assert listed == {
        ("crofton", "2-4 px", PARTIAL),
        ("bend", "2-4 px", PARTIAL),
        *((name, "2-4 px", PLAIN) for name in maps),
        *((name, band, PARTIAL) for name in maps for band in ("4-8 px", "8-16 px")),
    }
    for association in result.secondary:
        assert association.estimate is not None
    # a monotone change of density changes no rank
    assert result.secondary[0].estimate == pytest.approx(result.primary.estimate)


def test_the_density_that_drives_the_error_is_named_beside_one_that_does_not():
    made = Made()
    density = made.uniform(0.5, 3)
    maps = {"coarea": per_window(density), "distance": per_window(made.uniform(0.5, 3)), "bend": per_window(density)}
    found = explain(made.target, made.losing(0.9 - 0.25 * density), maps, resamples=300).attribution
    assert found is not None
    assert (found.outcome, found.explains_most) == ("named", "coarea")
    assert [gain.quantity for gain in found.gains if gain.tautology] == [
        "bend",
        "slope of the reconstruction",
        "detail of the reconstruction",
    ]


def test_without_creases_or_detail_nothing_is_attributed():
    made = Made(side=256)
    lost = made.losing(made.uniform(0.2, 0.8))
    tone = np.full_like(made.target, 0.4)
    assert explain(made.target, lost, {"coarea": None}).attribution is None
    assert explain_density(made, np.full_like(made.target, np.nan), made.uniform(1, 2)).attribution is None
    assert explain(tone, lost, {"coarea": per_window(made.uniform(1, 2))}).attribution is None


def test_an_early_density_predicts_by_the_statistic_of_the_verdict():
    made = Made()
    early, final = made.uniform(0.5, 3), made.uniform(0.5, 3)
    lost = made.losing(0.9 - 0.25 * early)
    predicted = early_prediction(per_window(early), made.target, lost, resamples=300)
    assert predicted == explain_density(made, lost, early).primary
    assert predicted.interval is not None
    assert predicted.interval.high < -0.5
    no_prediction = early_prediction(per_window(final), made.target, lost, resamples=300)
    assert no_prediction.interval is not None
    assert no_prediction.interval.low > -0.2


def test_nothing_is_predicted_for_a_fit_that_diverged_or_a_picture_of_one_tone():
    made = Made(side=256)
    density = per_window(made.uniform(1, 2))
    tone = np.full_like(made.target, 0.4)
    assert early_prediction(density, made.target, np.full_like(tone, np.nan)).estimate is None
    assert early_prediction(density, tone, made.target).estimate is None


def test_the_same_seed_gives_the_same_explanation():
    made = Made(side=256)
    density = made.uniform(0.5, 3)
    maps = {"coarea": per_window(density)}
    lost = made.losing(0.9 - 0.25 * density)
    first, again, other = (explain(made.target, lost, maps, seed=seed).to_json() for seed in (3, 3, 4))
    assert first == again
    assert first["primary"]["interval"] != other["primary"]["interval"]
    assert first["primary"]["estimate"] == other["primary"]["estimate"]


def test_the_json_is_strict_and_says_what_was_decided_beforehand():
    made = Made(side=256)
    text = json.dumps(explain_density(made, made.target, made.uniform(1, 2)).to_json(), allow_nan=False)
    protocol = json.loads(text)["protocol"]
    assert protocol["window_px"] == 16
    assert protocol["block_px"] == 64
    assert protocol["seed"] == 0
    assert protocol["band"] == "2-4 px"


def test_the_missing_map_is_the_share_of_energy_that_was_taken_away():
    made = Made(side=256)
    share = made.uniform(0.2, 0.8)
    result = explain_density(made, made.losing(share), made.uniform(1, 2))
    expected = per_window(share**2)
    missing = result.missing_map()
    assert missing.shape == expected.shape
    # neighbouring windows share what crosses their border
    assert np.median(np.abs(missing - expected)) < 0.05


def test_windows_with_hardly_any_detail_are_no_part_of_the_missing_map():
    made = Made(side=256)
    bare = np.zeros(made.windows, bool)
    bare[4:8, 2:6] = True
    texture = made.texture * ~per_window(bare).astype(bool)
    result = explain(
        made.picture(texture), made.picture(0.5 * made.texture), {"coarea": per_window(made.uniform(1, 2))}
    )
    inside = np.zeros_like(bare)
    inside[5:7, 3:5] = True  # away from the border, across which detail leaks
    missing = result.missing_map()
    assert np.isnan(missing[per_window(inside) > 0]).all()
    assert np.isfinite(missing[per_window(bare) == 0]).all()


def test_maps_that_cannot_be_used_are_refused_in_a_sentence():
    made = Made(side=256)
    bad = per_window(made.uniform(1, 2))
    with pytest.raises(InputError, match="does not belong to a picture of 256x256"):
        explain(made.target, made.target, {"coarea": bad[:100]})
    bad[0, 0] = np.inf
    with pytest.raises(InputError, match="the map of coarea density holds values that are not finite"):
        explain(made.target, made.target, {"coarea": bad})
    with pytest.raises(ValueError, match="must name 'coarea'"):
        explain(made.target, made.target, {"bend": None})


def test_explanations_are_frozen():
    made = Made(side=64)
    result = explain(made.target, made.target, {"coarea": None})
    with pytest.raises(dataclasses.FrozenInstanceError):
        result.seed = 1  # pyright: ignore[reportAttributeAccessIssue]
