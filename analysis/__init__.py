"""Why a reconstruction looks as it does: creases in image space, missing detail, and whether the two go together.

All that is meant for use is imported from here. It stands in wings; each imports only from lines below its own:

    gradients/   partition/    whose training steps help whom, and how fast   |   the exact cells, and interpolated ones
    creases/                   densities and crossings of creases in pictures, on lines, in space, on screens; capacity
    patterns/                  which neurons are on where: distances, overlap, distinct patterns, activity
    networks/                  the network as all of these see it, and the points it is asked at
    contest/                   which quantity goes with missing detail, where all else about it is held equal
    detail/                    bands, spectra, windows, statistics, explanation, verdict: no network and no scene
"""

from .contest.controls import Controls, controls_of
from .contest.explained_shares import ExplainedShares, explained_shares
from .contest.league import (
    Mediation,
    MediationOverPictures,
    Score,
    Standing,
    league,
    mediation,
    mediation_over_pictures,
    score_quantity,
)
from .contest.of_leverage import LeverageStatistic, leverage_statistic
from .creases.at_pixel import PixelCreases, creases_at_pixel
from .creases.bending import Bending, bending
from .creases.capacity import Capacity, capacity
from .creases.crossings import Crossings, crossings, crossings_along, refined_crossings
from .creases.density import Density, crease_density
from .creases.in_space import crease_area_density, crease_slice, footprint_density, per_diagonal
from .creases.nearest_crease import CreaseDistance, nearest_crease
from .creases.on_line import LineCreases, line_creases, refined_line_creases
from .creases.on_screen import ScreenDensity, screen_density
from .creases.slopes import Slopes, slopes
from .creases.surface import SurfaceAgreement, compare_surfaces, extract_surface, iou
from .detail.attribution import Attribution, attribute
from .detail.bands import band_labels, energy_kept, octave_bands
from .detail.collapse import collapse
from .detail.densities import BEND, COAREA, CROSSINGS, length_per_area
from .detail.explain import Explanation, SeenView, early_prediction, explain, explain_views, explained_details
from .detail.metrics import psnr_db, ssim
from .detail.octaves import Detail, octave_details
from .detail.spectra import (
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
from .detail.statistics import OverPictures, over_pictures
from .detail.verdicts import CapacityVerdict, PredictionVerdict, Verdict, capacity_verdict, prediction_verdict
from .detail.windows import MIN_WINDOW_PX
from .gradients.along_rays import screen_movement, screen_speed
from .gradients.confusion import Confusion, ConfusionMap, confusion, confusion_map, pixel_confusion
from .gradients.correlation_length import CorrelationLength, kernel_correlation_length
from .gradients.kernel import Kernel, kernel
from .gradients.leverage import Leverage, detail_leverage
from .gradients.pairs import global_pairs, local_pairs
from .gradients.progress import OctaveProgress, Split, octave_progress, steps_to_mend
from .gradients.rate_agreement import RateAgreement, rate_agreement
from .gradients.speed import Speed, detail_speed, wave_speed
from .gradients.speed_structure import gradient_size
from .gradients.steps import Step, loss_step, loss_step_at, movement, movement_at
from .gradients.window_confusion import WindowConfusion, window_confusion
from .networks.as_run import TooLargeError
from .networks.from_module import relu_network
from .networks.plane import Plane, on_plane
from .networks.relu_network import ReluNetwork
from .networks.weights import (
    Angles,
    Narrowness,
    first_layer_inspheres,
    neuron_angles,
    neuron_cosines,
    region_narrowness,
    spectral_norms,
    stable_ranks,
)
from .partition.cells_per_tile import CellMap, cells_per_tile
from .partition.crease_bounds import CreaseBounds, crease_bounds
from .partition.exact_cells import CellCounts, Cells, Layers, cells, count_cells
from .partition.interpolated_cells import SurrogateCells, TooManyCellsError, surrogate_cells
from .patterns.distinct_patterns import DistinctPatterns, PatternCurve, distinct_patterns, pattern_curve
from .patterns.gate_overlap import GateOverlap, gate_overlap
from .patterns.hamming_means import HammingMeans, hamming_means
from .patterns.local_complexity import LocalComplexity, local_complexity
from .patterns.neuron_activity import LayerActivity, NeuronStates, neuron_activity, neuron_states
from .patterns.packed_patterns import PackedPatterns, expected_hamming, packed_patterns

__all__ = [
    "BEND",
    "COAREA",
    "CROSSINGS",
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
    "Controls",
    "CorrelationLength",
    "CreaseBounds",
    "CreaseDistance",
    "Crossings",
    "Density",
    "Detail",
    "DistinctPatterns",
    "ExplainedShares",
    "Explanation",
    "GateOverlap",
    "HammingMeans",
    "Kernel",
    "LayerActivity",
    "Layers",
    "Leverage",
    "LeverageStatistic",
    "LineCreases",
    "LocalComplexity",
    "Mediation",
    "MediationOverPictures",
    "Narrowness",
    "NeuronStates",
    "OctaveProgress",
    "OverPictures",
    "PackedPatterns",
    "PatternCurve",
    "PixelCreases",
    "Plane",
    "PredictionVerdict",
    "RadialSpectra",
    "RateAgreement",
    "Reached",
    "Recovered",
    "ReluNetwork",
    "Score",
    "ScreenDensity",
    "SeenView",
    "Slopes",
    "SpectralBias",
    "Speed",
    "Split",
    "Standing",
    "Step",
    "SurfaceAgreement",
    "SurrogateCells",
    "TooLargeError",
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
    "controls_of",
    "count_cells",
    "crease_area_density",
    "crease_bounds",
    "crease_density",
    "crease_slice",
    "creases_at_pixel",
    "crossings",
    "crossings_along",
    "detail_leverage",
    "detail_speed",
    "distinct_patterns",
    "early_prediction",
    "energy_kept",
    "expected_hamming",
    "explain",
    "explain_views",
    "explained_details",
    "explained_shares",
    "extract_surface",
    "first_layer_inspheres",
    "footprint_density",
    "gate_overlap",
    "global_pairs",
    "gradient_size",
    "half_energy_step",
    "half_error_step",
    "hamming_means",
    "iou",
    "kernel",
    "kernel_correlation_length",
    "league",
    "length_per_area",
    "leverage_statistic",
    "line_creases",
    "line_spectrum",
    "local_complexity",
    "local_pairs",
    "loss_step",
    "loss_step_at",
    "mediation",
    "mediation_over_pictures",
    "movement",
    "movement_at",
    "nearest_crease",
    "neuron_activity",
    "neuron_angles",
    "neuron_cosines",
    "neuron_states",
    "octave_bands",
    "octave_details",
    "octave_progress",
    "on_plane",
    "over_pictures",
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
    "score_quantity",
    "screen_density",
    "screen_movement",
    "screen_speed",
    "slopes",
    "spectral_bias",
    "spectral_norms",
    "ssim",
    "stable_ranks",
    "steps_to_mend",
    "surrogate_cells",
    "wave_speed",
    "window_confusion",
]
