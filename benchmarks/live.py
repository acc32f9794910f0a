"""What the live page costs a fit, and how long its camera's first picture takes.

Costs are steps in a second with nobody looking, and with one page that looks and asks nothing.

    python -m benchmarks.live [--quick]

Three fits of one picture take turns, each with its own weights: plain, served to nobody, and served to one viewer. That
one reads all news and fetches each newest picture, in a process of its own. A turn's steps are divided by all of its
seconds, those between steps included.

The first picture is a draft of a 3D scene while it trains, as a page asks for it that has just begun to look: from the
request to the last byte, the wait for the step that is being taken included.
"""

import argparse
import http.client
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from urllib.parse import urlsplit

from benchmarks.measure import print_json
from fieldlens.configs.run import FitConfig, Output, Target, Training
from fieldlens.fitting import Controls, Snapshot, fit, initial_state, plan_of
from fieldlens.scenes.load import load
from fieldlens.scenes.scene import Scene
from fieldlens.studies.live.desk import Desk
from fieldlens.studies.live.hub import Hub
from fieldlens.studies.live.server import served
from fieldlens.studies.runs.fit import start
from fieldlens.studies.runs.metrics import Metrics
from fieldlens.studies.runs.recorder import FrameRecorder, Stopwatch
from fieldlens.studies.runs.reporter import Moment, Silent
from fieldlens.studies.subjects.choice import subject_of

SCENE = "demo:lattice"


class Contender:
    """A fit that goes on for a turn at a time, and is looked at or not."""

    def __init__(self, config: FitConfig, scene: Scene, hub: Hub | None, controls: Controls) -> None:
        plan, state = plan_of(config, scene), initial_state(config, scene)
        self.moments = fit(state, scene, plan, [0], controls)
        self.desk = None if hub is None else Desk(hub, controls, Silent())
        folder = start(config, scene=scene)
        recorder = FrameRecorder(
            folder,
            plan,
            subject_of(scene, plan.placement.hidden_dtype),
            Metrics(folder.metrics_file),
            label=str(config.encoding),
            keeps_checkpoints=False,
            draws=(),
            film=None,
            watch=Stopwatch(),
        )
        first = next(self.moments)
        recorder.record(first)
        self.steps = 0
        if self.desk is not None:
            self.desk.begin(recorder, config, [])
            self._look(first)

    def turn(self, seconds: float) -> float:
        """Steps in a second, of about so many seconds."""
        started, before = time.perf_counter(), self.steps
        while time.perf_counter() - started < seconds:
            moment = next(self.moments)
            self.steps = moment.step
            if self.desk is not None:
                self._look(moment)
        return (self.steps - before) / (time.perf_counter() - started)

    def _look(self, moment: Snapshot) -> None:
        assert self.desk is not None
        self.desk.fitting(Moment("", moment.step, moment.seconds, None, 1.0, 0.0, None, None))
        self.desk.look(moment)


def view(address: str) -> None:
    """Look at a page as a browser does, until it ends; a line for each picture that was fetched."""
    parts = urlsplit(address)
    stream = http.client.HTTPConnection(parts.netloc)
    stream.request("GET", f"/events?{parts.query}")
    last = None
    for line in iter(stream.getresponse().readline, b""):
        if line.startswith(b"data: "):
            newest = json.loads(line[6:]).get("frames", [{}])[-1].get("image")
            if newest is not None and newest != last:
                last = newest
                # by a connection of its own: the server closes those that rest for some seconds
                picture = http.client.HTTPConnection(parts.netloc)
                picture.request("GET", f"/{newest}{'&' if '?' in newest else '?'}{parts.query}")
                picture.getresponse().read()
                picture.close()
                print(newest, flush=True)


