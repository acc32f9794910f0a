"""Whether two folders of runs hold the same, but for what tells time and place."""

import csv
import io
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from safetensors.torch import load

TIMED = {"seconds", "samples_per_s", "drawing_seconds"}
"""Numbers of a clock."""
PLACED = {"path", "report", "video", "table_file", "summary_file", "fits_file"}
"""Where the folder lies."""


def held_by(folder: Path) -> dict[str, Any]:
    """By name, what the files below a folder hold, without what tells time or place; of checkpoints the newest.

    A report is only known to be there, and so are charts, since they show what the files beside them hold, and times.
    """
    files = sorted(file for file in folder.rglob("*") if file.is_file() and file.name != "manifest.sha256")
    newest = {file.parent: file for file in files if file.suffix == ".safetensors"}
    return {
        str(file.relative_to(folder)): _READ.get(file.suffix, _plain)(file.read_bytes())
        for file in files
        if file.suffix != ".safetensors" or newest[file.parent] == file
    }


def _plain(data: bytes) -> bytes:
    return data


def _table(data: bytes) -> list[dict[str, str]]:
    rows = csv.DictReader(io.StringIO(data.decode()))
    return [{name: value for name, value in row.items() if name not in TIMED | PLACED} for row in rows]


def _json(data: bytes) -> Any:
    return _timeless(json.loads(data))


def _timeless(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _timeless(item) for key, item in value.items() if key not in TIMED | PLACED}
    return [_timeless(item) for item in value] if isinstance(value, list) else value


def _state(data: bytes) -> dict[str, tuple[str, bytes]]:
    return {name: (str(value.dtype), value.numpy().tobytes()) for name, value in load(data).items()}


def _there(_data: bytes) -> None:
    return None


_READ: Mapping[str, Callable[[bytes], Any]] = {
    ".csv": _table,
    ".json": _json,
    ".safetensors": _state,
    ".html": _there,
    ".md": _there,
    ".svg": _there,
    ".pdf": _there,
}
