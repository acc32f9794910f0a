"""Draw the house: floors and wings as tests/test_layering.py holds the code to them, and the way of the data.

    python -m docs.house [--write docs/pictures/house.svg]

Names come from the rules of the test, sentences from the packages' own docstrings: what is drawn is what is so.
"""

import argparse
import ast
import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path

from fieldlens.configs.files import write_text
from tests.test_layering import LAYERS, ROOT, WINGS

WIDTH, MARGIN, GAP = 1120, 20, 10
"""Of the picture, around it, and between boxes, in pixels."""
LINE, LETTER = 17, 6.7
"""Height of a line and width of a letter, about, of text of 12 px."""

WAY = (
    ("configs", "say what a person chose"),
    ("scenes", "give batches to train on and views to draw"),
    ("fields", "build the network before training"),
    ("fitting", "trains it and yields its moments"),
    ("render", "draws each moment"),
    ("analysis", "measures creases and what is missing"),
    ("studies", "records all that in a run folder"),
    ("report", "makes one page of it"),
)
"""The way of the data: the packages it comes through, and what happens in each."""


@dataclass(frozen=True)
class Box:
    """A package or a wing: its name, what it holds, and the wings within it, highest line first."""

    name: str
    sentence: str
    lines: Sequence[Sequence["Box"]] = ()

    def height(self, width: float) -> float:
        """In pixels, at a width."""
        text = LINE * (1 + len(wrapped(self.sentence, width))) + GAP
        return text + sum(line_height(line, width - 2 * GAP) + GAP for line in self.lines)


def house() -> list[list[Box]]:
    """The floors, highest first; the packages of a floor in the order of the data's way."""
    order = ["fieldlens", *(name for name, _ in WAY)]
    return [[package(name) for name in sorted(floor, key=order.index)] for floor in LAYERS]


def package(name: str) -> Box:
    """A package and its wings, each with the first sentence of its docstring."""
    lines = [[Box(wing, sentence_of(ROOT / name / wing)) for wing in sorted(line)] for line in WINGS.get(name, ())]
    return Box(name, sentence_of(ROOT / name), lines)


def sentence_of(folder: Path) -> str:
    """The first paragraph of a package's docstring, without its stop."""
    text = ast.get_docstring(ast.parse((folder / "__init__.py").read_text(encoding="utf-8"))) or ""
    return text.partition("\n\n")[0].replace("\n", " ").rstrip(".")


def wrapped(text: str, width: float) -> list[str]:
    """A text in lines that fit a box of that width."""
    return textwrap.wrap(text, max(12, int((width - 2 * GAP) / LETTER)))


def line_height(line: Sequence[Box], width: float) -> float:
    """Of boxes side by side."""
    return max(box.height(own) for box, own in zip(line, shares(line, width), strict=True))


def shares(line: Sequence[Box], width: float) -> list[float]:
    """The widths of the boxes that share a line: with wings in it, a box takes three times as much."""
    parts = [3 if box.lines else 1 for box in line]
    return [(width - GAP * (len(line) - 1)) * part / sum(parts) for part in parts]


def picture() -> str:
    """The whole, as SVG."""
    width, y, parts = WIDTH - 2 * MARGIN, float(MARGIN), []
    for floor in house():
        parts += _line(floor, MARGIN, y, width, wing=False)
        y += line_height(floor, width) + GAP
    steps = "  →  ".join(f"{number} {name} {what}" for number, (name, what) in enumerate(WAY, 1))
    caption = ["Each floor imports only from the floors below it, and so do the lines of wings within a package."]
    caption += textwrap.wrap(f"The way of the data: {steps}.", int(width / LETTER))
    for row in caption:
        y += LINE
        parts.append(_text(MARGIN, y, row))
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {y + MARGIN:g}" font-family="sans-serif">'
    ground = _rect(0, 0, WIDTH, y + MARGIN, "#fff", 0)
    return "\n".join([head, "<title>The house of fieldlens</title>", ground, *parts, "</svg>", ""])


def _line(line: Sequence[Box], x: float, y: float, width: float, *, wing: bool) -> Iterator[str]:
    """Boxes side by side, all as high as the highest."""
    height = line_height(line, width)
    for box, own in zip(line, shares(line, width), strict=True):
        yield from _box(box, x, y, own, height, wing=wing)
        x += own + GAP


def _box(box: Box, x: float, y: float, width: float, height: float, *, wing: bool) -> Iterator[str]:
    yield _rect(x, y, width, height, "#ffffff" if wing else "#eef3f8", 6)
    step = next((number for number, (name, _) in enumerate(WAY, 1) if name == box.name and not wing), None)
    y += LINE
    yield _text(x + GAP, y, f"{box.name}/", bold=True)
    if step is not None:
        yield f'<circle cx="{x + width - 16:g}" cy="{y - 4:g}" r="9" fill="#2b6cb0"/>'
        yield f'<text x="{x + width - 16:g}" y="{y:g}" font-size="11" fill="#fff" text-anchor="middle">{step}</text>'
    for row in wrapped(box.sentence, width):
        y += LINE
        yield _text(x + GAP, y, row)
    for line in box.lines:
        y += GAP
        yield from _line(line, x + GAP, y, width - 2 * GAP, wing=True)
        y += line_height(line, width - 2 * GAP)


def _rect(x: float, y: float, width: float, height: float, fill: str, radius: float) -> str:
    stroke = ' stroke="#9fb3c8"' if radius else ""
    return f'<rect x="{x:g}" y="{y:g}" width="{width:g}" height="{height:g}" rx="{radius:g}" fill="{fill}"{stroke}/>'


def _text(x: float, y: float, text: str, *, bold: bool = False) -> str:
    weight = ' font-weight="bold"' if bold else ""
    return f'<text x="{x:g}" y="{y:g}" font-size="12" fill="#1a2733"{weight}>{escape(text)}</text>'


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m docs.house", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--write", type=Path, default=Path("docs/pictures/house.svg"), help="the picture's file")
    write_text(parser.parse_args().write, picture())


if __name__ == "__main__":
    main()
