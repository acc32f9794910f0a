"""The quick tier of the paper's study, whole: minutes, so that ./check runs it by itself, with all processors."""

import json
import os
from pathlib import Path

import pytest
import torch

from fieldlens.cli import main

pytestmark = pytest.mark.study


def test_the_quick_tier_decides_what_its_size_can_decide(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    torch.set_num_threads(os.cpu_count() or 1)
    try:
        assert main(["paper", "--tier", "quick", "--output-dir", str(tmp_path), "--json"]) == 0
    finally:
        torch.set_num_threads(1)
    result = json.loads(capfd.readouterr().out.splitlines()[-1])
    verdicts = {claim["id"]: claim["verdict"] for claim in result["claims"]}
    expected = dict.fromkeys(("A1", "A2", "A3", "A4", "A5", "A8", "A12b", "N1", "N2"), "holds")
    assert expected.items() <= verdicts.items()
    assert verdicts["C4"] == "does not hold", "creases are nearer, not farther, with more octaves"
    contest = {verdicts[claim] for claim in ("X1", "X1b", "X1c", "X1d", "X2", "X3")}
    assert contest == {"undecided"}, "two pictures are too few"
    # of 512 px and 4x512 the authors have 632 of 2048 dead at first: a share that neither width nor pixels change much
    dead = next(claim for claim in result["claims"] if claim["id"] == "A8")["parts"][2]
    assert 0.3 < dead["effect"] < 0.6
    assert (Path(result["path"]) / "report.html").exists()
