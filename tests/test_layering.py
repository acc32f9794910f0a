"""The house keeps its layers: each package imports only from lines below its own, never from its neighbour."""

import ast
import importlib.util
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent

LAYERS = (
    {"fieldlens"},
    {"studies"},
    {"report"},
    {"analysis", "fitting"},
    {"scenes"},
    {"fields", "render"},
    {"configs"},
)
"""The packages, highest layer first; those on one line are neighbours. All but the first are `fieldlens.NAME`."""

PACKAGES = set().union(*LAYERS)

WINGS = {
    "fieldlens": ({"python"}, {"verbs"}, {"terminal"}),
    "analysis": (
        {"gradients", "partition"},
        {"creases"},
        {"patterns"},
        {"networks"},
        {"contest"},
        {"detail"},
    ),
    "studies": (
        {"paper", "questions"},
        {"contest", "sweeps"},
        {"making", "live"},
        {"runs"},
        {"subjects"},
        {"foresight"},
    ),
    "scenes": ({"solids"}, {"captures"}, {"pictures", "formats"}),
}
"""The folders within a package that has any, highest line first. What stands in the package itself is the door: it may
import all of them, and none of them imports it."""

BARRED = {"analysis.detail": {"scenes", "fields", "render"}}
"""Packages that a wing does without, although its own package may import them."""

MOST_MODULES = 16
"""In one folder, beside its __init__.py."""

BESIDE = {"tests", "benchmarks", "examples", "docs"}
"""Folders of Python that stand beside the house: they may import anything, and nothing imports them."""

HEAVY = {
    "torch",
    "numpy",
    "scipy",
    "numba",
    "matplotlib",
    "skimage",
    "sklearn",
    "cv2",
    "dask",
    "distributed",
    "imageio",
    "PIL",
    "safetensors",
    "open3d",
    "OpenEXR",
    "pillow_heif",
    "starlette",
    "uvicorn",
}
"""What takes long to import. `--help` must not wait for it, and neither must whoever only reads a configuration."""


@dataclass(frozen=True)
class Import:
    """One import of a module, absolute and dotted."""

    module: str
    line: int
    at_once: bool
    """Whether it happens when the importing module is imported: not inside a function, not for type checkers only."""

    @property
    def inside(self) -> str:
        """Its name in the house, such as render.volume of fieldlens.render.volume; elsewhere its whole name."""
        name = self.module.removeprefix("fieldlens.")
        return name if name.partition(".")[0] in PACKAGES else self.module

    @property
    def top(self) -> str:
        return self.inside.partition(".")[0]

    @property
    def bare(self) -> bool:
        """Whether a package of the house is imported as if it were the only one of its name in the world."""
        return self.module.partition(".")[0] in PACKAGES - {"fieldlens"}

    @property
    def wing(self) -> str:
        """The name below the top one; empty where the top itself is imported."""
        return self.inside.partition(".")[2].partition(".")[0]


def imports_of(source: str, package: str) -> list[Import]:
    """All imports in a module of `package`, those inside functions and those by `import_module("...")` as well."""
    inside = package if package.partition(".")[0] in {"fieldlens", *BESIDE} else f"fieldlens.{package}"
    return list(_imports(ast.parse(source), inside, at_once=True))


def _imports(node: ast.AST, package: str, at_once: bool) -> Iterator[Import]:
    match node:
        case ast.Import(names=names):
            yield from (Import(name.name, node.lineno, at_once) for name in names)
        case ast.ImportFrom(module=module, level=level, names=names):
            name = importlib.util.resolve_name("." * level + (module or ""), package)
            of_house = [f"{name}.{part.name}" for part in names] if name == "fieldlens" else [name]
            yield from (Import(imported, node.lineno, at_once) for imported in of_house)
        case ast.Call(func=called, args=[ast.Constant(value=str(name)), *_]) if _imports_by_name(called):
            yield Import(importlib.util.resolve_name(name, package), node.lineno, at_once)
        case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.Lambda():
            at_once = False
        case ast.If(test=ast.Name(id="TYPE_CHECKING") | ast.Attribute(attr="TYPE_CHECKING")):
            for child in node.body:
                yield from _imports(child, package, at_once=False)
            for child in node.orelse:
                yield from _imports(child, package, at_once)
            return
    for child in ast.iter_child_nodes(node):
        yield from _imports(child, package, at_once)


