"""fit, compare, open, analyze and explain, with the command line's words as keyword arguments."""

import inspect
import os
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias, Unpack, get_args, overload

from fieldlens.configs.encoding import Encoding, Own
from fieldlens.configs.errors import InputError
from fieldlens.configs.names import COMPARISON, CONFIG, SWEEP
from fieldlens.configs.run import CompareConfig, FitConfig

from ..terminal.signals import interruptible
from ..verbs import compare as compare_verb
from ..verbs import fit as fit_verb
from ..verbs.options import check_output_dir
from .keywords import CompareKeywords, FitKeywords
from .mistakes import in_keywords
from .networks import NetworkExplained, Question, ask_network, explain_network
from .runs import Answered, Comparison, Run
from .settings import beginning_of, defaults_of, making_of, with_settings
from .sweeps import Sweep
from .watching import watching

if TYPE_CHECKING:
    from torch import nn

    from fieldlens.analysis import Cells, Confusion, Kernel, SurrogateCells
    from fieldlens.analysis.networks.relu_network import Encode
    from fieldlens.studies.questions.explanation import ExplainedAnew
    from fieldlens.studies.runs.answers import Answer

SceneLike: TypeAlias = Any
"""A word or path, as the command line takes it, or a picture: a NumPy array or a torch tensor, (h, w) or (h, w, c) with
channels last. Floats are from 0 to 1, integers of 8 or 16 bits span that."""


EncodingLike: TypeAlias = str | Encoding | Callable[[Any], Any]
"""An encoding's word, its record, or a function of one's own: points (n, d) to features (n, k), by torch's operations.
"""

RunLike: TypeAlias = str | os.PathLike[str] | Run
"""A run, its folder, or "latest"."""


@in_keywords
def fit(scene: SceneLike = "", *, progress: bool = True, **choices: Unpack[FitKeywords]) -> Run:
    """Fit a small neural network to a picture or a 3D scene, as `fieldlens fit` does, and give the finished run.

        run = fieldlens.fit("photo.jpg", encoding="fourier:8", seconds=20)
        run = fieldlens.fit(array, encoding="raw", network="4x64", steps=500, output_dir="mine")
        run = fieldlens.fit(resume="latest", steps=2000)

    The first interruption (Ctrl-C, or a notebook's stop) ends training, and what there is is explained and reported.
    A picture that is given as numbers is kept in the folder's target.npz, from which the fit goes on; in the
    configuration its scene is called "array".

    Args:
        scene: what to fit; a path, a built-in name such as "astronaut" or "demo:teapot", or a picture as numbers.
        progress: whether to show how it goes on: in a notebook as a picture, else on standard error.
        choices: the options of the command line by their names, with underscores; `fieldlens fit --help` has their
            texts. The network is a word, such as network="4x128".

    Raises:
        InputError: with a sentence for what cannot be used, and what to do instead.
    """
    from fieldlens.fields.own_encoding import made_ready
    from fieldlens.fitting import Controls

    word, picture = _scene(scene)
    settings: dict[str, Any] = dict(choices)
    begun = fit_verb.begin(beginning_of(settings), set(settings))
    config = with_settings(begun.default, {**word, **settings}, "fit")
    if "encoding" in settings:
        config = replace(config, encoding=made_ready(config.encoding))
    controls = Controls()
    with watching(progress) as reporter, interruptible(lambda: setattr(controls, "stop", True)):
        record = begun.fit(config, set(settings), reporter, controls, picture)
    return Run(record.path, config.encoding if isinstance(config.encoding, Own) else None)


@in_keywords
def compare(scene: Any = "", *, progress: bool = True, **choices: Unpack[CompareKeywords]) -> Comparison | Sweep:
    """Fit one or several pictures or 3D scenes under several encodings or networks, as `fieldlens compare` does.

        fieldlens.compare("photo.jpg", encodings=["raw", "fourier:8"], steps=1000)
        fieldlens.compare(["photo.jpg", "astronaut"], encodings=["raw", "fourier:8"], seeds=3, workers=2)

    Args:
        scene: as `fit` takes it, or a list of several; a folder of pictures is all of them.
        progress: as `fit` takes it.
        choices: the options of the command line by their names, with underscores; those of several words are lists.

    Returns:
        A `Comparison` of one scene with one seed, and of several scenes or with several seeds a `Sweep`.

    Raises:
        InputError: with a sentence for what cannot be used, and what to do instead.
    """
    from fieldlens.fitting import Controls
    from fieldlens.studies.sweeps.sweep import SweepRecord

    words, pictures = _scenes(scene)
    settings: dict[str, Any] = dict(choices)
    making = making_of(settings)
    begun = compare_verb.begin(beginning_of(settings), set(settings))
    config = begun.chosen(with_settings(begun.default, {**words, **settings}, "compare"), set(settings), pictures)
    controls, executor = Controls(), making.executor(config.training.threads or 1)
    with watching(progress) as reporter, interruptible(lambda: setattr(controls, "stop", True)):
        record = begun.compare(config, set(settings), reporter, controls, pictures, executor=executor)
    kind = Sweep if isinstance(record, SweepRecord) else Comparison
    return kind(record.path, _own(config.encodings))


