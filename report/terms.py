"""Terms of the field where a page first has them: each is explained when it is pointed at or comes into focus."""

import re
from collections.abc import Iterator, Mapping
from html import escape

from fieldlens.report.guide import Entries

_MEASURED = (
    "A claim that the program's own study of photographs measured and found to hold: {claim} Its numbers are in "
    "docs/paper.md of the program's source; “fieldlens paper --only {number}” measures it anew."
)

CLAIMS: Mapping[str, str] = {
    "A2": "Raw coordinates leave high frequencies unfitted where positional encoding fits them.",
    "N4": "Raw coordinates on intervals that give more creases midway are fitted better at an equal number of steps.",
    "N8": (
        "After equal steps Muon is ahead of Adam by 3 dB under raw coordinates, and by less with many octaves. It is "
        "ahead of Adam at its searched rate as well."
    ),
}
"""What the study claims, of that which a verdict names; by its number in docs/paper.md."""

TERMS: Mapping[str, str] = {
    "crease": (
        "A ReLU network is made of smooth pieces. They meet in creases, the only places where it can bend sharply: on "
        "a crease one neuron switches on or off."
    ),
    "dead neuron": "Neurons that are off everywhere in the picture. They draw nothing, and cannot learn.",
    "octave": "Waves whose lengths are within a factor of two, such as 2 to 4 px: the finest texture.",
    "last layer": "The sum that makes colours of what the last neurons say. Refitting it leaves all creases in place.",
    "cosine wave": "Smooth waves that know nothing of the network: a measure of how good its creases are.",
    **{number: _MEASURED.format(claim=claim, number=number) for number, claim in CLAIMS.items()},
}
"""Each by its word, besides those of the page's guide."""

DRAWINGS: Mapping[str, str] = {
    "crease": (
        '<svg viewBox="0 0 120 44" aria-hidden="true"><path class="curve" d="M4 38 L34 30 L62 8 L88 26 L116 20"/>'
        '<path class="mark" d="M34 4V40M62 4V40M88 4V40"/></svg>'
    ),
    "octave": (
        '<svg viewBox="0 0 120 44" aria-hidden="true"><path class="curve" '
        'd="M4 14q7.5-16 15 0t15 0t15 0t15 0t15 0t15 0t15 0"/>'
        '<path class="curve" d="M4 34q15-16 30 0t30 0t30 0t22 0"/></svg>'
    ),
    "missing": (
        '<svg viewBox="0 0 120 44" aria-hidden="true"><path class="mark" '
        'd="M4 30q4-22 8-2t8-6t8-4t8-4t8 0t8 0t8 4t8 4t8 6t8 2t8-4t8-2t8-4t8-2"/>'
        '<path class="curve" d="M4 28Q36 8 62 16T116 22"/></svg>'
    ),
}
"""For some, what the words mean as a drawing."""


class Glossary:
    """Marks each term where one page first has it, one or many."""

    def __init__(self, guide: Entries) -> None:
        """Of a page on which nothing is marked yet.

        Args:
            guide: terms of this page alone, with what they mean there.
        """
        self._meanings = {**{term.lower(): meaning for term, meaning in guide}, **TERMS}
        self._left = set(self._meanings)

    def marked(self, text: str) -> str:
        """Plain text as escaped HTML, with each term marked that no earlier text had."""
        parts, end = list[str](), 0
        for start, stop, term in sorted(self._first_places(text)):
            if start < end:  # within one that is marked
                continue
            self._left.discard(term)
            parts += [escape(text[end:start]), self._explained(text[start:stop], term)]
            end = stop
        return "".join([*parts, escape(text[end:])])

    def _first_places(self, text: str) -> Iterator[tuple[int, int, str]]:
        for term in self._left:
            if found := re.search(rf"\b{re.escape(term)}s?\b", text, re.IGNORECASE):
                yield found.start(), found.end(), term

    def _explained(self, words: str, term: str) -> str:
        return (
            f'<span class="term" tabindex="0">{escape(words)}<span class="meaning" role="tooltip">'
            f"{DRAWINGS.get(term, '')}{escape(self._meanings[term])}</span></span>"
        )