def _imports_by_name(called: ast.expr) -> bool:
    return ast.unparse(called) in {"importlib.import_module", "import_module", "__import__"}


def allowed_below(name: str, lines: Sequence[set[str]] = LAYERS) -> set[str]:
    """What `name` may import of all that stands on these lines: itself and all on lines below its own."""
    own = next(i for i, line in enumerate(lines) if name in line)
    return {name}.union(*lines[own + 1 :])


def violations(source: str, package: str) -> list[str]:
    """What a module of `package`, or of a wing such as "analysis.detail", imports against the rules: "line: why"."""
    house, _, wing = package.partition(".")
    packages = allowed_below(house) - BARRED.get(package, set())
    wings = allowed_below(wing, WINGS[house]) if wing else None
    found = []
    for imported in imports_of(source, package):
        outside = imported.top in PACKAGES and imported.top not in packages
        if outside or imported.top in BESIDE or (wings and imported.top == house and imported.wing not in wings):
            found.append(f"{imported.line}: {package} must not import {imported.module}")
        elif imported.bare:
            found.append(f"{imported.line}: {imported.module} is imported as fieldlens.{imported.module}")
        elif package == "configs" and imported.top in HEAVY:
            found.append(f"{imported.line}: configs must not import {imported.module}, which is heavy")
        elif house == "fieldlens" and imported.at_once and imported.top in HEAVY:
            found.append(f"{imported.line}: import {imported.module} inside the function that needs it")
    return found


def modules(package: str) -> list[Path]:
    return sorted((ROOT / package).rglob("*.py"))


@pytest.mark.parametrize("package", sorted(PACKAGES))
def test_a_package_imports_only_from_the_lines_below_its_own(package: str) -> None:
    assert modules(package), f"{package}/ has no modules"
    found = [
        f"{path.relative_to(ROOT)}:{violation}"
        for path in modules(package)
        for violation in violations(path.read_text(encoding="utf-8"), ".".join(path.parent.relative_to(ROOT).parts))
    ]
    assert found == []


def test_no_folder_of_python_stands_outside_the_layers() -> None:
    folders = {path.parent.name for path in ROOT.glob("[!.]*/*.py")}
    assert folders <= PACKAGES | BESIDE
    for house in PACKAGES:
        folders = {str(path.parent.relative_to(ROOT / house)) for path in modules(house)}
        assert folders == {"."}.union(*WINGS.get(house, ()))


@pytest.mark.parametrize("package", sorted(PACKAGES))
def test_a_folder_can_be_seen_at_a_glance(package: str) -> None:
    counts = Counter(path.parent.relative_to(ROOT) for path in modules(package) if path.name != "__init__.py")
    assert {str(folder): count for folder, count in counts.items() if count > MOST_MODULES} == {}


def test_every_package_is_linked_into_the_one_name() -> None:
    links = {path.name: str(path.readlink()) for path in (ROOT / "fieldlens").iterdir() if path.is_symlink()}
    assert links == {name: f"../{name}" for name in PACKAGES - {"fieldlens"}}


@pytest.mark.parametrize("folder", sorted(BESIDE))
def test_beside_the_house_no_package_is_imported_by_its_bare_name(folder: str) -> None:
    found = [
        f"{path.relative_to(ROOT)}:{imported.line}: {imported.module}"
        for path in modules(folder)
        for imported in imports_of(path.read_text(encoding="utf-8"), ".".join(path.parent.relative_to(ROOT).parts))
        if imported.bare
    ]
    assert found == []


