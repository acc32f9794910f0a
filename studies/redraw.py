"""A finished run again, without training: its field drawn at any size, and its missing detail explained anew."""

from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Generic

import numpy as np
import torch
from jaxtyping import Float, UInt8

from configs.errors import InputError, did_you_mean
from configs.files import write_json
from configs.run import FitConfig, Training
from fitting import initial_state, place
from render.colour import to_rgb
from render.files import write_png
from render.grid import Extent, picture_extent
from scenes.picture import Picture
from scenes.posed import PosedScene
from scenes.scene import FieldT, Scene, View
from scenes.shape import Shape
from scenes.signal import Signal

from .checkpoints import checkpoint_steps, read_newest
from .folder import RunFolder, folder_name
from .look import look_at
from .reporter import Reporter, Silent
from .reporting import write_report

MAX_PIXELS = 100_000_000
"""Of one drawing: more would not fit in the memory of a laptop."""

Region = tuple[float, float, float, float]
"""Left, top, width and height as shares of the picture's width and height."""
WHOLE: Region = (0.0, 0.0, 1.0, 1.0)


@dataclass(frozen=True)
class Saved(Generic[FieldT]):
    """A field as a checkpoint holds it, with what it was fitted to."""

    config: FitConfig
    scene: Scene[FieldT, Any]
    field: FieldT
    step: int
    device: torch.device

    @property
    def view(self) -> View:
        """The first view of its scene."""
        return self.scene.views()[0]


def open_run(folder: RunFolder, step: int | None = None, reporter: Reporter | None = None) -> Saved:
    """The field of a run at its newest checkpoint, or at that of `step`, on a GPU if this machine has one.

    Raises:
        InputError: when the folder or every checkpoint is damaged, or there is none of that step.
    """
    config, scene = folder.config(), folder.scene()
    device = place(Training(), config.network).device  # not the run's: it may have been fitted on another machine
    state = initial_state(config, scene, device)
    for sentence in read_newest(folder.checkpoints, state, step):
        (reporter or Silent()).say(sentence)
    return Saved(config, scene, state.field, state.step, device)


def render(
    folder: RunFolder,
    *,
    scale: float = 1.0,
    region: Region = WHOLE,
    view: str | None = None,
    step: int | None = None,
    file: Path | None = None,
    reporter: Reporter | None = None,
) -> dict[str, Any]:
    """Draw the field of a run with `scale` pixels for each of the picture's, over the whole or a region.

    Where the picture has an alpha, so has the drawing.

    Args:
        view: of a 3D scene, its name or its number from 1; by default the first.
        file: a PNG; by default one named by size and step in the run's `renders/`.

    Returns:
        `path` of the PNG, `height`, `width` and `step`.

    Raises:
        InputError: for a run of a signal, a region that leaves the picture, a size that cannot be drawn, a file that
            cannot be written, or as `open_run` does.
    """
    reporter = reporter or Silent()
    saved = open_run(folder, step, reporter)
    if isinstance(saved.scene, Signal):
        raise InputError("render is for pictures and 3D scenes; a signal's frames and report show its curve")
    shown = saved.view if view is None else _view_named(saved, view)
    extent = region_extent(region, shown.height, shown.width)
    left, top, wide, high = region
    sides = shown.height * high * scale, shown.width * wide * scale
    if not (min(sides) > 0.5 and sides[0] * sides[1] <= MAX_PIXELS):  # nor does NaN pass
        raise InputError(
            f"{sides[1]:g} x {sides[0]:g} pixels cannot be drawn (at least 1, at most {MAX_PIXELS:,} in all); "
            "choose another --scale or --region"
        )
    height, width = round(sides[0]), round(sides[1])
    drawn = shown.draw(
        saved.field, height, width, extent, device=saved.device, progress=lambda done: reporter.working("drawing", done)
    )
    of = "" if view is None else f"_{folder_name(shown.name)}"
    file = file or folder.path / "renders" / f"step{saved.step:07d}{of}_{width}x{height}_at_{left:g}_{top:g}.png"
    write_png(file, _to_image(drawn))
    return {"path": str(file), "height": height, "width": width, "step": saved.step}


def analysis_path(folder: RunFolder, step: int) -> Path:
    """Where what is found of a checkpoint is written: `analysis/` for the newest, else `analysis/step<N>/`."""
    newest = step == checkpoint_steps(folder.checkpoints)[-1]
    return folder.analysis if newest else folder.analysis / f"step{step:07d}"


