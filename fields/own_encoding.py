"""An encoding of one's own: a function from points to features, in a file that a person names or from a program.

A file is run only here, and only because somebody typed its name: no word that was read from a folder comes this far.
"""

import sys
import traceback
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn

from fieldlens.configs.encoding import PYTHON, Code, Encoding, Own, require_named
from fieldlens.configs.errors import InputError, did_you_mean
from fieldlens.configs.files import read_bytes

from .features import Features, first_line

MOST_BYTES = 1 << 20
"""Of a file with an encoding."""


def made_ready(encoding: Encoding) -> Encoding:
    """An encoding that a person has named, ready to be built: of a function of one's own the file is run.

    Raises:
        InputError: when the file cannot be read or run, or has no such function.
    """
    if not isinstance(encoding, Own) or encoding.code is not None:
        return encoding
    if encoding.file == PYTHON:
        require_named(encoding)
    path = Path(encoding.file)
    data = read_bytes(path, MOST_BYTES)
    module = _run(path, data)
    function = vars(module).get(encoding.function)
    if not callable(function):
        there = [name for name, value in vars(module).items() if callable(value) and not name.startswith("_")]
        hint = did_you_mean(encoding.function, there) if there else "; it has none"
        raise InputError(f"{encoding.file!r} has no function {encoding.function!r}{hint}")
    return replace(encoding, code=Code(function, data))


def _run(path: Path, data: bytes) -> ModuleType:
    """The module of a file: of the very bytes that were read, so that what is kept is what was run."""
    module = ModuleType(f"_encoding_{path.stem}")
    module.__file__ = str(path)
    sys.modules[module.__name__] = module  # dataclasses and pickling look for it there
    try:
        exec(compile(data, str(path), "exec"), vars(module))
    except (Exception, SystemExit) as error:  # the person's own code: it may raise anything
        lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == str(path)]
        line = error.lineno if isinstance(error, SyntaxError) else (lines or [None])[-1]
        where = "" if line is None else f" in line {line}"
        raise InputError(f"{str(path)!r} cannot be run{where}: {first_line(error)}") from error
    return module


class OwnEncoding(nn.Module):
    """The features of a function of one's own; derivatives are torch's, by forward passes.

    It is given fp32 coordinates on the device of the network. Parameters of its own are not trained.
    """

    def __init__(self, config: Own, dim: int) -> None:
        """Try the function on a few points.

        Raises:
            InputError: when nobody has named it, or it is no encoding: features (n, k) of points (n, d), of each point
                alone, finite, and with slopes that torch can find.
        """
        super().__init__()
        require_named(config)
        assert config.code is not None
        self.dim = dim
        self.features = _count(config, dim)
        # not a module of this one, where it is a module itself: nothing of it is trained or saved
        self._own = Features(config.code.function, self.features, torch.float32)
        try:
            self.config = replace(config, fastest=self._own.highest_frequency(dim, torch.device("cpu")))
        except InputError as error:
            raise InputError(f"{config}: {error}") from None

    def forward(self, x: Float[Tensor, "n d"]) -> Float[Tensor, "n f"]:
        return self._own(x)

    def value_and_tangents(self, x: Float[Tensor, "n d"]) -> tuple[Float[Tensor, "n f"], Float[Tensor, "n d f"]]:
        return self._own.value_and_tangents(x)

    def second_derivatives(self, x: Float[Tensor, "n d"]) -> Float[Tensor, "n d f"]:
        return self._own.second_derivatives(x)

    def closed_form(self) -> None:
        return None

    def learnt_table(self) -> None:
        return None


@torch.no_grad()
def _count(config: Own, dim: int) -> int:
    """How many features the function gives of points in so many coordinates."""
    assert config.code is not None
    points = torch.full((2, dim), 0.5)
    try:
        features: Any = config.code.function(points)
    except Exception as error:  # the person's own code: it may raise anything
        raise InputError(f"{config} cannot be computed at points of shape (2, {dim}): {first_line(error)}") from error
    if not isinstance(features, Tensor) or features.ndim != 2 or len(features) != 2 or not features.shape[1]:
        got = tuple(features.shape) if isinstance(features, Tensor) else type(features).__name__
        raise InputError(
            f"{config} must give a tensor (n, features) for points (n, {dim}); for 2 points it gives {got}"
        )
    return features.shape[1]
