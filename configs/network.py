"""The multi-layer perceptron behind the encoding."""

import re
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias, get_args

from .errors import InputError, shown
from .records import Word, within

Activation: TypeAlias = Literal["relu", "leaky_relu", "sine"]
Output: TypeAlias = Literal["linear", "sigmoid"]

SPREAD = "bias_spread="

_SHAPE = r"(\d+)x(\d+)"


@dataclass(frozen=True)
class Network(Word):
    """Shape of the network from encoded coordinates to colour."""

    CALLED = "the network's {name}"
    IN_FILES = False

    width: int = field(default=128, metadata=within(1, 16384))
    """Neurons in each hidden layer."""
    depth: int = field(default=4, metadata=within(1, 64))
    """Hidden layers."""
    activation: Activation = "relu"
    """The function of each hidden neuron.
    relu and leaky_relu bend along lines, the creases; sine (SIREN) is the reference without creases."""
    output: Output = "linear"
    """The function of the last layer: linear leaves numbers as they are, sigmoid keeps colours in [0, 1]."""
    bias_spread: float = field(default=1.0, metadata=within(0, 10**6))
    """The first layer's biases start this many times as far apart as PyTorch's, and so do its creases."""

    @classmethod
    def of_word(cls, word: str) -> "Network":
        return parse_network(word)

    def __str__(self) -> str:
        """The network's word: depth x width, then what is not the default.

        >>> str(Network(width=64, depth=2, activation="sine", bias_spread=4))
        '2x64,sine,bias_spread=4'
        """
        extras = [word for word in (self.activation, self.output) if word not in ("relu", "linear")]
        if self.bias_spread != 1:
            extras.append(f"{SPREAD}{repr(float(self.bias_spread)).removesuffix('.0')}")
        return ",".join([f"{self.depth}x{self.width}", *extras])


def parse_network(word: str) -> Network:
    """The network that a word such as `4x256` or `2x64,sine` names.

    >>> parse_network("4x128,leaky_relu").activation
    'leaky_relu'

    Raises:
        InputError: when the word is not of that form.
    """
    shape, *extras = word.strip().split(",")
    match = re.fullmatch(_SHAPE, shape)
    if not match:
        raise InputError(f"a network is written DEPTHxWIDTH, such as 4x256, got {shown(word)}")
    kinds = dict.fromkeys(get_args(Activation), "activation") | dict.fromkeys(get_args(Output), "output")
    choices: dict[str, Any] = {}
    for extra in extras:
        if extra.startswith(SPREAD):
            if "bias_spread" in choices:
                raise InputError(f"the network {word!r} names more than one bias spread")
            choices["bias_spread"] = _number(extra.removeprefix(SPREAD), word)
            continue
        if re.fullmatch(_SHAPE, extra.strip()):
            raise InputError(f"{word!r} names more than one network: give them one by one, as in --networks 4x64 2x128")
        if extra not in kinds:
            raise InputError(
                f"{extra!r} is neither an activation (relu, leaky_relu, sine) nor an output (linear, sigmoid)"
            )
        if kinds[extra] in choices:
            raise InputError(f"the network {word!r} names more than one {kinds[extra]}")
        choices[kinds[extra]] = extra
    # of more digits than Python reads the last ones do not count: too many are too many
    return Network(depth=int(match[1][:20]), width=int(match[2][:20]), **choices)


def _number(text: str, word: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise InputError(f"the bias spread of a network must be a number, got {shown(word)}") from None
