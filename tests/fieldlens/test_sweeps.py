"""Several pictures and seeds as people type them, and as Python takes them."""

import csv
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import fieldlens
from fieldlens import cli
from tests.support.runs import small_picture
from tests.support.sweeps import without_drawings

TINY = ["--encodings", "raw", "fourier:2", "--networks", "2x8", "--steps", "4", "--batch-size", "64", "--quick"]
SMALL = {"encodings": ["raw", "fourier:2"], "networks": ["2x8"], "steps": 4, "batch_size": 64, "quick": True}


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working folder with two pictures in a folder."""
    monkeypatch.chdir(tmp_path)
    without_drawings(monkeypatch)
    (tmp_path / "photos").mkdir()
    small_picture(tmp_path / "photos" / "one.png")
    small_picture(tmp_path / "photos" / "two.png", 16, 16)
    return tmp_path


def answer_of(words: list[str], capfd: pytest.CaptureFixture[str]) -> dict:
    status = cli.main([*words, "--json"])
    printed = capfd.readouterr()
    assert status == 0, printed.err
    return json.loads(printed.out)


def refusal_of(words: list[str], capfd: pytest.CaptureFixture[str]) -> str:
    assert cli.main(words) == 2
    return capfd.readouterr().err


def test_a_folder_of_pictures_is_compared_resumed_and_begun_again_with_more_seeds(
    here: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    found = answer_of(["compare", "photos", *TINY], capfd)
    assert (found["planned"], found["finished"], found["stopped_because"]) == (4, 4, "steps")
    assert Path(found["path"]).parent == Path("outputs/one_and_1_more/compare")
    assert "table" not in found
    resumed = answer_of(["compare", "--resume", "latest"], capfd)
    assert resumed["methods"] == found["methods"]
    more = answer_of(["compare", "--config", f"{found['path']}/sweep.yaml", "--seeds", "2"], capfd)
    assert (more["planned"], more["finished"]) == (8, 8)
    alone = answer_of(["compare", "--config", f"{found['path']}/sweep.yaml", "photos/two.png"], capfd)
    assert [run["scene"] for run in alone["runs"]] == ["two", "two"], "scenes that are named replace all"


def test_the_table_and_where_all_lies_are_printed(here: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["compare", "photos/one.png", "photos/two.png", *TINY]) == 0
    printed = capfd.readouterr().out
    assert printed.startswith("| method")
    assert "report  outputs/one_and_1_more/compare/" in printed


def test_each_of_several_jobs_makes_its_share_and_the_last_command_the_table(
    here: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    for number in (1, 2):
        found = answer_of(["compare", "photos", *TINY, "--jobs", f"{number}/2"], capfd)
        assert found["finished"] == 2 * number
    assert answer_of(["compare", "photos", *TINY], capfd)["finished"] == 4
    assert len(list(Path("outputs").rglob("run.json"))) == 4, "none was made twice"


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["photos", *TINY, "--jobs", "3"], "--jobs takes a share such as 3/8"),
        (["photos", *TINY, "--cluster", "10.0.0.1"], "--cluster takes the address of a Dask scheduler"),
        (["photos/one.png", *TINY, "--jobs", "1/2"], "--jobs shares out the fits of several scenes or seeds"),
        (["photos", *TINY, "--preview"], "--preview is of one fit after the other"),
        (["photos", *TINY, "--seeds", "0"], "--seeds must be 1 to 1000"),
        (["photos", *TINY, "--tune", "3", "--learning-rate", "0.1"], "--tune searches the learning rate"),
        (["photos", *TINY, "--seconds", "3"], "equal steps"),
        (["photos", "--holdout", "even-odd", "demo:teapot", "--encodings", "raw"], "--holdout is for pictures"),
        (["photos/one.png", "photos/three.png", *TINY], "three.png"),
        (["photos/one.png", "outputs", *TINY], "is no folder of posed photographs"),
    ],
)
def test_what_cannot_be_is_refused_in_a_sentence(
    here: Path, words: list[str], sentence: str, capfd: pytest.CaptureFixture[str]
) -> None:
    (here / "outputs").mkdir()
    assert sentence in refusal_of(["compare", *words], capfd)
    assert not list((here / "outputs").iterdir()), "no folder was begun"


def test_a_resumed_sweep_keeps_its_choices(here: Path, capfd: pytest.CaptureFixture[str]) -> None:
    path = answer_of(["compare", "photos", *TINY], capfd)["path"]
    assert "keeps its seeds; only --json, --jobs" in refusal_of(["compare", "--resume", path, "--seeds", "3"], capfd)
    assert f"go on with it: `fieldlens compare --resume {path}`" in refusal_of(["compare", path, *TINY], capfd)


def test_an_encoding_of_ones_own_is_named_again_for_a_sweep_to_go_on(
    here: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    (here / "mine.py").write_text("import torch\ndef waves(x):\n    return torch.cat([x, torch.sin(7 * x)], -1)\n")
    words = ["raw", "mine.py:waves"]
    path = answer_of(["compare", "photos", *TINY[3:], "--encodings", *words], capfd)["path"]
    assert "never run: name it again" in refusal_of(["compare", "--resume", path], capfd)
    assert answer_of(["compare", "--resume", path, "--encodings", *words], capfd)["finished"] == 4


KILLS_ITSELF = """
import os
import signal
from contextlib import suppress
from multiprocessing import parent_process
from pathlib import Path
from typing import Any

