"""Encodings: image coordinates in, features out, and the exact derivatives of those features.

Coordinates come in fp32 and features leave in fp32: a bf16 coordinate has 8 significant bits, fewer than a pixel grid.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn import functional

from fieldlens.configs.encoding import Basic, Encoding, Fourier, Gaussian, HashGrid, Interval, Own, Positional, Raw

from .own_encoding import OwnEncoding


@dataclass(frozen=True, eq=False)
class ClosedForm:
    """Features as formulas, fp64: first those that are scale @ x + shift, then waves sin(rates @ x + phases)."""

    scale: Float[Tensor, "affine d"]
    shift: Float[Tensor, " affine"]
    rates: Float[Tensor, "waves d"]
    """Angular frequencies of the waves, in radians per unit of each coordinate."""
    phases: Float[Tensor, " waves"]

    @classmethod
    def of(
        cls,
        dim: int,
        affine: tuple[Float[Tensor, "affine d"], Float[Tensor, " affine"]] | None = None,
        waves: tuple[Float[Tensor, "waves d"], Float[Tensor, " waves"]] | None = None,
    ) -> "ClosedForm":
        """Of either kind of feature, or both, in `dim` coordinates."""
        none = torch.zeros(0, dim, dtype=torch.float64), torch.zeros(0, dtype=torch.float64)
        return cls(*(affine or none), *(waves or none))

    def to(self, device: torch.device) -> "ClosedForm":
        """The same on a device."""
        return ClosedForm(*(part.to(device) for part in (self.scale, self.shift, self.rates, self.phases)))

    def __call__(self, x: Float[Tensor, "n d"]) -> Float[Tensor, "n f"]:
        """The features at points in fp64."""
        return torch.cat([x @ self.scale.T + self.shift, (x @ self.rates.T + self.phases).sin()], 1)


@dataclass(frozen=True, eq=False)
class LearntTable:
    """All that an encoding trains: a table whose rows, weighted and summed, are each level's features at a point."""

    values: Float[Tensor, "rows features"]
    rows_and_weights: Callable[
        [Float[Tensor, "n d"]], tuple[Int[Tensor, "n levels corners"], Float[Tensor, "n levels corners"]]
    ]
    """The rows that points' features are made of, level by level, and how much of each."""
    rows_per_point: int
    """How many rows a point's features are made of, over all levels."""


@runtime_checkable
class EncodingModule(Protocol):
    """What a field, and whoever explains it, asks of an encoding; facts that need no module are on its `config`."""

    @property
    def config(self) -> Encoding:
        """The choice it was built from."""
        ...

    @property
    def dim(self) -> int:
        """How many coordinates it takes, d."""
        ...

    @property
    def features(self) -> int:
        """How many it gives, f."""
        ...

    def __call__(self, x: Float[Tensor, "n d"]) -> Float[Tensor, "n f"]: ...

    def value_and_tangents(self, x: Float[Tensor, "n d"]) -> tuple[Float[Tensor, "n f"], Float[Tensor, "n d f"]]:
        """The features and d features / d x."""
        ...

    def second_derivatives(self, x: Float[Tensor, "n d"]) -> Float[Tensor, "n d f"]:
        """d^2 features / d x_a^2 along each axis a."""
        ...

    def closed_form(self) -> ClosedForm | None:
        """Its features as formulas; None where they are neither affine nor sines."""
        ...

    def learnt_table(self) -> LearntTable | None:
        """What of it is trained; None where nothing is."""
        ...


def build_encoding(config: Encoding, dim: int, generator: torch.Generator) -> EncodingModule:
    """The module for a choice of encoding of `dim`-dimensional coordinates; random parts come from `generator`.

    Raises:
        InputError: for a function of one's own that nobody has named, or that is no encoding.
    """
    match config:
        case Raw():
            return RawEncoding(config, dim)
        case Fourier():
            return OctaveEncoding(config, dim)
        case Basic():
            return WaveEncoding(config, torch.eye(dim))
        case Positional():
            return WaveEncoding(config, log_spaced_frequencies(config, dim))
        case Gaussian():
            frequencies = torch.randn(config.features, dim, generator=generator) * config.scale
            return WaveEncoding(config, frequencies)
        case HashGrid():
            return HashGridEncoding(config, dim, generator)
        case Own():
            return OwnEncoding(config, dim)


