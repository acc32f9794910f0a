"""How soon a radiance field shows a scene: our fit against a plain loop, which has neither grid nor early ends of rays.

The plain loop takes the same network and precision and 1024 rays a step, puts 64 samples on each ray between where it
enters the scene's cube and where it leaves it, and steps torch's Adam at Adam's own rate. A third, `fine`, is our fit
without the longer steps along rays that training begins with. All take turns, so that a noisy machine is as noisy for
each; only training is timed.
"""

import argparse
import math
import time
from collections.abc import Callable

import torch
from threadpoolctl import threadpool_limits
from torch import Tensor

from fieldlens.analysis import psnr_db
from fieldlens.configs.encoding import parse_encoding
from fieldlens.configs.network import Network, parse_network
from fieldlens.configs.optimizer import Adam, default_learning_rate, parse_optimizer
from fieldlens.configs.run import FitConfig, Training
from fieldlens.fitting import fit, initial_state, plan_of
from fieldlens.render.volume import cube_interval
from fieldlens.scenes.load import load
from fieldlens.scenes.posed import PosedScene, RayBatch

from .measure import interleaved_medians, print_json
from .training import products_of_step

SAMPLES = 64
SLICE = 5.0
"""Seconds of training between two looks at the held-out pixels: times are rounded up to these."""


class Ours:
    """The fit as `fieldlens fit` makes it."""

    def __init__(self, config: FitConfig, scene: PosedScene) -> None:
        plan = plan_of(config, scene)
        self.scene, self.state = scene, initial_state(config, scene, plan.device)
        self.samples = 0
        self.field = self.state.field
        self.state.trained.colour.register_forward_hook(self._count)
        self.moments = fit(self.state, scene, plan, snapshot_steps=(), heartbeat=SLICE)
        next(self.moments)

    def _count(self, _module: object, _inputs: object, output: Tensor) -> None:
        self.samples += len(output)

    def train(self) -> None:
        """For a slice of time."""
        next(self.moments)

    def draw(self, batch: RayBatch) -> Tensor:
        """What is seen along rays."""
        before = self.samples
        drawn = self.scene.predict(self.field, batch)
        self.samples = before
        return drawn


class FineScene(PosedScene):
    """A scene whose rays have as many samples from the first step on as views are drawn with."""

    def training_step_length(self, step: int) -> float:  # noqa: ARG002
        """Short steps, whatever the step of training."""
        return self.step_length


class Plain:
    """The loop of a script: dense samples on every ray, all of them through the network."""

    def __init__(self, config: FitConfig, scene: PosedScene, rate: float) -> None:
        self.scene, self.rate = scene, rate
        self.field = initial_state(config, scene).field
        self.optimizer = torch.optim.Adam(self.field.parameters(), lr=rate, betas=(0.9, 0.99), eps=1e-15)
        self.generator = torch.Generator().manual_seed(0)
        self.steps = 0

    def train(self) -> None:
        """For a slice of time."""
        until = time.perf_counter() + SLICE
        while time.perf_counter() < until:
            batch = self.scene.batch(self.generator, self.scene.pace.batch_size)
            for group in self.optimizer.param_groups:
                group["lr"] = self.rate / math.sqrt(1 + self.steps / 1000)
            loss = torch.nn.functional.mse_loss(self.draw(batch), batch.values)
            self.optimizer.zero_grad()
            loss.backward()
            self.optimizer.step()
            self.steps += 1

    def draw(self, batch: RayBatch) -> Tensor:
        """What is seen along rays."""
        origins, directions = batch.rays
        enter, leave = cube_interval(batch.rays, torch.zeros(3), torch.ones(3))
        step = (leave - enter).clamp(min=0)[:, None] / SAMPLES
        distances = enter[:, None] + (torch.arange(SAMPLES) + batch.offsets[:, None]) * step
        points = origins[:, None] + distances[..., None] * directions[:, None]
        along = directions[:, None].expand_as(points)
        colour, density = self.field.radiance(points.flatten(0, 1), along.flatten(0, 1))
        depth = density.view(-1, SAMPLES) * step
        through = torch.exp(-(depth.cumsum(1) - depth))
        weights = through * -torch.expm1(-depth)
        seen = (weights[..., None] * colour.view(-1, SAMPLES, 3)).sum(1)
        return seen + (1 - weights.sum(1))[:, None] * batch.background


