"""What is trained: encodings of coordinates and the networks behind them."""

from .encodings import aliased_octaves, build_encoding
from .field import MLP, Field, build

__all__ = ["MLP", "Field", "aliased_octaves", "build", "build_encoding"]
