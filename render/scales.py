"""The scales of maps the other way round: from a colour to the number that it stands for, as a page reads it.

Each is made of the function that draws with it, so the two cannot come apart.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np
from jaxtyping import Float, UInt8

from .colour import (
    DENSITY_RANGE,
    ERROR_RANGE,
    GETS_WORSE,
    LEVERAGE_RANGE,
    MISSING_RANGE,
    NOTHING_TO_MISS,
    SPEED_RANGE,
    STEPS_RANGE,
    density_rgb,
    error_rgb,
    leverage_rgb,
    missing_rgb,
    speed_rgb,
    steps_rgb,
)
from .text import Rgb

COLOURS = 256
"""Of a scale: colour maps have no more."""


@dataclass(frozen=True, eq=False)
class Scale:
    """Colours of a map in a row, and what each stands for."""

    colours: UInt8[np.ndarray, "n 3"]
    values: Float[np.ndarray, " n"]
    """Rising or falling. The first and the last stand for all that is beyond them as well."""
    unit: str = ""
    """What is said after a number."""
    as_share: bool = False
    """Whether numbers are read as per cent."""
    apart: Mapping[Rgb, str] = field(default_factory=dict)
    """Colours that are no numbers, and what they mean."""

    def words(self) -> list[str]:
        """What is read at each colour, with two digits.

        >>> missing_scale("of it").words()[::85]
        ['0 % of it', '50 % of it', '100 % of it', 'at least 150 % of it']
        """
        least, most = self.values.min(), self.values.max()
        bounds = {float(least): "at most " if least else "", float(most): "at least "}  # nothing is below 0
        return [bounds.get(value, "") + self._number(value) for value in self.values.tolist()]

    def _number(self, value: float) -> str:
        number = f"{100 * value:.0f} %" if self.as_share else f"{float(f'{value:.2g}'):,g}"
        return f"{number} {self.unit}".strip()


def density_scale(unit: str) -> Scale:
    """Of `density_rgb`."""
    return _scale(np.geomspace(*DENSITY_RANGE, COLOURS), density_rgb, unit)


def speed_scale(unit: str) -> Scale:
    """Of `speed_rgb`."""
    return _scale(np.geomspace(*SPEED_RANGE, COLOURS), speed_rgb, unit, apart={NOTHING_TO_MISS: "hardly any detail"})


def leverage_scale(unit: str) -> Scale:
    """Of `leverage_rgb`."""
    apart = {NOTHING_TO_MISS: "hardly any detail"}
    return _scale(np.geomspace(*LEVERAGE_RANGE, COLOURS), leverage_rgb, unit, apart=apart)


def steps_scale(unit: str) -> Scale:
    """Of `steps_rgb`."""
    apart = {NOTHING_TO_MISS: "hardly anything missing", GETS_WORSE: "the next step makes it worse"}
    return _scale(np.geomspace(*STEPS_RANGE, COLOURS), steps_rgb, unit, apart=apart)


def error_scale(unit: str) -> Scale:
    """Of `error_rgb`."""

    def drawn(values: Float[np.ndarray, "1 n"]) -> UInt8[np.ndarray, "1 n 3"]:
        return error_rgb(np.zeros((1, COLOURS, 1)), values[..., None])

    return _scale(np.linspace(*ERROR_RANGE, COLOURS), drawn, unit)


def missing_scale(unit: str) -> Scale:
    """Of `missing_rgb`."""
    apart = {NOTHING_TO_MISS: "hardly any detail"}
    return _scale(np.linspace(*MISSING_RANGE, COLOURS), missing_rgb, unit, as_share=True, apart=apart)


def _scale(
    values: Float[np.ndarray, " n"],
    draw: Callable[[Float[np.ndarray, "1 n"]], UInt8[np.ndarray, "1 n 3"]],
    unit: str,
    *,
    as_share: bool = False,
    apart: Mapping[Rgb, str] | None = None,
) -> Scale:
    return Scale(draw(values[None])[0], values, unit, as_share, apart or {})
