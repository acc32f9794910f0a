"""What a machine with a GPU shows: the same results as its processor, and how much sooner.

    python -m benchmarks.gpu [--quick] [--device cpu]

It installs nothing, writes nothing, and ends within eight minutes. One JSON object is its last line:

* `*_agrees`: the same seed on the processor and on the GPU, in fp32: losses of 20 steps within 1e-3 of each other, PSNR
  after 300 steps within 0.2 dB, the crossings of one network within 1 %.
* `*_samples_per_s`: training of 4x256 with fourier:8 and of 4x64 with a hash grid, against the stock loop of
  `benchmarks.training` on the same GPU and against ours on the processor; the share of the card's own rate in bf16
  products that the first comes to; rays per second of a radiance field.
* `*_seconds`: each map, confusion and the kernel; and a default fit of a photograph to 30 dB.

`--device cpu` runs it where there is no GPU, so that it is known to work before there is one. `--quick` makes all of it
small.
"""

import argparse
import contextlib
import itertools
import statistics
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import torch

from benchmarks.measure import print_json
from benchmarks.training import Ours, Stock
from fieldlens.analysis import bending, confusion, crease_density, crossings, kernel, psnr_db, relu_network
from fieldlens.configs.encoding import parse_encoding
from fieldlens.configs.network import parse_network
from fieldlens.configs.optimizer import Adam
from fieldlens.configs.run import FitConfig, Target, Training
from fieldlens.fields import Field, build
from fieldlens.fitting import TrainingState, fit, initial_state, plan_of
from fieldlens.scenes.load import load
from fieldlens.scenes.picture import Picture
from fieldlens.scenes.scene import Scene

ROUNDS = 5


def wait(device: torch.device) -> None:
    """Until the device has done all that it was given."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def median_seconds(device: torch.device, work: Callable[[], object], rounds: int = ROUNDS) -> float:
    """Median seconds of some work, after once to warm up."""
    seconds = []
    for _ in range(rounds + 1):
        wait(device)
        started = time.perf_counter()
        work()
        wait(device)
        seconds.append(time.perf_counter() - started)
    return statistics.median(seconds[1:])


def config_of(encoding: str, network: str, device: torch.device, **training: Any) -> FitConfig:
    """A configuration whose training runs on a device."""
    told = Training(**{"device": device.type, "steps": 10**9} | training)
    return FitConfig("astronaut", told, encoding=parse_encoding(encoding), network=parse_network(network))


def losses_of_steps(state: TrainingState, picture: Picture, config: FitConfig, until: int) -> list[float]:
    """Train up to a step; the loss of each."""
    plan = plan_of(replace(config, training=replace(config.training, steps=until)), picture)
    moments = fit(state, picture, plan, range(state.step, until + 1))
    return [moment.loss for moment in moments if moment.loss is not None]


def agreement(picture: Picture, device: torch.device, length: int) -> dict[str, object]:
    """How near the two devices come to each other, from the same seed in fp32."""
    losses, quality, counts = [], [], []
    for where in (torch.device("cpu"), device):
        config = config_of("fourier:8", "4x128", where, precision="fp32", schedule="rsqrt")
        state = initial_state(config, picture, where)
        losses.append(losses_of_steps(state, picture, config, 20))
        losses_of_steps(state, picture, config, length)
        quality.append(psnr_db(picture.target(), picture.draw(state.field, device=where).clip(0, 1)))
        same = build(config.encoding, config.network, 2, 3, torch.Generator().manual_seed(3)).to(where)
        counts.append(float(np.mean(crossings(relu_network(same), 64, 64).mean_per_pixel)))
    loss = float(np.max(np.abs(np.subtract(*losses)) / np.abs(losses[0])))
    psnr = abs(quality[0] - quality[1])
    creases = abs(counts[1] / counts[0] - 1)
    return {
        "loss_difference": loss,
        "loss_agrees": loss < 1e-3,
        "psnr_difference_db": psnr,
        "psnr_agrees": psnr < 0.2,
        "crossings_difference": creases,
        "crossings_agree": creases < 0.01,
    }


def samples_per_s(picture: Picture, word: str, network: str, device: torch.device, chunk: int) -> float:
    """Of our training, by Adam as the stock loop's."""
    config = config_of(word, network, device, optimizer=Adam(), average=0)
    plan = plan_of(config, picture)
    ours = Ours(config, picture, plan)
    seconds = median_seconds(device, lambda: ours.train(chunk))
    return chunk * min(plan.batch_size, picture.training_samples) / seconds


def stock_samples_per_s(picture: Picture, network: str, device: torch.device, chunk: int) -> float:
    """Of the stock loop with fourier:8, moved to the device with its data."""
    config = config_of("fourier:8", network, torch.device("cpu"), precision="fp32")
    plan = plan_of(config, picture)
    stock = Stock(initial_state(config, picture).field, picture, plan)
    stock.network.to(device)
    stock.coordinates, stock.values = stock.coordinates.to(device), stock.values.to(device)
    seconds = median_seconds(device, lambda: stock.train(chunk))
    return chunk * min(plan.batch_size, picture.training_samples) / seconds


