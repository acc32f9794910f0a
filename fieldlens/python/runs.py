"""What a fit and a comparison left, as a program looks at it: numbers, pictures, the field itself, and questions.

Heavy libraries are imported inside what needs them.
"""

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, Protocol, TypeVar, overload, runtime_checkable

from fieldlens.configs.encoding import Own
from fieldlens.configs.errors import InputError

from ..verbs.analyze import AnalyzeArguments, answer_of, question_of
from .mistakes import in_keywords
from .showing import comparison_html, found_html, run_html
from .watching import watching

if TYPE_CHECKING:
    import numpy as np
    from jaxtyping import Float
    from PIL.Image import Image
    from torch import Tensor

    from fieldlens.configs.run import CompareConfig, FitConfig
    from fieldlens.studies.questions.explanation import ExplainedAnew
    from fieldlens.studies.runs.answers import Answer
    from fieldlens.studies.runs.compare import ComparisonRecord
    from fieldlens.studies.runs.folder import RunFolder
    from fieldlens.studies.runs.record import RunRecord
    from fieldlens.studies.runs.saved import Saved


@runtime_checkable
class Telling(Protocol):
    """What says in lines what it is."""

    @property
    def lines(self) -> list[str]:
        """For a person."""
        ...


Found = TypeVar("Found", bound=Telling)

POINTS_AT_ONCE = 1 << 16
"""Of `Run.field`."""


@dataclass(frozen=True, eq=False, repr=False)
class Answered(Generic[Found]):
    """What a question found. It shows itself as the sentences that the command line prints, with its drawing."""

    found: Found
    """The numbers, as a record of its own type."""

    @property
    def lines(self) -> list[str]:
        """For a person."""
        return self.found.lines

    def __repr__(self) -> str:
        return "\n".join(self.lines)

    def _repr_html_(self) -> str:
        return found_html(self.found, self.lines)


@dataclass(frozen=True, repr=False)
class Run:
    """A fit in its folder. In a notebook it shows what was learnt, its numbers and its report."""

    folder: Path
    encoding: Own | None = dataclasses.field(default=None, compare=False)
    """An encoding of one's own that it was made with, named again: what a folder holds is never run."""
    _newest: "dict[tuple[int, ...], Saved]" = dataclasses.field(default_factory=dict, init=False, compare=False)
    """The newest checkpoint that was opened, by the steps that there were."""

    @property
    def record(self) -> "RunRecord":
        """All numbers of the finished fit, as run.json has them.

        Raises:
            InputError: when it has not ended yet, or the file is damaged.
        """
        return self._folder.record()

    @property
    def config(self) -> "FitConfig":
        """Every choice that it was made with."""
        return self._folder.config()

    @property
    def name(self) -> str:
        """Encoding and network in their words, and the optimizer where it is not adam."""
        return self.config.name

    @property
    def psnr_db(self) -> float | None:
        """PSNR of the training pixels in dB; None of a fit that has diverged."""
        return self.record.psnr_db

    @property
    def report(self) -> Path:
        """The page with everything: open it in a browser."""
        return self._folder.report

    @overload
    def field(
        self, points: "Float[Tensor, '*batch d']", directions: Any = None, *, step: int | None = None
    ) -> "Float[Tensor, '*batch c']": ...
    @overload
    def field(
        self, points: "np.ndarray | Sequence[Any]", directions: Any = None, *, step: int | None = None
    ) -> "np.ndarray": ...
    def field(self, points: Any, directions: Any = None, *, step: int | None = None) -> Any:
        """What the trained network gives at points, without gradients.

        A picture's points are (x, y): x to the right and y down, and its longer side spans [0, 1], so the centre of
        pixel (row i, column j) is ((j + 0.5) / N, (i + 0.5) / N) with N pixels along that side. A signal's are (x) in
        [0, 1]. A 3D scene's are (x, y, z) in its cube, which spans [0, 1].

        Args:
            points: (..., d), an array or a tensor; values come as the same.
            directions: (..., 3) of a radiance field: the unit directions of view, in the scene's coordinates. It gives
                red, green, blue and density per side of the cube, four numbers for each point.
            step: the checkpoint; by default the newest.

        Returns:
            Values (..., c) in float32.

        Raises:
            InputError: for points of another dimension, directions of another shape, and directions where there are
                none or none are given.
        """
        import numpy as np
        import torch

        from fieldlens.fields import RadianceField, position_of

        saved = self._opened(step)
        field, device = saved.field, saved.device
        given = torch.as_tensor(np.asarray(points, np.float32) if not isinstance(points, torch.Tensor) else points)
        radiance = isinstance(field, RadianceField)
        if radiance != (directions is not None):
            missing = "give directions (..., 3)" if radiance else "leave out directions"
            raise InputError(f"only a radiance field looks different from each direction: {missing}")
        dim = position_of(field).encoding.dim
        if given.ndim == 0 or given.shape[-1] != dim:
            raise InputError(f"points of this run are (..., {dim}), and these are {tuple(given.shape)}")
        inputs = [given] if directions is None else [given, _for_each(given, directions)]
        flat = [part.reshape(-1, part.shape[-1]).to(device, torch.float32) for part in inputs]
        with torch.no_grad():
            parts = [
                torch.column_stack(field.radiance(*some)) if radiance else field(*some)
                for some in zip(*(part.split(POINTS_AT_ONCE) for part in flat), strict=True)
            ]
        values = torch.cat(parts)
        values = values.reshape(*given.shape[:-1], values.shape[-1])  # of no points, too
        return values.to(given.device) if isinstance(points, torch.Tensor) else values.cpu().numpy()

    def target(self) -> "np.ndarray":
        """What was fitted, (h, w, c) in float32: the picture, or a 3D scene's first view."""
        return self._opened(None).view.target()

    @in_keywords
    def picture(
        self,
        *,
        scale: float = 1.0,
        region: tuple[float, float, float, float] = (0.0, 0.0, 1.0, 1.0),
        view: str | None = None,
        step: int | None = None,
    ) -> "Image":
        """The field as a picture, which a notebook shows; `numpy.asarray` of it are its bytes.

        Args:
            scale: pixels to draw for each pixel of the picture, along each side.
            region: left, top, width and height of what to draw, as shares of the picture.
            view: of a 3D scene, the view's name or its number from 1.
            step: the checkpoint; by default the newest.

        Raises:
            InputError: when there is no such view or checkpoint, or the picture would be too large.
        """
        from PIL.Image import fromarray

        from fieldlens.studies.questions.rendering import image_of

        return fromarray(image_of(self._opened(step), scale=scale, region=region, view=view))

    @in_keywords
    def explain(self, *, step: int | None = None, progress: bool = True) -> "Answered[ExplainedAnew]":
        """Explain anew what is missing; the newest checkpoint's replaces the run's own explanation and report.

        Raises:
            InputError: when there is no such checkpoint, or the folder cannot be written.
        """
        from fieldlens.studies.questions.explanation import analyze

        with watching(progress) as reporter:
            return Answered(analyze(self._folder, step=step, reporter=reporter))

    @in_keywords
    def analyze(self, *, progress: bool = True, **asked: Any) -> "Answered[Answer]":
        """Ask one question of the run, as `fieldlens analyze` does, with its options as keywords.

            run.analyze(cells=True, region=(0.4, 0.1, 0.1, 0.1))
            run.analyze(slice="z=0.5"), run.analyze(kernel=True), run.analyze(confusion=True)

        Raises:
            InputError: for options that do not go together, and for a question that is not for such a scene.
        """
        from fieldlens.configs.space import parse_slice

        plane = asked.get("slice")
        arguments = _asked({**asked, "slice": parse_slice(plane) if isinstance(plane, str) else plane})
        question = question_of(arguments, set(asked))
        with watching(progress) as reporter:
            return Answered(answer_of(self._folder, arguments, question, reporter))

    def __str__(self) -> str:
        record = self._folder.finished_record()
        return f"{self.folder}: a fit that has not ended yet" if record is None else "\n".join(record.lines)

    def __repr__(self) -> str:
        return f"<Run {self.folder}: {str(self).splitlines()[0]}>"

    def _repr_html_(self) -> str:
        return run_html(self._folder)

    @property
    def _folder(self) -> "RunFolder":
        from fieldlens.studies.runs.folder import RunFolder

        return RunFolder(self.folder, self.encoding)

    def _opened(self, step: int | None) -> "Saved":
        """A checkpoint; the newest is kept, until the fit has gone on and there is a newer one."""
        from fieldlens.studies.runs.checkpoints import checkpoint_steps
        from fieldlens.studies.runs.saved import open_run

        if step is not None:
            return open_run(self._folder, step)
        steps = tuple(checkpoint_steps(self._folder.checkpoints))
        if steps not in self._newest:
            self._newest.clear()
            self._newest[steps] = open_run(self._folder)
        return self._newest[steps]