class RawEncoding(nn.Module):
    """Coordinates in [0, 1] scaled to the interval of the choice."""

    def __init__(self, config: Raw, dim: int) -> None:
        super().__init__()
        self.config = config
        self.dim = self.features = dim

    def forward(self, x: Float[Tensor, "n d"]) -> Float[Tensor, "n f"]:
        low, high = self.config.interval
        return x * (high - low) + low

    def value_and_tangents(self, x: Float[Tensor, "n d"]) -> tuple[Float[Tensor, "n f"], Float[Tensor, "n d f"]]:
        low, high = self.config.interval
        slope = (high - low) * torch.eye(self.features, device=x.device)
        return self(x), slope.expand(len(x), -1, -1)

    def second_derivatives(self, x: Float[Tensor, "n d"]) -> Float[Tensor, "n d f"]:
        return x.new_zeros(*x.shape, self.features)

    def closed_form(self) -> ClosedForm:
        return ClosedForm.of(self.features, affine=_scaled(self.config.interval, self.features))

    def learnt_table(self) -> None:
        return None


def _scaled(interval: Interval, dim: int) -> tuple[Float[Tensor, "d d"], Float[Tensor, " d"]]:
    """Scale and shift, fp64, that send [0, 1] to an interval on each axis."""
    low, high = interval
    return torch.eye(dim, dtype=torch.float64) * (high - low), torch.full((dim,), low, dtype=torch.float64)


class OctaveEncoding(nn.Module):
    """sin(2^l pi x), cos(2^l pi x) for l = 0 .. L-1, octave by octave: all sines of an octave, then all its cosines."""

    def __init__(self, config: Fourier, dim: int) -> None:
        super().__init__()
        self.config = config
        self.dim = dim
        self.features = dim * (2 * config.octaves + config.include_input)

    def forward(self, x: Float[Tensor, "n d"]) -> Float[Tensor, "n f"]:
        waves = octave_waves(self._placed(x), self.config.octaves).flatten(1)
        return torch.cat([self._placed(x).float(), waves], 1) if self.config.include_input else waves

    def value_and_tangents(self, x: Float[Tensor, "n d"]) -> tuple[Float[Tensor, "n f"], Float[Tensor, "n d f"]]:
        waves = octave_waves(self._placed(x), self.config.octaves)
        sines, cosines = waves.unbind(2)
        tangents = self._by_axis(torch.stack([cosines, -sines], 2) * self._rates(x.device))
        if self.config.include_input:
            slope = self._scale * torch.eye(x.shape[1], device=x.device)
            tangents = torch.cat([slope.expand(len(x), -1, -1), tangents], 2)
        return self(x), tangents

    def second_derivatives(self, x: Float[Tensor, "n d"]) -> Float[Tensor, "n d f"]:
        waves = octave_waves(self._placed(x), self.config.octaves)
        curved = self._by_axis(waves * -self._rates(x.device).square())
        return torch.cat([x.new_zeros(*x.shape, x.shape[1]), curved], 2) if self.config.include_input else curved

    def closed_form(self) -> ClosedForm:
        axes = torch.eye(self.dim, dtype=torch.float64).repeat(2 * self.config.octaves, 1)
        octaves = torch.arange(self.config.octaves, dtype=torch.float64).repeat_interleave(2 * self.dim)
        quarter_turns = torch.arange(2, dtype=torch.float64).repeat_interleave(self.dim).repeat(self.config.octaves)
        rates = math.pi * 2.0 ** octaves[:, None] * axes
        phases = math.pi / 2 * quarter_turns + rates.sum(1) * self.config.interval[0]
        affine = _scaled(self.config.interval, self.dim) if self.config.include_input else None
        return ClosedForm.of(self.dim, affine, (rates * self._scale, phases))

    def learnt_table(self) -> None:
        return None

    @property
    def _scale(self) -> float:
        low, high = self.config.interval
        return high - low

    def _placed(self, x: Float[Tensor, "n d"]) -> Float[Tensor, "n d"]:
        """Coordinates in [0, 1] scaled to the interval, in fp64: fast waves turn far between neighbours of fp32."""
        return x.double() * self._scale + self.config.interval[0]

    def _rates(self, device: torch.device) -> Float[Tensor, "octaves 1 1"]:
        return self._scale * math.pi * 2.0 ** torch.arange(self.config.octaves, device=device)[:, None, None]

    def _by_axis(self, derivatives: Float[Tensor, "n octaves 2 d"]) -> Float[Tensor, "n d f"]:
        # each feature depends on one axis only: its slope goes on the diagonal of (axis it is of, axis of motion)
        return torch.diag_embed(derivatives).permute(0, 4, 1, 2, 3).flatten(2)


