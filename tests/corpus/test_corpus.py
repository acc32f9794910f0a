"""Whatever a person gives, in time and within memory: a right result, or one sentence that names it."""

import faulthandler
import json
import resource
import time
import traceback
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from fieldlens.configs.errors import InputError
from tests.corpus import KINDS
from tests.corpus.case import EITHER, REFUSED, Case, Kind
from tests.support.processes import SERVER

LONGEST = 5.0
"""Seconds that one may take."""
MEMORY = 1 << 30
"""Bytes that one may take, beside what the program itself takes."""


def read_all(kind: str, folder: str) -> None:
    """Give each case of a kind to its reader, in a process of its own that ends where one takes too long; how each
    ended is a line of `ends.jsonl`."""
    own = KINDS[kind]
    cases = [(case, case.write(Path(folder) / str(number))) for number, case in enumerate(own.cases())]
    _warm(own, cases)
    taken = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (taken + MEMORY, taken + MEMORY))
    with (Path(folder) / "ends.jsonl").open("w") as ends, (Path(folder) / "hang.txt").open("w") as hang:
        for case, path in cases:
            ends.write(f"{json.dumps(case.name)}\n")
            ends.flush()
            faulthandler.dump_traceback_later(LONGEST, exit=True, file=hang)
            before = time.perf_counter()
            how, said = _end(own, path)
            faulthandler.cancel_dump_traceback_later()
            ends.write(f"{json.dumps([how, said, time.perf_counter() - before])}\n")


def _warm(kind: Kind, cases: list[tuple[Case, Path]]) -> None:
    """Read a good one, so that what libraries take for themselves is known."""
    good = next(path for case, path in cases if case.ends not in (REFUSED, EITHER))
    kind.read(good)


def _end(kind: Kind, path: Path) -> tuple[str, Any]:
    try:
        return "read", kind.read(path)
    except InputError as refusal:
        return "refused", str(refusal)
    except BaseException:
        return "failed", traceback.format_exc()


@pytest.mark.parametrize("kind", KINDS)
def test_each_ends_in_a_right_result_or_one_sentence(kind: str, tmp_path: Path):
    process = SERVER.Process(target=read_all, args=[kind, str(tmp_path)])
    process.start()
    process.join()
    lines = [json.loads(line) for line in (tmp_path / "ends.jsonl").read_text().splitlines()]
    ends = dict(zip(lines[::2], lines[1::2], strict=False))
    hang = (tmp_path / "hang.txt").read_text()
    assert process.exitcode == 0, f"{lines[-1]} ended the process with {process.exitcode}: {hang}"
    cases = {case.name: case for case in KINDS[kind].cases()}
    assert list(ends) == list(cases)
    wrong = {name: end for name, end in ends.items() if not _is_right(cases[name], *end)}
    assert wrong == {}


def _is_right(case: Case, how: str, said: Any, _seconds: float) -> bool:
    if how == "refused":  # in one line that names the file by its path, or the scene in it by what it is called
        return case.ends in (REFUSED, EITHER) and "\n" not in said and Path(case.name).stem in said
    return how == "read" and case.ends in (EITHER, said)


def test_there_are_as_many_as_were_promised_and_no_two_of_a_name():
    counts = Counter((kind, case.name) for kind, own in KINDS.items() for case in own.cases())
    assert sum(counts.values()) >= 250
    assert max(counts.values()) == 1
