"""What a fit and a comparison are made of: every choice of a run, with its default and its help."""

import math
import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Literal, TypeAlias

import tyro

from .encoding import Encoding, Fourier
from .errors import InputError, shown
from .network import Network
from .optimizer import Adam, Muon, Optimizer, default_optimizer, with_rate
from .records import Choices, within
from .space import Space


class Options(Choices):
    """Choices that are options of the command line, and called so in sentences."""

    CALLED = "{option}"


YEAR = 31_536_000
"""Of seconds; and a fit takes no more than ten thousand steps in one."""
MOST_STEPS = 10**9
MOST_FRAMES = 100_000
"""Drawings of a fit, each of which is a file."""

MOST_FITS = 1000
"""Of one scene with one seed in a comparison."""
MOST_OF_SWEEP = 100_000
"""Fits of all scenes with all seeds."""


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
    even-odd      trained where row and column are even (a quarter), scored where both are odd (another quarter): the
                  split of Tancik et al. 2020, "Fourier features let networks learn high frequency functions", 2-D
                  regression.
    even-rest     trained where row and column are even (a quarter), scored on the remaining three quarters: the split
                  of the generalisation experiment that accompanies Lazzari & Liu, arXiv 2301.05816.
"""


Schedule: TypeAlias = Literal["rsqrt", "constant", "cosine"]
"""How the learning rate falls."""


@dataclass(frozen=True)
class Training(Options):
    """How a field is trained and when it stops.

    Without `steps` or `seconds` a fit ends after the scene's own time of training (a minute; 30 s of posed photographs,
    which take longer to draw), if it has not met `target_psnr` or `plateau` by then; without any of `steps`, `seconds`
    and `target_psnr` it ends at a plateau of 0.05 dB as well.
    """

    steps: int | None = field(default=None, metadata=within(0, MOST_STEPS, above=True))
    """Stop after this many steps."""
    seconds: float | None = field(default=None, metadata=within(0, YEAR, above=True))
    """Stop after this many seconds of training; drawing and analysis are not counted.
    Without --steps it is 60, and for photographs of a 3D scene 30."""
    target_psnr: float | None = field(default=None, metadata=within(-1000, 1000))
    """Stop once the training pixels reach this PSNR (peak signal-to-noise ratio), in dB."""
    plateau: float | None = field(default=None, metadata=within(0, 1000, above=True))
    """Stop at a plateau: when the last third of the steps so far gained less than this, in dB of PSNR.
    It is 0.05 unless --steps, --seconds or --target-psnr is given."""
    batch_size: int | None = field(default=None, metadata=within(0, 2**24, above=True))
    """Pixels, samples or points in each step of training, by default 8192.
    Of photographs of a 3D scene, as many rays as have about 4096 samples on them, and 1024 at most."""
    optimizer: Optimizer | None = None
    """What moves the weights: adam, or muon for the matrices between hidden layers, with adam for the rest.
    muon:0.02,momentum=0.95 names Muon's own learning rate and momentum.
    By default it is what comes further on pictures in equal seconds, under the encoding (docs/learning_rates.md)."""
    learning_rate: float | None = field(default=None, metadata=within(0, 1e30, above=True))
    """Adam's learning rate; by default the encoding's own under the optimizer, from the search in
    docs/learning_rates.md."""
    schedule: Schedule = "rsqrt"
    """How the learning rate falls: rsqrt by 1/sqrt(1 + step/1000), cosine to 1 % over --steps, constant not at all."""
    average: float = field(default=0.05, metadata=within(0, 1))
    """What is drawn, scored and kept is the average of the weights over the latest steps, this share of all so far.
    0 takes the weights of the newest step."""
    precision: Literal["auto", "fp32", "bf16"] = "auto"
    """Number format of the products between hidden layers.
    auto takes bf16 where the hardware and the network's width gain from it."""
    device: Literal["auto", "cpu", "cuda"] = "auto"
    """Where to train; auto takes a GPU if there is one."""
    threads: int | None = field(default=None, metadata=within(0, 1024, above=True))
    """Processor threads; by default all cores, or what OMP_NUM_THREADS says."""
    revive_at: tuple[int, ...] = field(default=(), metadata=within(1, MOST_STEPS))
    """Steps before which dead neurons are drawn anew: those that are on nowhere in the picture.
    Each then has a crease, a line along which the network bends, in the picture."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.steps is not None and any(step >= self.steps for step in self.revive_at):
            raise InputError(f"--revive-at {max(self.revive_at)} never comes: --steps {self.steps} is the end")
        if self.schedule == "cosine" and self.steps is None:
            raise InputError("--schedule cosine falls over the whole run: give its length with --steps")


@dataclass(frozen=True)
class Target(Options):
    """What of a picture, or of photographs, is fitted."""

    max_side: int | None = field(default=None, metadata=within(0, 2**20, above=True))
    """Reduce the picture, or each photograph, by area averaging until its longer side is at most this many pixels."""
    max_pixels: int = field(default=100_000_000, metadata=within(0, 2**32, above=True))
    """Refuse pictures with more pixels than this, or with over 6 bytes for each of so many, before decoding them."""
    holdout: Holdout = "none"
    """Pixels that are kept from training, to score the field on.
    checkerboard: every other one.
    even-odd (Tancik's): even rows and columns are trained on, odd ones scored.
    even-rest: even rows and columns are trained on, the other three quarters scored."""


@dataclass(frozen=True)
class Output(Options):
    """What a run leaves behind."""

    output_dir: Path = Path("outputs")
    """The folder under which run folders are made."""
    frames: str = "log"
    """Steps to draw: log (48 or more, evenly spaced in the logarithm of the step), every:N, or all."""
    checkpoints: Literal["newest", "frames"] = "newest"
    """Checkpoints to keep: the newest two, or one for each frame whose density is drawn."""
    turntable: bool = False
    """Film a 3D scene from a camera that goes around it while it is learnt: turntable.mp4."""
    quick: bool = False
    """Leave out the explanation of what is missing, and the maps of crease density in frames.
    `fieldlens analyze` makes the explanation later; frames stay without maps."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if not _can_be_named(self.output_dir):
            raise InputError(f"no folder can be called {str(self.output_dir)!r}; choose another --output-dir")
        if self.frames in ("log", "all"):
            return
        every = self.frames.removeprefix("every:")
        if every == self.frames or not every.isdecimal() or not 1 <= int(every[:20]) <= MOST_STEPS:
            raise InputError(f"--frames takes log, every:N or all, got {shown(self.frames)}")

    def most_frames(self, steps: int) -> int:
        """How many drawings there are of so many steps, where they are evenly spaced; 0 where they are `log`."""
        match self.frames.partition(":"):
            case "log", _, _:
                return 0
            case "all", _, _:
                return steps
            case _, _, every:
                return steps // int(every)


Flat = tyro.conf.arg(name="")
"""Marks a group of choices whose options carry no prefix."""


@dataclass(frozen=True)
class Protocol(Options):
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
    seed: int = field(default=0, metadata=within(0, 2**63 - 1))
    """Seed for all random numbers: initial weights, random frequencies, the order of the data, the bootstrap."""

    def __post_init__(self) -> None:
        super().__post_init__()
        frames = self.output.most_frames(self.training.steps or 0)
        if frames > MOST_FRAMES:
            raise InputError(
                f"--frames {self.output.frames} makes {frames:,} drawings of {self.training.steps:,} steps, and a fit "
                f"has at most {MOST_FRAMES:,}; draw fewer with --frames every:N"
            )


@dataclass(frozen=True)
class FitConfig(Protocol):
    """One fit."""

    encoding: Encoding = field(default_factory=Fourier)
    """The encoding: what is done to coordinates first, such as raw, fourier:8, gaussian:10, hashgrid:16.
    A function of your own is named by its file, as mine.py:waves, and run because it is named."""
    network: Network = field(default_factory=Network)

    def __post_init__(self) -> None:
        super().__post_init__()
        _check_together(self.training, self.network, [self.optimizer])

    @property
    def optimizer(self) -> Optimizer:
        """The optimizer that was named, or the default of the encoding and network; its own rate is not left open."""
        chosen = self.training.optimizer or default_optimizer(self.encoding, self.network)
        return with_rate(chosen, self.encoding, self.network)

    @property
    def name(self) -> str:
        """Encoding and network in their words, and the optimizer where it is not adam."""
        return named(self.encoding, self.network, self.optimizer)


def named(encoding: Encoding | str, network: Network | str, optimizer: Optimizer) -> str:
    """What a fit is called beside others.

    >>> named(Fourier(), Network(), Muon(0.02))
    'fourier:8 4x128 muon:0.02'
    """
    return " ".join([str(encoding), str(network), *([] if optimizer == Adam() else [str(optimizer)])])


@dataclass(frozen=True)
class CompareConfig(Protocol):
    """Fits that differ in their encoding, network or optimizer and in nothing else; of several scenes and with several
    seeds it is a sweep."""

    more_scenes: tyro.conf.Positional[tuple[str, ...]] = ()
    """More of them, each fitted as the first is, for one table of all; or one folder of pictures."""
    encodings: tuple[Encoding, ...] = ()
    """The encodings to compare; raw and fourier:8 if none is named."""
    networks: tuple[Network, ...] = ()
    """Networks to compare, each under every encoding; the default network if none is named."""
    optimizers: tuple[Optimizer, ...] = ()
    """Optimizers to compare, such as adam muon, for each encoding and network; if none is named, that of --optimizer.
    Without that either it is one for all: adam if it is the default of any of them, else muon."""
    seeds: int = field(default=1, metadata=within(1, 1000))
    """Fits of each kind, with seeds of their own, from --seed on: the table then says what is luck."""
    tune: int = field(default=0, metadata=within(0, 25))
    """Search the learning rate of each method first, by so many fits of each scene with a seed that is not reported.
    The rates are half decades around the default; of a gaussian encoding the scale is searched as well."""

    def __post_init__(self) -> None:
        super().__post_init__()
        several = {"encodings": self.encodings, "networks": self.networks, "optimizers": self.optimizers}
        fits = math.prod(max(1, len(listed)) for listed in several.values())
        if fits > MOST_FITS:
            counts = " by ".join(f"{len(listed)} {name}" for name, listed in several.items() if listed)
            raise InputError(f"{counts} are {fits:,} fits, and a comparison has at most {MOST_FITS:,}")
        all_fits = fits * max(1, len(self.scenes)) * (self.seeds + self.tune)
        if all_fits > MOST_OF_SWEEP:
            raise InputError(
                f"these are {all_fits:,} fits, and a comparison of several scenes has at most {MOST_OF_SWEEP:,}"
            )
        if self.optimizers and self.training.optimizer:
            raise InputError("--optimizers are those to compare, and --optimizer that of all fits; leave one out")
        if self.tune and self.training.learning_rate:
            raise InputError("--tune searches the learning rate, and --learning-rate names it; leave one out")
        for network in self.networks:
            _check_together(self.training, network, [self.training.optimizer, *self.optimizers])

    @property
    def scenes(self) -> tuple[str, ...]:
        """All of them, each once; none where none is named."""
        return tuple(dict.fromkeys(scene for scene in (self.scene, *self.more_scenes) if scene))

    @property
    def is_sweep(self) -> bool:
        """Whether it is more than one scene with one seed and rates that are known."""
        return len(self.scenes) > 1 or self.seeds > 1 or self.tune > 0


def _check_together(training: Training, network: Network, optimizers: Sequence[Optimizer | None]) -> None:
    if training.revive_at and network.activation != "relu":
        raise InputError(f"--revive-at is for dead neurons, which only relu networks have, not {network.activation}")
    if network.depth == 1 and any(isinstance(optimizer, Muon) for optimizer in optimizers):
        raise InputError(f"muon moves the matrices between hidden layers, and {network} has one such layer alone")