def test_importing_any_module_of_the_verbs_or_the_configs_loads_nothing_heavy() -> None:
    """What is imported on the way counts as well, so this asks the interpreter and not the source."""
    paths = [
        path.relative_to(ROOT).with_suffix("") for package in ("fieldlens", "configs") for path in modules(package)
    ]
    found = [".".join(path.parts) for path in paths if path.name not in ("__init__", "__main__")]
    names = [name if name.startswith("fieldlens.") else f"fieldlens.{name}" for name in found]
    script = f"import sys, {', '.join(names)}; print(*{{name.partition('.')[0] for name in sys.modules}})"
    run = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    assert HEAVY.intersection(run.stdout.split()) == set()


def test_importing_the_analysis_does_not_wait_for_numba() -> None:
    script = "import sys; from fieldlens.analysis import cells, count_cells; print('numba' in sys.modules)"
    run = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=False)
    assert run.stdout == "False\n", run.stderr


# The checker itself, on modules made up for it.


@pytest.mark.parametrize(
    ("package", "source"),
    [
        ("fields", "import fieldlens.scenes"),
        ("fields", "import os, fieldlens.scenes.picture as p"),
        ("fields", "from fieldlens.render import draw"),
        ("analysis", "from fieldlens.fitting.loop import fit"),
        ("scenes", "def late():\n    from fieldlens.studies.runs import folder"),
        ("report", "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import fieldlens.studies"),
        ("render", "import importlib\nimportlib.import_module('fields.field')"),
        ("studies", "from tests.conftest import PACKAGES"),
        ("fitting", "class A:\n    import fieldlens.report"),
        ("configs", "def late():\n    import torch"),
        ("configs", "from numpy.random import default_rng"),
        ("analysis.detail", "from ..networks.relu_network import relu_network"),
        ("analysis.detail", "def late():\n    from fieldlens.fields import Field"),
        ("analysis.patterns", "import fieldlens.analysis.creases.density"),
        ("analysis.gradients", "from ..partition import exact_cells"),
        ("analysis.creases", "from fieldlens.analysis import relu_network"),
        ("analysis.creases", "from .. import networks"),
        ("fieldlens", "import torch"),
        ("fieldlens", "try:\n    from cv2 import imread\nexcept ImportError:\n    pass"),
    ],
)
def test_the_checker_catches(package: str, source: str) -> None:
    assert len(violations(source, package)) == 1


@pytest.mark.parametrize(
    ("package", "source"),
    [
        (
            "fields",
            "import torch\nfrom fieldlens.configs.encoding import Raw\nfrom .field import Field\nfrom . import field",
        ),
        ("studies", "from fieldlens.report import report_html\nfrom fieldlens import analysis, configs, fitting"),
        ("fieldlens", "def main():\n    import torch\n    from fieldlens.studies.runs import fit"),
        ("fieldlens", "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from torch import Tensor"),
        ("fieldlens", "import tyro\nfrom fieldlens.configs.errors import InputError"),
        ("configs", "import dataclasses, yaml"),
        ("render", "import scenes_of_another_project"),
        ("analysis", "from .creases.density import crease_density\nfrom .detail import bands"),
        ("analysis.detail", "import numpy\nfrom . import rows\nfrom .bands import luma\nimport fieldlens.configs"),
        ("analysis.partition", "from ..creases.density import crease_density\nfrom ..detail import verdicts"),
        (
            "analysis.creases",
            "from fieldlens.fields.radiance import RadianceField\nimport fieldlens.analysis.detail.windows",
        ),
    ],
)
def test_the_checker_lets_pass(package: str, source: str) -> None:
    assert violations(source, package) == []


@pytest.mark.parametrize("package", sorted(PACKAGES - {"fieldlens"}))
def test_the_checker_catches_a_bare_name(package: str) -> None:
    assert len(violations(f"import {package}", "fieldlens")) == 1
    assert len(violations(f"from {package}.files import read", package)) == 1
    assert len(violations(f"from fieldlens import {package}", "configs")) == (package != "configs")


def test_the_lowest_layer_may_import_no_other_and_the_highest_all() -> None:
    assert allowed_below("configs") == {"configs"}
    assert allowed_below("fieldlens") == PACKAGES
    assert allowed_below("fitting") == {"fitting", "scenes", "fields", "render", "configs"}