def seconds_to(target_db: float, limit: float, rivals: dict[str, Ours | Plain], probe: RayBatch) -> dict[str, float]:
    """Seconds of training until each rival shows the held-out pixels that well; the limit for one that does not.

    They take turns. Once one is there, the others go on.
    """
    spent = dict.fromkeys(rivals, 0.0)
    waiting = dict(rivals)
    while waiting:
        for name, rival in list(waiting.items()):
            started = time.perf_counter()
            rival.train()
            spent[name] += time.perf_counter() - started
            quality = psnr_db(probe.values.numpy()[None], _drawn(rival.draw, probe).numpy()[None])
            if quality >= target_db or spent[name] >= limit:
                del waiting[name]
    return spent


@torch.inference_mode()
def _drawn(draw: Callable[[RayBatch], Tensor], probe: RayBatch) -> Tensor:
    return torch.cat([draw(part) for part in probe.split(1024)])


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--quick", action="store_true", help="a lower goal, and less time for it")
    parser.add_argument("--scene", default="demo:teapot")
    parser.add_argument("--encoding", default="fourier:8")
    parser.add_argument("--network", default=str(Network()))
    parser.add_argument("--optimizer", type=parse_optimizer, help="of our fits; the plain loop's is Adam")
    args = parser.parse_args()
    target_db, limit = (19.0, 60.0) if args.quick else (22.0, 1200.0)
    scene = load(args.scene)
    assert isinstance(scene, PosedScene)
    encoding, network = parse_encoding(args.encoding), parse_network(args.network)
    training = Training(steps=10**9, precision="fp32", device="cpu", optimizer=args.optimizer)
    config = FitConfig(args.scene, training=training, encoding=encoding, network=network)
    ours = Ours(config, scene)
    rate = scene.pace.rate_factor * default_learning_rate(encoding, network, Adam())
    plain = Plain(config, scene, rate)
    probe = scene.heldout_probe(20_000)
    assert probe is not None  # the built-in scenes hold views out
    rivals = {"ours": ours, "fine": Ours(config, FineScene(scene.capture, scene.space)), "plain": plain}
    seconds = seconds_to(target_db, limit, rivals, probe)
    samples_per_s = ours.samples / seconds["ours"]
    widths = ours.field.position.mlp.linears[0].in_features, ours.field.position.mlp.linears[-1].out_features
    rows = 8192
    colour = ours.field.colour.linears[0]
    networks = [(network, *widths), (Network(colour.out_features, 1), colour.in_features, 3)]
    peak = 0.0
    for each, inputs, outputs in networks:
        ways = products_of_step(each, inputs, outputs, rows, torch.float32)
        with threadpool_limits(1, "blas"):
            peak += min(interleaved_medians(ways, 3 if args.quick else 11).values())
    print_json(
        {
            f"speedup_to_{target_db:.0f}db": seconds["plain"] / seconds["ours"],
            "plain_reached_it": seconds["plain"] < limit,
            "ours_seconds": seconds["ours"],
            "fine_seconds": seconds["fine"],
            "plain_seconds": seconds["plain"],
            "samples_per_s": samples_per_s,
            "share_of_matmul_peak": samples_per_s * peak / rows,
            "ours_samples_per_step": ours.samples / max(ours.state.step, 1),
            "plain_samples_per_ray": SAMPLES,
            "scene": args.scene,
            "encoding": str(encoding),
            "network": str(network),
            "plain_learning_rate": rate,
            "optimizer": str(config.optimizer),
            "most_rays_per_step": scene.pace.batch_size,
            "threads": torch.get_num_threads(),
            "cpu_capability": torch.backends.cpu.get_cpu_capability(),
        }
    )


if __name__ == "__main__":
    main()
