"""What a worker does in its own disk's peculiar moments; real workers are in test_cluster.py."""

import os
from contextlib import nullcontext
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch

from fieldlens.fitting import Controls
from fieldlens.studies.making import on_worker
from fieldlens.studies.making.on_worker import Errand, Home, make_on_worker
from fieldlens.studies.making.parcel import packed, unpack
from tests.support.made_fits import fitted, planned


def test_a_disk_that_refuses_to_delete_what_was_just_read_loses_no_fit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own, study = tmp_path / "worker", Path("study")
    own.mkdir()
    worker = SimpleNamespace(local_directory=str(own), log_event=lambda *_: None)
    monkeypatch.setattr(on_worker, "get_worker", lambda: worker)
    monkeypatch.setattr(on_worker, "_wanted", lambda _: nullcontext(Controls()))
    remove, refused = os.unlink, []

    def busy(path: Any, **others: Any) -> None:
        if os.fspath(path).endswith("weights.bin"):
            refused.append(path)
            raise OSError(16, "Device or resource busy")
        remove(path, **others)

    monkeypatch.setattr(os, "unlink", busy)
    elsewhere = Home(str(tmp_path / "nowhere"), str(tmp_path / "nowhere" / "mark"))
    errand = Errand(0, "topic", torch.get_num_threads(), elsewhere, study)
    answer = make_on_worker(errand, fitted, planned(study, 1)[0], packed(study, ()))
    assert refused, "it was asked to be deleted"
    assert answer.folder is not None
    unpack(answer.folder, tmp_path / "home")
    assert (tmp_path / "home" / "seed 0" / "weights.bin").stat().st_size > 0
