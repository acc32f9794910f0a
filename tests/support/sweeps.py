"""Small sweeps, and what their fits may have found, for the tests of what is made of it."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from fieldlens.configs.encoding import Fourier, Raw
from fieldlens.configs.network import Network
from fieldlens.configs.run import CompareConfig, FitConfig, Output, Training
from fieldlens.studies.runs import fit
from fieldlens.studies.runs.folder import RunFolder
from fieldlens.studies.sweeps import page
from fieldlens.studies.sweeps.plan import Method, Planned
from fieldlens.studies.sweeps.scores import Finding, Scores
from tests.support.runs import small_picture, small_record


def small_sweep(tmp_path: Path, pictures: int = 2, seeds: int = 2, **changes: object) -> CompareConfig:
    """Pictures under two encodings, each of whose fits takes a fraction of a second."""
    sizes = [(24, 32), (20, 20), (32, 16)][:pictures]
    files = [str(small_picture(tmp_path / f"picture{number}.png", *size)) for number, size in enumerate(sizes)]
    choices = {
        "scene": files[0],
        "more_scenes": tuple(files[1:]),
        "training": Training(steps=8, batch_size=64, device="cpu"),
        "output": Output(output_dir=tmp_path / "outputs", frames="every:8", quick=True),
        "encodings": (Raw(), Fourier(3)),
        "networks": (Network(width=8, depth=2),),
        "seeds": seeds,
    }
    return CompareConfig(**{**choices, **changes})  # type: ignore[arg-type]


def without_charts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave out the charts of a sweep, which take longer than small fits; test_page.py has them made."""
    monkeypatch.setattr(page, "drawings", lambda _scores: {})


def without_drawings(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave out charts and the films of fits in this process."""
    without_charts(monkeypatch)
    monkeypatch.setattr(fit, "write_films", lambda *_: fit.Films(None, None, {}, []))


def method(label: str) -> Method:
    """A method that is called so."""
    return Method(label, f"{label} 4x128")


def scores_from(values: Mapping[str, Mapping[str, Sequence[float | None]]], **numbers: object) -> Scores:
    """Scores of fits whose PSNR is known: by method, by picture, one for each seed."""
    findings = [
        Finding(
            Planned(FitConfig(scene=picture, seed=seed), picture, method(label), f"{label} {picture} {seed}"),
            RunFolder(Path("runs") / f"{label} {picture} {seed}"),
            small_record(encoding=label, psnr_db=psnr_db, **numbers),
        )
        for label, of_method in values.items()
        for picture, seeds in of_method.items()
        for seed, psnr_db in enumerate(seeds)
    ]
    pictures = list(dict.fromkeys(picture for of_method in values.values() for picture in of_method))
    return Scores([method(label) for label in values], pictures, findings)
