"""The field of a finished run, drawn at any size, whole or in a region."""

from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from jaxtyping import Float, UInt8

from fieldlens.configs.errors import InputError, did_you_mean
from fieldlens.configs.names import folder_name
from fieldlens.render.colour import to_rgb
from fieldlens.render.files import PICTURE_ENDINGS, require_ending, write_picture
from fieldlens.render.grid import Extent, picture_extent
from fieldlens.scenes.scene import View
from fieldlens.studies.runs.folder import RunFolder
from fieldlens.studies.runs.reporter import Reporter, Silent
from fieldlens.studies.runs.saved import NAME_A_FILE, Saved, open_run

from ..subjects.choice import spatial
from ..subjects.subject import Spatial

MAX_PIXELS = 100_000_000
"""Of one drawing: more would not fit in the memory of a laptop."""

Region = tuple[float, float, float, float]
"""Left, top, width and height as shares of the picture's width and height."""
WHOLE: Region = (0.0, 0.0, 1.0, 1.0)

Image = UInt8[np.ndarray, "h w 3"] | UInt8[np.ndarray, "h w 4"]
"""RGB, or RGBA with straight alpha."""


@dataclass(frozen=True)
class Rendered:
    """A drawing of a field."""

    path: Path
    height: int
    width: int
    step: int

    @property
    def lines(self) -> list[str]:
        """Its size and where it is."""
        return [f"{self.width} x {self.height} px of step {self.step}  {self.path}"]


def render(
    folder: RunFolder,
    *,
    scale: float = 1.0,
    region: Region = WHOLE,
    view: str | None = None,
    step: int | None = None,
    file: Path | None = None,
    reporter: Reporter | None = None,
) -> Rendered:
    """Draw the field of a run with `scale` pixels for each of the picture's, over the whole or a region.

    Where the picture has an alpha, so has the drawing.

    Args:
        view: of a 3D scene, its name or its number from 1; by default the first.
        file: a PNG, JPEG, WebP or TIFF, as its ending says; by default a PNG named by size and step in the run's
            `renders/`.

    Raises:
        InputError: for a run of a signal, a region that leaves the picture, a size that cannot be drawn, a file that
            cannot be written or of another ending, or as `open_run` does.
    """
    reporter = reporter or Silent()
    if file is not None:
        require_ending(file, PICTURE_ENDINGS, "a drawing")
    saved = open_run(folder, step, reporter, into=file.parent if file else folder.renders, otherwise=NAME_A_FILE)
    image = image_of(saved, scale=scale, region=region, view=view, reporter=reporter)
    height, width = image.shape[:2]
    of = "" if view is None else f"_{folder_name(_shown(saved, view).name)}"
    left, top = region[:2]
    file = file or folder.renders / f"step{saved.step:07d}{of}_{width}x{height}_at_{left:g}_{top:g}.png"
    write_picture(file, image)
    return Rendered(file, height, width, saved.step)


def image_of(
    saved: Saved,
    *,
    scale: float = 1.0,
    region: Region = WHOLE,
    view: str | None = None,
    reporter: Reporter | None = None,
) -> Image:
    """What `render` writes: the field of an opened run, with `scale` pixels for each of the picture's.

    Raises:
        InputError: as `render` does.
    """
    if saved.subject.kind == "signal":
        raise InputError("render is for pictures and 3D scenes; a signal's frames and report show its curve")
    shown = _shown(saved, view)
    extent = region_extent(region, shown.height, shown.width)
    _left, _top, wide, high = region
    sides = shown.height * high * scale, shown.width * wide * scale
    if not (min(sides) > 0.5 and sides[0] * sides[1] <= MAX_PIXELS):  # nor does NaN pass
        raise InputError(
            f"{sides[1]:g} x {sides[0]:g} pixels cannot be drawn (at least 1, at most {MAX_PIXELS:,} in all); "
            "choose another --scale or --region"
        )
    height, width = round(sides[0]), round(sides[1])
    progress = partial((reporter or Silent()).working, "drawing")
    return _to_image(shown.draw(saved.field, height, width, extent, device=saved.device, progress=progress))


def _shown(saved: Saved, view: str | None) -> View:
    """The view that a word names; the first where none does."""
    return saved.view if view is None else _view_named(spatial(saved.subject, "--view is"), view)


def _view_named(subject: Spatial, word: str) -> View:
    """The view of a 3D scene that a word names, or a number from 1."""
    views = subject.every_view
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


def _to_image(values: Float[np.ndarray, "h w c"]) -> Image:
    """What a field says as a picture's bytes: RGB, or RGBA where it has an alpha, which files want straight.

    >>> _to_image(np.array([[[0.25, 0.5]]])).tolist()
    [[[128, 128, 128, 128]]]
    """
    if values.shape[-1] % 2:
        return to_rgb(values)
    alpha = values[..., -1:]
    colour = values[..., :-1] / np.clip(alpha, 1 / 510, 1)  # where alpha is less than that, its byte is 0
    return np.concatenate((to_rgb(colour), to_rgb(alpha)[..., :1]), axis=-1)
