"""Fits that take milliseconds, for tests."""

from typing import Any

import numpy as np
import torch

from fieldlens.configs.encoding import Encoding, Fourier
from fieldlens.configs.network import Network
from fieldlens.configs.optimizer import Adam
from fieldlens.configs.run import FitConfig, Training
from fieldlens.fitting import Placement, Plan, TrainingState, initial_state, plan_of
from fieldlens.scenes.picture import Picture
from fieldlens.scenes.scene import Scene

CPU = Placement(torch.device("cpu"), torch.float32)


def noise(side: int = 8, channels: int = 3, seed: int = 0) -> Picture:
    """A picture of random pixels."""
    pixels = np.random.default_rng(seed).integers(0, 256, (side, side, channels), dtype=np.uint8)
    return Picture("noise", pixels)


def training(**choices: Any) -> Training:
    """Of 32 pixels a step by Adam, the newest weights as they are, on the CPU in fp32, unless told."""
    plain = {"batch_size": 32, "device": "cpu", "precision": "fp32", "optimizer": Adam(), "average": 0}
    return Training(**plain | choices)


def plan(learning_rate: float = 1e-2, scene: Scene | None = None, **choices: Any) -> Plan:
    """Of 32 samples a step, unless told, on the CPU in fp32."""
    config = FitConfig(training=training(learning_rate=learning_rate, **choices))
    return plan_of(config, scene or noise())


def start(
    seed: int = 0, encoding: Encoding | None = None, network: Network | None = None, **choices: Any
) -> TrainingState:
    """A small field before its first step, from coordinates of the plane to three values."""
    config = FitConfig(
        training=training(**choices), seed=seed, encoding=encoding or Fourier(2), network=network or Network(8, 2)
    )
    return initial_state(config, noise(1))


def same_bytes(one: dict[str, torch.Tensor], other: dict[str, torch.Tensor]) -> bool:
    """Whether two states agree in names, types and every bit."""
    return one.keys() == other.keys() and all(
        a.dtype == b.dtype and a.numpy().tobytes() == b.numpy().tobytes()
        for a, b in ((one[name], other[name]) for name in one)
    )
