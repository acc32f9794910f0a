"""`fieldlens fit --live` as a person types it."""

import json
import re
import signal
import socket
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest

from fieldlens import cli
from tests.support.runs import small_picture

SMALL = ["--network.width", "8", "--network.depth", "2", "--batch-size", "64", "--quick", "--frames", "every:1000"]


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--port", "8000"], "--port is for a page that is live; add --live"),
        (["--no-browser"], "--no-browser is for a page that is live; add --live"),
        (["--live", "--port", "0"], "--port must be 1 to 65535, got 0"),
    ],
)
def test_options_without_an_effect_are_refused(
    words: list[str], sentence: str, capfd: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["fit", "astronaut", *words]) == 2
    assert capfd.readouterr().err == f"fieldlens: {sentence}\n"


def test_a_port_that_is_taken_is_told_before_anything_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        assert cli.main(["fit", "astronaut", "--live", "--no-browser", "--port", port]) == 2
    assert capfd.readouterr().err.startswith(f"fieldlens: port {port} cannot be had")
    assert list(tmp_path.iterdir()) == []


def test_without_the_packages_the_sentence_says_how_to_get_them(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "uvicorn", None)
    assert cli.main(["fit", "astronaut", "--live"]) == 2
    assert "run: pip install 'fieldlens[live]'" in capfd.readouterr().err


def test_a_fit_that_is_stopped_on_its_page_ends_well_and_ctrl_c_ends_as_ever(tmp_path: Path) -> None:
    small_picture(tmp_path / "small.png")
    command = [sys.executable, "-m", "fieldlens", "fit", "small.png", *SMALL, "--steps", "900000", "--live", "--json"]
    for by_signal, status in ((False, 0), (True, 130)):
        fit = subprocess.Popen(
            [*command, "--no-browser"], cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        assert fit.stderr is not None
        address = next(found[0] for line in fit.stderr if (found := re.search(r"http://\S+", line)))
        while b"is being prepared" in urllib.request.urlopen(address, timeout=60).read():
            pass
        if by_signal:
            fit.send_signal(signal.SIGINT)
        else:
            stop = urllib.request.Request(address.replace("/?", "/do?"), b'{"do": "stop"}')
            urllib.request.urlopen(stop, timeout=60).close()
        printed, _ = fit.communicate(timeout=60)
        assert fit.returncode == status
        assert json.loads(printed)["stopped_because"] == "interrupted"


def test_a_page_that_looks_when_the_fit_ends_can_ask_its_network_until_ctrl_c(tmp_path: Path) -> None:
    small_picture(tmp_path / "small.png")
    command = [sys.executable, "-m", "fieldlens", "fit", "small.png", *SMALL, "--steps", "900000", "--live"]
    fit = subprocess.Popen(
        [*command, "--no-browser"], cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert fit.stderr is not None
    address = next(found[0] for line in fit.stderr if (found := re.search(r"http://\S+", line)))
    with urllib.request.urlopen(address.replace("/?", "/events?"), timeout=60) as news:
        assert next(line for line in news if line.startswith(b"data: "))
        stop = urllib.request.Request(address.replace("/?", "/do?"), b'{"do": "stop"}')
        urllib.request.urlopen(stop, timeout=60).close()
        next(line for line in news if b'"finished": true' in line)
        answer = urllib.request.urlopen(address.replace("/?", "/at?x=0.5&y=0.5&"), timeout=60)
        assert {"Target", "Here", "Crossings"} <= json.load(answer).keys()
        fit.send_signal(signal.SIGINT)
        fit.communicate(timeout=60)
    assert fit.returncode == 0
