"""How fast a fit trains, against a stock PyTorch loop and against the machine's own matrix products.

    python -m benchmarks.training [--quick]

The stock loop is the kind that reference scripts use: fp32 `nn.Sequential`, sines and cosines of every octave computed
anew for each batch, Adam as it comes, `loss.item()` each step, a shuffled copy of the pixels each epoch. Both loops fit
the same picture from the same initial weights at the same rate; their steps are timed in turns. To compare PSNR both
start anew and take equal steps at a rate that falls towards zero: at a constant rate the last step alone moves the PSNR
by a decibel. The peak is the time of the step's matrix products alone, on the same shapes in the same precision.
"""

import argparse
import itertools
import math
from collections.abc import Callable, Iterator

import torch
from torch import Tensor, nn

from benchmarks.measure import interleaved_medians, print_json
from fieldlens.analysis import psnr_db
from fieldlens.configs.encoding import Encoding, Fourier, parse_encoding
from fieldlens.configs.network import Network, parse_network
from fieldlens.configs.run import FitConfig, Target, Training
from fieldlens.fields import Field
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


def matmul_step(
    network: Network, features: int, channels: int, batch_size: int, dtype: torch.dtype
) -> Callable[[], None]:
    """A function that does the matrix products of one step, forward and backward, and nothing else."""
    widths = [features, *[network.width] * network.depth, channels]
    last = len(widths) - 2
    products = []
    for layer, (rows, columns) in enumerate(itertools.pairwise(widths)):
        kind = dtype if 0 < layer < last else torch.float32
        x, g = torch.rand(batch_size, rows, dtype=kind), torch.rand(batch_size, columns, dtype=kind)
        products.append((x, torch.rand(rows, columns, dtype=kind), g, layer > 0))

    def run() -> None:
        for x, weight, gradient, has_input_gradient in products:
            torch.mm(x, weight)
            torch.mm(x.T, gradient)
            if has_input_gradient:
                torch.mm(gradient, weight.T)

    return run


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--quick", action="store_true", help="fewer rounds and steps")
    parser.add_argument("--encoding", default="fourier:8")
    parser.add_argument("--network", default="4x256")
    parser.add_argument("--batch-size", type=int, default=8192)
    args = parser.parse_args()
    encoding: Encoding = parse_encoding(args.encoding)
    network, rounds, steps = parse_network(args.network), *((3, 60) if args.quick else (11, 300))
    picture = load("astronaut", Target(max_side=256))
    assert isinstance(picture, Picture)
    timed = Training(batch_size=args.batch_size, schedule="constant")
    judged = Training(steps=steps, batch_size=args.batch_size, schedule="cosine")

    def rivals(training: Training) -> tuple[Ours, Stock]:
        config = FitConfig("astronaut", encoding=encoding, network=network, training=training)
        plan = plan_of(config, picture)
        ours = Ours(config, picture, plan)
        return ours, Stock(ours.state.field, picture, plan)

    ours, stock = rivals(timed)
    features = ours.state.field.mlp.linears[0].in_features
    products = matmul_step(network, features, picture.channels, args.batch_size, ours.plan.placement.hidden_dtype)
    chunk = 4  # steps per measurement, so that the loop's own start does not count
    seconds = interleaved_medians(
        {
            "ours": lambda: ours.train(chunk),
            "stock": lambda: stock.train(chunk),
            "products": lambda: [products() for _ in range(chunk)],
        },
        rounds,
    )
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
            "share_of_matmul_peak": seconds["products"] / seconds["ours"],
            "stock_share_of_matmul_peak": seconds["products"] / seconds["stock"],
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
