"""A page that opens quickly: one that would be too large goes without what is missed least, and says so.

In this order: films become links, the largest first; networks of earlier checkpoints stay away; the scrubber has every
second step, and again every second of these; the newest network stays away as well; so does what is seen of a 3D scene
from all around; and pictures are reduced. All of it is in the run folder.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import TypeVar

from fieldlens.report.model import Film, Report, RunPart

T = TypeVar("T")

MOST_BYTES = 20_000_000
"""Of a page."""

FEWEST_FRAMES = 6
"""So many steps of a run, or fewer, stay on the scrubber."""

SMALLER_SIDES = (1024, 512, 256, 192)
"""Of all pictures but those of earlier steps, in pixels of the longer side."""

NO_ROOM = "The network is not in this page, because the page would be too large with it."


def ever_smaller(report: Report) -> Iterator[Report]:
    """The report as it is, and then with ever less in it, down to what it cannot do without."""
    yield report
    small, notes = report, dict[str, str]()

    def noted() -> Report:
        return replace(small, notes=[*report.notes, *notes.values()])

    for film in sorted(report.films, key=_bytes, reverse=True):
        if film.data is not None:
            small = replace(
                small, films=[replace(one, data=None) if one.title == film.title else one for one in small.films]
            )
            notes["films"] = "some films are linked and not part of this page, which would be too large with them"
            yield noted()
    if any(len(run.networks) > 1 for run in small.runs):
        small = replace(small, runs=[replace(run, networks=run.networks[-1:]) for run in small.runs])
        notes["networks"] = "the microscope has the newest network alone, as this page would be too large with all"
        yield noted()
    while max(len(run.frames) for run in small.runs) > FEWEST_FRAMES:
        small = replace(small, runs=[_thinned(run) for run in small.runs])
        most = max(len(run.frames) for run in small.runs)
        notes["frames"] = f"the scrubber has at most {most} steps of a run, as this page would be too large with all"
        yield noted()
    if any(run.networks for run in small.runs):
        small = replace(small, runs=[_without_network(run) for run in small.runs])
        notes.pop("networks", None)
        yield noted()
    if any(run.around for run in small.runs):
        small = replace(small, runs=[replace(run, around=None, surface=None) for run in small.runs])
        notes["around"] = "this page does not show the scene from all around, as it would be too large with that"
        yield noted()
    for side in SMALLER_SIDES:
        small = replace(small, largest_side=side)
        yield noted()


def _bytes(film: Film) -> int:
    return len(film.data or b"")


def _thinned(run: RunPart) -> RunPart:
    """With every second frame, and maps of those steps alone."""
    if len(run.frames) <= FEWEST_FRAMES:
        return run
    frames = every_second(run.frames)
    steps = {frame.step for frame in frames}
    earlier = [[one for one in overlay.earlier if one[0] in steps] for overlay in run.overlays]
    overlays = [replace(overlay, earlier=kept) for overlay, kept in zip(run.overlays, earlier, strict=True)]
    return replace(run, frames=frames, overlays=overlays)


def every_second(things: Sequence[T]) -> list[T]:
    """The last, and every second before it; and the first.

    >>> every_second("abcdef")
    ['a', 'b', 'd', 'f']
    """
    kept = [*things[::-2]][::-1]
    return kept if len(things) % 2 else [things[0], *kept]


def _without_network(run: RunPart) -> RunPart:
    return replace(run, networks=(), no_network=NO_ROOM) if run.networks else run
