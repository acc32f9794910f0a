"""The installation: one name, from this checkout or a wheel that holds all of it, and nothing unwanted came along."""

import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
import venv
import zipfile
from importlib.metadata import Distribution, PackageNotFoundError, distribution, distributions, version
from pathlib import Path

import pytest
import torch

import fieldlens
from fieldlens import cli
from fieldlens.studies.runs.record import installed_versions

ROOT = Path(__file__).resolve().parent.parent
FOLDERS = sorted(link.name for link in (ROOT / "fieldlens").iterdir() if link.is_symlink())
"""The folders at the top that are imported as `fieldlens.NAME`."""
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


def built(source: Path, target: str, folder: Path) -> Path:
    """The wheel or sdist of the tree in `source`, written into `folder`."""
    pytest.importorskip("hatchling", reason="hatchling, which builds the wheel, is not installed; ./check installs it")
    command = [sys.executable, "-m", "hatchling", "build", "--target", target, "--directory", str(folder)]
    build = subprocess.run(command, cwd=source, capture_output=True, text=True, check=False)
    assert build.returncode == 0, build.stderr
    (file,) = folder.iterdir()
    return file


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> zipfile.ZipFile:
    return zipfile.ZipFile(built(ROOT, "wheel", tmp_path_factory.mktemp("wheel")))


def output_of(command: list[str], folder: Path) -> str:
    """What a command prints when run in `folder`, as a person runs it there: without our PYTHONPATH."""
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    run = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    return run.stdout


def test_started_in_another_folder_each_package_is_imported_from_this_checkout(
    installed: Distribution, tmp_path: Path
) -> None:
    script = (
        "import importlib, json\n"
        f"print(json.dumps([importlib.import_module(f'fieldlens.{{name}}').__file__ for name in {FOLDERS}]))"
    )
    printed = output_of([sys.executable, "-c", script], tmp_path).splitlines()[-1]
    assert json.loads(printed) == [str(ROOT / "fieldlens" / name / "__init__.py") for name in FOLDERS]


def test_the_wheel_fits_a_picture_beside_a_persons_own_modules_of_the_same_names(
    wheel: zipfile.ZipFile, tmp_path: Path
) -> None:
    """Into an empty environment: only what fieldlens requires is lent, by a path that finds no editable install."""
    environment, own = tmp_path / "environment", tmp_path / "own"
    venv.create(environment, symlinks=True)
    python = str(environment / "bin" / "python")
    install = [sys.executable, "-m", "pip", "--python", python, "install", "--quiet", "--no-deps", "--no-index"]
    output_of([*install, str(wheel.filename)], tmp_path)
    (packages,) = environment.glob("lib/*/site-packages")
    (packages / "lent.pth").write_text("\n".join(path for path in sys.path if path.endswith("-packages")))

    (own / "configs").mkdir(parents=True)
    for name in ("configs/__init__.py", *(f"{name}.py" for name in FOLDERS if name != "configs")):
        (own / name).write_text("raise ImportError('a module of the person, which is none of our business')\n")
    (own / "use.py").write_text("import fieldlens.analysis\nprint(fieldlens.analysis.__file__)\n")
    assert output_of([python, "use.py"], own) == f"{packages / 'fieldlens' / 'analysis' / '__init__.py'}\n"

    small = ["--max-side", "16", "--steps", "2", "--network.depth", "2", "--network.width", "16", "--json"]
    fit = [python, "-m", "fieldlens", "fit", "astronaut", *small]
    result = json.loads(output_of(fit, own).splitlines()[-1])
    assert result["steps"] == 2
    assert Path(own, result["report"]).is_file()
    assert output_of([str(environment / "bin" / "fieldlens"), "--version"], own) == f"fieldlens {PROJECT['version']}\n"


def test_the_version_is_that_of_pyproject_wherever_it_is_told(
    installed: Distribution, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["--version"]) == 0
    told = [fieldlens.__version__, installed_versions()["fieldlens"], capsys.readouterr().out.split()[-1]]
    assert told == [PROJECT["version"]] * 3


def test_the_changelog_begins_with_the_version_that_is_here() -> None:
    changes = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    versions = re.findall(r"^## (\S+)", changes, re.MULTILINE)
    assert versions[0] == PROJECT["version"]


def test_an_sdist_builds_the_same_wheel(wheel: zipfile.ZipFile, tmp_path: Path) -> None:
    shutil.unpack_archive(built(ROOT, "sdist", tmp_path / "sdist"), tmp_path / "tree")
    (tree,) = (tmp_path / "tree").iterdir()
    again = zipfile.ZipFile(built(tree, "wheel", tmp_path / "wheel"))
    assert {name: again.read(name) for name in again.namelist()} == {
        name: wheel.read(name) for name in wheel.namelist()
    }


def test_the_command_is_installed(installed: Distribution) -> None:
    commands = {entry.name: entry.value for entry in installed.entry_points if entry.group == "console_scripts"}
    assert commands == {"fieldlens": "fieldlens.cli:main"}


def test_the_wheel_puts_one_name_into_an_environment(wheel: zipfile.ZipFile) -> None:
    tops = {name.partition("/")[0] for name in wheel.namelist()}
    assert {top for top in tops if not top.endswith(".dist-info")} == {"fieldlens"}


def test_the_wheel_holds_every_file_of_the_packages(wheel: zipfile.ZipFile) -> None:
    package = ROOT / "fieldlens"
    folders = (package, *(package / name for name in FOLDERS))
    files = (path for folder in folders for path in folder.rglob("*") if path.is_file())
    wanted = {path.relative_to(ROOT).as_posix() for path in files if "__pycache__" not in path.parts}
    kinds = {Path(name).suffix for name in wanted}
    assert {".py", ".html", ".css", ".js", ".yaml"} <= kinds
    assert wanted <= set(wheel.namelist())


def test_the_wheel_holds_the_presets_of_each_verb(wheel: zipfile.ZipFile) -> None:
    assert {f"fieldlens/configs/presets/{name}.yaml" for name in ("fit/authors", "compare/demo")} <= set(
        wheel.namelist()
    )


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
