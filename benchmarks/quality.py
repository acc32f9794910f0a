"""How soon a fit shows a photograph well: ours by default against the stock loop, at equal seconds.

    python -m benchmarks.quality [--quick]

Both fit the same pictures from the same initial weights. The stock loop is that of `benchmarks.training`, with Adam at
the best rate of docs/learning_rates.md. They take turns of a second, so that a noisy machine is as noisy for each; only
training is timed. After each turn both are scored over the whole picture. `seconds_ratio` is the stock loop's seconds
over those that ours takes to where the stock loop ends, the median over pictures. The stock loop has no hash grid:
there the rival is our own loop by Adam, without an average of weights, and is called so.
"""

import argparse
import statistics
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace

import torch
from torch import Tensor

from benchmarks.measure import print_json
from benchmarks.training import Stock
from fieldlens.analysis import psnr_db
from fieldlens.configs.encoding import Encoding, parse_encoding
from fieldlens.configs.network import Network, parse_network
from fieldlens.configs.optimizer import Adam
from fieldlens.configs.run import FitConfig, Target, Training
from fieldlens.fitting import fit, initial_state, plan_of
from fieldlens.scenes.load import load
from fieldlens.scenes.picture import Picture

PICTURES = ("astronaut", "coffee", "chelsea")
ENCODINGS = ("fourier:8", "raw", "hashgrid:16")
WITHOUT_STOCK = ("hashgrid:16",)
"""Encodings that the stock loop has not; the rival is then our own loop with Adam."""
LOOKS = (10, 30, 60)
"""Seconds after which quality is told."""
GOALS_DB = (22.0, 25.0, 28.0, 30.0)
TURN = 1.0


@dataclass
class Curve:
    """Seconds, steps and dB after each turn."""

    seconds: list[float] = field(default_factory=list)
    steps: list[int] = field(default_factory=list)
    psnr_db: list[float] = field(default_factory=list)

    def first(self, goal_db: float) -> tuple[float, int] | None:
        """Seconds and steps to a goal; None where it is not met. Between two looks the curve is a line."""
        for index, reached in enumerate(self.psnr_db):
            if reached >= goal_db:
                before = (0.0, 0, -float("inf")) if index == 0 else self._at(index - 1)
                seconds, steps, _ = self._at(index)
                share = 1.0 if index == 0 else (goal_db - before[2]) / max(reached - before[2], 1e-9)
                return before[0] + share * (seconds - before[0]), round(before[1] + share * (steps - before[1]))
        return None

    def at(self, seconds: float) -> float:
        """The dB of the last look up to then."""
        return max((s, db) for s, db in zip(self.seconds, self.psnr_db, strict=True) if s <= seconds + TURN / 2)[1]

    def _at(self, index: int) -> tuple[float, int, float]:
        return self.seconds[index], self.steps[index], self.psnr_db[index]


class Rival:
    """A loop that trains for a turn of time, and what it has come to.

    Args:
        train: for a turn of time; gives the steps taken in all.
        function: what is trained.
    """

    def __init__(self, train: Callable[[], int], function: Callable[[Tensor], Tensor], picture: Picture) -> None:
        self.train, self.function, self.picture = train, function, picture
        self.curve, self.seconds = Curve(), 0.0

    def turn(self) -> None:
        """Train for a second, then look."""
        started = time.perf_counter()
        steps = self.train()
        self.seconds += time.perf_counter() - started
        with torch.inference_mode():
            reached = psnr_db(self.picture.target(), self.picture.draw(self.function).clip(0, 1))
        self.curve.seconds.append(self.seconds)
        self.curve.steps.append(steps)
        self.curve.psnr_db.append(reached)


def ours(config: FitConfig, picture: Picture) -> Rival:
    """A fit of fieldlens."""
    plan = plan_of(config, picture)
    state = initial_state(config, picture, plan.device)
    moments = fit(state, picture, plan, snapshot_steps=(), heartbeat=TURN)
    next(moments)
    return Rival(lambda: next(moments).step, state.field, picture)


def stock(config: FitConfig, picture: Picture) -> Rival:
    """The stock loop, from the weights that a fit of `config` begins with."""
    loop = Stock(initial_state(config, picture).field, picture, plan_of(config, picture))

    def train() -> int:
        until = time.perf_counter() + TURN
        while time.perf_counter() < until:
            loop.train(1)
        return loop.steps

    return Rival(train, loop, picture)


def race(picture: Picture, encoding: Encoding, network: Network, seconds: float) -> tuple[Curve, Curve]:
    """Curves of ours and of the stock loop on one picture."""
    config = FitConfig(picture.name, Training(steps=10**9), encoding=encoding, network=network)
    by_adam = replace(config, training=replace(config.training, optimizer=Adam(), average=0))
    rival = ours if str(encoding) in WITHOUT_STOCK else stock
    both = ours(config, picture), rival(by_adam, picture)
    while min(each.seconds for each in both) < seconds:
        for each in both:
            each.turn()
    return both[0].curve, both[1].curve


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--quick", action="store_true", help="one picture, fewer seconds")
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--side", type=int, default=256)
    parser.add_argument("--network", default="4x256")
    parser.add_argument("--encodings", nargs="*", default=ENCODINGS)
    args = parser.parse_args()
    seconds, pictures = (6.0, PICTURES[:1]) if args.quick else (args.seconds, PICTURES)
    network = parse_network(args.network)
    told: dict[str, object] = {}
    rows = []
    for word in args.encodings:
        ratios, gains = [], []
        for name in pictures:
            picture = load(name, Target(max_side=args.side))
            assert isinstance(picture, Picture)
            mine, its = race(picture, parse_encoding(word), network, seconds)
            end_db = its.psnr_db[-1]
            met = mine.first(end_db)
            ratios.append(its.seconds[-1] / (met[0] if met else mine.seconds[-1]))
            gains.append(mine.psnr_db[-1] - end_db)
            for who, curve in (("ours", mine), ("adam" if word in WITHOUT_STOCK else "stock", its)):
                row: dict[str, object] = {"picture": name, "encoding": word, "loop": who}
                row |= {f"db_after_{look}s": curve.at(look) for look in LOOKS if look <= seconds}
                for goal in GOALS_DB:
                    there = curve.first(goal)
                    row[f"seconds_to_{goal:.0f}db"] = there and there[0]
                    row[f"steps_to_{goal:.0f}db"] = there and there[1]
                rows.append(row)
            print(f"{word:>12} {name:>10}: {ratios[-1]:5.2f} times, {gains[-1]:+5.2f} dB", file=sys.stderr, flush=True)
        prefix = "" if word == "fourier:8" else f"{word.partition(':')[0]}_"
        told[f"{prefix}seconds_ratio"] = statistics.median(ratios)
        told[f"{prefix}db_gain_at_{seconds:.0f}s"] = statistics.mean(gains)
        told[f"{prefix}optimizer"] = str(FitConfig("", encoding=parse_encoding(word), network=network).optimizer)
    print_json(
        told
        | {
            "fits": rows,
            "network": str(network),
            "side": args.side,
            "seconds": seconds,
            "threads": torch.get_num_threads(),
            "cpu_capability": torch.backends.cpu.get_cpu_capability(),
        }
    )


if __name__ == "__main__":
    main()
