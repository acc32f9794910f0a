"""How fast a fit trains, against a stock PyTorch loop and against the machine's own matrix products.

    python -m benchmarks.training [--quick] [--precision fp32]

The stock loop is the kind that reference scripts use: fp32 `nn.Sequential`, sines and cosines of every octave computed
anew for each batch, Adam as it comes, `loss.item()` each step, a shuffled copy of the pixels each epoch. Both loops fit
the same picture from the same initial weights at the same rate; their steps are timed in turns. To compare PSNR both
start anew and take equal steps at a rate that falls towards zero: at a constant rate the last step alone moves the PSNR
by a decibel. The peak is the time of the step's matrix products alone, on the same shapes in the same precision, in the
quickest of several ways.
"""

import argparse
import itertools
import math
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import TypeAlias

import numpy as np
import torch
from threadpoolctl import threadpool_limits
from torch import Tensor, nn

from benchmarks.measure import interleaved_medians, print_json
from fieldlens.analysis import psnr_db
from fieldlens.configs.encoding import Encoding, Fourier, parse_encoding
from fieldlens.configs.network import Network, parse_network
from fieldlens.configs.optimizer import Adam
from fieldlens.configs.run import FitConfig, Target, Training
from fieldlens.fields import Field
from fieldlens.fields.blocks import block_rows
from fieldlens.fitting import Plan, fit, initial_state, plan_of
from fieldlens.fitting.schedule import learning_rate_at
from fieldlens.scenes.load import load
from fieldlens.scenes.picture import Picture
from fieldlens.scenes.scene import Scene


class Stock:
    """The stock loop."""

    def __init__(self, field: Field, picture: Picture, plan: Plan) -> None:
        copies = []
        for layer in field.mlp.linears:
            copy = nn.Linear(layer.in_features, layer.out_features)
            copy.load_state_dict(layer.state_dict())
            copies += [copy, nn.ReLU()]
        self.network = nn.Sequential(*copies[:-1])
        self.optimizer = torch.optim.Adam(self.network.parameters(), lr=plan.learning_rate)
        self.plan = plan
        self.octaves = field.encoding.config.octaves if isinstance(field.encoding.config, Fourier) else 0
        rows, columns = torch.meshgrid(torch.arange(picture.height), torch.arange(picture.width), indexing="ij")
        self.coordinates = (torch.stack([columns, rows], -1).reshape(-1, 2) + 0.5) / picture.resolution
        self.values = torch.from_numpy(picture.target()).reshape(-1, picture.channels)
        self.generator = torch.Generator().manual_seed(0)
        self.batches = self._shuffled()
        self.steps = 0

    def encode(self, x: Tensor) -> Tensor:
        """Sines and cosines, octave by octave, in the order of our encoding."""
        if not self.octaves:
            return 2 * x - 1
        return torch.cat([wave(2**o * math.pi * x) for o in range(self.octaves) for wave in (torch.sin, torch.cos)], -1)

    def _shuffled(self) -> Iterator[tuple[Tensor, Tensor]]:
        while True:
            order = torch.randperm(len(self.values), generator=self.generator)
            coordinates, values = self.coordinates[order], self.values[order]
            yield from zip(*(part.split(self.plan.batch_size) for part in (coordinates, values)), strict=True)

    def train(self, steps: int) -> None:
        """Some steps."""
        for _ in range(steps):
            coordinates, values = next(self.batches)
            loss = nn.functional.mse_loss(self.network(self.encode(coordinates)), values)
            self.optimizer.zero_grad()
            loss.backward()
            rate = learning_rate_at(self.steps, self.plan.schedule, self.plan.learning_rate, self.plan.steps)
            self.optimizer.param_groups[0]["lr"] = rate
            self.optimizer.step()
            self.losses = loss.item()
            self.steps += 1

    def __call__(self, x: Tensor) -> Tensor:
        return self.network(self.encode(x))


class Ours:
    """A fit of fieldlens, some steps at a time."""

    def __init__(self, config: FitConfig, scene: Scene, plan: Plan) -> None:
        self.state = initial_state(config, scene, plan.device)
        self.scene, self.plan = scene, plan

    def train(self, steps: int) -> None:
        """Some steps."""
        stops = (self.state.step + steps,)
        for moment in fit(self.state, self.scene, self.plan, stops):
            if moment.step == stops[0]:
                break


Multiply: TypeAlias = Callable[[Tensor, Tensor], object]


def by_numpy(a: Tensor, b: Tensor) -> None:
    """The product by NumPy's library."""
    np.matmul(a.numpy(), b.numpy())


