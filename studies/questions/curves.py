"""Figures of a run's curves, or of several runs' together: PSNR over steps, and what of each octave is there."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeAlias, get_args

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from fieldlens.configs.errors import InputError
from fieldlens.configs.files import require_writable, write_bytes
from fieldlens.render.files import require_ending
from fieldlens.studies.runs.charts import COLOURS, FIGURE_ENDINGS, charts, figure_bytes, legend_outside, step_axis
from fieldlens.studies.runs.charts import part_label as in_words
from fieldlens.studies.runs.folder import COMPARISON, RunFolder
from fieldlens.studies.runs.metrics import band_names, drawn_rows

from ..subjects.choice import subject_of
from ..subjects.found import Row

Curve: TypeAlias = Literal["psnr", "bands"]
CURVES: tuple[Curve, ...] = get_args(Curve)
"""What a figure may show."""

DASHES = ((), (4, 2), (1, 1.5), (6, 2, 1, 2))
"""One for each round through the colours, so that many runs can be told apart."""


@dataclass(frozen=True)
class FigureDrawn:
    """A figure of curves."""

    path: Path
    runs: int

    @property
    def lines(self) -> list[str]:
        """Where it is."""
        return [f"figure  {self.path}"]


def draw_curves(runs: Mapping[RunFolder, str], shows: Sequence[Curve], file: Path | None = None) -> FigureDrawn:
    """Draw the curves of runs, and write them as PDF, SVG or PNG, as the file's ending says.

    Args:
        runs: with the names that stand in legends and titles.
        shows: what to show; PSNR of all runs is one chart, octaves are a chart for each.
        file: by default `figure.pdf` beside the runs: in the folder of the run, or of the comparison; of several, in
            that of the first.

    Raises:
        InputError: for another ending, a file that cannot be written, and a run without curves.
    """
    file = file or _beside(list(runs)) / "figure.pdf"
    ending = require_ending(file, FIGURE_ENDINGS, "a figure")
    require_writable(file.parent, "name another place with --out")
    rows = {folder: drawn_rows(folder) for folder in runs}
    for folder, recorded in rows.items():
        if not recorded:
            raise InputError(f"there are no curves in {str(folder.path)!r}")
    panels: list[Callable[[Axes], None]] = []
    if "psnr" in shows:
        panels.append(lambda axis: _psnr(axis, [(runs[folder], recorded) for folder, recorded in rows.items()]))
    if "bands" in shows:
        for folder, recorded in rows.items():
            panels.append(
                lambda axis, folder=folder, recorded=recorded: _bands(axis, runs[folder], recorded, _cycles(folder))
            )

    def draw() -> Figure:
        # no place is left empty: three of a kind stand in a row, or the first, which is PSNR of all runs, has a row
        odd = len(panels) % 2 == 1 and len(panels) > 1
        columns = 3 if odd and "psnr" not in shows and len(panels) % 3 == 0 else 2
        figure, axes = charts(len(panels), columns, first_wide=odd and columns == 2)
        for axis, panel in zip(axes, panels, strict=True):
            panel(axis)
        _legends(figure, axes)
        return figure

    write_bytes(file, figure_bytes(draw, ending))
    return FigureDrawn(file, len(runs))


def _beside(runs: Sequence[RunFolder]) -> Path:
    """The folder of the first run, or of the comparison whose runs they are."""
    first, *others = runs
    together = first.path.parent.parent
    of_one = others and all(run.path.parent.parent == together for run in others)
    return together if of_one and (together / COMPARISON).is_file() else first.path


def _psnr(axis: Axes, named: Sequence[tuple[str, Sequence[Row]]]) -> None:
    """A line for each run; where pixels are held out, a thin one for these."""
    for number, (name, rows) in enumerate(named):
        dashes = DASHES[number // 10 % len(DASHES)]
        steps = [row.step for row in rows]
        style = {"color": f"C{number % 10}", "dashes": dashes}
        axis.plot(steps, [row.psnr_db for row in rows], label=name, **style)  # type: ignore[arg-type]
        heldout = [row.heldout_psnr_db for row in rows]
        if any(value is not None for value in heldout):
            values = [float("nan") if value is None else value for value in heldout]
            axis.plot(steps, values, label=f"{name}, held out", linewidth=0.8, **style)  # type: ignore[arg-type]
    step_axis(axis)
    axis.set_ylabel("PSNR, dB")
    axis.set_title("PSNR of the training pixels" if len(named) > 1 else named[0][0])


def _bands(axis: Axes, name: str, rows: Sequence[Row], cycles: Sequence[int]) -> None:
    """Of a picture, the energy of each octave that is there; of a signal, the amplitude at each frequency."""
    parts = [row.amplitudes if cycles else row.energy_kept for row in rows]
    names = [f"{k} cycles" for k in cycles] or [in_words(band) for band in band_names(max(map(len, parts)))]
    for number, label in enumerate(names):
        colour = COLOURS[round(number * (len(COLOURS) - 1) / max(1, len(names) - 1))]
        values = [_at(part, number) for part in parts]
        axis.plot([row.step for row in rows], values, color=colour, label=label)
    axis.axhline(1, color="0.6", linewidth=0.6)
    step_axis(axis)
    axis.set_ylim(bottom=0)
    axis.set_ylabel("amplitude recovered" if cycles else "energy kept, as a share")
    axis.set_title(name)


def _at(part: Sequence[float | None], number: int) -> float:
    value = part[number] if number < len(part) else None
    return float("nan") if value is None else value


def _cycles(folder: RunFolder) -> Sequence[int]:
    """The frequencies of a signal; none of anything else."""
    return subject_of(folder.scene()).frequencies


def _legends(figure: Figure, axes: Sequence[Axes]) -> None:
    """One below where all charts have the same lines, else one in each."""
    labels = [tuple(axis.get_legend_handles_labels()[1]) for axis in axes]
    if len(set(labels)) == 1:
        legend_outside(figure, axes[0])
        return
    for axis in axes:
        axis.legend(fontsize=6)