def picture_view(saved: Saved, what: str) -> View:
    """The view of a run, which must be of a picture.

    Raises:
        InputError: when it is of a signal or a 3D scene.
    """
    if not isinstance(saved.scene, Picture):
        kind = "a signal" if isinstance(saved.scene, Signal) else "a 3D scene"
        raise InputError(f"{what} is for pictures, and this run is of {kind}; its frames and report show what it has")
    return saved.view


def _view_named(saved: Saved, word: str) -> View:
    """The view of a 3D scene that a word names, or a number from 1."""
    if not isinstance(saved.scene, PosedScene | Shape):
        raise InputError("--view is for 3D scenes, and this run is of a picture or a signal")
    views = saved.scene.every_view if isinstance(saved.scene, PosedScene) else saved.scene.views()
    named = {view.name: view for view in views}
    if word in named:
        return named[word]
    if word.isdecimal() and 1 <= int(word) <= len(views):
        return views[int(word) - 1]
    raise InputError(f"there is no view {word!r} among the {len(views)} of this scene{did_you_mean(word, named)}")


def region_extent(region: Region, height: int, width: int) -> Extent:
    """A region of a picture of that size in image coordinates.

    Raises:
        InputError: when it leaves the picture.
    """
    left, top, wide, high = region
    if wide <= 0 or high <= 0:
        raise InputError(
            "--region takes left, top, width and height as shares of the picture, the last two above 0; these are "
            f"{wide:g} and {high:g}"
        )
    inside = left >= 0 and top >= 0 and wide > 0 and high > 0 and left + wide <= 1 + 1e-9 and top + high <= 1 + 1e-9
    if not inside:
        raise InputError(
            "--region takes left, top, width and height as shares of the picture, such as 0.4 0.4 0.2 0.2; "
            "this one leaves the picture"
        )
    _, _, across, down = picture_extent(height, width)
    return left * across, top * down, (left + wide) * across, (top + high) * down


def _to_image(values: Float[np.ndarray, "h w c"]) -> UInt8[np.ndarray, "h w 3"] | UInt8[np.ndarray, "h w 4"]:
    """What a field says as a picture's bytes: RGB, or RGBA where it has an alpha, which files want straight.

    >>> _to_image(np.array([[[0.25, 0.5]]])).tolist()
    [[[128, 128, 128, 128]]]
    """
    if values.shape[-1] % 2:
        return to_rgb(values)
    alpha = values[..., -1:]
    colour = values[..., :-1] / np.clip(alpha, 1 / 510, 1)  # where alpha is less than that, its byte is 0
    return np.concatenate((to_rgb(colour), to_rgb(alpha)[..., :1]), axis=-1)


def analyze(folder: RunFolder, *, step: int | None = None, reporter: Reporter | None = None) -> dict[str, Any]:
    """Explain the missing detail of a run anew, from its newest checkpoint or that of `step`.

    The newest replaces the run's analysis and report; another step's goes to `analysis/step<N>/`.

    Returns:
        `path` of the analysis, `step`, `report` (None before the run's first end), and the verdict and summary as in
        run.json.

    Raises:
        InputError: as `open_run` does.
    """
    reporter = reporter or Silent()
    saved = open_run(folder, step, reporter)
    progress = partial(reporter.working, "drawing the reconstruction")
    views = saved.scene.views()[:1] if isinstance(saved.scene, Shape) else saved.scene.views()
    drawn = [view.draw(saved.field, device=saved.device, progress=progress) for view in views]
    newest = saved.step == checkpoint_steps(folder.checkpoints)[-1]
    path = analysis_path(folder, saved.step)
    summary = look_at(saved.scene).explain(
        path,
        saved.field,
        drawn,
        seed=saved.config.seed,
        progress=lambda done: reporter.working("explaining missing detail", done),
    )
    if newest and folder.ended:
        write_json(folder.result_file, folder.result() | summary)
    return {"path": str(path), "report": refresh_report(folder, saved.step), "step": saved.step, **summary}


def refresh_report(folder: RunFolder, step: int) -> str | None:
    """Write a run's report anew after something was found of a step, if that is the newest.

    Returns:
        The report's path; None before the run's first end.
    """
    if folder.ended and step == checkpoint_steps(folder.checkpoints)[-1]:
        write_report(folder)
    return str(folder.report) if folder.report.exists() else None
