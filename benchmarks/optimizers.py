"""Adam and Muon at the best of their rates, by encoding, in equal seconds; and what averaging their weights gains.

    python -m benchmarks.optimizers [--write FILE] [--only raw fourier:8]

Every encoding is fitted to the same pictures under Adam at each of a ladder of rates. Muon has two rates, its own and
Adam's for the parameters that it leaves to Adam: the first is searched at the best of Adam's, then the second around
that, at the best of the first. All else is as `fieldlens fit` has it. Fits by one optimizer take equal steps; those by
Muon fewer than those by Adam, by what a step of either costs on this machine. So the table compares equal seconds, and
comes out the same on a busy machine. Numbers are means over pictures and seeds, with the standard deviation from seed
to seed.

In bold stands the lowest rate within half a decibel of the best one: what a higher rate gains by less than that is
noise, and it is nearer to where fits diverge. At the rates in bold, fits by a constant rate and fits whose first layer
is Muon's as well are set beside. The whole search takes an hour or two.
"""

import argparse
import concurrent.futures
import multiprocessing
import statistics
import sys
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeAlias

import numpy as np
import torch

from benchmarks.measure import interleaved_medians, print_json
from benchmarks.training import Ours
from fieldlens.analysis import psnr_db
from fieldlens.configs.encoding import parse_encoding
from fieldlens.configs.files import write_text
from fieldlens.configs.network import Network
from fieldlens.configs.optimizer import Adam, Muon, Optimizer
from fieldlens.configs.run import FitConfig, Schedule, Target, Training
from fieldlens.fields import Field
from fieldlens.fitting import fit, initial_state, plan_of
from fieldlens.fitting.optimizer import make_optimizer
from fieldlens.scenes.load import load
from fieldlens.scenes.picture import Picture

PICTURES = ("astronaut", "coffee", "chelsea")
ADAM_RATES = (3e-4, 1e-3, 3e-3, 1e-2, 3e-2)
"""The last, here and of Muon, is tried only where the one before it is the best."""
MUON_RATES = (0.01, 0.02, 0.05, 0.1)
SINE_MUON_RATES = (1.5e-3, 5e-3, 1.5e-2, 5e-2)
"""A sine network's matrices begin a twelfth as large as those of a ReLU network."""
MARGIN_DB = 0.5
ROWS = {
    "raw": (128, 256),
    "basic": (128,),
    "fourier:8": (128, 256),
    "positional:6": (128,),
    "gaussian:10": (128,),
    "hashgrid:16": (128, 256),
    "raw, sine network": (128,),
}
"""Widths that each encoding is fitted at; the first decides, the other shows whether it holds there too."""
STEPS = {128: 500, 256: 200}
"""Steps by Adam: fewer of what takes longer."""


Tables: TypeAlias = dict[str, dict[str, str]]
"""Lines of tables in Markdown, by the table's title and by the encoding."""


@dataclass(frozen=True)
class Choice:
    """What the fits of one number share."""

    optimizer: Optimizer
    rate: float
    steps: int
    schedule: Schedule = "rsqrt"
    first_layer: bool = False
    """Whether Muon moves the matrix of the first layer as well."""


@dataclass(frozen=True)
class Tried:
    """One fit of the search."""

    config: FitConfig
    side: int
    first_layer: bool

    def psnr_db(self) -> tuple[float, float]:
        """PSNR over the whole picture, of the average of the weights and of the newest, on one thread.

        The grey of a picture that diverged.
        """
        torch.set_num_threads(1)
        picture = load(self.config.scene, Target(max_side=self.side))
        assert isinstance(picture, Picture)
        plan = plan_of(self.config, picture)
        state = initial_state(self.config, picture, plan.device)
        if self.first_layer:
            state.optimizer = make_optimizer(plan.optimizer, state.trained, plan.placement.hidden_dtype, first=True)
        for _ in fit(state, picture, plan, snapshot_steps=()):
            pass
        return _psnr_db(picture, state.field), _psnr_db(picture, state.trained)


def _psnr_db(picture: Picture, field: Field) -> float:
    return psnr_db(picture.target(), np.nan_to_num(picture.draw(field)).clip(0, 1))


@dataclass(frozen=True)
class Score:
    """PSNR of each picture and seed under one choice."""

    choice: Choice
    psnr_db: np.ndarray
    newest_db: np.ndarray
    """The same of the weights of the last step."""

    def __str__(self) -> str:
        return _cell(self.psnr_db)


@dataclass(frozen=True)
class Search:
    """What all fits of a search share."""

    side: int
    batch_size: int
    seeds: int
    pool: concurrent.futures.Executor

    def scores(self, row: str, network: Network, choices: Iterable[Choice]) -> list[Score]:
        """How well each choice does, all fits at once."""
        jobs = []
        for choice in choices:
            config = _config(row, network, choice, self.batch_size)
            fits = [
                self.pool.submit(Tried(replace(config, scene=name, seed=seed), self.side, choice.first_layer).psnr_db)
                for name in PICTURES
                for seed in range(self.seeds)
            ]
            jobs.append((choice, fits))
        found = [(choice, np.array([each.result() for each in fits])) for choice, fits in jobs]
        shape = len(PICTURES), self.seeds
        return [Score(choice, both[:, 0].reshape(shape), both[:, 1].reshape(shape)) for choice, both in found]