@in_keywords
def open(
    run: str | os.PathLike[str] = "latest",
    *,
    output_dir: str | Path = "outputs",
    encoding: EncodingLike | Sequence[EncodingLike] = (),
) -> Run | Comparison | Sweep:
    """A run or a comparison that was made before, by its folder; "latest" is the newest of both below `output_dir`.

    Args:
        encoding: of one's own, a function or a word such as "mine.py:waves", of a run that was made with it; of a
            comparison it may be several. It is compared with what the folder keeps, which is never run.

    Raises:
        InputError: when there is no such folder, or it was made with another encoding.
    """
    from fieldlens.fields.own_encoding import made_ready
    from fieldlens.studies.runs import compare as comparisons
    from fieldlens.studies.runs import folder

    given = encoding if isinstance(encoding, list | tuple) else [encoding]
    named = [made_ready(with_settings(FitConfig(), {"encoding": one}, "fit").encoding) for one in given]
    word = os.fspath(run)
    check_output_dir(word, {"output_dir"} if Path(output_dir) != Path("outputs") else ())
    if folder.is_latest(word):
        newest = folder.newest_folder(Path(output_dir), CONFIG, COMPARISON, SWEEP)
        word = word if newest is None else str(newest)
    if (Path(word) / SWEEP).is_file():
        return Sweep(Path(word), _own(named))
    if (Path(word) / COMPARISON).is_file():
        found = comparisons.find_comparison(word, Path(output_dir)).with_encodings(named)
        return Comparison(found.path, found.named)
    fitted = folder.find_run(word, Path(output_dir))
    for one in named:
        fitted = fitted.with_encoding(one)
    return Run(fitted.path, fitted.named)


@overload
def explain(
    run: RunLike = "latest", *, step: int | None = None, progress: bool = True
) -> "Answered[ExplainedAnew]": ...
@overload
def explain(
    run: "nn.Module", picture: SceneLike, *, encode: "Encode | None" = None, seed: int = 0
) -> NetworkExplained: ...
@in_keywords
def explain(
    run: Any = "latest",
    picture: SceneLike = None,
    *,
    encode: "Encode | None" = None,
    seed: int = 0,
    step: int | None = None,
    progress: bool = True,
) -> "Answered[ExplainedAnew] | NetworkExplained":
    """Say what detail is missing, and whether that is where creases are few, or where it could hardly be changed.

        fieldlens.explain("latest")
        fieldlens.explain(model, picture, encode=waves)     # a torch.nn.Sequential of one's own

    Args:
        run: a run, its folder, or "latest"; or a network trained elsewhere, a `torch.nn.Sequential` of Linear and ReLU
            or LeakyReLU in turns, which gives a pixel's values for the coordinates of its centre.
        picture: for a network, what it was trained on: a word or path, or numbers.
        encode: for a network, what was done to coordinates (n, 2) before its first layer, in torch's operations.
        seed: for a network, of the bootstrap.
        step: for a run, the checkpoint; by default the newest.
        progress: for a run, whether to show how it goes on.

    Raises:
        InputError: with a sentence for what cannot be used.
    """
    if _is_network(run):
        if step is not None:
            raise InputError("a network has no checkpoints; leave out step")
        return explain_network(run, _picture(picture), encode, seed)
    _refuse_of_networks(picture, encode, seed)
    return _run(run).explain(step=step, progress=progress)


@overload
def analyze(run: RunLike = "latest", *, progress: bool = True, **asked: Any) -> "Answered[Answer]": ...
@overload
def analyze(
    run: "nn.Module", picture: SceneLike, *, encode: "Encode | None" = None, seed: int = 0, **asked: Any
) -> "Cells | SurrogateCells | Confusion | Kernel | NetworkExplained": ...
@in_keywords
def analyze(
    run: Any = "latest",
    picture: SceneLike = None,
    *,
    encode: "Encode | None" = None,
    seed: int = 0,
    progress: bool = True,
    **asked: Any,
) -> Any:
    """Ask one question, as `fieldlens analyze` does, with its options as keywords; without one, as `explain` does.

        fieldlens.analyze("latest", cells=True, region=(0.4, 0.1, 0.1, 0.1))
        fieldlens.analyze("latest", slice="z=0.5")
        fieldlens.analyze(model, picture, encode=waves, confusion=True)

    A run keeps what is found in its folder, and its report shows it. Of a network trained elsewhere it is given as
    `fieldlens.analysis` has it; `cells`, with a `region`, `confusion` and `kernel` can be asked of one.

    Args:
        run: a run, its folder, or "latest"; or a network trained elsewhere, as `explain` takes it.
        picture: for a network, what it was trained on.
        encode: for a network, what was done to coordinates before its first layer.
        seed: for a network, of what is drawn at random.
        progress: for a run, whether to show how it goes on.

    Raises:
        InputError: with a sentence for what cannot be used, and what to do instead.
    """
    if not _is_network(run):
        _refuse_of_networks(picture, encode, seed)
        return _run(run).analyze(progress=progress, **asked)
    questions = [name for name in get_args(Question) if asked.pop(name, False)]
    region = asked.pop("region", None)
    if asked or len(questions) > 1 or (region is not None and questions != ["cells"]):
        raise InputError("of a network ask one of cells, with or without a region, confusion and kernel")
    if not questions:
        return explain_network(run, _picture(picture), encode, seed)
    of_region = {} if region is None else {"region": region}
    return ask_network(run, _picture(picture), encode, questions[0], seed=seed, **of_region)