@dataclass(frozen=True, repr=False)
class Comparison:
    """A comparison in its folder. In a notebook it shows all runs side by side, their table and the report."""

    folder: Path
    encodings: tuple[Own, ...] = dataclasses.field(default=(), compare=False)
    """Encodings of one's own that it was made with, named again."""

    @property
    def runs(self) -> "Sequence[Run]":
        """Its fits, in the order in which they were named."""
        return [Run(folder.path, folder.named) for folder in self._comparison.runs()]

    @property
    def config(self) -> "CompareConfig":
        """Every choice that it was made with."""
        return self._comparison.config()

    @property
    def record(self) -> "ComparisonRecord":
        """What it found, as compare.json has it.

        Raises:
            InputError: when it has not ended yet, or the file is damaged.
        """
        return self._comparison.record()

    @property
    def report(self) -> Path:
        """All runs on one page: open it in a browser."""
        return self._comparison.report

    def __str__(self) -> str:
        ended = self._comparison.result_file.is_file()
        return "\n".join(self.record.lines) if ended else f"{self.folder}: a comparison that has not ended yet"

    def __repr__(self) -> str:
        return f"<Comparison {self.folder}: {len(self.runs)} runs>"

    def _repr_html_(self) -> str:
        return comparison_html(self._comparison)

    @property
    def _comparison(self) -> Any:
        from fieldlens.studies.runs import compare

        return compare.Comparison(self.folder, self.encodings)


def _for_each(points: "Tensor", directions: Any) -> "Tensor":
    """Directions (..., 3), one for each of the points.

    Raises:
        InputError: when they are of another shape.
    """
    import torch

    given = torch.as_tensor(directions, dtype=torch.float32)
    try:
        return given.expand(*points.shape[:-1], 3)
    except RuntimeError:
        wanted, got = (*points.shape[:-1], 3), tuple(given.shape)
        raise InputError(f"directions of these points are {wanted}, or one for all (3,), and not {got}") from None


def _asked(options: dict[str, Any]) -> AnalyzeArguments:
    """The options of `fieldlens analyze`.

    Raises:
        InputError: where there is no such option.
    """
    from fieldlens.configs.errors import did_you_mean

    known = {key.name for key in dataclasses.fields(AnalyzeArguments)} - {"run", "encoding", "output_dir", "json"}
    for name in options:
        if name not in known:
            raise InputError(f"there is nothing to analyze that is called {name!r}{did_you_mean(name, known)}")
    return AnalyzeArguments(**options)