@dataclass(frozen=True)
class Found:
    """What the search finds of one encoding."""

    row: str
    cost: float
    """Seconds of a step by Muon over those of one by Adam."""
    adam: list[Score]
    muon: list[Score]
    """By rising rate of its own."""
    rest: list[Score]
    """By rising rate of what it leaves to Adam."""
    constant: list[Score]
    """Adam and Muon by a constant rate."""
    first_layer: Score

    @property
    def best(self) -> tuple[Score, Score]:
        """Of Adam and of Muon."""
        return lowest_good(self.adam), lowest_good(self.rest)


def lowest_good(scores: list[Score]) -> Score:
    """The first of scores by rising rate that is within the margin of the best."""
    best = max(score.psnr_db.mean() for score in scores)
    return next(score for score in scores if score.psnr_db.mean() > best - MARGIN_DB)


def cost_of_muon(row: str, network: Network, batch_size: int, side: int) -> float:
    """Seconds of a step by Muon over those of one by Adam, in turns on one thread."""
    picture = load(PICTURES[0], Target(max_side=side))
    loops: dict[str, Ours] = {}
    for name, optimizer in (("adam", Adam()), ("muon", Muon())):
        config = _config(row, network, Choice(optimizer, 1e-3, 10**9), batch_size)
        loops[name] = Ours(config, picture, plan_of(config, picture))
    seconds = interleaved_medians({name: (lambda loop=loop: loop.train(10)) for name, loop in loops.items()}, 11)
    return seconds["muon"] / seconds["adam"]


def search_row(search: Search, row: str, network: Network) -> Found:
    """The rates of one encoding, one after the other, then what is set beside the best."""
    steps = STEPS[network.width]
    cost = cost_of_muon(row, network, search.batch_size, search.side)
    fewer = max(1, round(steps / cost))
    own_rates = SINE_MUON_RATES if network.activation == "sine" else MUON_RATES

    def climb(choices: list[Choice], known: Score | None = None) -> list[Score]:
        """Scores of choices by rising rate; of the last, only where the one before it is the best."""
        *sure, last = choices
        scores = search.scores(row, network, [one for one in sure if known is None or one != known.choice])
        scores = sorted([*scores, known] if known else scores, key=lambda score: choices.index(score.choice))
        if max(scores, key=lambda score: score.psnr_db.mean()) is scores[-1] and scores[-1].choice != last:
            scores += search.scores(row, network, [last])
        return scores

    adam = climb([Choice(Adam(), rate, steps) for rate in ADAM_RATES])
    by_adam = lowest_good(adam).choice
    muon = climb([Choice(Muon(own), by_adam.rate, fewer) for own in own_rates])
    at_own = lowest_good(muon)
    near = ADAM_RATES.index(by_adam.rate)
    around = ADAM_RATES[max(0, near - 1) : near + 3]
    rest = climb([replace(at_own.choice, rate=rate) for rate in around], at_own)
    by_muon = lowest_good(rest).choice
    *constant, first_layer = search.scores(
        row,
        network,
        [
            replace(by_adam, schedule="constant"),
            replace(by_muon, schedule="constant"),
            replace(by_muon, first_layer=True),
        ],
    )
    return Found(row, cost, adam, muon, rest, constant, first_layer)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--write", type=Path, help="write the tables to this file, anew after each encoding")
    parser.add_argument("--only", nargs="+", choices=ROWS, default=list(ROWS), help="the others stay as they are")
    parser.add_argument("--side", type=int, default=128)
    parser.add_argument("--widths", type=int, nargs="+", choices=STEPS, default=list(STEPS))
    parser.add_argument("--batch-size", type=int, default=2048)
    parser.add_argument("--seeds", type=int, default=2)
    parser.add_argument("--workers", type=int, default=torch.get_num_threads())
    args = parser.parse_args()
    torch.set_num_threads(1)
    before = args.write.read_text(encoding="utf-8") if args.write and args.write.exists() else ""
    tables = tables_of(before) if before.startswith(_page(args, {}).rstrip()) else {}  # rows of another protocol go
    best: dict[str, object] = {}
    spawn = multiprocessing.get_context("spawn")  # a fork of a process whose libraries have started threads may hang
    with concurrent.futures.ProcessPoolExecutor(args.workers, spawn) as pool:
        search = Search(args.side, args.batch_size, args.seeds, pool)
        for width in args.widths:
            for row in (row for row in args.only if width in ROWS[row]):
                network = Network(width=width, activation="sine" if row.endswith("sine network") else "relu")
                found = search_row(search, row, network)
                best[f"{row}, {width}"] = _ahead(found)
                for title, line in zip(titles(width), _lines(found), strict=True):
                    tables.setdefault(title, {})[row] = line
                    print(title, line, sep="\n", file=sys.stderr, flush=True)
                if args.write:
                    write_text(args.write, _page(args, tables))
    print_json({"best": best})


