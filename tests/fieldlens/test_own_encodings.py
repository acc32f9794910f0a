"""An encoding of one's own in every verb: named each time, compared with the folder's copy, which is never run."""

import dataclasses
import json
import shlex
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from torch import Tensor

import fieldlens
from fieldlens import cli
from fieldlens.configs.errors import InputError
from fieldlens.studies.runs.compare import Comparison
from tests.fields.test_own_encoding import WAVES
from tests.support.runs import small_picture

SMALL = [
    "--network.width",
    "16",
    "--network.depth",
    "2",
    "--batch-size",
    "128",
    "--frames",
    "every:8",
    "--threads",
    "1",
]


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working folder with a picture and an encoding in it."""
    monkeypatch.chdir(tmp_path)
    small_picture(tmp_path / "picture.png")
    (tmp_path / "mine.py").write_text(WAVES)
    return tmp_path


def result_of(words: list[str], capfd: pytest.CaptureFixture[str]) -> dict:
    assert cli.main([*words, "--json"]) == 0, capfd.readouterr().err
    return json.loads(capfd.readouterr().out.splitlines()[-1])


def refusal_of(words: list[str], capfd: pytest.CaptureFixture[str]) -> str:
    assert cli.main(words) == 2
    return capfd.readouterr().err.strip().splitlines()[-1]


def test_a_fit_under_the_waves_of_fourier_is_that_of_fourier(here: Path, capfd: pytest.CaptureFixture[str]) -> None:
    fitted = {
        word: result_of(["fit", "picture.png", "--encoding", word, "--steps", "24", *SMALL], capfd)
        for word in ("mine.py:waves", "fourier:3")
    }
    own, fourier = fitted["mine.py:waves"], fitted["fourier:3"]
    assert own["psnr_db"] == pytest.approx(fourier["psnr_db"], abs=0.01)
    assert own["crossings_per_pixel"] == pytest.approx(fourier["crossings_per_pixel"], rel=0.01)
    assert (Path(own["path"]) / "encoding.py").read_text() == WAVES
    assert f"--resume {own['path']} --encoding mine.py:waves" in str(fieldlens.open(own["path"]))


def test_each_verb_asks_for_the_encoding_and_runs_nothing_of_the_folder(
    here: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    run = result_of(["fit", "picture.png", "--encoding", "mine.py:waves", "--steps", "8", *SMALL, "--quick"], capfd)
    own = ["--encoding", "mine.py:waves"]
    verbs = [["fit", "--resume", run["path"], "--steps", "12"], ["analyze", run["path"]], ["render", run["path"]]]
    verbs += [["analyze", run["path"], "--cells", "--region", "0", "0", "0.1", "0.1"]]
    folder, trap = Path(run["path"]), here / "trapped"
    for words in verbs:
        assert (
            "what a folder holds is never run: name the function yourself, by --encoding mine.py:waves"
            in refusal_of(words, capfd)
        )
    for words in verbs:
        result_of([*words, *own], capfd)
    assert result_of(["fit", "--resume", run["path"], "--steps", "16", *own], capfd)["steps"] == 16
    # a folder from elsewhere, whose copy is a trap
    (folder / "manifest.sha256").unlink()
    (folder / "encoding.py").write_text(f"open({str(trap)!r}, 'w')\n{WAVES}")
    for words in verbs:
        refusal_of(words, capfd)
        assert "is not what" in refusal_of([*words, *own], capfd)
    assert not trap.exists()


def test_what_is_named_must_be_what_it_was_made_with(here: Path, capfd: pytest.CaptureFixture[str]) -> None:
    tiny = ["--steps", "2", *SMALL, "--quick"]
    run = result_of(["fit", "picture.png", "--encoding", "mine.py:waves", *tiny], capfd)["path"]
    other = result_of(["fit", "picture.png", "--encoding", "raw", *tiny], capfd)["path"]
    assert "which need not be named; leave out --encoding" in refusal_of(["render", other, "--encoding", "raw"], capfd)
    assert "and not with raw; name that" in refusal_of(["render", run, "--encoding", "raw"], capfd)
    (here / "moved.py").write_text(WAVES)
    assert Path(result_of(["render", run, "--encoding", "moved.py:waves"], capfd)["path"]).exists()
    (here / "mine.py").write_text(f"{WAVES}# as it is today\n")
    assert "its digest is" in refusal_of(["render", run, "--encoding", "mine.py:waves"], capfd)
    again = ["fit", "--config", f"{run}/config.yaml"]
    assert "name the function yourself" in refusal_of(again, capfd)
    assert result_of([*again, "--encoding", "mine.py:waves"], capfd)["encoding"] == "mine.py:waves"


def test_a_comparison_goes_on_with_encodings_that_are_named_again(
    here: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    words = ["--encodings", "raw", "mine.py:waves"]
    begun = result_of(
        ["compare", "picture.png", *words, "--networks", "2x8", "--steps", "8", "--batch-size", "64", "--quick"], capfd
    )
    assert [run["encoding"] for run in begun["runs"]] == ["raw", "mine.py:waves"]
    (Path(begun["runs"][1]["path"]) / "run.json").unlink()  # as if it had been interrupted
    assert "of a comparison, by --encodings" in refusal_of(["compare", "--resume", "latest"], capfd)
    assert result_of(["compare", "--resume", "latest", *words], capfd)["runs"][1]["psnr_db"] == pytest.approx(
        begun["runs"][1]["psnr_db"]
    )
    comparison = Comparison(Path(begun["path"]))
    interrupted = dataclasses.replace(comparison.record(), stopped_because="interrupted")
    told = interrupted.lines[-1].removeprefix("go on   fieldlens ")
    assert result_of(shlex.split(told), capfd)["path"] == begun["path"]
    longer = comparison.command(12).removeprefix("fieldlens ")
    assert [run["steps"] for run in result_of(shlex.split(longer), capfd)["runs"]] == [12, 12]
    drawn = result_of(["render", begun["path"], "--encoding", "mine.py:waves"], capfd)["runs"]
    assert len(drawn) == 2


def test_of_two_functions_of_one_name_each_is_known_by_its_text(here: Path, capfd: pytest.CaptureFixture[str]) -> None:
    (here / "other.py").write_text(WAVES.replace("3", "2"))
    words = ["--encodings", "mine.py:waves", "other.py:waves"]
    tiny = ["--networks", "2x8", "--steps", "4", "--batch-size", "64", "--quick"]
    compared = result_of(["compare", "picture.png", *words, *tiny], capfd)["path"]
    for name in ("mine.py", "other.py"):
        assert cli.main(["render", compared, "--encoding", f"{name}:waves", "--json"]) == 2, "the other has no name yet"
        told = capfd.readouterr()
        (drawn,) = json.loads(told.out.splitlines()[-1])["runs"]
        assert name.removesuffix(".py") in drawn["run"]
    (here / "mine.py").rename(here / "moved.py")
    opened = fieldlens.open(compared, encoding=["moved.py:waves", "other.py:waves"])
    assert isinstance(opened, fieldlens.Comparison)
    assert [str(run.config.encoding) for run in opened.runs] == words[1:]
    assert all(run.field([[0.5, 0.5]]).shape == (1, 3) for run in opened.runs)
    (here / "third.py").write_text(WAVES.replace("3", "4"))
    with pytest.raises(InputError, match="its digest is"):
        fieldlens.open(compared, encoding="third.py:waves")


def waves(x: Tensor) -> Tensor:
    return torch.cat([x, (9 * x).sin()], 1)


def test_a_function_of_a_program_is_named_by_its_file_and_opened_by_itself(here: Path) -> None:
    small = {"network": "2x16", "steps": 4, "batch_size": 64, "quick": True, "progress": False}
    run = fieldlens.fit("picture.png", encoding=waves, **small)  # type: ignore[arg-type]
    assert str(run.config.encoding).endswith("test_own_encodings.py:waves")
    assert (run.folder / "encoding.py").read_bytes() == Path(__file__).read_bytes()
    again = fieldlens.open("latest", encoding=waves)
    assert isinstance(again, fieldlens.Run)
    assert (again.field([[0.5, 0.5]]) == run.field([[0.5, 0.5]])).all()
    with pytest.raises(InputError, match="what a folder holds is never run"):
        fieldlens.Run(run.folder).field([[0.5, 0.5]])

    square: Callable[[Tensor], Tensor] = lambda x: torch.cat([x, x.square()], 1)  # noqa: E731  as typed into a session
    typed_in = fieldlens.fit("picture.png", encoding=square, **small)  # type: ignore[arg-type]
    assert str(typed_in.config.encoding) == "python:function"
    gaining = dataclasses.replace(typed_in.record, stopped_because="steps", gained_db=9.0)
    assert gaining.lines[-1].startswith(
        f"go on   from Python: fieldlens.fit(resume='{typed_in.folder}', encoding=function,"
    )
    compared = fieldlens.compare(
        "picture.png", encodings=["raw", square], networks=["2x16"], steps=4, batch_size=64, quick=True, progress=False
    )
    call = Comparison(compared.folder).command().removeprefix("from Python: ")
    assert call == f"fieldlens.compare(resume='{compared.folder}', encodings=['raw', function])"
    assert eval(call, {"fieldlens": fieldlens, "function": square}).folder == compared.folder
    assert "x.square()" in (typed_in.folder / "encoding.py").read_text()
    assert typed_in.field([[0.5, 0.5]]).shape == (1, 3)
    with pytest.raises(InputError, match=r"another function"):
        fieldlens.open(typed_in.folder, encoding=waves)
