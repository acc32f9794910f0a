"""The server of a fit: who is let in, what is answered, and that asking acts on the training."""

import re
import socket
import stat
import sys
import urllib.request
import webbrowser
from collections.abc import Iterator
from html import unescape
from pathlib import Path
from queue import Queue
from urllib.parse import urlsplit
from urllib.request import url2pathname

import cv2
import numpy as np
import pytest

from fieldlens.configs.errors import InputError
from fieldlens.fitting import Controls
from fieldlens.render.files import read_png
from fieldlens.studies.live.hub import Hub
from fieldlens.studies.live.server import open_in_browser, served
from fieldlens.studies.runs.checkpoints import checkpoint_steps
from tests.support.live_fits import LiveFit, begun, live_fit


@pytest.fixture(scope="module")
def fit(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveFit]:
    """A fit that waits at its first step; tests leave it waiting."""
    with live_fit(tmp_path_factory.mktemp("live")) as going_on:
        yield begun(going_on)


# --- who is let in


def test_the_address_that_is_printed_opens_the_page_and_leaves_a_cookie_that_no_script_can_read(fit: LiveFit) -> None:
    answer = fit.ask(f"/?token={fit.token}", token="")
    assert answer.status == 200
    assert answer.body.startswith(b"<!doctype html>")
    assert answer.headers["set-cookie"].endswith(f"={fit.token}; Path=/; HttpOnly; SameSite=Strict")
    assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]


PATHS = ["/", "/events", "/now", "/map/density", "/frame/0", "/at?x=0&y=0", "/progress.mp4", "/elsewhere"]


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("token", ["", "wrong", "é"])
def test_without_the_token_nothing_is_answered(fit: LiveFit, path: str, token: str) -> None:
    answer = fit.ask(path, headers={"Cookie": f"fieldlens_{fit.host.rpartition(':')[2]}={token}"})
    assert answer.status == 403
    assert "open the address that was printed" in answer.json["error"]


def test_a_page_from_elsewhere_is_refused_even_with_the_token(fit: LiveFit) -> None:
    for headers in ({"Origin": "http://evil.example"}, {"Origin": "null"}, {"Host": "evil.example:80"}, {"Host": ""}):
        assert fit.ask("/do", {"do": "step"}, headers=headers).status == 403
    assert fit.ask("/do", {"do": "pause"}, headers={"Origin": f"http://{fit.host}"}).status == 200


def test_a_tunnel_that_ends_at_another_port_is_let_in(fit: LiveFit) -> None:
    assert fit.ask("/", headers={"Host": "localhost:9999", "Origin": "http://localhost:9999"}).status == 200


def test_it_is_bound_to_this_machine_alone(fit: LiveFit) -> None:
    assert fit.host.startswith("127.0.0.1:")
    own = socket.gethostbyname(socket.gethostname())
    if own.startswith("127."):
        pytest.skip("this machine has no other address")
    with pytest.raises(OSError, match="refused"):
        socket.create_connection((own, int(fit.host.rpartition(":")[2])), timeout=5)


# --- bad input

VIEW_MODES = "mode must be one of colour, distance, normals, creases, got 'error'"


@pytest.mark.parametrize(
    ("path", "sent", "sentence"),
    [
        ("/do", b"{", "what was sent is no JSON object"),
        ("/do", b"[" * 3000, "what was sent is no JSON object"),
        ("/do", [], "what was sent is no JSON object"),
        ("/do", {}, "do needs do"),
        ("/do", {"do": "dance"}, "do must be one of pause, resume, step, snapshot, stop, got 'dance'"),
        ("/do", {"do": "step", "path": "/etc/passwd"}, "'path' is no setting; choose from do"),
        ("/learning_rate", {"rate": 0}, "rate must be a number above 0, got 0.0"),
        ("/learning_rate", {"rate": "nan"}, "rate must be a number above 0, got nan"),
        ("/learning_rate", {"rate": "1e31"}, "rate must be at most 1e+30, got 1e+31"),
        ("/learning_rate", {"rate": {}}, "rate must be a number, got {}"),
        ("/target_psnr_db", {"psnr_db": 4000}, "psnr_db must be -1000 to 1000, got 4000.0"),
        ("/at?x=0.5", None, "at needs y"),
        ("/view?azimuth=0&elevation=0&away=1", None, "a camera can only be moved around a 3D scene"),
        ("/view?azimuth=0&elevation=90&away=1", None, "elevation must be -89 to 89, got 90.0"),
        ("/view?azimuth=0&elevation=0&away=1e-300", None, "away must be 0.01 to 4, got 1e-300"),
        ("/view?azimuth=0&elevation=0&away=1&size=huge", None, "size must be one of draft, fine, got 'huge'"),
        ("/view?azimuth=0&elevation=0&away=1&mode=error", None, VIEW_MODES),
        ("/at?x=0.5&y=2", None, "y must be 0 to 1, got 2.0"),
        ("/at?x=0.5&y=0.5&run=1", None, "there is one run on this page, number 0"),
        ("/drawn?name=nothing", None, "there is no map 'nothing'; choose from density, error, progress, speed"),
        ("/do", b" " * 5000, "a request has at most 4,096 bytes, and says how many"),
    ],
)
def test_what_does_not_fit_is_answered_with_one_sentence(fit: LiveFit, path: str, sent: object, sentence: str) -> None:
    answer = fit.ask(path, sent)
    assert (answer.status, answer.json) == (400, {"error": sentence})


