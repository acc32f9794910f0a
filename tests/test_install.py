"""The installation: packages come from this checkout, the wheel holds all of them, and nothing unwanted came along."""

import json
import os
import re
import subprocess
import sys
import tomllib
import zipfile
from importlib.metadata import Distribution, PackageNotFoundError, distribution, distributions, version
from pathlib import Path

import pytest
import torch

from tests.conftest import PACKAGES

ROOT = Path(__file__).resolve().parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
IN_CI = os.environ.get("CI") == "true"


def normal(name: str) -> str:
    """A distribution's name as package indexes compare them (PEP 503)."""
    return re.sub(r"[-_.]+", "-", name).lower()


def pins() -> dict[str, str]:
    """The versions in constraints.txt by normalised name."""
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    pairs = (line.split("==") for line in lines if line and not line.startswith("#"))
    return {normal(name): pinned for name, pinned in pairs}


def requirements() -> set[str]:
    """The normalised names of all that pyproject.toml asks for, those of its extras and fieldlens itself with them."""
    extras = PROJECT["optional-dependencies"].values()
    wanted = [*PROJECT["dependencies"], *(requirement for extra in extras for requirement in extra)]
    return {normal(re.split(r"[\[<>=!~ ]", requirement)[0]) for requirement in wanted}


@pytest.fixture(scope="module")
def installed() -> Distribution:
    try:
        return distribution("fieldlens")
    except PackageNotFoundError:
        pytest.skip("fieldlens is not installed in this environment; ./check installs it")


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> zipfile.ZipFile:
    pytest.importorskip("hatchling", reason="hatchling, which builds the wheel, is not installed; ./check installs it")
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(folder)]
    build = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert build.returncode == 0, build.stderr
    return zipfile.ZipFile(next(folder.glob("*.whl")))


def test_started_in_another_folder_each_package_is_imported_from_beside_fieldlens(
    installed: Distribution, tmp_path: Path
) -> None:
    script = (
        "import importlib, json\n"
        f"print(json.dumps({{name: importlib.import_module(name).__file__ for name in {PACKAGES}}}))"
    )
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    run = subprocess.run(
        [sys.executable, "-c", script], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
    )
    assert run.returncode == 0, run.stderr
    assert json.loads(run.stdout.splitlines()[-1]) == {name: str(ROOT / name / "__init__.py") for name in PACKAGES}


def test_the_installed_distribution_is_kept_off_package_indexes(installed: Distribution) -> None:
    assert "Private :: Do Not Upload" in (installed.metadata.get_all("Classifier") or [])


def test_the_command_is_installed(installed: Distribution) -> None:
    commands = {entry.name: entry.value for entry in installed.entry_points if entry.group == "console_scripts"}
    assert commands == {"fieldlens": "fieldlens.cli:main"}


def test_the_wheel_holds_the_packages_and_no_other_folder(wheel: zipfile.ZipFile) -> None:
    tops = {name.partition("/")[0] for name in wheel.namelist()}
    assert {top for top in tops if not top.endswith(".dist-info")} == set(PACKAGES)


def test_the_wheel_holds_every_file_of_the_packages(wheel: zipfile.ZipFile) -> None:
    files = (path for package in PACKAGES for path in (ROOT / package).rglob("*") if path.is_file())
    wanted = {path.relative_to(ROOT).as_posix() for path in files if "__pycache__" not in path.parts}
    kinds = {Path(name).suffix for name in wanted}
    assert {".py", ".html", ".css", ".js", ".yaml"} <= kinds
    assert wanted <= set(wheel.namelist())


def test_the_wheel_holds_the_presets_of_each_verb(wheel: zipfile.ZipFile) -> None:
    assert {"configs/presets/fit/authors.yaml", "configs/presets/compare/demo.yaml"} <= set(wheel.namelist())


def test_the_wheel_carries_the_licence(wheel: zipfile.ZipFile) -> None:
    (licence,) = [name for name in wheel.namelist() if name.endswith("/LICENSE")]
    assert wheel.read(licence) == (ROOT / "LICENSE").read_bytes()


def test_all_that_is_asked_for_is_pinned() -> None:
    assert requirements() - pins().keys() == {"fieldlens"}


def test_constraints_record_versions_and_no_addresses() -> None:
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    assert [line for line in lines if not re.fullmatch(r"#.*|[\w.-]+==[\w.]+", line)] == []


def test_the_environment_of_check_holds_exactly_the_pinned_versions() -> None:
    if Path(sys.prefix) != ROOT / ".venv":
        pytest.skip("these tests run in an environment other than the one ./check makes")
    # A pin names the public version; the index may serve a build of it, as in 2.13.0+cpu.
    found = {normal(d.name): d.version.partition("+")[0] for d in distributions()}
    assert {name: at for name, at in found.items() if name not in ("pip", "fieldlens")} == pins()


def test_without_a_gpu_no_gpu_package_came_along() -> None:
    """Several gigabytes come with the CUDA build of torch, and whatever pulls another torch pulls that build."""
    if torch.cuda.is_available():
        pytest.skip("this machine has a GPU")
    if torch.version.cuda and not IN_CI and version("torch").partition("+")[0] == pins()["torch"]:
        pytest.skip("the package index in use serves torch's CUDA build; CONTRIBUTING.md says how to use the other")
    assert [d.name for d in distributions() if d.name.lower().startswith(("nvidia", "triton"))] == []


def test_torchvision_and_torchaudio_did_not_come_along() -> None:
    """They pin a torch of their own."""
    assert {normal(d.name) for d in distributions()} & {"torchvision", "torchaudio"} == set()
