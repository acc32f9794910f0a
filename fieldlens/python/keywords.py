"""Keyword arguments of `fieldlens.fit` and `fieldlens.compare`: the command line's options by their names.

Written by `python -m docs.keywords` from the choices themselves, for type checkers and editors. Not to be changed here.
"""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Literal, TypedDict

from fieldlens.configs.encoding import Encoding
from fieldlens.configs.network import Network
from fieldlens.configs.optimizer import Optimizer
from fieldlens.configs.run import Holdout, Schedule
from fieldlens.configs.space import Background, Kind


class Shared(TypedDict, total=False):
    """What a fit and a comparison have in common."""

    seed: int
    """Seed for all random numbers: initial weights, random frequencies, the order of the data, the bootstrap."""
    steps: int | None
    """Stop after this many steps."""
    seconds: float | None
    """Stop after this many seconds of training; drawing and analysis are not counted.
    Without steps it is 60, and for photographs of a 3D scene 30."""
    target_psnr: float | None
    """Stop once the training pixels reach this PSNR (peak signal-to-noise ratio), in dB."""
    plateau: float | None
    """Stop at a plateau: when the last third of the steps so far gained less than this, in dB of PSNR.
    It is 0.05 unless steps, seconds or target_psnr is given."""
    batch_size: int | None
    """Pixels, samples or points in each step of training, by default 8192.
    Of photographs of a 3D scene, as many rays as have about 4096 samples on them, and 1024 at most."""
    optimizer: str | Optimizer | None
    """What moves the weights: adam, or muon for the matrices between hidden layers, with adam for the rest.
    muon:0.02,momentum=0.95 names Muon's own learning rate and momentum.
    By default it is what comes further on pictures in equal seconds, under the encoding (docs/learning_rates.md)."""
    learning_rate: float | None
    """Adam's learning rate; by default the encoding's own under the optimizer, from the search in
    docs/learning_rates.md."""
    schedule: Schedule
    """How the learning rate falls: rsqrt by 1/sqrt(1 + step/1000), cosine to 1 % over steps, constant not at all."""
    average: float
    """What is drawn, scored and kept is the average of the weights over the latest steps, this share of all so far.
    0 takes the weights of the newest step."""
    precision: Literal["auto", "fp32", "bf16"]
    """Number format of the products between hidden layers.
    auto takes bf16 where the hardware and the network's width gain from it."""
    device: Literal["auto", "cpu", "cuda"]
    """Where to train; auto takes a GPU if there is one."""
    threads: int | None
    """Processor threads; by default all cores, or what OMP_NUM_THREADS says."""
    revive_at: Sequence[int]
    """Steps before which dead neurons are drawn anew: those that are on nowhere in the picture.
    Each then has a crease, a line along which the network bends, in the picture."""
    max_side: int | None
    """Reduce the picture, or each photograph, by area averaging until its longer side is at most this many pixels."""
    max_pixels: int
    """Refuse pictures with more pixels than this, or with over 6 bytes for each of so many, before decoding them."""
    holdout: Holdout
    """Pixels that are kept from training, to score the field on.
    checkerboard: every other one.
    even-odd (Tancik's): even rows and columns are trained on, odd ones scored.
    even-rest: even rows and columns are trained on, the other three quarters scored."""
    kind: Kind
    """What is fitted of a mesh: radiance (photographs of it), occupancy (solid or not) or sdf (signed distance).
    auto takes radiance for photographs and sdf for a mesh."""
    direction: str | Encoding | None
    """The encoding of view directions, a word as for coordinates.
    With none, a surface has the same colour from everywhere."""
    background: Background
    """What transparent pixels of photographs are laid over, in training and in pictures.
    random is drawn anew for each ray in training, and shown as white."""
    grid: int
    """Cells along each side of the occupancy grid, which knows where the scene is empty."""
    samples: int
    """Steps that a ray takes along one side of the scene's cube. Those in empty cells are left out then."""
    output_dir: str | Path
    """The folder under which run folders are made."""
    frames: str
    """Steps to draw: log (48 or more, evenly spaced in the logarithm of the step), every:N, or all."""
    checkpoints: Literal["newest", "frames"]
    """Checkpoints to keep: the newest two, or one for each frame whose density is drawn."""
    turntable: bool
    """Film a 3D scene from a camera that goes around it while it is learnt: turntable.mp4."""
    quick: bool
    """Leave out the explanation of what is missing, and the maps of crease density in frames.
    `fieldlens analyze` makes the explanation later; frames stay without maps."""


class FitKeywords(Shared, total=False):
    """What `fieldlens.fit` takes."""

    encoding: str | Encoding | Callable[[Any], Any]
    """The encoding: what is done to coordinates first, such as raw, fourier:8, gaussian:10, hashgrid:16.
    A function of your own is named by its file, as mine.py:waves, and run because it is named."""
    network: str | Network
    resume: str | Path | None
    """Go on with a run folder, or the latest one, from its newest checkpoint.
    Limits that are named then (steps, seconds, target_psnr, plateau) replace all that it had.
    They count from its first step; with none named it keeps its own."""
    config: str | Path | None
    """Start from the choices in a run's config.yaml."""
    preset: str | None
    """Start from a named set of choices: photo (a photograph, sharp quickly) or authors (the study's own setting)."""


class CompareKeywords(Shared, total=False):
    """What `fieldlens.compare` takes."""

    encodings: Sequence[str | Encoding | Callable[[Any], Any]]
    """The encodings to compare; raw and fourier:8 if none is named."""
    networks: Sequence[str | Network]
    """Networks to compare, each under every encoding; the default network if none is named."""
    optimizers: Sequence[str | Optimizer]
    """Optimizers to compare, such as adam muon, for each encoding and network; if none is named, that of optimizer.
    Without that either it is one for all: adam if it is the default of any of them, else muon."""
    seeds: int
    """Fits of each kind, with seeds of their own, from seed on: the table then says what is luck."""
    tune: int
    """Search the learning rate of each method first, by so many fits of each scene with a seed that is not reported.
    The rates are half decades around the default; of a gaussian encoding the scale is searched as well."""
    workers: int | None
    """Fits that are made at once, each in a process of its own; by default one for each processor, or each GPU."""
    cluster: str | None
    """The address of a Dask scheduler, such as tcp://10.0.0.1:8786: its workers make the fits.
    docs/cluster.md says how to start them."""
    resume: str | Path | None
    """Go on with the folder of a comparison, or the latest one; nothing can be changed then."""
    config: str | Path | None
    """Start from the choices in a comparison.yaml."""
    preset: str | None
    """Start from a named set of choices, such as demo."""
