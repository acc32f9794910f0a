"""Why a reconstruction looks as it does: creases in image space, missing detail, and whether the two go together."""

from .attribution import Attribution, attribute
from .bands import band_labels, energy_kept, octave_bands
from .bounds import CreaseBounds, crease_bounds
from .capacity import Capacity, capacity
from .cells import CellCounts, Cells, Layers, cells, count_cells
from .collapse import collapse
from .complexity import LocalComplexity, local_complexity
from .confusion import Confusion, ConfusionMap, confusion, confusion_map, global_pairs, local_pairs, pixel_confusion
from .confusion_windows import WindowConfusion, window_confusion
from .correlation import CorrelationLength, kernel_correlation_length
from .crossings import Crossings, crossings, crossings_along, refined_crossings
from .decay import RateAgreement, rate_agreement
from .density import Density, crease_density
from .distance import CreaseDistance, nearest_crease
from .distinct import DistinctPatterns, PatternCurve, distinct_patterns, pattern_curve
from .explain import Explanation, SeenView, early_prediction, explain, explain_views
from .fourier import (
    BandsOverTraining,
    RadialSpectra,
    Reached,
    Recovered,
    SpectralBias,
    amplitudes_recovered,
    bands_over_training,
    half_energy_step,
    half_error_step,
    line_spectrum,
    power_law_slope,
    radial_spectra,
    spectral_bias,
)
from .hamming import HammingMeans, hamming_means
from .kernel import Kernel, kernel
from .line import LineCreases, line_creases, refined_line_creases
from .metrics import psnr_db, ssim
from .network import ReluNetwork, relu_network
from .neurons import LayerActivity, NeuronStates, neuron_activity, neuron_states
from .patterns import PackedPatterns, expected_hamming, packed_patterns
from .plane import Plane, on_plane
from .screen import ScreenDensity, screen_density
from .slopes import Slopes, slopes
from .smoothness import Bending, bending
from .space import crease_area_density, crease_slice, footprint_density, per_diagonal
from .surface import SurfaceAgreement, compare_surfaces, extract_surface, iou
from .surrogate import SurrogateCells, TooManyCellsError, surrogate_cells
from .tiles import CellMap, cells_per_tile
from .verdict import CapacityVerdict, PredictionVerdict, Verdict, capacity_verdict, prediction_verdict
from .weights import (
    Angles,
    Narrowness,
    first_layer_inspheres,
    neuron_angles,
    neuron_cosines,
    region_narrowness,
    spectral_norms,
)
from .windows import MIN_WINDOW_PX

__all__ = [
    "MIN_WINDOW_PX",
    "Angles",
    "Attribution",
    "BandsOverTraining",
    "Bending",
    "Capacity",
    "CapacityVerdict",
    "CellCounts",
    "CellMap",
    "Cells",
    "Confusion",
    "ConfusionMap",
    "CorrelationLength",
    "CreaseBounds",
    "CreaseDistance",
    "Crossings",
    "Density",
    "DistinctPatterns",
    "Explanation",
    "HammingMeans",
    "Kernel",
    "LayerActivity",
    "Layers",
    "LineCreases",
    "LocalComplexity",
    "Narrowness",
    "NeuronStates",
    "PackedPatterns",
    "PatternCurve",
    "Plane",
    "PredictionVerdict",
    "RadialSpectra",
    "RateAgreement",
    "Reached",
    "Recovered",
    "ReluNetwork",
    "ScreenDensity",
    "SeenView",
    "Slopes",
    "SpectralBias",
    "SurfaceAgreement",
    "SurrogateCells",
    "TooManyCellsError",
    "Verdict",
    "WindowConfusion",
    "amplitudes_recovered",
    "attribute",
    "band_labels",
    "bands_over_training",
    "bending",
    "capacity",
    "capacity_verdict",
    "cells",
    "cells_per_tile",
    "collapse",
    "compare_surfaces",
    "confusion",
    "confusion_map",
    "count_cells",
    "crease_area_density",
    "crease_bounds",
    "crease_density",
    "crease_slice",
    "crossings",
    "crossings_along",
    "distinct_patterns",
    "early_prediction",
    "energy_kept",
    "expected_hamming",
    "explain",
    "explain_views",
    "extract_surface",
    "first_layer_inspheres",
    "footprint_density",
    "global_pairs",
    "half_energy_step",
    "half_error_step",
    "hamming_means",
    "iou",
    "kernel",
    "kernel_correlation_length",
    "line_creases",
    "line_spectrum",
    "local_complexity",
    "local_pairs",
    "nearest_crease",
    "neuron_activity",
    "neuron_angles",
    "neuron_cosines",
    "neuron_states",
    "octave_bands",
    "on_plane",
    "packed_patterns",
    "pattern_curve",
    "per_diagonal",
    "pixel_confusion",
    "power_law_slope",
    "prediction_verdict",
    "psnr_db",
    "radial_spectra",
    "rate_agreement",
    "refined_crossings",
    "refined_line_creases",
    "region_narrowness",
    "relu_network",
    "screen_density",
    "slopes",
    "spectral_bias",
    "spectral_norms",
    "ssim",
    "surrogate_cells",
    "window_confusion",
]
