"""The pages of the site (mkdocs.yml): the repository's texts as they stand, and the reference, written at each build.

Each text keeps its path, so that its relative links hold in the site as they do in the repository. The reference names
things as a person imports them: `fieldlens.analysis.crease_density`, whichever module it stands in.
"""

import ast
import contextlib
import io
import os
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any
from unittest import mock

import griffe
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files

from fieldlens import cli

ROOT = Path(__file__).resolve().parent.parent

TEXTS = ("*.md", "docs/*.md", "docs/pictures/*", "docs/paper/*", "scenes/CREDITS.md", "examples/*.*")
"""What the site has of the repository as it is."""

DOORS = ("fields", "scenes", "fitting", "render")
"""Packages whose names are imported from the package itself, each on a page; `analysis` has one for each wing."""

MODULES = {
    "keywords": ("fieldlens.python.keywords",),
    "choices": tuple(f"fieldlens.configs.{name}" for name in ("run", "encoding", "network", "optimizer", "errors")),
}
"""Pages of whole modules."""

HELP_WIDTH = 80
"""Of the page of the command line, in letters."""


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """All files of the site; MkDocs calls it after it has found those beside this module."""
    for pattern in TEXTS:
        for path in sorted(ROOT.glob(pattern)):
            files.append(File.generated(config, path.relative_to(ROOT).as_posix(), abs_src_path=str(path)))
    for name, text in reference():
        files.append(File.generated(config, f"reference/{name}.md", content=text))
    return files


def reference() -> Iterator[tuple[str, str]]:
    """The pages of the reference: their paths below reference/, without ending, and their Markdown."""
    yield "command_line", command_line()
    yield (
        "fieldlens",
        page("fieldlens", ROOT / "fieldlens", sorted(names_of("fieldlens"), key=str.islower, reverse=True)),
    )
    for name, modules in MODULES.items():
        yield name, "\n\n".join([f"# {name.capitalize()}", *(f"::: {module}" for module in modules), ""])
    for name in DOORS:
        yield name, page(f"fieldlens.{name}", ROOT / name, names_of(name))
    for folder in sorted(init.parent for init in ROOT.glob("analysis/*/__init__.py")):
        names = names_of("analysis", folder.name)
        yield f"analysis/{folder.name}", page("fieldlens.analysis", folder, names)


def page(door: str, folder: Path, names: Sequence[str]) -> str:
    """Of a package or one of its wings: what its docstring says, and each name as it is imported from the door."""
    says = ast.get_docstring(ast.parse((folder / "__init__.py").read_text(encoding="utf-8"))) or ""
    documented = [f"::: {door}.{name}" for name in names]
    return "\n\n".join([f"# {folder.name}", says, *documented, ""])


def names_of(package: str, wing: str = "") -> list[str]:
    """What can be imported from a package, or the part of it that comes from one wing."""
    tree = ast.parse((ROOT / package / "__init__.py").read_text(encoding="utf-8"))
    imports = [node for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) and node.level]
    return [name.name for node in imports if f"{node.module}.".startswith(wing) for name in node.names]


def command_line() -> str:
    """All verbs, and what each one's `--help` prints."""
    verbs = [f"* [`fieldlens {verb}`](#fieldlens-{verb}): {what}" for verb, what in cli.VERBS.items()]
    helps = [f"## fieldlens {verb}\n\n```text\n{printed([verb, '--help'])}\n```" for verb in cli.VERBS]
    return "\n\n".join(["# Command line", "\n".join(verbs), *helps, ""])


def printed(words: Sequence[str]) -> str:
    """What a command line prints on standard output."""
    with mock.patch.dict(os.environ, COLUMNS=str(HELP_WIDTH)), contextlib.redirect_stdout(io.StringIO()) as output:
        cli.main(words)
    return "\n".join(line.rstrip() for line in output.getvalue().splitlines()).strip()


class Examples(griffe.Extension):
    """Worked examples in docstrings are code in the reference, too; to Markdown `>>>` is a quotation of a quotation."""

    def on_instance(self, *, obj: griffe.Object, **_: Any) -> None:
        """Fence those of an object; mkdocstrings calls it for each that it has read."""
        if obj.docstring is not None:
            obj.docstring.value = re.sub(r"(?m)^>>>.*(?:\n.+)*", "```pycon\n\\g<0>\n```", obj.docstring.value)
