"""The multi-layer perceptron behind the encoding."""

import re
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias, get_args

from .errors import InputError

Activation: TypeAlias = Literal["relu", "leaky_relu", "sine"]
Output: TypeAlias = Literal["linear", "sigmoid"]


@dataclass(frozen=True)
class Network:
    """Shape of the network from encoded coordinates to colour."""

    width: int = 128
    """Neurons in each hidden layer."""
    depth: int = 4
    """Hidden layers."""
    activation: Activation = "relu"
    """relu and leaky_relu fold the plane along creases; sine (SIREN) is the reference without creases."""
    output: Output = "linear"
    """What the last layer's numbers go through; sigmoid keeps colours in [0, 1]."""

    def __post_init__(self) -> None:
        if not 1 <= self.width <= 16384:
            raise InputError(f"the network's width must be 1 to 16384, got {self.width}")
        if not 1 <= self.depth <= 64:
            raise InputError(f"the network's depth must be 1 to 64, got {self.depth}")

    def __str__(self) -> str:
        """The network's word: depth x width, then what is not the default.

        >>> str(Network(width=64, depth=2, activation="sine"))
        '2x64,sine'
        """
        extras = [word for word in (self.activation, self.output) if word not in ("relu", "linear")]
        return ",".join([f"{self.depth}x{self.width}", *extras])


def parse_network(word: str) -> Network:
    """The network that a word such as `4x256` or `2x64,sine` names.

    >>> parse_network("4x128,leaky_relu").activation
    'leaky_relu'

    Raises:
        InputError: when the word is not of that form.
    """
    shape, *extras = word.strip().split(",")
    match = re.fullmatch(r"(\d+)x(\d+)", shape)
    if not match:
        raise InputError(f"a network is written DEPTHxWIDTH, such as 4x256, got {word!r}")
    kinds = dict.fromkeys(get_args(Activation), "activation") | dict.fromkeys(get_args(Output), "output")
    choices: dict[str, Any] = {}
    for extra in extras:
        if extra not in kinds:
            raise InputError(
                f"{extra!r} is neither an activation (relu, leaky_relu, sine) nor an output (linear, sigmoid)"
            )
        if kinds[extra] in choices:
            raise InputError(f"the network {word!r} names more than one {kinds[extra]}")
        choices[kinds[extra]] = extra
    return Network(depth=int(match[1]), width=int(match[2]), **choices)