def first_drafts(address: str, count: int) -> Iterator[float]:
    """Milliseconds until a draft is there, of pages that begin to look one after the other."""
    parts = urlsplit(address)
    for number in range(count):
        page, picture = http.client.HTTPConnection(parts.netloc), http.client.HTTPConnection(parts.netloc)
        page.request("GET", f"/events?{parts.query}")
        news = page.getresponse()
        next(line for line in iter(news.readline, b"") if line.startswith(b"data: "))
        started = time.perf_counter()
        picture.request("GET", f"/view?azimuth={number}&elevation=20&away=1&size=draft&{parts.query}")
        answer = picture.getresponse()
        answer.read()
        if answer.status != 200:
            raise RuntimeError(f"no picture came: {answer.status}")
        yield 1000 * (time.perf_counter() - started)
        news.close()
        for connection in (page, picture):
            connection.close()


def drafts_of_a_scene(parent: Path, seconds: float, count: int) -> list[float]:
    """What `first_drafts` finds of a default fit of a 3D scene that has trained for some seconds."""
    config = FitConfig(
        scene=SCENE,
        training=Training(seconds=1e6),
        output=Output(output_dir=parent, quick=True, frames="every:1000000"),
    )
    controls = Controls()
    hub = Hub(controls.look_now)
    fit = Contender(config, load(SCENE, config.target, config.space), hub, controls)
    fit.turn(seconds)
    with served(hub) as address, ThreadPoolExecutor(1) as pages:
        drafts = pages.submit(lambda: list(first_drafts(address, count)))
        while not drafts.done():
            fit.turn(0.2)
        return drafts.result()


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--quick", action="store_true", help="short turns, to see that it works")
    parser.add_argument("--scene", default="astronaut")
    parser.add_argument("--max-side", type=int, default=512)
    parser.add_argument("--view", help=argparse.SUPPRESS)  # how the viewer's process is started
    args = parser.parse_args()
    if args.view:
        view(args.view)
        return
    turns, seconds = (2, 1.0) if args.quick else (9, 8.0)
    with ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory())
        config = FitConfig(
            scene=args.scene,
            training=Training(seconds=1e6),
            target=Target(max_side=args.max_side),
            output=Output(output_dir=Path(folder), quick=True),
        )
        scene = load(args.scene, config.target, config.space)
        controls = {name: Controls() for name in ("plain", "nobody", "one")}
        hubs = {name: Hub(controls[name].look_now) for name in ("nobody", "one")}
        addresses = {name: stack.enter_context(served(hub)) for name, hub in hubs.items()}
        fits = {name: Contender(config, scene, hubs.get(name), own) for name, own in controls.items()}
        viewer = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.live", "--view", addresses["one"]], stdout=subprocess.PIPE, text=True
        )
        stack.callback(viewer.kill)
        while not hubs["one"].is_watched:
            time.sleep(0.05)
        rates: dict[str, list[float]] = {name: [] for name in fits}
        for number in range(turns + 1):
            for name, one in fits.items():
                rate = one.turn(seconds)
                if number:  # the first turn warms up
                    rates[name].append(rate)
        if viewer.poll() is not None:
            raise RuntimeError("the viewer has ended, so that nobody looked")
        viewer.kill()
        fetched = len(viewer.communicate()[0].splitlines())
        drafts = drafts_of_a_scene(Path(folder), seconds, 2 if args.quick else 20)
    plain = rates["plain"]
    lost = {name: 1 - statistics.median(a / b for a, b in zip(rates[name], plain, strict=True)) for name in hubs}
    print_json(
        {
            "lost_with_nobody": lost["nobody"],
            "lost_with_one_viewer": lost["one"],
            "pictures_fetched_per_s": fetched / ((turns + 1) * seconds),
            "first_draft_ms": statistics.median(drafts),
            "slowest_first_draft_ms": max(drafts),
            "plain_steps_per_s": statistics.median(plain),
            "max_side": args.max_side,
            "turns": turns,
            "seconds_of_a_turn": seconds,
        }
    )


if __name__ == "__main__":
    main()
