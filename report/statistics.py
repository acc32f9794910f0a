"""The statistics behind a page, as tables under names that a person would use; `analysis/explain.json` has all numbers.

Each table is of one part of that file, and is left out where the part is not there: no two kinds of scene have all.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from html import escape

from fieldlens.report.table import decimals, number_text, significant, whole_percent

Part = Mapping[str, object]
Row = Sequence[str]

QUANTITIES = {
    "coarea": "crease density",
    "crossings": "crossings",
    "bend": "bend of the creases",
}
"""What a person calls the maps that are set against the error; others have plain names already."""

STATISTICS = {
    "partial rank correlation with residual energy given target energy": "with the error, at equal detail",
    "rank correlation with missing fraction": "with the missing fraction",
}

REASONS = {
    "on its way": "being learnt",
    "hindered": "held back by other places",
    "few creases": "too few creases",
    "slow": "creases enough, but steps hardly move it",
}


def statistics_html(explanation: Part) -> str:
    """All tables, one below the other; nothing where there are none."""
    return "".join(table for build in _TABLES for table in build(explanation))


def _octaves(explanation: Part) -> Iterator[str]:
    if bands := _parts(explanation.get("bands")):
        rows = [
            [str(band["label"]), *(_share(band.get(key)) for key in ("target_share", "kept", "missing"))]
            for band in bands
        ]
        heads = ("wavelengths", "share of the detail", "kept", "missing")
        yield _table("Detail by octave, as energy", heads, rows)


def _waves(explanation: Part) -> Iterator[str]:
    recovered, errors = _part(explanation.get("amplitude_over_target")), _part(explanation.get("relative_error"))
    if recovered:
        rows = [[name, _share(share), _share(errors.get(name))] for name, share in recovered.items()]
        yield _table("Waves of the signal", ("frequency", "amplitude recovered", "error of it"), rows)


def _reasons(explanation: Part) -> Iterator[str]:
    found = _part(explanation.get("reasons"))
    if shares := _part(found.get("shares")):
        rows = [
            [REASONS.get(reason, reason), _share(_part(share).get("share")), _interval(share, whole_percent)]
            for reason, share in shares.items()
        ]
        heads = ("reason", "share of what is missing", "95 % interval")
        yield _table(f"Why {found.get('octave', '')} detail is missing", heads, rows)


def _speeds(explanation: Part) -> Iterator[str]:
    if speeds := _parts(explanation.get("speed")):
        keys = ("tenth_of_windows_below", "median", "tenth_of_windows_above")
        rows = [[str(speed["octave"]), *(_number(speed.get(key)) for key in keys)] for speed in speeds]
        heads = ("octave", "slowest tenth of windows", "middle", "fastest tenth")
        yield _table("How fast steps move the detail of a window", heads, rows)


def _correlations(explanation: Part) -> Iterator[str]:
    against_creases = _part(explanation.get("against_creases") or explanation.get("primary"))
    parts = (against_creases, *_parts(explanation.get("secondary")))
    found = [part for part in parts if part.get("estimate") is not None]
    rows = [
        [
            QUANTITIES.get(str(part["density"]), str(part["density"])),
            str(part["band"]),
            STATISTICS.get(str(part["statistic"]), str(part["statistic"])),
            _number(part["estimate"], decimals(2)),
            _interval(part, decimals(2)),
        ]
        for part in found
    ]
    if rows:
        heads = ("quantity", "octave", "rank correlation", "value", "95 % interval")
        yield _table("Error against creases: the first line is the one fixed beforehand", heads, rows)
    if gains := _parts(_part(explanation.get("attribution")).get("gains")):
        rows = [
            [
                QUANTITIES.get(str(gain["quantity"]), str(gain["quantity"])),
                _share(gain.get("share")),
                _interval(gain, whole_percent),
                "nearly the reconstruction itself" if gain.get("tautology") else "",
            ]
            for gain in gains
        ]
        heads = ("quantity", "share of what is left to explain", "95 % interval", "")
        yield _table("What each quantity says of the error beyond the picture's own detail", heads, rows)


def _leverage(explanation: Part) -> Iterator[str]:
    found, statistic = _part(explanation.get("leverage")), _part(explanation.get("primary"))
    if statistic.get("correlation") is not None:
        row = [
            str(found.get("octave", "")),
            _share(found.get("median")),
            _number(statistic["correlation"], decimals(2)),
            _interval(statistic, decimals(2)),
        ]
        heads = ("octave", "middle leverage", "rank correlation with the error", "95 % interval")
        yield _table("Error against leverage, among places of like detail", heads, [row])


def _refits(explanation: Part) -> Iterator[str]:
    refit = _part(explanation.get("capacity"))
    names = {
        "removed_from_unseen_pixels": "output weights of its own in each window",
        "removed_by_as_many_cosine_waves": "as many cosine waves in each window",
        "removed_by_one_refit_of_the_whole_picture": "one refit for the whole picture",
    }
    if rows := [[words, _share(refit[name])] for name, words in names.items() if refit.get(name) is not None]:
        yield _table("Could these creases do better?", ("refit", "error removed"), rows)


_BY_LAYER = {
    "crossings_per_pixel_by_layer": "crossings per pixel",
    "crossings_by_layer": "crossings",
    "coarea_length_per_area_by_layer": "crease length per area",
    "area_per_volume_by_layer": "crease area per volume",
    "bend_by_layer": "bend",
    "live_neurons_by_layer": "neurons that switch",
    "dead_neurons_by_layer": "dead neurons",
    "always_on_neurons_by_layer": "neurons always on",
}


def _layers(explanation: Part) -> Iterator[str]:
    creases = _part(explanation.get("creases"))
    columns = {words: values for key, words in _BY_LAYER.items() if (values := _numbers(creases.get(key)))}
    if not columns:
        return
    depth = max(map(len, columns.values()))
    rows = [
        [str(layer + 1), *(_number(values[layer]) if layer < len(values) else "" for values in columns.values())]
        for layer in range(depth)
    ]
    yield _table("Creases by layer", ("layer", *columns), rows)


_TABLES: Sequence[Callable[[Part], Iterator[str]]] = (
    _octaves,
    _waves,
    _reasons,
    _speeds,
    _leverage,
    _correlations,
    _refits,
    _layers,
)
"""In the order in which the page tells its story."""


def _table(caption: str, heads: Row, rows: Sequence[Row]) -> str:
    head = "".join(f'<th scope="col">{escape(name)}</th>' for name in heads)
    body = "".join(
        f'<tr><th scope="row">{escape(first)}</th>{"".join(f"<td>{escape(cell)}</td>" for cell in cells)}</tr>'
        for first, *cells in rows
    )
    return (
        f'<div class="scroller" tabindex="0" role="group" aria-label="{escape(caption)}"><table class="facts counted">'
        f"<caption>{escape(caption)}</caption><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>"
    )


def _part(value: object) -> Part:
    return value if isinstance(value, Mapping) else {}


def _parts(value: object) -> list[Part]:
    return [part for part in value if isinstance(part, Mapping)] if isinstance(value, list | tuple) else []


def _numbers(value: object) -> list[float]:
    return [float(one) for one in value] if isinstance(value, list | tuple) else []


def _share(value: object) -> str:
    return number_text(value if isinstance(value, int | float) else None, whole_percent)


def _number(value: object, text: Callable[[float], str] = significant) -> str:
    return number_text(value if isinstance(value, int | float) else None, text)


def _interval(part: object, text: Callable[[float], str]) -> str:
    """From the low to the high end; nothing where there is no interval."""
    ends = _part(_part(part).get("interval"))
    low, high = ends.get("low"), ends.get("high")
    if not isinstance(low, int | float) or not isinstance(high, int | float):
        return ""
    return f"{text(low)} to {text(high)}"
