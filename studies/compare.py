"""One scene under several encodings and networks, with one protocol."""

import dataclasses
import itertools
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import UInt8

from analysis.detail.verdicts import percent
from configs.encoding import Fourier, Raw
from configs.errors import InputError
from configs.files import write_json, write_text
from configs.network import Network
from configs.run import CompareConfig, FitConfig, Protocol
from configs.storage import read_config, to_yaml
from fitting import Controls
from render.colour import density_legend
from render.files import read_png
from render.panel import Tile, panel
from render.text import BACKGROUND
from render.video import VideoWriter

from .fit import load_scene, run, start
from .folder import COMPARISON, RunFolder, find_folder, folder_name, new_folder
from .look import look_at
from .metrics import drawn_rows
from .reporter import Reporter, Silent
from .reporting import write_comparison_report
from .table import to_csv, to_markdown

STEPS = 1000
"""Of each run, unless told."""


@dataclass(frozen=True)
class Comparison:
    """Where the parts of a comparison lie."""

    path: Path

    @property
    def report(self) -> Path:
        """All runs on one page."""
        return self.path / "report.html"

    @property
    def video(self) -> Path:
        """All runs side by side."""
        return self.path / "compare.mp4"

    def config(self) -> CompareConfig:
        """The configuration.

        Raises:
            InputError: when it is missing, of another schema or damaged.
        """
        return read_config(self.path / COMPARISON, CompareConfig)

    def runs(self) -> dict[RunFolder, FitConfig]:
        """The folder and the configuration of each run, in the order they were named."""
        return {RunFolder(self.path / "runs" / _label(config)): config for config in fits(self.config())}


def find_comparison(word: str, output_dir: Path) -> Comparison:
    """The comparison that a word names: a path, or `latest` for the newest one below `output_dir`.

    Raises:
        InputError: when there is none, or the path is no comparison.
    """
    return Comparison(find_folder(word, output_dir, COMPARISON, "comparison", "compare"))


def completed(config: CompareConfig) -> CompareConfig:
    """A comparison with what was left open: raw against fourier:8, the default network, a thousand steps.

    Raises:
        InputError: when there is one run only, or a limit that would end the runs at different steps.
    """
    training = config.training
    for name in ("seconds", "target_psnr", "plateau"):
        if getattr(training, name) is not None:
            option = name.replace("_", "-")
            raise InputError(f"a comparison takes equal steps, so it has no --{option}; give its length with --steps")
    encodings = tuple(dict.fromkeys(config.encodings)) or (Raw(), Fourier())
    networks = tuple(dict.fromkeys(config.networks)) or (Network(),)
    if len(encodings) * len(networks) < 2:
        raise InputError(f"{encodings[0]} has nothing to be compared with; name another encoding or network")
    training = dataclasses.replace(training, steps=training.steps or STEPS)
    return dataclasses.replace(config, encodings=encodings, networks=networks, training=training)


def fits(config: CompareConfig) -> list[FitConfig]:
    """The fits of a comparison: each network under every encoding, alike in all else."""
    shared = {key.name: getattr(config, key.name) for key in dataclasses.fields(Protocol)}
    choices = itertools.product(config.networks, config.encodings)
    return [FitConfig(**shared, encoding=encoding, network=network) for network, encoding in choices]


def start_comparison(config: CompareConfig, reporter: Reporter | None = None) -> Comparison:
    """Make the folder of a new comparison, with its runs' targets and configurations in it.

    Raises:
        InputError: as `completed` and `studies.fit.start` do.
    """
    config = completed(config)
    scene = load_scene(config, reporter)
    parent = config.output.output_dir / folder_name(scene.name) / "compare"
    comparison = Comparison(new_folder(parent))
    for fit_config in fits(config):
        start(fit_config, comparison.path / "runs" / _label(fit_config), scene)
    write_text(comparison.path / COMPARISON, to_yaml(config))
    return comparison