def octave_waves(x: Float[Tensor, "n d"], octaves: int) -> Float[Tensor, "n octaves 2 d"]:
    """sin(2^l pi x) at [:, l, 0] and cos(2^l pi x) at [:, l, 1], each right to fp32's last place, by angle doubling.

    sin 2a = 2 sin a cos a and cos 2a = 1 - 2 sin^2 a cost a few multiplications where a sine costs a polynomial, but
    each doubling more than doubles the error. In fp64 it stays below fp32's last place for 16 octaves; then the
    doubling starts anew from an argument reduced exactly (2^l x mod 2 is exact in binary).
    """
    waves: list[Tensor] = []
    for start in range(0, octaves, 16):
        angle = math.pi * torch.remainder(x.double() * 2.0**start, 2.0)
        sine, cosine = angle.sin(), angle.cos()
        for _ in range(start, min(start + 16, octaves)):
            waves += [sine, cosine]
            twice = 2 * sine
            sine, cosine = twice * cosine, 1 - twice * sine
    return torch.stack(waves, 1).float().unflatten(1, (octaves, 2))


class WaveEncoding(nn.Module):
    """sin(2 pi B x), then cos(2 pi B x), for given frequency vectors B: all of Tancik et al.'s mappings."""

    frequencies: Float[Tensor, "m d"]

    def __init__(self, config: Basic | Positional | Gaussian, frequencies: Float[Tensor, "m d"]) -> None:
        super().__init__()
        self.config = config
        self.register_buffer("frequencies", frequencies)
        self.dim = frequencies.shape[1]
        self.features = 2 * len(frequencies)

    def forward(self, x: Float[Tensor, "n d"]) -> Float[Tensor, "n f"]:
        angle = x @ (2 * math.pi * self.frequencies.T)
        return torch.cat([angle.sin(), angle.cos()], 1)

    def value_and_tangents(self, x: Float[Tensor, "n d"]) -> tuple[Float[Tensor, "n f"], Float[Tensor, "n d f"]]:
        rates = 2 * math.pi * self.frequencies.T  # (d, m)
        angle = x @ rates
        sine, cosine = angle.sin(), angle.cos()
        tangents = torch.cat([cosine[:, None] * rates, -sine[:, None] * rates], 2)
        return torch.cat([sine, cosine], 1), tangents

    def second_derivatives(self, x: Float[Tensor, "n d"]) -> Float[Tensor, "n d f"]:
        squares = (2 * math.pi * self.frequencies.T).square().repeat(1, 2)  # (d, f)
        return -self(x)[:, None] * squares

    def closed_form(self) -> ClosedForm:
        rates = 2 * math.pi * self.frequencies.double()
        quarter_turns = torch.arange(2, dtype=torch.float64, device=rates.device).repeat_interleave(len(rates))
        return ClosedForm.of(rates.shape[1], waves=(rates.repeat(2, 1), math.pi / 2 * quarter_turns))

    def learnt_table(self) -> None:
        return None