@pytest.mark.parametrize(
    "path",
    [
        *("/frame/1", "/frame/-1", "/frame/%D9%A1", "/frame/" + 300 * "9", "/frame/" + 5000 * "9"),
        *("/frame/..%2f..%2fconfig.yaml", "/map/nothing", "/map/..%2fnow", "/x.mp4"),
    ],
    ids=lambda path: path[:30],
)
def test_nothing_but_pictures_of_the_fit_can_be_named(fit: LiveFit, path: str) -> None:
    assert fit.ask(path).status == 404


# --- what is answered


def picture_of(body: bytes) -> np.ndarray:
    image = cv2.imdecode(np.frombuffer(body, np.uint8), cv2.IMREAD_COLOR)
    assert image is not None
    return image[..., ::-1]


def test_the_newest_picture_and_those_of_frames_are_what_the_fit_has_drawn(fit: LiveFit) -> None:
    drawn = read_png(fit.folder.frame(0, "reconstruction"))
    for path in ("/now", "/frame/0"):
        np.testing.assert_array_equal(picture_of(fit.ask(path).body), drawn)


def test_a_step_is_one_step_and_the_picture_changes(fit: LiveFit) -> None:
    with fit.watched() as news:
        before = next(news)
        shown = fit.ask("/now").body
        first = fit.ask("/do", {"do": "step"}).json["step"]
        after = next(
            one for one in news if one["facts"]["Step"] == f"{first + 1:,}" and one["frames"][-1]["step"] > first
        )
        assert before["training"]
        assert after["paused"]
        assert after["frames"][-1]["image"] == f"now?{first + 1}"
        assert fit.ask("/now").body != shown


def test_a_map_is_drawn_while_somebody_looks_at_it_and_no_other(fit: LiveFit) -> None:
    with fit.watched("error") as news:
        maps = next(one["maps"] for one in news if one["maps"])
        assert {*maps} == {"error"}
        assert fit.ask("/" + maps["error"]["image"]).status == 200
        assert fit.ask("/map/density").status == 404
    with fit.watched("density") as news:
        assert next(one["maps"]["density"]["step"] for one in news if "density" in one["maps"]) >= 0
        assert fit.ask("/map/density").status == 200


def test_nobody_looks_any_more_once_a_viewer_has_left(fit: LiveFit) -> None:
    with fit.watched() as first, fit.watched() as second:
        assert next(first)["training"]
        assert next(second)["training"]
        assert len(fit.hub._viewers) == 2
    fit.wait_until_nobody_looks()


def test_snapshots_and_changes_are_in_the_run_s_log(tmp_path: Path) -> None:
    with live_fit(tmp_path) as fit:
        begun(fit)
        assert fit.ask("/learning_rate", {"rate": "1e-3"}).json == {"step": 0}
        assert fit.ask("/target_psnr_db", {"psnr_db": 90}).json == {"step": 0}
        assert fit.ask("/do", {"do": "snapshot"}).json == {"step": 0}
        assert checkpoint_steps(fit.folder.checkpoints) == [0]
        record = fit.end()
        rate = record.plan.learning_rate
        assert record.changed_by_hand is not None
        assert [(one.what, one.before, one.after) for one in record.changed_by_hand] == [
            ("learning_rate", rate, 1e-3),
            ("target_psnr_db", None, 90.0),
            ("snapshot", None, None),
        ]
        assert fit.folder.record() == record
        refused = fit.ask("/do", {"do": "step"})
        assert (refused.status, refused.json["error"]) == (400, "the fit trains no more: its report is being made")
        assert fit.ask("/progress.mp4").body == fit.folder.video.read_bytes()


# --- ports


def test_a_port_that_is_taken_is_told_and_without_one_the_next_free_is_found() -> None:
    hub = Hub(Controls().look_now)
    with served(hub) as first, served(hub) as second:
        assert first.partition("?")[0] != second.partition("?")[0]
        taken = int(first.partition("?")[0].rstrip("/").rpartition(":")[2])
        with pytest.raises(InputError, match=f"^port {taken} cannot be had \\(Address already in use\\); name another"):
            served(hub, taken).__enter__()


def test_before_the_fit_begins_the_page_says_so(tmp_path: Path) -> None:
    hub = Hub(Controls().look_now)
    with served(hub) as address, urllib.request.urlopen(address) as answer:
        assert "is being prepared" in answer.read().decode()


# --- the browser


def test_the_token_is_in_a_file_of_one_s_own_and_in_no_word_that_a_process_is_started_with(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    opened: Queue[str] = Queue()
    monkeypatch.setattr(webbrowser, "open", opened.put)
    monkeypatch.setenv("DISPLAY", ":0")
    address = "http://127.0.0.1:8722/?token=a-secret&b"
    with open_in_browser(address):
        word = opened.get(timeout=10)
        assert "secret" not in word
        page = Path(url2pathname(urlsplit(word).path))
        assert stat.S_IMODE(page.stat().st_mode) == 0o600
        assert stat.S_IMODE(page.parent.stat().st_mode) == 0o700
        found = re.search('http-equiv="refresh" content="0; url=(.*?)"', page.read_text())
        assert found is not None
        assert unescape(found[1]) == address
    assert not page.parent.exists()


def test_without_a_screen_no_browser_is_opened(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "linux")
    for name in ("DISPLAY", "WAYLAND_DISPLAY"):
        monkeypatch.delenv(name, raising=False)
    opened: list[str] = []
    monkeypatch.setattr(webbrowser, "open", opened.append)
    with open_in_browser("http://127.0.0.1:8722/?token=secret"):
        pass
    assert opened == []
