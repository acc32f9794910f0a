"""Terms of the field where a page first has them: each is explained when it is pointed at or comes into focus."""

import re
from collections.abc import Iterator, Mapping
from html import escape

TERMS: Mapping[str, str] = {
    "crease": (
        "A ReLU network is made of smooth pieces. They meet in creases, the only places where it can bend sharply: on "
        "a crease one neuron switches on or off."
    ),
    "dead neuron": "Neurons that are off everywhere in the picture. They draw nothing, and cannot learn.",
    "octave": "Waves whose lengths are within a factor of two, such as 2 to 4 px: the finest texture.",
    "leverage": (
        "How much of the detail in one place the network could change while all other places stay as they are: 100 % "
        "where its weights are free for it, next to none where other places need the same weights."
    ),
    "last layer": "The sum that makes colours of what the last neurons say. Refitting it leaves all creases in place.",
    "cosine wave": "Smooth waves that know nothing of the network: a measure of how good its creases are.",
}
"""Each by its word, one or many of which are marked where a page first has them."""

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
}
"""For some, what the words mean as a drawing."""


def with_terms(text: str, known: set[str]) -> str:
    """Plain text as escaped HTML, with each term marked where it first stands.

    Args:
        known: terms that the page has marked already; those marked here are added.
    """
    parts, end = list[str](), 0
    for start, stop, term in sorted(_first_places(text, known)):
        if start < end:  # within one that is marked
            continue
        known.add(term)
        parts += [escape(text[end:start]), _marked(text[start:stop], term)]
        end = stop
    return "".join([*parts, escape(text[end:])])


def _first_places(text: str, known: set[str]) -> Iterator[tuple[int, int, str]]:
    for term in TERMS:
        if term not in known and (found := re.search(rf"\b{term}s?\b", text, re.IGNORECASE)):
            yield found.start(), found.end(), term


def _marked(words: str, term: str) -> str:
    return (
        f'<span class="term" tabindex="0">{escape(words)}<span class="meaning" role="tooltip">'
        f"{DRAWINGS.get(term, '')}{escape(TERMS[term])}</span></span>"
    )
