"""What all kinds of scenes ask of creases: whether a field has any, and how a map of them is drawn."""

import math

import cv2
import numpy as np

from fieldlens.analysis import MIN_WINDOW_PX, ReluNetwork, TooLargeError, relu_network
from fieldlens.fields import Trainable, position_of


def has_creases(field: Trainable) -> bool:
    """Whether the activation has a kink."""
    return position_of(field).mlp.activation != "sine"


def creased(field: Trainable) -> ReluNetwork | None:
    """The network whose creases can be measured; None for a field without any, or one that has diverged."""
    try:
        network = relu_network(position_of(field)) if has_creases(field) else None
    except TooLargeError:  # its weights are finite, and what it makes of them is not
        return None
    return network if network is not None and network.is_finite else None


def stride_for(pixels: int, most: int) -> int:
    """Between the pixels to look at, so that there are about `most`; at most a window's side, so that each has one."""
    return min(MIN_WINDOW_PX, math.ceil(math.sqrt(pixels / most)))


def blocks(values: np.ndarray, height: int, width: int) -> np.ndarray:
    """Enlarged or reduced without blending neighbours: blocks stay blocks."""
    return cv2.resize(values, (width, height), interpolation=cv2.INTER_NEAREST)
