"""What is in an output folder: its runs and comparisons, those that are damaged too, and their removal.

It reads small files alone, and imports nothing heavy: thousands of runs are listed while torch would be imported.
"""

import os
import shutil
import stat
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Literal, TypeAlias

from fieldlens.configs.errors import InputError, counted
from fieldlens.configs.files import numbered, read_json, unfinished
from fieldlens.configs.holding import held, writer_of
from fieldlens.configs.names import COMPARISON, CONFIG, SWEEP
from fieldlens.configs.records import from_json
from fieldlens.configs.run import CompareConfig, FitConfig
from fieldlens.configs.storage import read_config

Kind: TypeAlias = Literal["run", "comparison"]

TARGET = "target.npz"
"""What every run keeps from its first moment on."""

COMPARED = {COMPARISON: ("compare.json", "runs"), SWEEP: ("sweep.json", "scenes")}
"""What a comparison and a sweep keep their choices in; beside it, what they write last, and a folder that they have."""

DEEPEST = 6
"""Folders below the output folder in which runs are looked for; those of a study lie deepest."""


@dataclass(frozen=True)
class Listed:
    """A run or a comparison, in a line."""

    path: Path
    kind: Kind
    scene: str
    """Its folder's name where its files do not say."""
    encoding: str
    """Of a comparison those of its runs."""
    network: str
    psnr_db: float | None
    """Of a comparison that of its best run; None where there is none yet, the fit has diverged, or it has several
    scenes or seeds."""
    steps: int | None
    """That were taken, as far as they were saved; of a comparison by its longest run."""
    state: str
    """`done`, `interrupted`, `diverged`, `not ended` where it can be resumed, `not begun` where it was ended before it
    could be, `being written`, or `damaged`."""
    note: str
    """What is damaged, who is writing, or how many runs of a comparison have ended."""
    modified: float
    """When its numbers, or else its choices, were written: seconds since 1970."""
    size_bytes: int
    """Of all files in it."""


@dataclass(frozen=True)
class _Numbers:
    """What a line says of run.json."""

    scene: str
    encoding: str
    network: str
    psnr_db: float | None
    steps: int
    stopped_because: str


def listed(output_dir: Path) -> list[Listed]:
    """Every run and comparison below a folder, the newest last; the runs within a comparison are in its line.

    Raises:
        InputError: when there is no such folder.
    """
    if not output_dir.is_dir():
        raise InputError(f"there is no folder {str(output_dir)!r}; name one in which `fieldlens fit` has written")
    lines = list[Listed]()
    for path, kind in _found(output_dir, DEEPEST):
        with suppress(FileNotFoundError):  # somebody has deleted it since it was found
            lines.append(line(path, kind))
    return sorted(lines, key=lambda one: one.modified)


def _found(folder: Path, depth: int) -> Iterator[tuple[Path, Kind]]:
    kind = kind_of(folder)
    if kind is not None:
        yield folder, kind
    elif depth:
        try:
            below = sorted(entry.name for entry in os.scandir(folder) if entry.is_dir(follow_symlinks=False))
        except OSError:  # not ours to read
            return
        for name in below:
            if not name.startswith("."):
                yield from _found(folder / name, depth - 1)


def kind_of(folder: Path) -> Kind | None:
    """What a folder is; None where it is neither a run, however damaged, nor a comparison or a sweep."""
    if _compared(folder) is not None:
        return "comparison"
    return "run" if _is_file(folder / TARGET) or (_is_file(folder / CONFIG) and _is_file(folder / "run.json")) else None


def _compared(folder: Path) -> str | None:
    """What a comparison or a sweep keeps its choices in; None of any other folder."""
    return next(
        (name for name, (_, part) in COMPARED.items() if _is_file(folder / name) and (folder / part).is_dir()), None
    )


def _is_file(path: Path) -> bool:
    try:
        return stat.S_ISREG(os.lstat(path).st_mode)
    except OSError:
        return False


