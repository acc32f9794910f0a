"""What a sweep fits: the scenes that words name, kept in its folder, so that it needs the words' files no more."""

import hashlib
import os
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from fieldlens.configs.files import write_json
from fieldlens.configs.names import COMPARISON, CONFIG, SWEEP
from fieldlens.configs.network import Network
from fieldlens.configs.records import read_json_as, to_json
from fieldlens.configs.run import CompareConfig, FitConfig
from fieldlens.configs.space import Space
from fieldlens.render.files import write_npz
from fieldlens.scenes.builtin import BUILTINS
from fieldlens.scenes.captures.transforms import LONE, PICTURES, TRAIN
from fieldlens.scenes.load import restore, sort_of
from fieldlens.scenes.scene import Scene
from fieldlens.studies.runs.fit import load_scene
from fieldlens.studies.runs.reporter import Reporter

LISTED = "scenes.json"
"""What says which scenes a folder keeps."""

DRAWN_BY_SEED = ("signal", "mesh")
"""Sorts of scenes that are another with another seed: a signal's phases are drawn by it, and a solid's points."""


@dataclass(frozen=True)
class Fitted:
    """A scene of a sweep."""

    word: str
    """As it was named; an array's has a number."""
    seed: int | None
    """The seed that it was drawn by; None where it is the same for all."""
    name: str
    """What it is called in tables, and no other is."""
    digest: str
    """Of its numbers (`digest_of`)."""


@dataclass(frozen=True)
class FittedScenes:
    """All scenes of a sweep: scenes.json, beside which each lies as an npz."""

    scenes: tuple[Fitted, ...]

    def of(self, config: FitConfig) -> Fitted:
        """The scene of a fit."""
        return next(one for one in self.scenes if one.word == config.scene and one.seed in (None, config.seed))


def named_scenes(config: CompareConfig) -> CompareConfig:
    """A comparison with the pictures of a folder in its place, where it names one without cameras."""
    scenes = [one for word in config.scenes for one in (_pictures_in(word) or [word])]
    return replace(config, scene=scenes[0] if scenes else "", more_scenes=tuple(scenes[1:]))


def _pictures_in(word: str) -> list[str]:
    """The pictures that lie in a folder, by name; none where it is none, has cameras beside them, or is a run's.

    A folder that is called as a built-in picture is not meant, nor is one that cannot be read.
    """
    folder, others = Path(word), (TRAIN, LONE, CONFIG, COMPARISON, SWEEP)
    try:
        if word in BUILTINS or not os.path.isdir(folder) or any((folder / name).exists() for name in others):
            return []
        files = (file for file in folder.iterdir() if file.suffix.lower() in PICTURES and not file.name.startswith("."))
        return sorted(map(str, files))
    except OSError:
        return []


def keep_scenes(
    folder: Path,
    configs: Sequence[FitConfig],
    reporter: Reporter,
    networks: Sequence[Network] = (),
    typed: Collection[str] = (),
    arrays: Mapping[str, Any] | None = None,
) -> FittedScenes:
    """Load the scenes of fits, and keep each as an npz in a folder; what is in scenes.json is written last.

    Args:
        configs: a fit of each scene with each seed is enough.
        networks: what they are to be fitted by.
        typed: choices that a person made, even where they are those by default.
        arrays: pictures that are given as numbers, by their words.

    Raises:
        InputError: for a scene that cannot be read, a choice that has no effect on one, or two that cannot be told
            apart.
    """
    arrays, found = arrays or {}, dict[tuple[str, int | None], Fitted]()
    for number, config in enumerate(configs):
        word = config.scene
        seed = config.seed if word not in arrays and sort_of(word, config.space) in DRAWN_BY_SEED else None
        if (word, seed) in found:
            continue
        reporter.working("reading what is fitted", number / len(configs))
        scene = load_scene(config, reporter, networks, typed, arrays.get(word))
        parts = scene.to_npz_arrays()
        if word in arrays:
            parts["name"] = np.array(word)
        found[word, seed] = Fitted(word, seed, str(parts["name"]), digest_of(parts))
        write_npz(_file(folder, found[word, seed]), **parts)
    of_word = {one.word: one.name for one in found.values()}
    count = Counter(of_word.values())
    kept = [replace(one, name=one.name if count[one.name] == 1 else one.word) for one in found.values()]
    scenes = FittedScenes(tuple(kept))
    write_json(folder / LISTED, to_json(scenes))
    return scenes


def kept_scenes(folder: Path) -> FittedScenes:
    """The scenes that a folder keeps.

    Raises:
        InputError: when scenes.json is missing or damaged.
    """
    return read_json_as(folder / LISTED, FittedScenes)


def files_of(folder: Path, config: FitConfig) -> tuple[Path, Path]:
    """The files of a folder that a fit is made from: its scene, and what says which that is.

    Raises:
        InputError: when scenes.json is missing or damaged.
    """
    return folder / LISTED, _file(folder, kept_scenes(folder).of(config))


def scene_of(folder: Path, fitted: Fitted, space: Space, max_pixels: int) -> Scene:
    """A scene that a folder keeps.

    Raises:
        InputError: when it is missing or damaged.
    """
    return restore(_file(folder, fitted), space, max_pixels)


def digest_of(arrays: Mapping[str, np.ndarray]) -> str:
    """SHA-256 of arrays with their names, types and shapes; a file's would be of its compression as well.

    >>> one, other = ({"a": np.zeros(4, np.uint8).reshape(shape)} for shape in ((2, 2), (4, 1)))
    >>> digest_of(one) == digest_of(dict(one)), digest_of(one) == digest_of(other)
    (True, False)
    """
    digest = hashlib.sha256()
    for name, array in sorted(arrays.items()):
        digest.update(f"{name} {array.dtype.str} {array.shape}\n".encode())
        digest.update(np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()


def _file(folder: Path, fitted: Fitted) -> Path:
    return folder / f"{fitted.digest[:16]}.npz"