import torch

batches = 0

def waves(x):
    global batches
    batches += len(x) == 64
    if parent_process() and batches == 3:
        with suppress(FileExistsError):
            Path("killed").touch(exist_ok=False)
            os.kill(os.getpid(), signal.SIGKILL)
    return torch.cat([x, torch.sin(7 * x)], -1)
"""


def test_workers_of_which_one_is_killed_amid_its_fit_give_the_same_summary(
    here: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """Its encoding is somebody's own, whose file each worker reads itself."""
    (here / "mine.py").write_text(KILLS_ITSELF)
    summaries, lost = [], []
    for place, workers in (("here", []), ("apart", ["--workers", "2"])):
        words = ["photos/one.png", *TINY[3:], "--encodings", "mine.py:waves", "--seeds", "2"]
        assert cli.main(["compare", *words, "--output-dir", place, *workers]) == 0
        (summary,) = Path(place).rglob("summary.csv")
        summaries.append(summary.read_bytes())
        lost.append(sorted(int(row["lost"]) for row in csv.DictReader(summary.with_name("table.csv").open())))
    assert lost == [[0, 0], [0, 1]]
    assert "1 fit was lost on the way and begun again" in summary.with_name("report.html").read_text()
    assert "SIGKILL" in summary.with_name("lost.json").read_text()
    said = " ".join(capfd.readouterr().err.split())
    assert "was lost 1 time (its process was ended by SIGKILL) and made all the same" in said
    assert summaries[0] == summaries[1]


def test_python_takes_lists_of_words_and_of_arrays_and_shows_what_was_found(here: Path) -> None:
    noise = np.random.default_rng(0).random((2, 8, 8))
    found = fieldlens.compare(["photos/one.png", *noise], progress=False, **SMALL)  # type: ignore[arg-type]
    assert isinstance(found, fieldlens.Sweep)
    assert [fit["picture"] for fit in found.fits[::2]] == ["one", "array 1", "array 2"]
    assert found.record.finished == len(found.runs) == 6
    assert found.runs[0].psnr_db == pytest.approx(float(found.fits[0]["psnr_db"]))
    assert fieldlens.open("latest") == fieldlens.open(found.folder) == found
    assert str(found).startswith("| method")
    assert "<iframe" in found._repr_html_()
    again = fieldlens.compare(resume=found.folder, progress=False)
    assert again == found
    with pytest.raises(fieldlens.InputError, match="is a comparison: ask one of its runs"):
        fieldlens.explain(found.folder)


def test_python_has_fits_made_by_processes_which_find_the_same(here: Path) -> None:
    found = [
        fieldlens.compare("photos/one.png", seeds=2, output_dir=place, progress=False, **SMALL, **options)  # type: ignore[arg-type]
        for place, options in (("one", {}), ("two", {"workers": 2}))
    ]
    alone, shared = ((one.folder / "summary.csv").read_bytes() for one in found)
    assert alone == shared


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"workers": 0}, "^workers must be "),
        ({"workers": "two"}, "^workers must be a whole number"),
        ({"workers": 2, "cluster": "tcp://127.0.0.1:1"}, "leave out workers or cluster$"),
        ({"cluster": "nowhere"}, "^cluster takes the address of a Dask scheduler"),
        ({"workers": 2, "seeds": 1}, "^workers or cluster shares out the fits of several scenes or seeds"),
    ],
)
def test_python_refuses_in_a_sentence_who_cannot_make_fits(here: Path, options: dict, sentence: str) -> None:
    choices: dict[str, Any] = {"seeds": 2, **SMALL, **options}
    with pytest.raises(fieldlens.InputError, match=sentence):
        fieldlens.compare("photos/one.png", progress=False, **choices)


def test_python_reads_the_names_of_pictures_whole_also_over_lines(tmp_path: Path) -> None:
    names = ["one", "a\u2028b", "a\nb", 'a "b", c']
    with (tmp_path / "table.csv").open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([["picture"], *([name] for name in names)])
    assert [fit["picture"] for fit in fieldlens.Sweep(tmp_path).fits] == names


def test_python_gives_a_sweep_of_one_picture_with_several_seeds_and_of_a_folder(here: Path) -> None:
    one = np.random.default_rng(0).random((8, 8))
    found = fieldlens.compare(one, seeds=2, progress=False, **SMALL)  # type: ignore[arg-type]
    assert isinstance(found, fieldlens.Sweep)
    assert found.config.seeds == 2
    assert isinstance(fieldlens.compare(here / "photos", progress=False, **SMALL), fieldlens.Sweep)  # type: ignore[arg-type]
    assert isinstance(fieldlens.compare([one], progress=False, **SMALL), fieldlens.Comparison)  # type: ignore[arg-type]