def products_per_s(device: torch.device, size: int) -> float:
    """Multiplications and additions a second, of bf16 matrices."""
    a, b = (torch.rand(size, size, device=device).bfloat16() for _ in range(2))
    return 2 * size**3 / median_seconds(device, lambda: a @ b)


def map_seconds(device: torch.device, network: str, side: int, points: int) -> dict[str, float]:
    """Of each map of a picture, of confusion between pixels and of the kernel's matrix."""
    field: Field = build(
        parse_encoding("fourier:8"), parse_network(network), 2, 3, torch.Generator().manual_seed(0)
    ).to(device)
    seen = relu_network(field)
    x = torch.rand(points, 2, generator=torch.Generator().manual_seed(1)).to(device)
    colours = torch.rand(points, 3, generator=torch.Generator().manual_seed(2)).to(device)
    work = {
        "crossings": lambda: crossings(seen, side, side),
        "density": lambda: crease_density(seen, side, side),
        "bend": lambda: bending(seen, side, side),
        "confusion": lambda: confusion(field, x, colours),
        "kernel": lambda: kernel(field, x[: points // 3], "all"),
    }
    return {f"{name}_seconds": median_seconds(device, draw, rounds=2) for name, draw in work.items()}


def seconds_to(picture: Picture, goal_db: float, device: torch.device, limit: float) -> float | None:
    """Seconds of training of a default fit to a goal; None where it is not met within the limit."""
    config = FitConfig("astronaut", Training(device="cuda" if device.type == "cuda" else "cpu", seconds=limit))
    plan = plan_of(config, picture)
    state = initial_state(config, picture, device)
    for moment in fit(state, picture, plan, snapshot_steps=(), heartbeat=0.1):
        if psnr_db(picture.target(), picture.draw(state.field, device=device).clip(0, 1)) >= goal_db:
            return moment.seconds
    return None


def rays_per_s(scene: Scene, device: torch.device, chunk: int) -> float:
    """Of a radiance field in training."""
    config = config_of("fourier:8", "4x128", device)
    plan = plan_of(config, scene)
    ours = Ours(config, scene, plan)
    return chunk * plan.batch_size / median_seconds(device, lambda: ours.train(chunk), rounds=3)


@contextlib.contextmanager
def part(told: dict[str, object], name: str) -> Iterator[None]:
    """A part of the script: what goes wrong in it is told, and the others go on."""
    started = time.perf_counter()
    try:
        yield
    except Exception as error:  # the machine is lent for minutes: what can be measured is
        told[f"{name}_failed"] = f"{type(error).__name__}: {error}"
    told[f"part_{name}_took_seconds"] = time.perf_counter() - started


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--quick", action="store_true", help="all of it small")
    parser.add_argument("--device", choices=("cuda", "cpu"), default="cuda")
    args = parser.parse_args()
    if args.device == "cuda" and not torch.cuda.is_available():
        parser.error("there is no GPU that torch can use here; --device cpu tries the script without one")
    device, cpu = torch.device(args.device), torch.device("cpu")
    side, wide, chunk = (64, "4x64", 2) if args.quick else (256, "4x256", 50)
    picture = load("astronaut", Target(max_side=side))
    assert isinstance(picture, Picture)
    name = torch.cuda.get_device_name(device) if device.type == "cuda" else "cpu"
    told: dict[str, object] = {"device": name, "torch": torch.__version__, "network": wide}
    with part(told, "agreement"):
        told |= agreement(picture, device, 40 if args.quick else 300)
    with part(told, "training"):
        ours = samples_per_s(picture, "fourier:8", wide, device, chunk)
        told["ours_samples_per_s"] = ours
        told["stock_samples_per_s"] = stock_samples_per_s(picture, wide, device, chunk)
        told["hashgrid_samples_per_s"] = samples_per_s(picture, "hashgrid:16", "4x64", device, chunk)
        told["cpu_samples_per_s"] = samples_per_s(picture, "fourier:8", wide, cpu, 2)
        told["cpu_hashgrid_samples_per_s"] = samples_per_s(picture, "hashgrid:16", "4x64", cpu, 2)
        peak = products_per_s(device, 256 if args.quick else 8192)
        shape = parse_network(wide)
        widths = [32, *[shape.width] * shape.depth, 3]
        a_sample = 6 * sum(a * b for a, b in itertools.pairwise(widths))
        told["bf16_tflops"] = peak / 1e12
        told["share_of_bf16_peak"] = ours * a_sample / peak
    with part(told, "maps"):
        told |= map_seconds(device, wide, side, 300 if args.quick else 2500)
    with part(told, "fit"):
        goal_db = 18.0 if args.quick else 30.0
        told[f"seconds_to_{goal_db:.0f}db"] = seconds_to(picture, goal_db, device, 60.0)
    with part(told, "rays"):
        told["rays_per_s"] = rays_per_s(load("demo:teapot"), device, 2 if args.quick else 50)
    print_json(told)


if __name__ == "__main__":
    main()
