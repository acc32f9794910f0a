"""Write the keyword arguments of `fieldlens.fit` and `fieldlens.compare`, as the configurations and verbs have them.

    python -m docs.keywords

A type checker and an editor read types where they stand in a file. They are written from the classes whose fields are
the command line's options, so that no option is named by hand a second time.
"""

import ast
import dataclasses
import inspect
import re
from collections.abc import Iterator
from pathlib import Path

from fieldlens.configs.files import write_text
from fieldlens.configs.run import CompareConfig, FitConfig, Output, Protocol, Target, Training
from fieldlens.configs.space import Space
from fieldlens.python.mistakes import with_keywords
from fieldlens.verbs.compare import CompareArguments
from fieldlens.verbs.executor import ExecutorOptions
from fieldlens.verbs.fit import FitArguments
from fieldlens.verbs.options import Beginning

VERBS = (FitArguments, CompareArguments)
FILE = Path(__file__).resolve().parent.parent / "fieldlens" / "python" / "keywords.py"

LEFT_OUT = {"scene", "more_scenes", "training", "target", "space", "output"}
"""Fields that are no keywords: what is given without a name, and groups."""
BEGINNING = {key.name for key in dataclasses.fields(Beginning)}
"""Of a verb's own options, those that are keywords as well; others are about the terminal."""

HEAD = '''"""Keyword arguments of `fieldlens.fit` and `fieldlens.compare`: the command line's options by their names.

Written by `python -m docs.keywords` from the choices themselves, for type checkers and editors. Not to be changed here.
"""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Literal, TypedDict

from fieldlens.configs.encoding import Encoding
from fieldlens.configs.network import Network
from fieldlens.configs.optimizer import Optimizer
from fieldlens.configs.run import Holdout, Schedule
from fieldlens.configs.space import Background, Kind
'''

WORDS = {name: f"str | {name}" for name in ("Encoding", "Network", "Optimizer", "Path")}
"""What is also given as a text."""


def written() -> str:
    """The module."""
    shared = [Protocol, Training, Target, Space, Output]
    classes = [
        typed_dict("Shared", "TypedDict", "What a fit and a comparison have in common.", shared),
        typed_dict("FitKeywords", "Shared", "What `fieldlens.fit` takes.", [FitConfig, FitArguments]),
        typed_dict(
            "CompareKeywords",
            "Shared",
            "What `fieldlens.compare` takes.",
            [CompareConfig, ExecutorOptions, CompareArguments],
        ),
    ]
    return "\n\n".join([HEAD, *classes])


def typed_dict(name: str, base: str, sentence: str, kinds: list[type]) -> str:
    """A class of keywords, none of which has to be given."""
    lines = [f"class {name}({base}, total=False):", f'    """{sentence}"""', ""]
    for kind in kinds:
        for keyword, annotation, text in fields_of(kind):
            lines += [f"    {keyword}: {annotation}", *([f'    """{text}"""'] if text else [])]
    return "\n".join(lines) + "\n"


def fields_of(kind: type) -> Iterator[tuple[str, str, str]]:
    """The keywords of a class, their types, and the texts below them, which are their help."""
    (found,) = ast.parse(inspect.getsource(kind)).body
    assert isinstance(found, ast.ClassDef)
    for node, after in zip(found.body, [*found.body[1:], None], strict=True):
        if not isinstance(node, ast.AnnAssign) or not isinstance(node.target, ast.Name):
            continue
        name, text = node.target.id, ""
        if isinstance(after, ast.Expr) and isinstance(after.value, ast.Constant):
            text = with_keywords(str(after.value.value))
        if name in BEGINNING if kind in VERBS else name not in LEFT_OUT:
            given = "str | Path | None" if name == "resume" else as_given(ast.unparse(node.annotation))
            if name in ("encoding", "encodings"):
                given = given.replace("str | Encoding", "str | Encoding | Callable[[Any], Any]")
            yield name, given, text


def as_given(annotation: str) -> str:
    """The type of what may be given for a field.

    >>> as_given("tuple[Encoding, ...]"), as_given("Path | None"), as_given("Literal['a', 'b']")
    ('Sequence[str | Encoding]', 'str | Path | None', 'Literal["a", "b"]')
    """
    listed = re.sub(r"tuple\[(\w+), \.\.\.\]", r"Sequence[\1]", annotation).replace("'", '"')
    return re.sub(r"\w+", lambda word: WORDS.get(word[0], word[0]), listed)


if __name__ == "__main__":
    write_text(FILE, written())
