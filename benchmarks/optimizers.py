"""Adam and Muon at the best of their rates, by encoding, in equal seconds.

    python -m benchmarks.optimizers [--write FILE] [--only raw fourier:8]

Every encoding is fitted to the same pictures under Adam at each of a ladder of rates. Muon has two rates, its own and
Adam's for the parameters that it leaves to Adam: the first is searched at the best of Adam's, then the second at the
best of the first. All else is as `fieldlens fit` has it. Fits by one optimizer take equal steps; those by Muon fewer
than those by Adam, by what a step of either costs on this machine. So the table compares equal seconds, and comes out
the same on a busy machine. Numbers are means over pictures and seeds, with the standard deviation from seed to seed.

In bold stands the lowest rate within half a decibel of the best one: what a higher rate gains by less than that is
noise, and it is nearer to where fits diverge. The whole search takes hours.
"""

import argparse
import concurrent.futures
import statistics
import sys
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch

from benchmarks.measure import interleaved_medians, print_json
from benchmarks.training import Ours
from fieldlens.configs.encoding import parse_encoding
from fieldlens.configs.network import Network
from fieldlens.configs.optimizer import Adam, Muon, Optimizer
from fieldlens.configs.run import FitConfig, Target, Training
from fieldlens.fitting import fit, initial_state, plan_of
from fieldlens.scenes.load import load
from fieldlens.scenes.picture import Picture

PICTURES = ("astronaut", "coffee", "chelsea")
ADAM_RATES = (3e-4, 1e-3, 3e-3, 1e-2)
MUON_RATES = (0.003, 0.01, 0.02, 0.05)
MARGIN_DB = 0.5
ROWS = (
    *("raw", "raw:0..1", "basic", "fourier:4", "fourier:8", "positional:6", "gaussian:10", "hashgrid:16"),
    "raw, sine network",
)


@dataclass(frozen=True)
class Tried:
    """One fit of the search."""

    picture: str
    side: int
    config: FitConfig

    def psnr_db(self) -> float:
        """PSNR over the whole picture after the training, on one thread; the grey of a picture that diverged."""
        torch.set_num_threads(1)
        picture = load(self.picture, Target(max_side=self.side))
        assert isinstance(picture, Picture)
        plan = plan_of(self.config, picture)
        state = initial_state(self.config, picture, plan.device)
        for _ in fit(state, picture, plan, snapshot_steps=()):
            pass
        error = picture.target() - np.nan_to_num(picture.draw(state.field, device=plan.placement.device)).clip(0, 1)
        return float(-10 * np.log10(np.square(error, dtype=np.float64).mean()))


@dataclass(frozen=True)
class Search:
    """What all fits of a search share."""

    side: int
    steps: int
    batch_size: int
    seeds: int
    pool: concurrent.futures.Executor

    def scores(self, row: str, network: Network, choices: Iterable[tuple[Optimizer, float, int]]) -> list["Score"]:
        """How well each choice of an optimizer, a rate of Adam's and a number of steps does."""
        jobs = []
        for optimizer, rate, steps in choices:
            training = Training(steps=steps, batch_size=self.batch_size, learning_rate=rate, optimizer=optimizer)
            config = FitConfig("", training, encoding=parse_encoding(row.partition(",")[0]), network=network)
            fits = [
                self.pool.submit(Tried(name, self.side, replace(config, scene=name, seed=seed)).psnr_db)
                for name in PICTURES
                for seed in range(self.seeds)
            ]
            jobs.append((optimizer, rate, fits))
        return [
            Score(optimizer, rate, np.array([each.result() for each in fits]).reshape(len(PICTURES), self.seeds))
            for optimizer, rate, fits in jobs
        ]


@dataclass(frozen=True)
class Score:
    """PSNR of each picture and seed under one choice."""

    optimizer: Optimizer
    rate: float
    psnr_db: np.ndarray

    @property
    def mean(self) -> float:
        """Over pictures and seeds."""
        return float(self.psnr_db.mean())

    @property
    def spread(self) -> float:
        """Standard deviation of the mean over pictures, from seed to seed; 0 with one seed."""
        return statistics.stdev(self.psnr_db.mean(0).tolist()) if self.psnr_db.shape[1] > 1 else 0.0

    def __str__(self) -> str:
        return f"{self.mean:.2f} ± {self.spread:.2f}"


def lowest_good(scores: list[Score]) -> Score:
    """The first of scores by rising rate that is within the margin of the best."""
    best = max(score.mean for score in scores)
    return next(score for score in scores if score.mean > best - MARGIN_DB)


