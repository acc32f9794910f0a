"""What is trained: encodings of coordinates and the networks behind them."""

from .encodings import build_encoding
from .field import MLP, Field, build
from .radiance import RadianceField, Trainable, build_radiance, hidden_matrices, position_of

__all__ = [
    "MLP",
    "Field",
    "RadianceField",
    "Trainable",
    "build",
    "build_encoding",
    "build_radiance",
    "hidden_matrices",
    "position_of",
]
