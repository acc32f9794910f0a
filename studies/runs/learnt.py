"""What a run has learnt, as the report shows it: spectra of its end, when each octave was there, and its networks; and
of a 3D scene, what is seen from all around, and its surface."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float

from fieldlens.analysis import half_energy_step, half_error_step
from fieldlens.configs.errors import InputError
from fieldlens.fields import Field
from fieldlens.fields.own_encoding import OwnEncoding
from fieldlens.fields.plain import half_rounding, plain_field
from fieldlens.fitting import initial_state
from fieldlens.render.colour import density_rgb
from fieldlens.render.files import read_npz
from fieldlens.report import Around, KeptNetwork, Learnt, Spectra, Surface
from fieldlens.scenes.scene import Scene
from fieldlens.scenes.solids.mesh import Mesh
from fieldlens.studies.subjects.film import read_around
from fieldlens.studies.subjects.found import Row
from fieldlens.studies.subjects.missing import SavedSpectra

from .checkpoints import checkpoint_steps, read_each
from .folder import RunFolder

MOST_NETWORKS = 12
"""Checkpoints whose networks a page carries."""

MOST_BYTES = 4 * 2**20
"""Of all networks of a page, before they are written as text, which takes a third more."""

MOST_BYTES_BESIDE_OTHERS = 2**20
"""Of the one network that each run has in the page of a comparison."""

MOST_SURFACE_BYTES = 2**26
"""Of a surface's file, unpacked."""
GREY = 190
"""Of a surface without creases, as a byte."""

FP32, FP16 = 4, 2
"""Bytes of a number."""

ROUNDING = 0.5 / 255
"""How much a colour may change where a network before the last is written in half precision: what 8 bits round off."""


def spectra_part(found: SavedSpectra) -> Spectra:
    """Powers in dB, and up to where detail is resolved."""
    powers = {"target": found.target, "reconstruction": found.reconstruction, "residual": found.residual}
    return Spectra(
        frequency=found.frequency,
        power_db={kind: list(map(_decibels, power)) for kind, power in powers.items()},
        rounding_db=_decibels(found.of_picture and found.of_picture.rounding),
        correlation=found.ring_correlation,
        resolved=found.of_picture.resolved_frequency if found.of_picture else {},
    )


def _decibels(power: float | None) -> float | None:
    return None if power is None or power <= 0 else float(10 * np.log10(power))


def learnt_parts(rows: Sequence[Row], labels: Sequence[str], *, in_cycles: bool) -> list[Learnt]:
    """When each octave band, or each frequency of a signal, came to hold half of the target's energy and error."""
    steps = [row.step for row in rows]
    # an amplitude counts as an energy does: by its square
    kept = [[_squared(v) for v in row.amplitudes] if in_cycles else row.energy_kept for row in rows]
    error = [row.amplitude_errors if in_cycles else row.relative_error for row in rows]
    energies = half_energy_step(steps, _columns(kept, len(labels)))
    errors = half_error_step(steps, _columns(error, len(labels)))
    return [
        Learnt(label, (energy.first, energy.lasting), (error.first, error.lasting))
        for label, energy, error in zip(labels, energies, errors, strict=True)
    ]


def _squared(value: float | None) -> float | None:
    return None if value is None else value**2


def _columns(rows: Sequence[Sequence[float | None]], count: int) -> Float[np.ndarray, "rows columns"]:
    """Rows filled up with NaN, which is what is not known."""
    return np.array([[*row, *[None] * count][:count] for row in rows], np.float64)


