"""`fieldlens view` as a person types it."""

import re
import signal
import subprocess
import sys
import urllib.request
from dataclasses import replace
from pathlib import Path

import pytest

from fieldlens import cli
from tests.support.runs import small_config, small_picture
from tests.support.small_runs import fitted


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--port", "0"], "--port must be 1 to 65535, got 0"),
        (["nowhere"], "'nowhere' does not exist; name one that `fieldlens fit` made, or latest"),
        (["--output-dir", "nowhere"], "there is no run below 'nowhere'"),
        (["--json"], "there is no option --json"),
    ],
)
def test_what_cannot_be_shown_is_told_in_one_sentence(
    words: list[str], sentence: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert cli.main(["view", *words]) == 2
    (said,) = capfd.readouterr().err.splitlines()
    assert said.startswith(f"fieldlens: {sentence}")


def test_the_latest_run_is_served_until_ctrl_c(tmp_path: Path) -> None:
    config = small_config(small_picture(tmp_path / "small.png"), tmp_path / "outputs", steps=4)
    fitted(replace(config, output=replace(config.output, quick=True)))
    command = [sys.executable, "-m", "fieldlens", "view", "latest", "--no-browser"]
    view = subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert view.stderr is not None
    address = next(found[0] for line in view.stderr if (found := re.search(r"http://127.0.0.1:\S+", line)))
    assert b"The network is there to be asked" in urllib.request.urlopen(address, timeout=60).read()
    assert b'"At step"' in urllib.request.urlopen(address.replace("/?", "/at?x=0.5&y=0.5&"), timeout=60).read()
    view.send_signal(signal.SIGINT)
    printed, said = view.communicate(timeout=60)
    assert view.returncode == 130
    assert printed == ""
    assert "Traceback" not in said
