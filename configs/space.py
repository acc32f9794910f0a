"""How a scene of three dimensions is fitted: what pictures and signals have no use for."""

from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from .encoding import Encoding, Fourier
from .errors import InputError

Kind: TypeAlias = Literal["auto", "radiance", "occupancy", "sdf"]
Background: TypeAlias = Literal["white", "black", "random"]


@dataclass(frozen=True)
class Space:
    """How a scene of three dimensions is fitted."""

    kind: Kind = "auto"
    """Of a mesh: radiance (photographed from all sides), occupancy (solid or not) or sdf (signed distance); auto takes
    radiance for photographs and sdf for a mesh."""
    direction: Encoding | None = field(default_factory=lambda: Fourier(2))
    """What is done to view directions first, an encoding's word as for coordinates; none makes a surface's colour the
    same from everywhere."""
    background: Background = "white"
    """What transparent pixels of photographs are laid over, in training and in pictures; random, drawn anew for each
    ray in training, is shown as white."""
    grid: int = 64
    """Cells along each side of the grid that knows where the scene is empty."""
    samples: int = 128
    """Steps of a ray for each length of the scene's side, before those in empty cells are left out."""

    def __post_init__(self) -> None:
        for name, low, high in (("grid", 1, 512), ("samples", 1, 4096)):
            if not low <= getattr(self, name) <= high:
                raise InputError(f"--{name} must be {low} to {high}, got {getattr(self, name)}")