def log_spaced_frequencies(config: Positional, dim: int) -> Float[Tensor, "m d"]:
    """Tancik's positional frequencies: 2^t - 1 for evenly spaced t in [0, max_octave], the same on each axis.

    The offset of 1 is theirs (their notebook, section "Posenc"): the first frequency is 0, a constant feature.
    """
    per_axis = max(1, config.features // dim)
    ladder = 2.0 ** torch.linspace(0, config.max_octave, per_axis) - 1
    return torch.cat([ladder[:, None] * axis for axis in torch.eye(dim)])


class HashGridEncoding(nn.Module):
    """Learnt features on `levels` grids, interpolated between the corners of the grid square around a point.

    A level whose corners fit in its table has an entry for each; a finer one shares entries by the hash of Mueller et
    al. (2022, eq. 4). The features are multilinear in each grid square, so they bend along the grid's own lines.
    """

    primes = (1, 2654435761, 805459861)

    def __init__(self, config: HashGrid, dim: int, generator: torch.Generator) -> None:
        super().__init__()
        if dim > len(self.primes):
            raise ValueError(f"a hash grid takes coordinates of up to {len(self.primes)} dimensions, got {dim}")
        self.config = config
        self.dim = dim
        self.features = config.levels * config.features
        self.resolutions = config.grid_resolutions
        sizes = [min((r + 1) ** dim, 2**config.log2_size) for r in self.resolutions]
        self.offsets = [sum(sizes[:level]) for level in range(config.levels)]
        self.sizes = sizes
        # the paper's initialisation: uniform in +-1e-4
        self.table = nn.Parameter((torch.rand(sum(sizes), config.features, generator=generator) * 2 - 1) * 1e-4)
        self.corners = [[corner >> axis & 1 for axis in range(dim)] for corner in range(2**dim)]

    def forward(self, x: Float[Tensor, "n d"]) -> Float[Tensor, "n f"]:
        return self._gather(*self.corners_and_weights(x))

    def value_and_tangents(self, x: Float[Tensor, "n d"]) -> tuple[Float[Tensor, "n f"], Float[Tensor, "n d f"]]:
        row, fraction = self._corners(x)
        scale = torch.tensor(self.resolutions, dtype=x.dtype, device=x.device)[:, None]
        tangents = [self._gather(row, scale * self._products(fraction, skip=axis)) for axis in range(x.shape[1])]
        return self._gather(row, self._products(fraction, skip=None)), torch.stack(tangents, 1)

    def second_derivatives(self, x: Float[Tensor, "n d"]) -> Float[Tensor, "n d f"]:
        """Zero: in a grid square the features are linear along each axis, and bend along diagonals only."""
        return x.new_zeros(*x.shape, self.features)

    def closed_form(self) -> None:
        return None

    def learnt_table(self) -> LearntTable:
        return LearntTable(self.table, self.corners_and_weights, len(self.resolutions) * len(self.corners))

    def corners_and_weights(
        self, x: Float[Tensor, "n d"]
    ) -> tuple[Int[Tensor, "n levels corners"], Float[Tensor, "n levels corners"]]:
        """Table rows that each point's features are made of, level by level, and how much of each: they sum to 1."""
        rows, fraction = self._corners(x)
        return rows, self._products(fraction, skip=None)

    def _corners(self, x: Float[Tensor, "n d"]) -> tuple[Int[Tensor, "n levels corners"], Float[Tensor, "n levels d"]]:
        rows, fractions = zip(*(self._corner_rows(x, level) for level in range(self.config.levels)), strict=True)
        return torch.stack(rows, 1), torch.stack(fractions, 1)

    def _corner_rows(
        self, x: Float[Tensor, "n d"], level: int
    ) -> tuple[Int[Tensor, "n corners"], Float[Tensor, "n d"]]:
        """Table rows of the corners around each point on one level, and where in its square the point lies."""
        resolution, size = self.resolutions[level], self.sizes[level]
        position = x * resolution
        square = position.detach().floor().clamp(0, resolution - 1)
        lower = square.long()
        dense = size == (resolution + 1) ** x.shape[1]
        columns = []
        for corner in self.corners:
            key = torch.zeros_like(lower[:, 0])
            for axis, (step, prime) in enumerate(zip(corner, self.primes, strict=False)):
                index = lower[:, axis] + step
                key = key + index * (resolution + 1) ** axis if dense else key ^ (index * prime)
            columns.append(key if dense else key % size)
        return torch.stack(columns, 1) + self.offsets[level], position - square

    def _products(self, fraction: Float[Tensor, "n levels d"], skip: int | None) -> Float[Tensor, "n levels corners"]:
        """Multilinear weights of the corners; the derivative along axis `skip` replaces its factor by +-1."""
        weights = []
        for corner in self.corners:
            factors = [
                (torch.full_like(fraction[..., axis], 2.0 * step - 1) if axis == skip else
                 fraction[..., axis] if step else 1 - fraction[..., axis])
                for axis, step in enumerate(corner)
            ]  # fmt: skip
            weights.append(math.prod(factors[1:], start=factors[0]))
        return torch.stack(weights, -1)

    def _gather(
        self, rows: Int[Tensor, "n levels corners"], weights: Float[Tensor, "n levels corners"]
    ) -> Float[Tensor, "n f"]:
        # one embedding bag per point and level: gathers, weighs and sums without a copy of the corners' features
        bags = functional.embedding_bag(
            rows.flatten(0, 1), self.table, per_sample_weights=weights.flatten(0, 1), mode="sum"
        )
        return bags.reshape(len(rows), self.features)
