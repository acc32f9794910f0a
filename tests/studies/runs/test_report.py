"""What of a run comes into its report."""

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from fieldlens.configs.encoding import Fourier, Raw
from fieldlens.configs.network import Network
from fieldlens.configs.optimizer import default_learning_rate, default_optimizer
from fieldlens.configs.run import CompareConfig
from fieldlens.render.files import write_png
from fieldlens.report import PICTURE_WORDS, SIGNAL_WORDS, Words
from fieldlens.studies.runs.fit import run, start
from fieldlens.studies.runs.folder import RunFolder
from fieldlens.studies.runs.report import protocol_of, write_report
from tests.support.runs import small_config, small_picture


def data_in(folder: RunFolder) -> dict[str, Any]:
    """What the page's script shows."""
    found = re.search(r'<script[^>]*id="data"[^>]*>(.*?)</script>', folder.report.read_text(), re.DOTALL)
    assert found is not None
    return json.loads(found[1])


def test_a_report_has_every_drawn_step_of_a_usual_run(tmp_path: Path):
    folder = start(small_config(small_picture(tmp_path / "p.png"), tmp_path / "outputs"))
    run(folder)
    (part,) = data_in(folder)["runs"]
    assert [frame["step"] for frame in part["frames"]] == [0, 8, 16, 24]
    assert "the scrubber has" not in folder.report.read_text()


def test_a_report_of_a_picture_carries_its_network_and_leads_to_the_worst_places(tmp_path: Path):
    folder = start(small_config(small_picture(tmp_path / "p.png"), tmp_path / "outputs"))
    record = run(folder)
    found = re.search(r'id="lens-data">(.*?)</script>', folder.report.read_text())
    assert found is not None
    (carried,) = json.loads(found[1])["runs"]
    assert carried["network"]["widths"] == [12, 16, 16, 3]
    assert carried["checkpoints"][-1]["step"] == 24
    assert len(carried["worst"]) == len(record.explained.worst_places) > 0


def test_the_scrubber_of_a_run_with_many_frames_is_thinned_and_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    config = small_config(small_picture(tmp_path / "p.png"), tmp_path / "outputs")
    folder = start(replace(config, output=replace(config.output, frames="all")))
    run(folder)
    monkeypatch.setattr("fieldlens.studies.runs.report.MOST_FRAMES", 7)
    write_report(folder, folder.record())
    (part,) = data_in(folder)["runs"]
    assert [frame["step"] for frame in part["frames"]] == [0, 4, 8, 12, 16, 20, 24]
    assert len(part["curves"]["step"]) == 25
    assert "the scrubber has 7 of 25 recorded steps" in folder.report.read_text()


def test_choices_left_open_stand_beside_what_was_taken(tmp_path: Path):
    folder = start(small_config(small_picture(tmp_path / "p.png"), tmp_path / "outputs", encoding=Raw()))
    result = run(folder)
    page = folder.report.read_text()
    rows = dict(re.findall(r'<th scope="row">(training\.\w+)</th><td>([^<]*)</td>', page))
    config = folder.config()
    optimizer = default_optimizer(Raw(), config.network)
    assert rows["training.optimizer"] == str(optimizer)
    assert float(rows["training.learning_rate"]) == default_learning_rate(Raw(), config.network, optimizer)
    assert rows["training.precision"] == f"auto: {result.plan.precision}"
    assert (rows["training.seconds"], rows["training.plateau"], rows["training.steps"]) == ("none", "none", "24")
    assert rows["training.threads"] == "1"


def test_several_choices_stand_as_the_words_that_a_person_types():
    networks = (Network(width=48, depth=3), Network(width=64, depth=2, activation="sine"))
    shown = protocol_of(CompareConfig(scene="it", encodings=(Raw(), Fourier(6)), networks=networks), {})
    assert (shown["encodings"], shown["networks"], shown["optimizers"]) == ("raw, fourier:6", "3x48, 2x64,sine", "none")


@pytest.mark.parametrize(("scene", "words"), [("p.png", PICTURE_WORDS), ("signal:1,4,samples=64", SIGNAL_WORDS)])
def test_each_map_of_a_page_but_plain_differences_is_explained_in_its_guide(
    scene: str, words: Words, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.chdir(tmp_path)
    small_picture(tmp_path / "p.png")
    folder = start(small_config(scene, tmp_path / "outputs", steps=8))
    run(folder)
    (part,) = data_in(folder)["runs"]
    maps = {overlay["name"] for overlay in part["overlays"]} - {"error", "residual"}
    terms = " ".join(term for term, _ in words.guide).lower()
    assert {"density", "speed", "progress"} <= maps
    assert all(name in terms for name in maps)


def test_the_report_of_a_signal_counts_by_samples(tmp_path: Path):
    folder = start(small_config("signal:1,4,samples=64", tmp_path / "outputs"))
    run(folder)
    page = folder.report.read_text()
    assert "crossings / sample" in page
    assert "crossings / px" not in page
    assert "View by view" not in page
    assert ">Kept" not in page


def test_bands_that_a_large_picture_is_not_followed_in_have_no_curve(tmp_path: Path):
    pixels = np.random.default_rng(0).integers(0, 256, (20, 600, 3), dtype=np.uint8)
    write_png(tmp_path / "wide.png", pixels)
    folder = start(small_config(tmp_path / "wide.png", tmp_path / "outputs", steps=8))
    result = run(folder)
    (part,) = data_in(folder)["runs"]
    labels = [band["label"] for band in part["curves"]["bands"]]
    assert labels == list(result.energy_kept)[:6]
    assert any("held-out dB of the middle 256 px" in note for note in result.notes)
    assert (part["curves"]["psnrOf"], part["curves"]["bandsOf"]) == (
        "of 65,536 training pixels",
        "of the middle 256 px",
    )


def test_a_film_that_cannot_be_read_is_left_out_with_a_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    folder = start(small_config(small_picture(tmp_path / "p.png"), tmp_path / "outputs", steps=8))
    record = run(folder)
    opened = Path.open

    def refused(path: Path, *how: Any, **more: Any) -> Any:
        if path == folder.video:
            raise PermissionError(13, "Permission denied")
        return opened(path, *how, **more)

    monkeypatch.setattr(Path, "open", refused)
    write_report(folder, record)
    page = folder.report.read_text()
    assert "<video" not in page
    assert re.search(r"<li>left out: cannot read [^<]*progress\.mp4[^<]*Permission denied", page)