def _config(row: str, network: Network, choice: Choice, batch_size: int) -> FitConfig:
    training = Training(
        steps=choice.steps,
        batch_size=batch_size,
        learning_rate=choice.rate,
        optimizer=choice.optimizer,
        schedule=choice.schedule,
    )
    return FitConfig("", training, encoding=parse_encoding(row.partition(",")[0]), network=network)


def _ahead(found: Found) -> dict[str, object]:
    ahead = max(found.best, key=lambda score: score.psnr_db.mean())
    return {"optimizer": str(ahead.choice.optimizer), "learning_rate": ahead.choice.rate}


def _cell(psnr_db: np.ndarray) -> str:
    """The mean, and the standard deviation of the mean over pictures from seed to seed."""
    spread = statistics.stdev(psnr_db.mean(0).tolist()) if psnr_db.shape[1] > 1 else 0.0
    return f"{psnr_db.mean():.2f} ± {spread:.2f}"


def _ladder(scores: list[Score], chosen: Score) -> list[str]:
    """A cell for each of Adam's rates: empty where none was tried, bold where chosen."""
    cells = {score.choice.rate: f"**{score}**" if score is chosen else str(score) for score in scores}
    return [cells.get(rate, "") for rate in ADAM_RATES]


def _lines(found: Found) -> tuple[str, str, str]:
    """A row of each of the three tables."""
    adam, muon = found.best
    gain = f"{muon.psnr_db.mean() - adam.psnr_db.mean():+.2f}"
    by_adam = _ladder(found.adam, adam)
    rates = [score.choice.optimizer.rate for score in found.muon if isinstance(score.choice.optimizer, Muon)]
    own = [
        f"{rate:g}: **{score}**" if score is lowest_good(found.muon) else f"{rate:g}: {score}"
        for rate, score in zip(rates, found.muon, strict=True)
    ]
    own += [""] * (len(MUON_RATES) - len(own))
    rest = _ladder(found.rest, muon)
    beside = [
        *(cell for one in (adam, muon) for cell in (_cell(one.newest_db), str(one))),
        *(cell for one in found.constant for cell in (_cell(one.newest_db), str(one))),
        str(found.first_layer),
    ]
    return (
        f"| {' | '.join([found.row, *by_adam])} |",
        f"| {' | '.join([found.row, f'{found.cost:.2f}', *own, *rest, gain])} |",
        f"| {' | '.join([found.row, *beside])} |",
    )


def titles(width: int) -> dict[str, list[str]]:
    """The three tables of a width by their titles, each with the heads of its columns."""
    rates = [f"{rate:g}" for rate in ADAM_RATES]
    own = ["Muon's rate", *[""] * (len(MUON_RATES) - 1)]
    newest_and_averaged = ("Adam, newest", "averaged", "Muon, newest", "averaged")
    constant = ("constant: Adam, newest", *newest_and_averaged[1:])
    network = Network(width=width)
    return {
        f"{network}: Adam": ["encoding", *rates],
        f"{network}: Muon, in equal seconds": ["encoding", "cost of a step", *own, *rates, "gain on Adam, dB"],
        f"{network}: Average and schedule": ["encoding", *newest_and_averaged, *constant, "Muon, first layer too"],
    }


def tables_of(page: str) -> Tables:
    """The lines of a page's tables, by title and by encoding."""
    tables: Tables = {}
    for section in page.split("\n## ")[1:]:
        title, _, _, _, *lines = section.splitlines()
        tables[title] = {line.split(" | ")[0].removeprefix("| "): line for line in lines if line.startswith("| ")}
    return tables


def _page(args: argparse.Namespace, tables: Tables) -> str:
    lengths = " and ".join(f"{steps} steps at width {width}" for width, steps in STEPS.items())
    parts = []
    for title, head in (pair for width in STEPS for pair in titles(width).items()):
        lines = [tables[title][row] for row in ROWS if row in tables.get(title, {})]
        if lines:
            parts.append("\n".join([f"## {title}\n", f"| {' | '.join(head)} |", "|---" * len(head) + "|", *lines]))
    training, listed = Training(), "\n\n".join(parts)
    return f"""# Optimizers and learning rates

PSNR in dB, mean over {", ".join(PICTURES)} reduced to {args.side} px and over {args.seeds} seeds,
± the standard deviation from seed to seed. By Adam {lengths},
of {args.batch_size} pixels each; by Muon as many as take the same time, by the cost of a step (that of Muon over that
of Adam, measured in turns). Precision as it is by default on the machine. In bold the lowest rate within {MARGIN_DB:g}
dB of the best. The default is what is ahead at width {min(STEPS)}; the wider network shows whether it holds there too.

Of Muon the first columns are of its own rate, with Adam's best for the rest; the next of the rate for the rest, with
Muon's best; empty where none was tried. The third table is at the rates in bold: the weights of the newest step, and
their average (`--average {training.average:g}`), by the schedule {training.schedule} and by a constant rate; and fits
whose first layer is moved by Muon as well.

Made by `python -m benchmarks.optimizers --write docs/learning_rates.md`.

{listed}
"""


if __name__ == "__main__":
    main()
