"""Processes that are killed, as it were, at a moment that a test chooses."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest


class KilledError(BaseException):
    """The process went."""


def kill_at(monkeypatch: pytest.MonkeyPatch, target: Path) -> None:
    """End the process when this file, whole by then, is to get its name."""

    def replace_or_die(source: Path, destination: Path, whole: Callable[..., None] = os.replace) -> None:
        if Path(destination) == target:
            raise KilledError
        whole(source, destination)

    monkeypatch.setattr("os.replace", replace_or_die)
