"""What a fit and a comparison are made of: every choice of a run, with its default and its help."""

import math
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Literal, TypeAlias

import tyro

from .encoding import Encoding, Fourier
from .errors import InputError
from .network import Network
from .space import Space


def _positive(**values: float | None) -> None:
    for name, value in values.items():
        if value is not None and not 0 < value < math.inf:
            raise InputError(f"--{name.replace('_', '-')} must be a number above 0, got {value:g}")


def _can_be_named(path: Path) -> bool:
    """Whether the system has bytes for a name, and no zero among them: what a YAML file says may have neither."""
    try:
        return b"\0" not in os.fsencode(path)
    except UnicodeEncodeError:
        return False


Holdout: TypeAlias = Literal["none", "checkerboard", "even-odd", "even-rest"]
"""How pixels are held out of training.

none          every pixel is trained on, nothing is held out.
checkerboard  trained where row + column is even (half of the picture), scored on the other half.
even-odd      trained where row and column are even (a quarter), scored where both are odd (another quarter): the split
              of Tancik et al. 2020, "Fourier features let networks learn high frequency functions", 2-D regression.
even-rest     trained where row and column are even (a quarter), scored on the remaining three quarters: the split of
              the generalisation experiment that accompanies Lazzari & Liu, arXiv 2301.05816.
"""


Schedule: TypeAlias = Literal["rsqrt", "constant", "cosine"]
"""How the learning rate falls."""


@dataclass(frozen=True)
class Training:
    """How a field is trained and when it stops.

    Without `steps` or `seconds` a fit ends after the scene's own time of training (a minute; 30 s of posed photographs,
    which take longer to draw), if it has not met `target_psnr` or `plateau` by then; without any of `steps`, `seconds`
    and `target_psnr` it ends at a plateau of 0.05 dB as well.
    """

    steps: int | None = None
    """Stop after this many steps."""
    seconds: float | None = None
    """Stop after this many seconds of training; drawing and analysis are not counted.
    Without --steps it is 60, and for photographs of a 3D scene 30."""
    target_psnr: float | None = None
    """Stop once the training pixels reach this PSNR (peak signal-to-noise ratio), in dB."""
    plateau: float | None = None
    """Stop at a plateau: when the last third of the steps so far gained less than this, in dB of PSNR.
    It is 0.05 unless --steps, --seconds or --target-psnr is given."""
    batch_size: int | None = None
    """Pixels, samples or points in each step of training, by default 8192; of photographs of a 3D scene, 1024 rays."""
    learning_rate: float | None = None
    """Adam's learning rate; by default the encoding's own, from the search in docs/learning_rates.md."""
    schedule: Schedule = "rsqrt"
    """How the learning rate falls: rsqrt by 1/sqrt(1 + step/1000), cosine to 1 % over --steps, constant not at all."""
    precision: Literal["auto", "fp32", "bf16"] = "auto"
    """Number format of the products between hidden layers.
    auto takes bf16 where the hardware and the network's width gain from it."""
    device: Literal["auto", "cpu", "cuda"] = "auto"
    """Where to train; auto takes a GPU if there is one."""
    threads: int | None = None
    """Processor threads; by default all cores, or what OMP_NUM_THREADS says."""
    revive_at: tuple[int, ...] = ()
    """Steps before which dead neurons are drawn anew: those that are on nowhere in the picture.
    Each then has a crease, a line along which the network bends, in the picture."""

    def __post_init__(self) -> None:
        _positive(
            steps=self.steps,
            seconds=self.seconds,
            plateau=self.plateau,
            batch_size=self.batch_size,
            learning_rate=self.learning_rate,
            threads=self.threads,
        )
        if any(step < 1 for step in self.revive_at):
            raise InputError(f"--revive-at takes steps from 1 on, got {min(self.revive_at)}")
        if self.target_psnr is not None and not math.isfinite(self.target_psnr):
            raise InputError(f"--target-psnr must be a number of dB, got {self.target_psnr:g}")
        if self.schedule == "cosine" and self.steps is None:
            raise InputError("--schedule cosine falls over the whole run: give its length with --steps")


