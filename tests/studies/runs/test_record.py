"""What run.json and its neighbours say: everything comes back from them, and another version is refused."""

import json
import re
from pathlib import Path
from typing import TypeAlias

import pytest

from fieldlens.configs.errors import InputError
from fieldlens.configs.files import read_json_as, write_json
from fieldlens.studies.runs.compare import ComparisonRecord
from fieldlens.studies.runs.record import RunRecord
from fieldlens.studies.subjects.drawing import ViewScores
from fieldlens.studies.subjects.found import SolidAgreement, Statistic, Summary
from fieldlens.studies.subjects.missing import SavedSpectra
from tests.runs import small_record

PICTURE = Summary(("It is blurred.", "Creases are few."), "2-4 px", 1.25, 3, Statistic(-0.4, None, None), "It could.")
SIGNAL = Summary(("Of it there is half.",), "4 cycles", 2.5, 0, amplitude_recovered={"1 cycles": 1.0, "4 cycles": None})
PHOTOGRAPHS = Summary(("One colour.",), "2-4 px", None, None, collapsed=True)
SOLID = Summary(("IoU 0.9.",), "2-4 px", 0.5, None, agreement=SolidAgreement(0.9, None, None))
SUMMARIES = [PICTURE, SIGNAL, PHOTOGRAPHS, SOLID]

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
        write_json(tmp_path / "run.json", record.to_json())
        assert read_json_as(tmp_path / "run.json", RunRecord.from_json) == record


@pytest.mark.parametrize("summary", SUMMARIES)
def test_a_summary_comes_back_from_among_other_keys(summary: Summary) -> None:
    written = json.loads(json.dumps({"scene": "picture", **summary.to_json()}))
    assert Summary.from_json(written) == summary


@pytest.mark.parametrize(
    "spectra",
    [
        SavedSpectra(*RINGS, "per sample"),
        SavedSpectra(*RINGS, "per pixel", 1e-6, {"ring correlation 1/2": 0.2}, {"value": 0.5, "cut": 0.1}),
        SavedSpectra(*RINGS, "per pixel", 1e-6, {"ring correlation 1/2": None}, None),
    ],
)
def test_spectra_come_back_from_their_file(spectra: SavedSpectra) -> None:
    found = SavedSpectra.from_json(json.loads(json.dumps(spectra.to_json())))
    assert found.to_json() == spectra.to_json()
    assert vars(found) == vars(spectra)


def test_scores_of_views_come_back_from_their_file() -> None:
    scores = ViewScores("held-out views", "photograph, reconstruction, error", 1, [("a.png", 20.5), ("b.png", None)])
    assert ViewScores.from_json(json.loads(json.dumps(scores.to_json()))) == scores


def test_run_json_has_the_keys_that_are_documented() -> None:
    documented = "path report video psnr_db heldout_psnr_db ssim steps seconds samples_per_s stopped_because device "
    documented += "precision threads versions seed"
    assert {*documented.split()} <= {*small_record().to_json()}
    for summary, own in zip(SUMMARIES[1:], ({"amplitude_recovered"}, {"collapsed"}, {"iou"}), strict=True):
        assert own <= {*small_record(explained=summary).to_json()}
        assert not own & {*small_record().to_json()}


def test_compare_json_has_the_runs_of_a_comparison_as_their_own_files_do() -> None:
    runs = [small_record(), small_record(encoding="raw:-1..1")]
    places = Path("compare"), Path("compare/report.html"), Path("compare/compare.mp4")
    said = ComparisonRecord(*places, ["They are apart."], "steps", 1.5, "| table |", runs).to_json()
    assert said["runs"] == [run.to_json() for run in runs]
    assert {*said} == {"path", "report", "video", "verdict", "stopped_because", "drawing_seconds", "runs"}


FROM_THE_PLAN = {"learning_rate", "second_limit", "device", "precision", "threads", "seed"}
"""What run.json says for those who read it alone: it comes back from `plan`."""


@pytest.mark.parametrize("key", sorted({*small_record().to_json()} - FROM_THE_PLAN))
def test_a_run_of_another_version_is_refused_in_one_sentence(tmp_path: Path, key: str) -> None:
    written = small_record(explained=PICTURE).to_json()
    del written[key]
    write_json(tmp_path / "run.json", written)
    file = re.escape(repr(str(tmp_path / "run.json")))
    with pytest.raises(InputError, match=f"^{file} is damaged, or of another version of fieldlens$"):
        read_json_as(tmp_path / "run.json", RunRecord.from_json)


@pytest.mark.parametrize("change", [{"colour": 1}, {"open_frames": 5}])
def test_a_plan_of_another_version_is_refused_as_well(tmp_path: Path, change: dict) -> None:
    written = small_record().to_json()
    written["plan"] |= change
    write_json(tmp_path / "run.json", written)
    with pytest.raises(InputError, match="another version"):
        read_json_as(tmp_path / "run.json", RunRecord.from_json)
