"""What run.json and its neighbours say: everything comes back from them, and another version is refused."""

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import TypeAlias

import pytest

from fieldlens.analysis.detail.spectra import SpectralBias
from fieldlens.configs.errors import InputError
from fieldlens.configs.files import write_json
from fieldlens.configs.optimizer import Adam
from fieldlens.configs.records import from_json, read_json_as, to_json
from fieldlens.studies.runs.compare import ComparisonRecord
from fieldlens.studies.runs.record import RunRecord
from fieldlens.studies.subjects.drawing import ViewScore, ViewScores
from fieldlens.studies.subjects.found import SolidAgreement, Statistic, Summary
from fieldlens.studies.subjects.missing import PictureSpectra, SavedSpectra
from tests.support.runs import small_record

PLAIN = Summary(
    explained_band="2-4 px", crossings_per_pixel=1.25, dead_neurons=None, verdict=("It is blurred.", "Few.")
)
PICTURE = replace(PLAIN, dead_neurons=3, primary_statistic=Statistic(-0.4, None, None), capacity="It could.")
LEVERAGE = replace(
    PLAIN,
    primary_statistic=Statistic(-0.3, -0.4, -0.2, "leverage"),
    crease_statistic=Statistic(-0.1, None, None, "creases"),
)
SIGNAL = replace(PLAIN, amplitude_recovered={"1 cycles": 1.0, "4 cycles": None})
PHOTOGRAPHS = replace(PLAIN, crossings_per_pixel=None, collapsed=True)
SOLID = replace(PLAIN, agreement=SolidAgreement(0.9, None, None))
SUMMARIES = [PICTURE, LEVERAGE, SIGNAL, PHOTOGRAPHS, SOLID]

Powers: TypeAlias = list[float | None]
RINGS: tuple[list[float], Powers, Powers, Powers, Powers] = (
    [0.1, 0.4],
    [1e-3, 1e-5],
    [1e-3, None],
    [0.0, None],
    [1.0, None],
)
"""Frequency, target, reconstruction, residual and correlation."""


@pytest.mark.parametrize("summary", SUMMARIES)
def test_a_run_comes_back_from_its_file(tmp_path: Path, summary: Summary) -> None:
    for record in (small_record(explained=summary), small_record(psnr_db=None, turntable=Path("t.mp4"))):
        write_json(tmp_path / "run.json", to_json(record))
        assert read_json_as(tmp_path / "run.json", RunRecord) == record


@pytest.mark.parametrize("summary", SUMMARIES)
def test_a_summary_comes_back_from_among_other_keys(summary: Summary) -> None:
    written = json.loads(json.dumps({"scene": "picture", **to_json(summary)}))
    assert from_json(Summary, written) == summary


def test_errors_of_files_that_do_not_say_it_were_set_against_creases() -> None:
    written = to_json(PICTURE)
    assert written["primary_statistic"].pop("against") == "creases"
    assert from_json(Summary, written) == PICTURE


@pytest.mark.parametrize(
    "spectra",
    [
        SavedSpectra(*RINGS, None, "per sample"),
        SavedSpectra(*RINGS, PictureSpectra(1e-6, {"ring correlation 1/2": 0.2}, SpectralBias(0.5, 0.1)), "per pixel"),
        SavedSpectra(*RINGS, PictureSpectra(1e-6, {"ring correlation 1/2": None}, None), "per pixel"),
    ],
)
def test_spectra_come_back_from_their_file(spectra: SavedSpectra) -> None:
    found = from_json(SavedSpectra, json.loads(json.dumps(to_json(spectra))))
    assert to_json(found) == to_json(spectra)
    assert vars(found) == vars(spectra)


def test_scores_of_views_come_back_from_their_file() -> None:
    views = [ViewScore("a.png", 20.5), ViewScore("b.png", None)]
    scores = ViewScores("held-out views", "photograph, reconstruction, error", 1, views)
    assert from_json(ViewScores, json.loads(json.dumps(to_json(scores)))) == scores


def test_run_json_has_the_keys_that_are_documented() -> None:
    documented = "path report video psnr_db heldout_psnr_db ssim steps seconds samples_per_s stopped_because device "
    documented += "precision threads versions seed"
    assert {*documented.split()} <= {*to_json(small_record())}
    additions = ({"crease_statistic"}, {"amplitude_recovered"}, {"collapsed"}, {"iou"})
    for summary, own in zip(SUMMARIES[1:], additions, strict=True):
        assert own <= {*to_json(small_record(explained=summary))}
        assert not own & {*to_json(small_record())}


def test_compare_json_has_the_runs_of_a_comparison_as_their_own_files_do() -> None:
    runs = [small_record(), small_record(encoding="raw")]
    places = Path("compare"), Path("compare/report.html"), Path("compare/compare.mp4")
    said = to_json(ComparisonRecord(*places, ["They are apart."], "steps", 1.5, "| table |", runs))
    assert said["runs"] == [to_json(run) for run in runs]
    assert {*said} == {"path", "report", "video", "verdict", "stopped_because", "drawing_seconds", "runs"}


FROM_THE_PLAN = {"optimizer", "learning_rate", "second_limit", "device", "precision", "threads", "seed"}
"""What run.json says for those who read it alone: it comes back from `plan`."""


@pytest.mark.parametrize("key", sorted({*to_json(small_record())} - FROM_THE_PLAN))
def test_a_run_of_another_version_is_refused_in_one_sentence(tmp_path: Path, key: str) -> None:
    written = to_json(small_record(explained=PICTURE))
    del written[key]
    write_json(tmp_path / "run.json", written)
    file = re.escape(repr(str(tmp_path / "run.json")))
    with pytest.raises(InputError, match=f"^{file} is damaged, or of another version of fieldlens$"):
        read_json_as(tmp_path / "run.json", RunRecord)


def test_a_run_of_before_there_was_a_choice_was_trained_by_adam(tmp_path: Path) -> None:
    written = to_json(small_record())
    del written["plan"]["optimizer"]
    write_json(tmp_path / "run.json", written)
    assert read_json_as(tmp_path / "run.json", RunRecord).plan.optimizer == Adam()


@pytest.mark.parametrize("change", [{"colour": 1}, {"open_frames": 5}])
def test_a_plan_of_another_version_is_refused_as_well(tmp_path: Path, change: dict) -> None:
    written = to_json(small_record())
    written["plan"] |= change
    write_json(tmp_path / "run.json", written)
    with pytest.raises(InputError, match="another version"):
        read_json_as(tmp_path / "run.json", RunRecord)


@pytest.mark.parametrize(
    ("changes", "line"),
    [
        ({}, "fourier:8 4x128: 25.48 dB after 24 steps and 12 s of training; it has taken all its steps"),
        (
            {"steps": 1, "seconds": 0.2, "stopped_because": "seconds", "heldout_psnr_db": 20.0},
            "fourier:8 4x128: 25.48 dB (20.00 dB held out) after 1 step and under 1 s of training; its time is up",
        ),
        (
            {"psnr_db": None, "stopped_because": "diverged"},
            "fourier:8 4x128: no PSNR after 24 steps and",
        ),
    ],
)
def test_a_fits_last_words_say_how_long_it_was_and_why_it_ended(changes: dict, line: str) -> None:
    assert small_record(**changes).lines[0].startswith(line)
