"""What is trained: encodings of coordinates and the networks behind them."""

from .encodings import build_encoding
from .field import MLP, Field, build

__all__ = ["MLP", "Field", "build", "build_encoding"]
