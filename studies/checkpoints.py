"""Checkpoints: a training state in a safetensors file that carries its own digest. Nothing is ever unpickled."""

import hashlib
import json
import struct
from pathlib import Path

from safetensors import SafetensorError
from safetensors.torch import load, save
from torch import Tensor

from configs.errors import InputError
from fitting import TrainingState

from .folder import write_bytes

SCHEMA = "fieldlens checkpoint 1"
KEPT = 2


class DamagedCheckpointError(Exception):
    """A checkpoint's bytes are not those that were written."""


def checkpoint_steps(folder: Path) -> list[int]:
    """The steps that have a checkpoint, rising."""
    return sorted(int(file.stem) for file in folder.glob("[0-9]*.safetensors"))


def checkpoint_file(folder: Path, step: int) -> Path:
    """Where the checkpoint of a step lies."""
    return folder / f"{step:07d}.safetensors"


def write_checkpoint(folder: Path, state: TrainingState, keep_all: bool) -> None:
    """Save a state, and drop all but the newest two unless told to keep them."""
    tensors = state.tensors()
    metadata = {
        "schema": SCHEMA,
        "step": str(state.step),
        "seconds": repr(state.seconds),
        "digest": _digest(tensors),
    }
    write_bytes(checkpoint_file(folder, state.step), save(tensors, metadata))
    if not keep_all:
        for step in checkpoint_steps(folder)[:-KEPT]:
            checkpoint_file(folder, step).unlink(missing_ok=True)


def read_checkpoint(path: Path, state: TrainingState) -> None:
    """Restore `state` from a checkpoint.

    Raises:
        DamagedCheckpointError: when the file is truncated or altered.
        InputError: when it is whole but of another program, version or network.
    """
    data = path.read_bytes()
    try:
        (length,) = struct.unpack("<Q", data[:8])
        metadata = json.loads(data[8 : 8 + length]).get("__metadata__", {})
        tensors = load(data)
    except (SafetensorError, ValueError, struct.error, AttributeError) as error:
        raise DamagedCheckpointError(str(error)) from None
    if metadata.get("schema") != SCHEMA:
        raise InputError(f"{str(path)!r} is no checkpoint of this version of fieldlens")
    if metadata.get("digest") != _digest(tensors):
        raise DamagedCheckpointError("the digest does not match")
    state.restore(tensors, int(metadata["step"]), float(metadata["seconds"]))


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
        raise InputError(f"every checkpoint in {str(folder)!r} is damaged")
    raise InputError(f"there is no checkpoint in {str(folder)!r}: the run ended before its first")


def _digest(tensors: dict[str, Tensor]) -> str:
    """SHA-256 over names, types, shapes and bytes."""
    digest = hashlib.sha256()
    for name in sorted(tensors):
        value = tensors[name]
        digest.update(f"{name} {value.dtype} {tuple(value.shape)}".encode())
        digest.update(value.contiguous().numpy().tobytes())
    return digest.hexdigest()
