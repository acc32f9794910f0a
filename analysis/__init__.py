"""Why a reconstruction looks as it does: creases in image space, missing detail, and whether the two go together."""

from .bands import band_labels, energy_kept, octave_bands
from .confusion import (
    Confusion,
    ConfusionMap,
    confusion,
    confusion_map,
    global_pairs,
    local_pairs,
    pixel_confusion,
)
from .crossings import Crossings, crossings, crossings_along, refined_crossings
from .density import Density, coarea_density
from .explain import Explanation, explain
from .kernel import Kernel, kernel
from .metrics import psnr_db, ssim
from .network import ReluNetwork, relu_network
from .patterns import expected_hamming
from .verdict import Verdict
from .windows import MIN_WINDOW_PX

__all__ = [
    "MIN_WINDOW_PX",
    "Confusion",
    "ConfusionMap",
    "Crossings",
    "Density",
    "Explanation",
    "Kernel",
    "ReluNetwork",
    "Verdict",
    "band_labels",
    "coarea_density",
    "confusion",
    "confusion_map",
    "crossings",
    "crossings_along",
    "energy_kept",
    "expected_hamming",
    "explain",
    "global_pairs",
    "kernel",
    "local_pairs",
    "octave_bands",
    "pixel_confusion",
    "psnr_db",
    "refined_crossings",
    "relu_network",
    "ssim",
]