def line(path: Path, kind: Kind) -> Listed:
    """What is said of a run or a comparison, whatever state it is in."""
    choices = _compared(path) or CONFIG
    read, result = (_run, "run.json") if kind == "run" else (_comparison, COMPARED[choices][0])
    numbers, state, note = _Numbers(_scene_of(path), "", "", None, 0, ""), "damaged", ""
    try:
        numbers, state, note = read(path)
    except InputError as damage:
        note = str(damage)
    if (writer := writer_of(path)) is not None:
        state, note = "being written", writer
    times = [file.stat().st_mtime for name in (result, choices, TARGET) if _is_file(file := path / name)]
    return Listed(
        path=path,
        kind=kind,
        scene=numbers.scene,
        encoding=numbers.encoding,
        network=numbers.network,
        psnr_db=numbers.psnr_db,
        steps=numbers.steps or None,
        state=state,
        note=note,
        modified=times[0] if times else path.stat().st_mtime,
        size_bytes=_size(path),
    )


def _scene_of(path: Path) -> str:
    """The folder that is named after the scene, as `outputs/SCENE/ENCODING/TIME` has it."""
    return path.absolute().parent.parent.name


def _run(path: Path) -> tuple[_Numbers, str, str]:
    config, result = path / CONFIG, path / "run.json"
    if _is_file(result):
        numbers = _numbers(result)
        states = {"interrupted": "interrupted", "diverged": "diverged"}
        return numbers, states.get(numbers.stopped_because, "done"), ""
    if not config.exists():
        return _Numbers(_scene_of(path), "", "", None, 0, ""), "not begun", ""
    chosen = read_config(config, FitConfig)
    saved = numbered(path / "checkpoints", ".safetensors")
    scene = _scene_of(path) if not chosen.scene else Path(chosen.scene).stem
    numbers = _Numbers(scene, str(chosen.encoding), str(chosen.network), None, saved[-1] if saved else 0, "")
    return numbers, "not ended", ""


def _comparison(path: Path) -> tuple[_Numbers, str, str]:
    choices = _compared(path) or COMPARISON
    chosen = read_config(path / choices, CompareConfig)
    runs = [file for file in sorted(path.glob("runs/*/run.json")) if _is_file(file)]
    numbers, damaged = list[_Numbers](), list[str]()
    for file in runs:
        try:
            numbers.append(_numbers(file))
        except InputError as damage:
            damaged.append(str(damage))
    many = sum(1 for _ in path.glob(f"runs/*/{CONFIG}"))
    state = "done" if _is_file(path / COMPARED[choices][0]) else "not ended"
    one_scene = choices == COMPARISON
    scored = [one.psnr_db for one in numbers if one.psnr_db is not None and one_scene]
    together = _Numbers(
        scene=numbers[0].scene if numbers and one_scene else _scene_of(path),
        encoding=" ".join(map(str, chosen.encodings)),
        network=" ".join(map(str, chosen.networks)),
        psnr_db=max(scored, default=None),
        steps=max((one.steps for one in numbers), default=0),
        stopped_because="",
    )
    return together, "damaged" if damaged else state, "; ".join(damaged) or f"{len(numbers)} of {counted(many, 'run')}"


def _numbers(file: Path) -> _Numbers:
    found = read_json(file)
    try:
        return from_json(_Numbers, {part.name: found[part.name] for part in fields(_Numbers) if part.name in found})
    except (KeyError, TypeError, ValueError):
        raise InputError(f"{str(file)!r} is damaged, or of another version of fieldlens") from None


def _size(folder: Path) -> int:
    """Bytes of all files in a folder and below."""
    total = 0
    for place, _, names in os.walk(folder):
        for name in names:
            try:
                total += os.lstat(os.path.join(place, name)).st_size
            except OSError:  # it went meanwhile
                continue
    return total