def kept_networks(folder: RunFolder, scene: Scene, *, alone: bool) -> tuple[list[KeptNetwork], str]:
    """The networks that the page of a run carries, by step, or why it has none.

    The newest is in fp32, so that its creases lie where the program has them. The others are spread evenly over the
    checkpoints, as many as there is room for, and in half precision where that cannot be seen.

    Args:
        alone: whether the page is of this run only; with others, it carries the newest.

    Raises:
        InputError: when the run's configuration or a checkpoint is of another network or damaged.
    """
    state = initial_state(folder.config(), scene)
    if not isinstance(state.field, Field) or state.field.encoding.dim != 2:
        return [], ""  # only what is fitted over the plane can be put under a lens
    if isinstance(state.field.encoding, OwnEncoding):
        return (
            [],
            "The network is not in this page, because its encoding is a function of Python, which no page can run.",
        )
    numbers, room = sum(parameter.numel() for parameter in state.field.parameters()), _room(alone)
    if numbers * FP32 > room:
        return [], _too_large(numbers, alone=alone)
    most = min(MOST_NETWORKS, 1 + (room - numbers * FP32) // (numbers * FP16)) if alone else 1
    kept = list[KeptNetwork]()
    for step in read_each(folder.checkpoints, state, _spread(checkpoint_steps(folder.checkpoints), most)):
        plain = plain_field(state.field)
        if not all(np.isfinite(part).all() for part in plain.learnt):
            if kept:
                continue
            return [], "The network is not in this page, because its weights are not finite: the fit has diverged."
        half = bool(kept) and half_rounding(state.field) <= ROUNDING
        room -= numbers * (FP16 if half else FP32)
        if room < 0:
            break
        kept.append(KeptNetwork(step, plain, "float16" if half else "float32"))
        if len(kept) == most:
            break
    return kept[::-1], ""


def seen_around(folder: RunFolder) -> Around | None:
    """What cameras see that go around a 3D scene; None of what is none, and of a fit that was not explained.

    Raises:
        InputError: when a file is damaged.
    """
    found = read_around(folder.analysis)
    if found is None:
        return None
    seen = found.seen
    size = seen.pictures, seen.columns, seen.height, seen.width
    return Around(*size, found.sheets, tuple(seen.eye), tuple(seen.up), seen.angle)


def surface_part(folder: RunFolder) -> Surface | None:
    """The surface of a solid's field, coloured by its creases, or grey; None where there is none.

    Raises:
        InputError: when the file is damaged.
    """
    file = folder.analysis / "surface.npz"
    if not file.exists():
        return None
    try:
        arrays = read_npz(file, MOST_SURFACE_BYTES)
        mesh = Mesh(arrays["vertices"].astype(np.float64), arrays["triangles"].astype(np.int64))
        crossings = arrays.get("crossings")
        colours = np.full((len(mesh.vertices), 3), GREY, np.uint8)
        if crossings is not None:
            colours = density_rgb(crossings[None])[0]
        return Surface(mesh.vertices, mesh.vertex_normals, colours, mesh.triangles)
    except (KeyError, ValueError, IndexError):
        raise InputError(f"{str(file)!r} holds no surface") from None


def _spread(steps: Sequence[int], most: int) -> list[int]:
    """About `most` of rising steps from the last to the first; all where one is wanted, for the last may be damaged.

    >>> _spread([0, 1, 2, 4, 8, 16, 32], 4), _spread([0, 1], 1), _spread([], 4)
    ([32, 8, 2, 0], [1, 0], [])
    """
    if most == 1 or not steps:
        return list(steps[::-1])
    return [steps[i] for i in sorted(set(np.linspace(0, len(steps) - 1, most).round().astype(int)), reverse=True)]


def _room(alone: bool) -> int:
    return MOST_BYTES if alone else MOST_BYTES_BESIDE_OTHERS


def _too_large(numbers: int, *, alone: bool) -> str:
    carries = f"{'carries' if alone else 'of several runs carries'} up to {_room(alone) / 2**20:g} MB"
    instead = "" if alone else " of each; a run's own page has room for more"
    size = f"{numbers * FP32 / 2**20:.1f} MB"
    return f"The network is not in this page, because it has {size} of weights. A page {carries}{instead}."
