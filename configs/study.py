"""What a study is made of, of the paper or of the contest: pictures, seeds and fields, and how long each is trained."""

from dataclasses import dataclass, field, replace
from typing import Literal

from .encoding import Encoding, Fourier, Raw
from .errors import InputError
from .network import Network
from .optimizer import Adam, Muon, Optimizer
from .records import Choices, within
from .run import Training


@dataclass(frozen=True)
class Study(Choices):
    """Fits of pictures under encodings, several times each, alike in all else; claims are measured on them.

    Claims speak of roles and not of numbers: what the authors say of 8 octaves at 512 px is asked of `fine` here,
    whose octaves stand in the same relation to the pixel grid.
    """

    CALLED = "the study's {name}"

    pictures: tuple[str, ...] = ("astronaut", "coffee")
    """Pictures to fit, reduced to `max_side`."""
    repeats: int = field(default=2, metadata=within(1, 1000))
    """Fits of each picture, each with a seed of its own: pictures times repeats are the study's units."""
    max_side: int = field(default=64, metadata=within(8, 4096))
    """Pixels of a picture's longer side."""
    network: Network = field(default_factory=lambda: Network(width=128, depth=4))
    """The network of all fits but those of `sizes`."""
    raw: tuple[Encoding, ...] = (Raw((0, 1)), Raw((-1, 1)), Raw((-2, 2)), Raw((-3, 3)))
    """Raw coordinates on wider and wider intervals."""
    few_octaves: tuple[int, ...] = field(default=(1, 2), metadata=within(1, 24))
    """Octaves of positional encodings that can hardly tell pixels apart."""
    coarse_octaves: int = field(default=3, metadata=within(1, 24))
    """Octaves of the positional encoding that does not reach the picture's finest detail; the authors' has 4."""
    fine_octaves: int = field(default=5, metadata=within(1, 24))
    """Octaves of the positional encoding that does: one less than log2 of the side, as the authors' 8 at 512 px."""
    sizes: tuple[Network, ...] = (Network(width=16, depth=2), Network(width=32, depth=4), Network(width=64, depth=6))
    """Networks from small to large, fitted to random pixels; the authors' are 2x128, 4x256 and 6x512."""
    training: Training = field(
        default_factory=lambda: Training(
            steps=480,
            batch_size=512,
            optimizer=Adam(),
            learning_rate=1e-3,
            schedule="constant",
            average=0,
            precision="fp32",
        )
    )
    """How each fit is trained, but for `muon`; as the authors do, with Adam at a constant 1e-3."""
    bias_spreads: tuple[float, ...] = field(default=(), metadata=within(0, 10**6))
    """Spreads of the first layer's biases under wide raw coordinates: doses of crease density."""
    revivals: tuple[int, ...] = field(default=(), metadata=within(0, 4))
    """How often dead neurons are revived under narrow raw coordinates, at eighths of the fit: doses as well, rising
    from 0. The fourth is midway."""
    muon: Muon | None = None
    """What moves the matrices between hidden layers in fits that are set against those of `training` and are like them
    in all else; none are made without it."""
    adam_rate: float | None = field(default=None, metadata=within(0, 1e30, above=True))
    """A second rate of Adam's, for fits that Muon's are set against as well: that of the search in
    docs/learning_rates.md, where the authors' is not the best. None are made without it."""
    signal: str = ""
    """A sum of sines to fit beside the pictures; none if empty."""
    signal_octaves: tuple[int, ...] = field(default=(4, 7), metadata=within(1, 24))
    """Octaves of the encodings of the signal, beside the two narrowest raw ones; the authors' figures say 3 and 6."""
    signal_network: Network = field(default_factory=lambda: Network(width=128, depth=4))
    """The network that the signal is fitted by; the authors'."""
    digits: bool = False
    """Whether to fit handwritten digits as well: points of 64 coordinates, against those of two."""
    grid: Literal["centres", "authors"] = "centres"
    """Where samples lie in the encodings' intervals, and whether opposite quadrants have a gap between them: at the
    centres of pixels, without one; or as the authors have it (`on_grid`)."""
    measured: int = field(default=4, metadata=within(3, 1000))
    """Steps at which everything is measured, evenly spaced in the logarithm; step 0 and those that claims speak of come
    on top."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.pictures:
            raise InputError("a study needs a picture")
        if len(self.raw) < 2:
            raise InputError("a study needs raw coordinates on two intervals at least, the narrow one first")
        if not 0 < self.coarse_octaves < self.fine_octaves:
            raise InputError("the coarse encoding of a study needs fewer octaves than its fine one")
        if self.training.steps is None:
            raise InputError("the fits of a study take equal steps: give their number as training.steps")
        if self.revivals and not (len(self.revivals) > 1 and self.revivals == tuple(sorted({0, *self.revivals}))):
            raise InputError("doses of revivals rise from 0, such as 0, 1, 3")
        if self.revivals and (self.revivals[-1] > 4 or self.training.steps < 8):
            raise InputError("dead neurons are revived up to 4 times, at eighths of a fit of 8 steps or more")
        if self.revivals and self.network.activation != "relu":
            raise InputError(f"only relu networks have dead neurons to revive, not {self.network.activation}")
        if self.training.average:
            raise InputError("a study is of the newest step's weights, as the authors': give training.average: 0")
        if self.muon and self.optimizer != Adam():
            raise InputError("a study sets muon against adam: give training.optimizer: adam, or leave muon out")
        if self.adam_rate and not self.muon:
            raise InputError("adam_rate is for fits that muon is set against: give muon as well, or leave it out")
        if self.muon and self.network.depth == 1:
            raise InputError(
                f"muon moves the matrices between hidden layers, and {self.network} has one such layer alone"
            )

    @property
    def optimizer(self) -> Optimizer:
        """What moves the weights in all fits but those of `muon`; where none is named, the authors' and no default."""
        return self.training.optimizer or Adam()

    @property
    def few(self) -> tuple[Fourier, ...]:
        """The encodings of few octaves."""
        return tuple(map(Fourier, self.few_octaves))

    @property
    def coarse(self) -> Fourier:
        """The encoding that does not reach the finest detail."""
        return Fourier(self.coarse_octaves)

    @property
    def fine(self) -> Fourier:
        """The encoding that does."""
        return Fourier(self.fine_octaves)

    @property
    def compared(self) -> tuple[Encoding, ...]:
        """The four that claims set side by side: narrow and wide raw coordinates, the coarse encoding and the fine."""
        return *self.raw[:2], self.coarse, self.fine

    @property
    def encodings(self) -> tuple[Encoding, ...]:
        """All encodings that pictures are fitted under, each once."""
        return tuple(dict.fromkeys((*self.raw, *self.few, self.coarse, self.fine)))

    @property
    def signal_encodings(self) -> tuple[Encoding, ...]:
        """Those that signals are fitted under."""
        return *self.raw[:2], *map(Fourier, self.signal_octaves)

    def revive_at(self, times: int) -> tuple[int, ...]:
        """The first eighths of a fit, as steps.

        >>> Study().revive_at(2)
        (60, 120)
        """
        assert self.training.steps is not None  # the study made sure of it
        return tuple(self.training.steps * eighth // 8 for eighth in range(1, times + 1))

    def on_grid(self, encoding: Encoding, samples: int) -> Encoding:
        """An encoding of the study with its samples where `grid` says.

        Pixel centres (i + 0.5) / N are where this program has samples. Lazzari & Liu have raw coordinates at i / N of
        their interval and encoded ones at i / (N - 1), which from the interval's own ends are affine maps of centres:
        to have their coordinates is to have another interval. Their y is divided by the width, here by the longer side.

        >>> str(Study(grid="authors").on_grid(Fourier(4), 5))
        'fourier:4,interval=-0.125..1.125'
        """
        half = 0.5 / samples
        match encoding:
            case Raw(interval=(low, high)) if self.grid == "authors":
                return Raw((low - half * (high - low), high - half * (high - low)))
            case Fourier() if self.grid == "authors":
                beyond = 0.5 / max(1, samples - 1)
                return replace(encoding, interval=(-beyond, 1 + beyond))
        return encoding


@dataclass(frozen=True)
class Contest(Choices):
    """Fits in whose windows quantities are tried: what says where detail is missing, beyond what the target's is like?

    Each picture is fitted under each encoding by each optimizer, several times. All of it is fixed before a quantity is
    looked at. So are the octave, which is the verdict's (the finest that holds a hundredth of the target's variance),
    and what is held equal: `analysis.contest.controls`.
    """

    CALLED = "the contest's {name}"

    pictures: tuple[str, ...] = ("astronaut", "coffee")
    """Pictures to fit, reduced to `max_side`. They are the contest's units: quantities are to hold in others."""
    encodings: tuple[Encoding, ...] = (Raw(), Fourier(6))
    """Encodings, each of which has a table of its own."""
    optimizers: tuple[Optimizer, ...] = (Muon(),)
    """What moves the weights, each by the rates that the encoding has by default."""
    repeats: int = field(default=2, metadata=within(1, 1000))
    """Fits of each of these, each with a seed of its own."""
    max_side: int = field(default=96, metadata=within(8, 4096))
    """Pixels of a picture's longer side."""
    network: Network = field(default_factory=lambda: Network(width=64, depth=3))
    """The network of all fits."""
    training: Training = field(
        default_factory=lambda: Training(steps=300, batch_size=2048, average=0, precision="fp32")
    )
    """How each fit is trained."""
    early: float = field(default=0.1, metadata=within(0, 1, above=True))
    """When quantities are asked what is missing at the end: after this share of the steps."""
    foretold: tuple[float, ...] = field(default=(0.1, 0.33), metadata=within(0, 1, above=True))
    """When it is foretold how many steps more mend half of what is missing of the octave: shares of the steps."""
    recorded: int = field(default=24, metadata=within(3, 1000))
    """Steps at which it is looked at what is missing, evenly spaced in the logarithm."""

    def __post_init__(self) -> None:
        super().__post_init__()
        for name in ("pictures", "encodings", "optimizers"):
            if not getattr(self, name):
                raise InputError(f"a contest needs {name}: name at least one")
            if len(set(getattr(self, name))) < len(getattr(self, name)):
                raise InputError(f"the contest's {name} name one twice")
        if self.training.steps is None:
            raise InputError("the fits of a contest take equal steps: give their number as training.steps")
        if self.training.average:
            raise InputError("a contest is of the weights that steps move: give training.average: 0")
        if self.training.optimizer or self.training.learning_rate:
            raise InputError(
                "a contest names its optimizers, which have rates of their own: leave out those of training"
            )
        if self.network.depth == 1 and any(isinstance(optimizer, Muon) for optimizer in self.optimizers):
            raise InputError(
                f"muon moves the matrices between hidden layers, and {self.network} has one such layer alone"
            )
        if max(self.early, *self.foretold, 0.0) == 1:
            raise InputError("what the contest's early quantities foretell is the end: early and foretold are below 1")

    @property
    def early_step(self) -> int:
        """The step at which quantities are asked about the end."""
        return self._step(self.early)

    @property
    def foretelling_steps(self) -> tuple[int, ...]:
        """Those at which steps are foretold, rising.

        >>> Contest().foretelling_steps
        (30, 99)
        """
        return tuple(sorted({self._step(share) for share in self.foretold}))

    @property
    def last_step(self) -> int:
        """The last step of a fit."""
        assert self.training.steps is not None  # the contest made sure of it
        return self.training.steps

    def _step(self, share: float) -> int:
        return max(1, round(share * self.last_step))
