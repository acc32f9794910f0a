"""Run folders of which a file was spoilt, is missing, or is of something else; and their checkpoints."""

import copy
import json
import pickle
import random
import struct
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import Any

from fieldlens.configs.errors import InputError
from fieldlens.configs.manifest import MANIFEST
from fieldlens.fitting import TrainingState, initial_state
from fieldlens.studies.questions.rendering import image_of
from fieldlens.studies.runs.checkpoints import DamagedCheckpointError, read_checkpoint
from fieldlens.studies.runs.fit import run, start
from fieldlens.studies.runs.folder import RunFolder
from fieldlens.studies.runs.metrics import drawn_rows
from fieldlens.studies.runs.saved import open_run
from tests.support.runs import small_config, small_picture

from .case import EITHER, REFUSED, Case, Kind, spoilt

RUN = ("config.yaml", "target.npz", "run.json", "metrics.csv", MANIFEST)
"""Files that are read when a run is asked something, beside its checkpoints."""
NEWEST, OLDER = "checkpoints/0000008.safetensors", "checkpoints/0000000.safetensors"


@lru_cache
def whole_run() -> Mapping[str, bytes]:
    """By their names, the files of a run that a question needs."""
    with tempfile.TemporaryDirectory() as place:
        config = small_config(small_picture(Path(place) / "small.png", 8, 6), Path(place), steps=8)
        config = replace(config, output=replace(config.output, frames="every:4", quick=True))
        folder = start(config, Path(place) / "run")
        run(folder)
        return {name: (folder.path / name).read_bytes() for name in (*RUN, OLDER, NEWEST)}


def read(path: Path) -> Any:
    """The steps of a run by its numbers and by the checkpoint that it is drawn from, after its curves were read."""
    folder = RunFolder(path)
    record = folder.record()
    drawn_rows(folder)
    saved = open_run(folder)
    image_of(saved)
    return [record.steps, saved.step]


def cases() -> Iterator[Case]:
    """All of run folders."""
    whole = whole_run()
    yield Case("good_run", whole, [8, 8])
    for name in RUN[:4]:
        yield Case(_plain(f"without_{name}"), {key: data for key, data in whole.items() if key != name})
    yield Case("without_the_newest_checkpoint", {key: data for key, data in whole.items() if key != NEWEST}, [8, 0])
    yield Case("without_checkpoints", {key: data for key, data in whole.items() if key not in (NEWEST, OLDER)})
    yield Case("without_a_manifest", {key: data for key, data in whole.items() if key != MANIFEST}, [8, 8])
    for name in RUN[:4]:  # a digest tells of any byte, but for the file that a person may edit
        for case in spoilt(name, whole[name], EITHER if name == "config.yaml" else REFUSED):
            told = name != "config.yaml" and case.content != whole[name]
            yield _with(case, whole, name, REFUSED if told else EITHER)
            bare = {key: data for key, data in whole.items() if key != MANIFEST}
            yield _with(replace(case, name=f"no_manifest_{case.name}"), bare, name, EITHER)
    for case in spoilt("newest.safetensors", whole[NEWEST]):
        yield _with(case, whole, NEWEST, [8, 0] if case.content != whole[NEWEST] else [8, 8])
    for case in spoilt(MANIFEST, whole[MANIFEST]):
        yield _with(case, whole, MANIFEST, EITHER)
    for name in ("target.npz", "metrics.csv", "run.json"):
        yield _with(
            Case(f"{name}_a_folder", b""),
            {key: data for key, data in whole.items() if key != name},
            f"{name}/x",
            REFUSED,
        )


def _plain(name: str) -> str:
    """As a folder's, which has no ending."""
    return name.replace(".", "_")


def _with(case: Case, files: Mapping[str, bytes], name: str, ends: Any) -> Case:
    """The files of a run with that of a case in place of one of them."""
    assert isinstance(case.content, bytes)
    return Case(_plain(case.name), {**files, name: case.content}, ends)


RUNS = Kind("runs", read, cases)


def read_state(path: Path) -> Any:
    """The step of a folder's one checkpoint, for the run that it was made by."""
    file = path / Path(NEWEST).name
    try:
        state = copy.deepcopy(_state())
        read_checkpoint(file, state)
    except DamagedCheckpointError as damage:
        raise InputError(f"{str(file)!r} is damaged: {damage}") from None
    return state.step


@lru_cache
def _state() -> TrainingState:
    """Of the run before its first step."""
    with tempfile.TemporaryDirectory() as place:
        for name in ("config.yaml", "target.npz"):
            (Path(place) / name).write_bytes(whole_run()[name])
        folder = RunFolder(Path(place))
        return initial_state(folder.config(), folder.scene())


def _safetensors(header: Any, data: bytes = b"", length: int | None = None) -> bytes:
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<Q", len(text) if length is None else length) + text + data


def state_cases() -> Iterator[Case]:
    """Of checkpoints."""
    whole, name = whole_run()[NEWEST], Path(NEWEST).name
    size = int.from_bytes(whole[:8], "little")
    header, data = json.loads(whole[8 : 8 + size]), whole[8 + size :]
    first = next(key for key in header if key != "__metadata__")
    metadata = header["__metadata__"]
    yield Case("good_state", {name: whole}, 8)
    yield Case("state_of_another_step", {name: whole_run()[OLDER]})
    for case in spoilt("state.safetensors", whole):
        ends = REFUSED if case.content != whole else 8
        yield _with(case, {}, name, ends)
    for number in range(12):  # one bit, anywhere
        flipped = bytearray(whole)
        at = random.Random(number).randrange(len(whole))
        flipped[at] ^= 1 << (number % 8)
        yield Case(f"bit_{number}_of_a_state", {name: bytes(flipped)})
    changed: dict[str, Any] = {
        "no_metadata": {key: value for key, value in header.items() if key != "__metadata__"},
        "metadata_a_list": {**header, "__metadata__": [1]},
        "no_digest": {**header, "__metadata__": {key: value for key, value in metadata.items() if key != "digest"}},
        "step_of_another": {**header, "__metadata__": {**metadata, "step": "9"}},
        "schema_of_tomorrow": {**header, "__metadata__": {**metadata, "schema": "fieldlens checkpoint 9"}},
        "tensor_missing": {key: value for key, value in header.items() if key != first},
        "tensor_beyond": {**header, first: {**header[first], "data_offsets": [0, 10**15]}},
        "tensor_before": {**header, first: {**header[first], "data_offsets": [-9, 0]}},
        "shape_huge": {**header, first: {**header[first], "shape": [10**9, 10**9]}},
        "type_unknown": {**header, first: {**header[first], "dtype": "F7"}},
        "a_list": [header],
    }
    for label, one in changed.items():
        yield Case(f"state_{label}", {name: _safetensors(one, data)})
    for label, content in {
        "empty": b"",
        "of_a_byte": b"\x08",
        "a_pickle": pickle.dumps({"a": 1}),
        "header_longer_than_the_file": _safetensors(header, data, 2**63),
        "header_of_brackets": _safetensors(b"[" * 90_000),
        "header_of_noise": _safetensors(bytes(range(256))),
        "header_of_zeros": bytes(4000),
        "text": b"version https://git-lfs.github.com/spec/v1",
    }.items():
        yield Case(f"state_{label}", {name: content})


STATES = Kind("checkpoints", read_state, state_cases)
