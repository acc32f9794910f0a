"""What is drawn and scored while a fit goes on: whole pictures as at the end, large ones by parts that stand in."""

import numpy as np
import pytest
import torch

from fieldlens.analysis import bands_over_training, energy_kept, psnr_db
from fieldlens.configs.run import Holdout
from fieldlens.scenes.picture import Picture
from fieldlens.studies.subjects.picture import PictureSubject
from fieldlens.studies.subjects.scoring import CROP_SIDE, score
from tests.support.small_fits import start


def noise(height: int, width: int, holdout: Holdout = "none") -> Picture:
    pixels = np.random.default_rng(0).integers(0, 256, (height, width, 3), dtype=np.uint8)
    return Picture("noise", pixels, holdout)


@pytest.mark.parametrize("holdout", ["none", "checkerboard", "even-odd"])
def test_a_picture_that_fits_is_drawn_and_scored_whole(holdout: Holdout) -> None:
    picture, field = noise(48, 512, holdout), start().field
    subject = PictureSubject(picture)
    seen = subject.observe(field)
    assert seen.scores == score(picture, picture.target(), picture.draw(field))
    assert not subject.notes


def test_a_large_picture_is_drawn_reduced_and_scored_by_a_sample_and_a_crop() -> None:
    picture, field = noise(700, 600, "checkerboard"), start().field
    subject = PictureSubject(picture)
    seen = subject.observe(field)
    assert seen.reconstruction.shape == (512, 439, 3)
    assert any("512" in note and f"middle {CROP_SIDE} px" in note for note in subject.notes)

    target, drawn = picture.target(), picture.draw(field)
    assert seen.scores.psnr_db == pytest.approx(psnr_db(target, drawn, picture.trained), abs=0.05)  # of a sample
    middle = np.s_[222 : 222 + CROP_SIDE, 172 : 172 + CROP_SIDE]
    assert picture.heldout is not None
    heldout = psnr_db(target[middle], drawn[middle], picture.heldout[middle])
    assert seen.scores.heldout_psnr_db == pytest.approx(heldout, abs=1e-3)
    kept = energy_kept(target[middle], drawn[middle])
    assert seen.scores.energy_kept == pytest.approx(dict(list(kept.items())[:-1]), rel=1e-3)
    crop = bands_over_training(target[middle], [drawn[middle]])
    assert list(seen.scores.relative_error.values()) == pytest.approx(crop.relative_error[0, :-1], rel=1e-3)


@pytest.mark.parametrize("size", [(600, 1), (1, 600), (3, 600)])
def test_thin_pictures_have_what_a_crop_can_show(size: tuple[int, int]) -> None:
    scores = PictureSubject(noise(*size)).observe(start().field).scores
    assert np.isfinite(scores.psnr_db)
    assert len(scores.energy_kept) == 6  # 2-4 px to 64-128 px


def test_drawings_are_of_the_precision_that_is_trained_in() -> None:
    picture, field = noise(16, 16), start().field
    drawn = picture.draw(field.in_precision(torch.bfloat16))
    np.testing.assert_array_equal(PictureSubject(picture, torch.bfloat16).observe(field).reconstruction, drawn)