def deletable(word: str) -> tuple[Path, Kind]:
    """The run or comparison that a word names, and which of them it is, if it may be deleted.

    Raises:
        InputError: where it is neither, is a link, is a part of a comparison, or is being written.
    """
    path = Path(word)
    if path.is_symlink():
        raise InputError(f"{word!r} is a link; name the folder that it leads to")
    kind = kind_of(path)
    if kind is None:
        problem = "is no run folder and no comparison" if path.exists() else "does not exist"
        raise InputError(f"{word!r} {problem}; nothing was deleted")
    above = next((above for above in path.absolute().parents if kind_of(above) == "comparison"), None)
    if above is not None:
        raise InputError(f"{word!r} is a part of a comparison; delete {str(above)!r} as a whole")
    for folder in (path, *(inside.parent for inside in path.glob(f"runs/*/{CONFIG}"))):
        if (writer := writer_of(folder)) is not None:
            raise InputError(f"{word!r} is in use: {writer}; nothing was deleted")
    return path, kind


def delete(paths: Sequence[Path], output_dir: Path) -> None:
    """Delete folders that `deletable` gave, and the folders above them, below `output_dir`, that are empty then.

    A folder loses its name first: what is left when the process is killed is never taken for a run.

    Raises:
        InputError: when one is being written by now, or cannot be deleted.
    """
    for path in paths:
        whole = path.absolute()
        gone = unfinished(whole)
        try:
            with held(path):
                whole.rename(gone)
            shutil.rmtree(gone)
        except OSError as error:
            raise InputError(f"cannot delete {str(path)!r}: {error.strerror}") from None
        for above in whole.parents:
            if output_dir.absolute() not in above.parents:
                break
            try:
                above.rmdir()
            except OSError:  # it is not empty
                break


def table(lines: Sequence[Listed], now: float | None = None) -> list[str]:
    """Runs and comparisons as lines of text, the words that they have in common above each other.

    Args:
        now: seconds since 1970.
    """
    now = time.time() if now is None else now
    head = ("scene", "encoding", "network", "dB", "steps", "state", "age", "size", "folder")
    rows = [head, *(_cells(one, now) for one in lines)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(head) - 1)]
    right = {3, 4, 6, 7}
    return [
        "  ".join(
            [
                *(
                    cell.rjust(width) if column in right else cell.ljust(width)
                    for column, (cell, width) in enumerate(zip(row, widths, strict=False))
                ),
                row[-1],
            ]
        )
        for row in rows
    ]


def _cells(one: Listed, now: float) -> tuple[str, ...]:
    said = one.state if one.kind == "run" or one.state == "damaged" else f"{one.state}, {one.note}"
    folder = f"{one.path}  ({one.note})" if one.note and one.state in ("damaged", "being written") else str(one.path)
    return (
        _short(one.scene, 24),
        _short(one.encoding if one.kind == "run" else f"compare: {one.encoding}", 36),
        _short(one.network, 16),
        "" if one.psnr_db is None else f"{one.psnr_db:.2f}",
        "" if one.steps is None else f"{one.steps:,}",
        said,
        age(now - one.modified),
        size(one.size_bytes),
        folder,
    )


def _short(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[: most - 3]}..."


def age(seconds: float) -> str:
    """How long ago something was, roughly.

    >>> [age(seconds) for seconds in (3, 200, 7000, 200_000, 40_000_000)]
    ['now', '3 min', '1 h', '2 days', '462 days']
    """
    for unit, length in (("days", 86_400), ("h", 3600), ("min", 60)):
        if seconds >= (2 * length if unit == "days" else length):
            return f"{int(seconds // length)} {unit}"
    return "now"


def size(count: int) -> str:
    """A number of bytes, roughly.

    >>> [size(count) for count in (0, 999, 1500, 31_400_000, 2_000_000_000)]
    ['0 kB', '1 kB', '2 kB', '31 MB', '2.0 GB']
    """
    if count >= 1e9:
        return f"{count / 1e9:.1f} GB"
    return f"{count / 1e6:.0f} MB" if count >= 1e6 else f"{-(-count // 1000)} kB"