def cost_of_muon(row: str, network: Network, batch_size: int, side: int) -> float:
    """Seconds of a step by Muon over those of one by Adam, in turns on one thread."""
    picture = load(PICTURES[0], Target(max_side=side))
    loops: dict[str, Ours] = {}
    for name, optimizer in (("adam", Adam()), ("muon", Muon())):
        training = Training(steps=10**9, batch_size=batch_size, optimizer=optimizer)
        config = FitConfig("", training, encoding=parse_encoding(row.partition(",")[0]), network=network)
        loops[name] = Ours(config, picture, plan_of(config, picture))
    seconds = interleaved_medians({name: (lambda loop=loop: loop.train(10)) for name, loop in loops.items()}, 11)
    return seconds["muon"] / seconds["adam"]


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--write", type=Path, help="write the tables to this file")
    parser.add_argument("--only", nargs="+", choices=ROWS, default=ROWS, help="some of the encodings")
    parser.add_argument("--side", type=int, default=128)
    parser.add_argument("--steps", type=int, default=600)
    parser.add_argument("--widths", type=int, nargs="+", default=(128, 256))
    parser.add_argument("--batch-size", type=int, default=2048)
    parser.add_argument("--seeds", type=int, default=2)
    parser.add_argument("--workers", type=int, default=torch.get_num_threads())
    args = parser.parse_args()
    torch.set_num_threads(1)
    best: dict[str, object] = {}
    tables: list[str] = []
    with concurrent.futures.ProcessPoolExecutor(args.workers) as pool:
        search = Search(args.side, args.steps, args.batch_size, args.seeds, pool)
        for width in args.widths:
            by_adam, by_muon = [], []
            for row in args.only:
                network = Network(width=width, activation="sine" if row.endswith("sine network") else "relu")
                cost = cost_of_muon(row, network, args.batch_size, args.side)
                fewer = max(1, round(args.steps / cost))
                adam = search.scores(row, network, ((Adam(), rate, args.steps) for rate in ADAM_RATES))
                rate = lowest_good(adam).rate
                muon = search.scores(row, network, ((Muon(own), rate, fewer) for own in MUON_RATES))
                own = lowest_good(muon).optimizer
                around = search.scores(row, network, ((own, rest, fewer) for rest in ADAM_RATES))
                chosen = lowest_good(adam), lowest_good(around)
                ahead = chosen[1] if chosen[1].mean > chosen[0].mean else chosen[0]
                best[f"{row}, {network}"] = {"optimizer": str(ahead.optimizer), "learning_rate": ahead.rate}
                by_adam.append(f"| {row} | {_cells(adam, chosen[0])} |")
                gain = f"{chosen[1].mean - chosen[0].mean:+.2f}"
                by_muon.append(
                    f"| {row} | {cost:.2f} | {_cells(muon, lowest_good(muon))} | {_cells(around, chosen[1])} | {gain} |"
                )
                print(by_adam[-1], by_muon[-1], sep="\n", file=sys.stderr, flush=True)
            tables += _tables(Network(width=width), by_adam, by_muon)
    if args.write:
        args.write.write_text(_page(args, tables), encoding="utf-8")
    print_json({"best": best, "steps": args.steps, "side": args.side})


def _cells(scores: list[Score], chosen: Score) -> str:
    return " | ".join(f"**{score}**" if score is chosen else str(score) for score in scores)


def _tables(network: Network, by_adam: list[str], by_muon: list[str]) -> list[str]:
    rates = [f"{rate:g}" for rate in ADAM_RATES]
    muon_rates = [f"Muon {rate:g}" for rate in MUON_RATES]
    rest = [f"rest {rate}" for rate in rates]
    muon_head = ["encoding", "cost of a step", *muon_rates, *rest, "gain on Adam, dB"]
    return [
        f"## {network} by Adam\n",
        *_head(["encoding", *rates]),
        *by_adam,
        f"\n## {network} by Muon, in equal seconds\n",
        *_head(muon_head),
        *by_muon,
        "",
    ]


def _head(names: list[str]) -> list[str]:
    return [f"| {' | '.join(names)} |", "|---" * len(names) + "|"]


def _page(args: argparse.Namespace, tables: list[str]) -> str:
    return (
        "# Optimizers and learning rates\n\n"
        f"PSNR in dB, mean over {', '.join(PICTURES)} reduced to {args.side} px and over {args.seeds} seeds, ± the "
        f"standard deviation from seed to seed; {args.steps} steps of {args.batch_size} pixels by Adam, and by Muon as "
        "many as take the same time, by the cost of a step (that of Muon over that of Adam, measured in turns). "
        f"Schedule {Training().schedule}. In bold the lowest rate within {MARGIN_DB:g} dB of the best. Of Muon the "
        "first four columns are of its own rate, with Adam's best for the rest; the next four of the rate for the "
        "rest, with Muon's best.\n\n"
        "Made by `python -m benchmarks.optimizers`.\n\n" + "\n".join(tables)
    )


if __name__ == "__main__":
    main()