def products_of_step(
    network: Network, features: int, channels: int, batch_size: int, dtype: torch.dtype
) -> dict[str, Callable[[], None]]:
    """Functions that do the matrix products of one step, forward and backward, and nothing else.

    The quickest of them is the best that can be had on this machine, whatever the library: torch's products of all
    rows at once, and either library's of blocks that stay in cache, one thread a core. NumPy has no bf16.
    """
    threads = torch.get_num_threads()
    rows = min(block_rows(network.width, dtype), -(-batch_size // threads))
    blocks = batch_size / (rows * threads)

    def run(operands: list[tuple[Tensor, Tensor]], multiply: Multiply, times: int) -> None:
        for _ in range(times):
            for a, b in operands:
                multiply(a, b)

    def of_rows(count: int) -> list[tuple[Tensor, Tensor]]:
        return _operands(network, features, channels, count, dtype)

    def start() -> None:
        torch.set_num_threads(1)

    pool = ThreadPoolExecutor(threads, initializer=start)
    whole, by_thread = of_rows(batch_size), [of_rows(rows) for _ in range(threads)]

    def in_blocks(multiply: Multiply) -> None:
        list(pool.map(lambda operands: run(operands, multiply, round(blocks)), by_thread))

    ways = {"torch, whole": lambda: run(whole, torch.mm, 1)}
    if blocks == round(blocks):  # else they would not be the products of the step
        ways["torch, blocks"] = lambda: in_blocks(torch.mm)
        if dtype == torch.float32:
            ways["numpy, blocks"] = lambda: in_blocks(by_numpy)
    return ways


def _operands(
    network: Network, features: int, channels: int, rows: int, dtype: torch.dtype
) -> list[tuple[Tensor, Tensor]]:
    widths = [features, *[network.width] * network.depth, channels]
    last = len(widths) - 2
    operands = []
    for layer, (inputs, outputs) in enumerate(itertools.pairwise(widths)):
        kind = dtype if 0 < layer < last else torch.float32
        x, g = torch.rand(rows, inputs, dtype=kind), torch.rand(rows, outputs, dtype=kind)
        weight = torch.rand(outputs, inputs, dtype=kind)
        operands += [(x, weight.T), (g.T, x), *([(g, weight)] if layer else [])]
    return operands


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--quick", action="store_true", help="fewer rounds and steps")
    parser.add_argument("--encoding", default="fourier:8")
    parser.add_argument("--network", default="4x256")
    parser.add_argument("--batch-size", type=int, default=8192)
    parser.add_argument("--precision", default="auto", choices=("auto", "fp32", "bf16"))
    args = parser.parse_args()
    encoding: Encoding = parse_encoding(args.encoding)
    network, rounds, steps = parse_network(args.network), *((3, 60) if args.quick else (11, 300))
    picture = load("astronaut", Target(max_side=256))
    assert isinstance(picture, Picture)
    # at equal arithmetic: the stock loop's optimizer, and no average of weights
    alike = Training(batch_size=args.batch_size, precision=args.precision, optimizer=Adam(), average=0)
    timed, judged = replace(alike, schedule="constant"), replace(alike, schedule="cosine", steps=steps)

    def rivals(training: Training) -> tuple[Ours, Stock]:
        config = FitConfig("astronaut", encoding=encoding, network=network, training=training)
        plan = plan_of(config, picture)
        ours = Ours(config, picture, plan)
        return ours, Stock(ours.state.field, picture, plan)

    ours, stock = rivals(timed)
    features = ours.state.field.mlp.linears[0].in_features
    dtype = ours.plan.placement.hidden_dtype
    ways = products_of_step(network, features, picture.channels, args.batch_size, dtype)
    chunk = 4  # steps per measurement, so that the loop's own start does not count
    rivals_and_ways = {"ours": lambda: ours.train(chunk), "stock": lambda: stock.train(chunk)} | {
        name: lambda way=way: [way() for _ in range(chunk)] for name, way in ways.items()
    }
    with threadpool_limits(1, "blas"):  # of NumPy's library; torch's has threads of its own
        seconds = interleaved_medians(rivals_and_ways, rounds)
    best = min(ways, key=seconds.__getitem__)
    ours, stock = rivals(judged)
    ours.train(steps)
    stock.train(steps)
    target = picture.target()
    quality = {
        name: psnr_db(target, picture.draw(function))
        for name, function in {"ours": ours.state.field, "stock": stock}.items()
    }
    samples = chunk * args.batch_size
    print_json(
        {
            "ours_samples_per_s": samples / seconds["ours"],
            "stock_samples_per_s": samples / seconds["stock"],
            "ratio": seconds["stock"] / seconds["ours"],
            "psnr_difference_db": quality["ours"] - quality["stock"],
            "ours_psnr_db": quality["ours"],
            "share_of_matmul_peak": seconds[best] / seconds["ours"],
            "stock_share_of_matmul_peak": seconds[best] / seconds["stock"],
            "best_products": best,
            "precision": ours.plan.precision,
            "encoding": str(encoding),
            "network": str(network),
            "batch_size": args.batch_size,
            "steps": steps,
            "threads": torch.get_num_threads(),
            "cpu_capability": torch.backends.cpu.get_cpu_capability(),
        }
    )


if __name__ == "__main__":
    main()