def _refuse_of_networks(picture: SceneLike, encode: Any, seed: int) -> None:
    if picture is not None or encode is not None or seed != 0:
        raise InputError("a run has its picture, its encoding and its seed; leave out picture, encode and seed")


def _own(encodings: Iterable[Encoding]) -> tuple[Own, ...]:
    return tuple(encoding for encoding in encodings if isinstance(encoding, Own))


def _run(run: Any) -> Run:
    found = run if isinstance(run, Run | Comparison | Sweep) else open(run)
    if isinstance(found, Comparison | Sweep):
        raise InputError(
            f"{str(found.folder)!r} is a comparison: ask one of its runs, as in comparison.runs[0].explain()"
        )
    return found


def _scene(scene: SceneLike) -> tuple[dict[str, Any], Any]:
    """The choice of a scene, and the picture where it is given as numbers."""
    if isinstance(scene, str | os.PathLike):
        return ({"scene": os.fspath(scene)} if os.fspath(scene) else {}), None
    from fieldlens.scenes.load import ARRAY

    return {"scene": ARRAY}, _numbers(scene)


def _scenes(scene: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    """The choice of one scene or several, and the pictures that are given as numbers, by the words for them."""
    one = not isinstance(scene, list | tuple) or any(isinstance(part, list | tuple | int | float) for part in scene)
    if one:
        word, picture = _scene(scene)
        alone = {**word, "more_scenes": ()} if word else {}
        return alone, {} if picture is None else {word["scene"]: picture}
    words, pictures = list[str](), dict[str, Any]()
    for part in scene:
        word, picture = _scene(part)
        words.append(word.get("scene", ""))
        if picture is not None:
            words[-1] = f"{words[-1]} {len(pictures) + 1}"
            pictures[words[-1]] = picture
    return {"scene": words[0] if words else "", "more_scenes": words[1:]}, pictures


def _picture(scene: SceneLike) -> Any:
    """A picture's values (h, w, c) in [0, 1].

    Raises:
        InputError: when it cannot be read, or is no picture.
    """
    if scene is None:
        raise InputError("of a network, give the picture that it was trained on as well")
    from fieldlens.scenes.load import load, picture_in
    from fieldlens.scenes.picture import Picture

    if not isinstance(scene, str | os.PathLike):
        return picture_in(_numbers(scene)).views()[0].target()
    loaded = load(os.fspath(scene))
    if not isinstance(loaded, Picture):
        raise InputError(f"a network is explained by a picture, and {os.fspath(scene)!r} is none")
    return loaded.views()[0].target()


def _numbers(picture: Any) -> Any:
    """A tensor as an array, wherever it is; anything else as it is."""
    torch = sys.modules.get("torch")  # whoever has a tensor has imported it
    if torch is not None and isinstance(picture, torch.Tensor):
        picture = picture.detach().cpu()
        return (picture.float() if picture.dtype == torch.bfloat16 else picture).numpy()
    return picture


def _is_network(run: Any) -> bool:
    torch = sys.modules.get("torch")
    return torch is not None and isinstance(run, torch.nn.Module)


def _tell_keywords(function: Callable[..., Any], keywords: type, known: Mapping[str, Any]) -> None:
    """Let `help` and an editor that asks Python show each keyword with what it is by default."""
    before, kind = inspect.signature(function), inspect.Parameter.KEYWORD_ONLY
    named = [
        inspect.Parameter(name, kind, default=known.get(name), annotation=annotation)
        for name, annotation in inspect.get_annotations(keywords).items()
    ]
    given = [part for part in before.parameters.values() if part.kind is not inspect.Parameter.VAR_KEYWORD]
    function.__signature__ = before.replace(parameters=[*given, *named])  # type: ignore[attr-defined]


_tell_keywords(fit, FitKeywords, defaults_of(FitConfig()))
_tell_keywords(compare, CompareKeywords, defaults_of(CompareConfig()))