def run_comparison(
    comparison: Comparison, reporter: Reporter | None = None, controls: Controls | None = None
) -> dict[str, Any]:
    """Run the fits of a comparison that are not finished, then set all side by side.

    Returns:
        The content of compare.json: `path`, `report`, `video`, and `runs`, the run.json of each.

    Raises:
        InputError: when the folder is damaged beyond use.
        KeyboardInterrupt: when it is stopped before the first run has begun, for then there is nothing to show.
    """
    reporter, controls = reporter or Silent(), controls or Controls()
    results: dict[RunFolder, dict[str, Any]] = {}
    for folder in comparison.runs():
        finished = folder.ended and folder.result().get("stopped_because") == "steps"
        if not finished and controls.stop:
            continue
        results[folder] = folder.result() if finished else run(folder, None, reporter, controls)
    if not results:
        raise KeyboardInterrupt
    drawing_started = time.perf_counter()
    _write_video(comparison, results, reporter)
    verdict = comparison_verdict(list(results.values()))
    reporter.working("writing the report", 0.0)
    write_comparison_report(comparison.report, list(results), verdict, comparison.config())
    write_text(comparison.path / "table.csv", to_csv(list(results.values())))
    write_text(comparison.path / "table.md", to_markdown(list(results.values())))
    result = {
        "path": str(comparison.path),
        "report": str(comparison.report),
        "video": str(comparison.video),
        "verdict": verdict,
        "stopped_because": "interrupted" if controls.stop else "steps",
        "drawing_seconds": round(time.perf_counter() - drawing_started, 3),
        "runs": list(results.values()),
    }
    write_json(comparison.path / "compare.json", result)
    return result


def comparison_verdict(results: Sequence[Mapping[str, Any]]) -> list[str]:
    """What sets the runs apart, in figures; a difference between encodings is stated and never called a cause."""
    ranked = sorted((r for r in results if r["psnr_db"] is not None), key=lambda result: -result["psnr_db"])
    if len(ranked) < 2:
        return list((ranked or results)[0]["verdict"])
    best, worst = ranked[0], ranked[-1]
    sentences = [
        f"After {best['steps']} steps {_name(best, results)} reaches {_quality(best)} and {_name(worst, results)} "
        f"{_quality(worst)}: {best['psnr_db'] - worst['psnr_db']:.1f} dB apart."
    ]
    more, less = best["crossings_per_pixel"], worst["crossings_per_pixel"]
    if more is not None and less is not None:
        unit = "sample" if "amplitude_recovered" in best else "pixel"
        sentences.append(
            f"A {unit} step crosses {more:.3g} creases on average under {_name(best, results)} and {less:.3g} under "
            f"{_name(worst, results)}, but a difference in density between encodings is not a cause: what each run "
            "says of its own missing detail stands below."
        )
    return sentences


def _quality(result: Mapping[str, Any]) -> str:
    band = result["explained_band"]
    kept = result["energy_kept"].get(band)
    detail = "" if kept is None else f" with {percent(kept)} of the energy of {band} waves"
    return f"{result['psnr_db']:.1f} dB{detail}"


def _name(result: Mapping[str, Any], results: Sequence[Mapping[str, Any]]) -> str:
    same = sum(other["encoding"] == result["encoding"] for other in results) > 1
    return f"{result['encoding']} {result['network']}" if same else result["encoding"]


def _label(config: FitConfig) -> str:
    return f"{config.encoding} {config.network}"


def _write_video(comparison: Comparison, runs: Mapping[RunFolder, dict[str, Any]], reporter: Reporter) -> None:
    columns = [_Column(folder, _name(result, list(runs.values()))) for folder, result in runs.items()]
    common = sorted(set.intersection(*(set(column.psnr_db) for column in columns)))
    target = look_at(next(iter(runs)).scene()).target_tile()
    with VideoWriter(comparison.video) as video:
        for number, step in enumerate(common):
            reporter.working("writing the video", number / len(common))
            video.write(_frame(step, target, columns))


def _frame(step: int, target: Tile, columns: Sequence["_Column"]) -> UInt8[np.ndarray, "h w 3"]:
    """Reconstructions beside the target, and below each the density of its creases."""
    blank = np.full_like(target.image, BACKGROUND)
    above = [target, *(column.reconstruction(step) for column in columns)]
    below = [Tile(blank, "crease density", legend=density_legend), *(column.density(step, blank) for column in columns)]
    return panel(above + below, f"step {step}", columns=len(above))


class _Column:
    """One run in the video."""

    def __init__(self, folder: RunFolder, name: str) -> None:
        self.folder, self.name = folder, name
        self.psnr_db = {row.step: row.psnr_db for row in drawn_rows(folder)}
        self.density_steps = folder.frame_steps("density")

    def reconstruction(self, step: int) -> Tile:
        """The run's picture at a step."""
        caption = f"{self.name}   {self.psnr_db[step]:.2f} dB"
        return Tile(read_png(self.folder.frame(step, "reconstruction")), caption)

    def density(self, step: int, blank: UInt8[np.ndarray, "h w 3"]) -> Tile:
        """The newest density drawn by then."""
        drawn = max((known for known in self.density_steps if known <= step), default=None)
        if drawn is None:
            return Tile(blank, "no creases")
        return Tile(read_png(self.folder.frame(drawn, "density")), f"step {drawn}")
