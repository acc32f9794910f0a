"""Where a fit runs and in which precision its hidden layers multiply."""

from dataclasses import dataclass
from typing import Literal

import torch

from fieldlens.configs.errors import InputError
from fieldlens.configs.network import Network
from fieldlens.configs.run import Training

BF16_WIDTH = 256
"""Narrower networks gain little from the faster products, and lose up to a decibel to their rounding."""


@dataclass(frozen=True)
class Placement:
    """The device of a fit and the precision of the products between hidden layers."""

    device: torch.device
    hidden_dtype: torch.dtype

    @property
    def precision(self) -> Literal["fp32", "bf16"]:
        """The precision's name in options and records."""
        return "bf16" if self.hidden_dtype == torch.bfloat16 else "fp32"

    @property
    def device_name(self) -> str:
        """The device's name in records: "cpu", or the GPU's own."""
        return "cpu" if self.device.type == "cpu" else torch.cuda.get_device_name(self.device)


def place(training: Training, network: Network) -> Placement:
    """Where to train `network`: what was asked for, or what this machine gains from.

    Raises:
        InputError: when a GPU is asked for and there is none.
    """
    gpu = torch.cuda.is_available()
    if training.device == "cuda" and not gpu:
        raise InputError("--device cuda needs a GPU that torch can use, and there is none here; leave the option out")
    device = torch.device("cuda" if gpu and training.device != "cpu" else "cpu")
    return Placement(device, hidden_dtype(training, network, device))


def hidden_dtype(training: Training, network: Network, device: torch.device) -> torch.dtype:
    """The number format of products between hidden layers: what was asked for, or what a device gains from."""
    wide_enough = network.depth > 1 and network.width >= BF16_WIDTH
    bf16 = training.precision == "bf16" or (training.precision == "auto" and wide_enough and multiplies_bf16(device))
    return torch.bfloat16 if bf16 else torch.float32


def multiplies_bf16(device: torch.device) -> bool:
    """Whether the device has instructions for bf16 products; without them they are emulated and slow."""
    if device.type == "cuda":
        return torch.cuda.is_bf16_supported(including_emulation=False)
    return torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported()
