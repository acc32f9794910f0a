"""What is trained: encodings of coordinates and the networks behind them."""

from .encodings import build_encoding
from .field import MLP, Field, build
from .radiance import RadianceField, build_radiance

__all__ = ["MLP", "Field", "RadianceField", "build", "build_encoding", "build_radiance"]
