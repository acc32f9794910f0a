"""Whatever a person gives, in time and within memory: a right result, or one sentence that names it."""

import faulthandler
import json
import os
import resource
import signal
import sys
import time
import traceback
from collections import Counter
from collections.abc import Iterator
from functools import partial
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


def read_all(own: Kind, folder: str, longest: float = LONGEST) -> None:
    """Give each case of a kind to its reader, in a process of its own that ends where one takes too long; how each
    ended is a line of `ends.jsonl`."""
    os.dup2(os.open(Path(folder) / "said.txt", os.O_WRONLY | os.O_CREAT), 1)
    cases = [(case, case.write(Path(folder) / str(number))) for number, case in enumerate(own.cases())]
    _warm(own, cases)
    taken = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (taken + MEMORY, taken + MEMORY))
    with (Path(folder) / "ends.jsonl").open("w") as ends, (Path(folder) / "hang.txt").open("w") as hang:
        for case, path in cases:
            ends.write(f"{json.dumps(case.name)}\n")
            ends.flush()
            faulthandler.dump_traceback_later(longest, exit=True, file=hang)
            before = time.perf_counter()
            how, said = _end(own, path)
            faulthandler.cancel_dump_traceback_later()
            ends.write(f"{json.dumps([how, said, time.perf_counter() - before])}\n")
    sys.stdout.flush()


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
    assert wrong_ends(KINDS[kind], tmp_path) == {}
    assert (tmp_path / "said.txt").read_bytes() == b"", "libraries write among the results"


def wrong_ends(kind: Kind, folder: Path, longest: float = LONGEST) -> dict[str, Any]:
    """Of all cases of a kind those that ended otherwise than they have to, and how; one that ended the process is the
    last."""
    process = SERVER.Process(target=read_all, args=[kind, str(folder), longest])
    process.start()
    process.join()
    lines = [json.loads(line) for line in (folder / "ends.jsonl").read_text().splitlines()]
    ends = dict(zip(lines[::2], lines[1::2], strict=False))
    cases = {case.name: case for case in kind.cases()}
    wrong = {name: end for name, end in ends.items() if not _is_right(cases[name], *end)}
    if process.exitcode:
        return {**wrong, lines[-1]: (process.exitcode, (folder / "hang.txt").read_text())}
    assert list(ends) == list(cases)
    return wrong


def _is_right(case: Case, how: str, said: Any, _seconds: float) -> bool:
    if how == "refused":  # in one line that names the file by its path, or the scene in it by what it is called
        return case.ends in (REFUSED, EITHER) and "\n" not in said and Path(case.name).stem in said
    return how == "read" and case.ends in (EITHER, said)


def misbehave(path: Path) -> str:
    """A reader that does with each file what its name says."""
    match path.stem:
        case "takes_long":
            time.sleep(30)
        case "takes_memory":
            return str(len(bytearray(2 * MEMORY)))
        case "ends_the_process":
            os.abort()
        case "raises":
            return str(1 / 0)
        case "speaks_of_something_else":
            raise InputError("something is wrong")
        case "says_two_lines":
            raise InputError(f"{path} is wrong\nin two ways")
    return "read"


@pytest.mark.parametrize(
    ("name", "how", "said"),
    [
        ("takes_long", 1, "misbehave"),
        ("takes_memory", "failed", "MemoryError"),
        ("ends_the_process", -signal.SIGABRT, ""),
        ("raises", "failed", "ZeroDivisionError"),
        ("speaks_of_something_else", "refused", "something is wrong"),
        ("says_two_lines", "refused", "in two ways"),
    ],
)
def test_a_reader_that_misbehaves_is_found_out(name: str, how: str | int, said: str, tmp_path: Path):
    ((found, end),) = wrong_ends(
        Kind("misbehaving", misbehave, partial(_good_and, name)), tmp_path, longest=0.3
    ).items()
    assert (found, end[0]) == (name, how)
    assert said in end[1]


def _good_and(name: str) -> Iterator[Case]:
    yield Case("good", b"", "read")
    yield Case(name, b"", EITHER)


def test_there_are_as_many_as_were_promised_and_no_two_of_a_name():
    counts = Counter((kind, case.name) for kind, own in KINDS.items() for case in own.cases())
    assert sum(counts.values()) >= 250
    assert max(counts.values()) == 1