@dataclass(frozen=True)
class Target:
    """What of a picture, or of photographs, is fitted."""

    max_side: int | None = None
    """Reduce the picture, or each photograph, by area averaging until its longer side is at most this many pixels."""
    max_pixels: int = 100_000_000
    """Refuse pictures with more pixels than this, or of more bytes than 6 for each of as many, before decoding them."""
    holdout: Holdout = "none"
    """Pixels that are kept from training, to score the field on.
    checkerboard: every other one.
    even-odd (Tancik's): even rows and columns are trained on, odd ones scored.
    even-rest: even rows and columns are trained on, the other three quarters scored."""

    def __post_init__(self) -> None:
        _positive(max_side=self.max_side, max_pixels=self.max_pixels)


@dataclass(frozen=True)
class Output:
    """What a run leaves behind."""

    output_dir: Path = Path("outputs")
    """The folder under which run folders are made."""
    frames: str = "log"
    """Steps to draw: log (48 or more, evenly spaced in the logarithm of the step), every:N, or all."""
    checkpoints: Literal["newest", "frames"] = "newest"
    """Checkpoints to keep: the newest two, or one for each frame whose density is drawn."""
    turntable: bool = False
    """Film a 3D scene from a camera that goes around it while it is learnt: turntable.mp4."""

    def __post_init__(self) -> None:
        if not _can_be_named(self.output_dir):
            raise InputError(f"no folder can be called {str(self.output_dir)!r}; choose another --output-dir")
        every = self.frames.removeprefix("every:")
        if self.frames in ("log", "all"):
            return
        if every == self.frames or not every.isdecimal() or int(every) < 1:
            raise InputError(f"--frames takes log, every:N or all, got {self.frames!r}")


Flat = tyro.conf.arg(name="")
"""Marks a group of choices whose options carry no prefix."""


@dataclass(frozen=True)
class Protocol:
    """All that runs of one comparison share."""

    scene: tyro.conf.Positional[str] = ""
    """A picture's path, or the name of a built-in one (`fieldlens scenes` lists them).
    A sum of sines such as signal:5,10,20,40 (cycles).
    Scattered points with values, in a .npz.
    In 3D: a folder of photographs with their cameras (transforms.json), demo:NAME such as demo:teapot, or a mesh."""
    training: Annotated[Training, Flat] = field(default_factory=Training)
    target: Annotated[Target, Flat] = field(default_factory=Target)
    space: Annotated[Space, Flat] = field(default_factory=Space)
    output: Annotated[Output, Flat] = field(default_factory=Output)
    seed: int = 0
    """The seed of all random numbers: initial weights, random frequencies, the order of the data, the bootstrap."""

    def __post_init__(self) -> None:
        if not 0 <= self.seed < 2**63:
            raise InputError(f"--seed must be 0 or more and below 2^63, got {self.seed}")


@dataclass(frozen=True)
class FitConfig(Protocol):
    """One fit."""

    encoding: Encoding = field(default_factory=Fourier)
    """The encoding: what is done to coordinates first, such as raw, fourier:8, gaussian:10, hashgrid:16."""
    network: Network = field(default_factory=Network)

    def __post_init__(self) -> None:
        super().__post_init__()
        _revivable(self.training, self.network)


@dataclass(frozen=True)
class CompareConfig(Protocol):
    """Fits of one scene that differ in their encoding or network and in nothing else."""

    encodings: tuple[Encoding, ...] = ()
    """The encodings to compare; raw and fourier:8 if none is named."""
    networks: tuple[Network, ...] = ()
    """Networks to compare, each under every encoding; the default network if none is named."""

    def __post_init__(self) -> None:
        super().__post_init__()
        for network in self.networks:
            _revivable(self.training, network)


def _revivable(training: Training, network: Network) -> None:
    if training.revive_at and network.activation != "relu":
        raise InputError(f"--revive-at is for dead neurons, which only relu networks have, not {network.activation}")
