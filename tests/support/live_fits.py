"""Small fits that go on in a thread of their own and are served, for the tests of the live page."""

import http.client
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from threading import Thread
from typing import Any
from urllib.parse import parse_qs, urlsplit

from fieldlens.configs.run import FitConfig
from fieldlens.fitting import Controls
from fieldlens.studies.live.desk import Desk
from fieldlens.studies.live.hub import Hub
from fieldlens.studies.live.server import served
from fieldlens.studies.runs.fit import run, start
from fieldlens.studies.runs.folder import RunFolder
from fieldlens.studies.runs.record import RunRecord
from fieldlens.studies.runs.reporter import Silent
from tests.support.runs import small_config, small_picture


@dataclass
class Answer:
    """What the server has answered."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass
class Served:
    """A page that is served."""

    address: str

    @property
    def host(self) -> str:
        return urlsplit(self.address).netloc

    @property
    def token(self) -> str:
        return parse_qs(urlsplit(self.address).query)["token"][0]

    def ask(
        self,
        path: str,
        sent: Any = None,
        *,
        token: str | None = None,
        headers: dict[str, str] | None = None,
        method: str | None = None,
    ) -> Answer:
        """One request, with the token in a cookie as a browser has it; POST where something is sent."""
        connection = http.client.HTTPConnection(self.host, timeout=60)
        name = f"fieldlens_{self.host.rpartition(':')[2]}"
        cookie = {"Cookie": f"{name}={self.token if token is None else token}"}
        body = sent if sent is None or isinstance(sent, bytes) else json.dumps(sent).encode()
        try:
            connection.request(
                method or ("GET" if sent is None else "POST"), path, body=body, headers=cookie | (headers or {})
            )
            answer = connection.getresponse()
            names = {name.lower(): value for name, value in answer.getheaders()}
            return Answer(answer.status, names, answer.read())
        finally:
            connection.close()


@dataclass
class LiveFit(Served):
    """A fit in a thread, and its server."""

    folder: RunFolder
    hub: Hub
    desk: Desk
    controls: Controls
    thread: Thread
    records: list[RunRecord] = field(default_factory=list)

    @contextmanager
    def watched(self, map_name: str = "") -> Iterator[Iterator[Any]]:
        """A viewer: all news until the block is left."""
        connection = http.client.HTTPConnection(self.host, timeout=60)
        connection.request("GET", f"/events?map={map_name}&token={self.token}")
        stream = connection.getresponse()
        assert stream.status == 200
        yield (json.loads(line[6:]) for line in iter(stream.readline, b"") if line.startswith(b"data: "))
        stream.close()
        connection.close()

    def wait_for(self, step: int) -> None:
        """Wait until so many steps are taken, and looked at."""
        while (moment := self.desk.heard) is None or moment.step < step:
            assert self.thread.is_alive()
            self.thread.join(0.01)

    def wait_until_nobody_looks(self) -> None:
        """Wait until the server has noticed that all viewers are gone."""
        while self.hub.is_watched:
            assert self.thread.is_alive()
            self.thread.join(0.01)

    def end(self) -> RunRecord:
        """Stop the fit, and wait until all is written."""
        self.controls.stop = True
        self.controls.look_now.set()
        self.thread.join(60)
        return self.records[0]


def waiting_config(parent: Path) -> FitConfig:
    """A fit of a small picture without explanation, which takes longer than any test."""
    config = small_config(small_picture(parent / "picture.png"), parent / "outputs", steps=500_000)
    return replace(config, output=replace(config.output, frames="every:1000", quick=True))


@contextmanager
def live_fit(parent: Path, config: FitConfig | None = None, steps_allowed: int | None = 0) -> Iterator[LiveFit]:
    """A fit of a small picture without explanation, which waits before its first step unless told; ended at the end."""
    config = config or waiting_config(parent)
    controls = Controls(steps_allowed=steps_allowed)
    hub = Hub(controls.look_now)
    desk, folder, records = Desk(hub, controls, Silent()), start(config), list[RunRecord]()
    thread = Thread(target=lambda: records.append(run(folder, reporter=desk, controls=controls, onlooker=desk)))
    with served(hub) as address:
        fit = LiveFit(address, folder, hub, desk, controls, thread, records)
        thread.start()
        try:
            yield fit
        finally:
            controls.stop = True
            controls.look_now.set()
            thread.join(60)


def begun(fit: LiveFit) -> LiveFit:
    """The fit, once it can be asked."""
    while fit.hub.page is None:
        assert fit.thread.is_alive()
        fit.thread.join(0.01)
    return fit
