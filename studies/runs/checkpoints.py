"""Checkpoints: a training state in a safetensors file that carries its own digest. Nothing is ever unpickled."""

import hashlib
import json
import math
import struct
from collections.abc import Container, Iterable, Iterator
from pathlib import Path

from safetensors import SafetensorError
from safetensors.torch import load, save
from torch import Tensor

from fieldlens.configs.errors import InputError
from fieldlens.configs.files import numbered, numbered_file, read_bytes, remove, write_bytes
from fieldlens.fitting import TrainingState

SCHEMA = "fieldlens checkpoint 1"
ENDING = ".safetensors"
KEPT = 2


class DamagedCheckpointError(Exception):
    """A checkpoint is not what was written, or no moment of a fit."""


def checkpoint_steps(folder: Path) -> list[int]:
    """The steps that have a checkpoint, rising."""
    return numbered(folder, ENDING)


def checkpoint_file(folder: Path, step: int) -> Path:
    """Where the checkpoint of a step lies."""
    return numbered_file(folder, step, ENDING)


def write_checkpoint(folder: Path, state: TrainingState, kept: Container[int] = ()) -> None:
    """Save a state, and drop all but the newest two and those of the steps in `kept`."""
    tensors = state.tensors()
    metadata = {"schema": SCHEMA, "step": str(state.step), "seconds": repr(state.seconds)}
    if state.seen is not None:
        metadata["seen"] = str(state.seen)
    metadata["digest"] = _digest(tensors, metadata)
    write_bytes(checkpoint_file(folder, state.step), save(tensors, metadata))
    for step in checkpoint_steps(folder)[:-KEPT]:
        if step not in kept:
            remove(checkpoint_file(folder, step))


def read_checkpoint(path: Path, state: TrainingState) -> None:
    """Restore `state` from a checkpoint.

    Raises:
        DamagedCheckpointError: when the file is truncated or altered, or holds what no fit writes.
        InputError: when it is whole but of another program, version or network.
    """
    data = read_bytes(path)
    try:
        (length,) = struct.unpack("<Q", data[:8])
        metadata = json.loads(data[8 : 8 + length])["__metadata__"]
        digest = metadata.pop("digest")
        tensors = load(data)
        whole = digest == _digest(tensors, metadata)
    except (SafetensorError, ValueError, KeyError, TypeError, AttributeError, RecursionError, struct.error) as error:
        raise DamagedCheckpointError(str(error) or type(error).__name__) from None
    if not whole:
        raise DamagedCheckpointError("its digest does not match")
    if metadata.get("schema") != SCHEMA:
        raise InputError(f"{str(path)!r} is of another version of fieldlens ({metadata.get('schema')!s:.40})")
    try:
        step, seconds = int(metadata["step"]), float(metadata["seconds"])
        seen = int(metadata["seen"]) if "seen" in metadata else None
    except (KeyError, ValueError, TypeError):
        raise DamagedCheckpointError("it does not say of which moment it is") from None
    if path.name != checkpoint_file(path.parent, step).name:
        raise DamagedCheckpointError(f"it is of step {step}")
    if not (math.isfinite(seconds) and seconds >= 0):
        raise DamagedCheckpointError(f"it says that it took {seconds} s")
    if seen is not None and seen < 0:
        raise DamagedCheckpointError(f"it says that it was trained on {seen} points")
    try:
        state.restore(tensors, step, seconds, seen)
    except ValueError as error:
        if isinstance(error, InputError):
            raise InputError(f"{str(path)!r} does not fit: {error}") from None
        raise DamagedCheckpointError(str(error)) from None


def read_newest(folder: Path, state: TrainingState, step: int | None = None) -> list[str]:
    """Restore `state` from the newest whole checkpoint, or from that of `step`.

    Returns:
        A sentence for each damaged checkpoint that was passed over.

    Raises:
        InputError: when none is left, or the one asked for is missing or damaged.
    """
    steps = checkpoint_steps(folder)
    if step is not None and step not in steps:
        there = ", ".join(map(str, steps)) or "none"
        raise InputError(f"there is no checkpoint of step {step} in {str(folder)!r}; there are: {there}")
    passed_over: list[str] = []
    for candidate in reversed(steps if step is None else [step]):
        path = checkpoint_file(folder, candidate)
        try:
            read_checkpoint(path, state)
            return passed_over
        except DamagedCheckpointError as error:
            passed_over.append(f"the checkpoint {path.name} is damaged ({error}): an older one is used")
    if passed_over:
        raise InputError(
            f"every checkpoint in {str(folder)!r} is damaged; put back a copy of one, or delete that folder, and "
            "`fieldlens fit --resume` begins anew"
        )
    raise InputError(f"there is no checkpoint in {str(folder)!r}: the run ended before its first")


def read_each(folder: Path, state: TrainingState, steps: Iterable[int]) -> Iterator[int]:
    """Restore `state` from one checkpoint after the other and give its step; damaged ones are passed over.

    Raises:
        InputError: when one is of another network.
    """
    for step in steps:
        try:
            read_checkpoint(checkpoint_file(folder, step), state)
        except DamagedCheckpointError:
            continue
        yield step


def _digest(tensors: dict[str, Tensor], metadata: dict[str, str]) -> str:
    """SHA-256 over the metadata and the tensors' names, types, shapes and bytes."""
    digest = hashlib.sha256(json.dumps(metadata, sort_keys=True).encode())
    for name in sorted(tensors):
        value = tensors[name]
        digest.update(f"{name} {value.dtype} {tuple(value.shape)}".encode())
        digest.update(value.contiguous().numpy().tobytes())
    return digest.hexdigest()
