"""How a scene of three dimensions is fitted: what pictures and signals have no use for."""

from dataclasses import dataclass, field
from typing import Literal, TypeAlias, cast, get_args

from .encoding import Encoding, Fourier, Own
from .errors import InputError, shown
from .records import Choices, within

Kind: TypeAlias = Literal["auto", "radiance", "occupancy", "sdf"]
Background: TypeAlias = Literal["white", "black", "random"]
Axis: TypeAlias = Literal["x", "y", "z"]


@dataclass(frozen=True)
class Space(Choices):
    """How a scene of three dimensions is fitted."""

    CALLED = "--{name}"

    kind: Kind = "auto"
    """What is fitted of a mesh: radiance (photographs of it), occupancy (solid or not) or sdf (signed distance).
    auto takes radiance for photographs and sdf for a mesh."""
    direction: Encoding | None = field(default_factory=lambda: Fourier(2))
    """The encoding of view directions, a word as for coordinates.
    With none, a surface has the same colour from everywhere."""
    background: Background = "white"
    """What transparent pixels of photographs are laid over, in training and in pictures.
    random is drawn anew for each ray in training, and shown as white."""
    grid: int = field(default=64, metadata=within(1, 512))
    """Cells along each side of the occupancy grid, which knows where the scene is empty."""
    samples: int = field(default=128, metadata=within(1, 4096))
    """Steps that a ray takes along one side of the scene's cube. Those in empty cells are left out then."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if isinstance(self.direction, Own):
            raise InputError(
                f"--direction takes an encoding by its name, such as {Fourier(2)}, and not {self.direction}"
            )


@dataclass(frozen=True)
class Slice(Choices):
    """A plane across a scene's cube, at right angles to an axis; `str` gives the word."""

    axis: Axis = "z"
    position: float = 0.5
    """Where on the axis: a coordinate of the cube, from 0 to 1."""

    CALLED = "a slice's {name}"

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 0 <= self.position <= 1:  # nor does NaN pass
            raise InputError(
                f"a slice lies at a coordinate of the scene's cube, from 0 to 1, such as {Slice()}; got "
                f"{shown(self.position)}"
            )

    def __str__(self) -> str:
        return f"{self.axis}={repr(float(self.position)).removesuffix('.0')}"


def parse_slice(word: str) -> Slice:
    """The slice that a word such as `z=0.5` names.

    >>> parse_slice("y=0.25")
    Slice(axis='y', position=0.25)

    Raises:
        InputError: when the word is not of that form.
    """
    axis, _, position = word.strip().partition("=")
    try:
        if axis not in get_args(Axis):
            raise ValueError
        number = float(position)
    except ValueError:
        raise InputError(
            f"a slice is written AXIS=POSITION, x, y or z and a coordinate of the scene's cube from 0 to 1, such as "
            f"{Slice()}; got {word!r}"
        ) from None
    return Slice(cast(Axis, axis), number)
