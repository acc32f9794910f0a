"""A function of one's own as an encoding: its derivatives, what is refused, and that only a named file is run."""

from pathlib import Path

import pytest
import torch

from fieldlens.configs.encoding import Code, Fourier, Own, parse_encoding
from fieldlens.configs.errors import InputError
from fieldlens.fields import build_encoding
from fieldlens.fields.own_encoding import made_ready

WAVES = """
import torch


def waves(x):
    angle = torch.pi * x[:, None] * 2.0 ** torch.arange(3)[:, None]  # (n, octaves, d)
    return torch.stack([angle.sin(), angle.cos()], 2).flatten(1)
"""


def file_of(folder: Path, text: str) -> str:
    (folder / "mine.py").write_text(text)
    return f"{folder / 'mine.py'}:waves"


def test_the_same_waves_are_what_the_encoding_of_that_name_has(tmp_path: Path) -> None:
    own = build_encoding(made_ready(parse_encoding(file_of(tmp_path, WAVES))), 2, torch.Generator())
    fourier = build_encoding(Fourier(3), 2, torch.Generator())
    x = torch.rand(64, 2, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(own(x), fourier(x), rtol=0, atol=1e-5)
    for mine, theirs in zip(own.value_and_tangents(x), fourier.value_and_tangents(x), strict=True):
        torch.testing.assert_close(mine, theirs, rtol=1e-4, atol=1e-3)
    torch.testing.assert_close(own.second_derivatives(x), fourier.second_derivatives(x), rtol=1e-4, atol=1e-2)
    assert own.config.highest_frequency == pytest.approx(fourier.config.highest_frequency, rel=1e-2)


def test_a_word_that_is_read_runs_nothing_and_one_that_is_named_is_run_once(tmp_path: Path) -> None:
    log = tmp_path / "log"
    word = file_of(tmp_path, f"open({str(log)!r}, 'a').write('run ')\n{WAVES}")
    read = parse_encoding(word)
    with pytest.raises(InputError, match="what a folder holds is never run: name the function yourself, by --encoding"):
        build_encoding(read, 2, torch.Generator())
    assert not log.exists()
    ready = made_ready(read)
    assert isinstance(ready, Own)
    assert ready.code is not None
    assert ready.code.source == (tmp_path / "mine.py").read_bytes()
    assert made_ready(ready) is ready
    build_encoding(ready, 2, torch.Generator())
    assert log.read_text() == "run "
    assert ready == read, "what it computes is no part of the choice"


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("def wave(x): pass", "has no function 'waves'; did you mean 'wave'"),
        ("waves = 3", "has no function 'waves'; it has none"),
        ("def waves(x:", "cannot be run in line 1: SyntaxError"),
        ("\n1 / 0\n", "cannot be run in line 2: ZeroDivisionError"),
        ("raise SystemExit(1)", "cannot be run in line 1: SystemExit: 1"),
        ("import nothing_of_that_name", "ModuleNotFoundError"),
    ],
)
def test_a_file_that_has_no_such_function_is_refused(tmp_path: Path, text: str, sentence: str) -> None:
    with pytest.raises(InputError, match=sentence):
        made_ready(parse_encoding(file_of(tmp_path, text)))


@pytest.mark.parametrize(
    ("function", "sentence"),
    [
        (
            lambda x: x.numpy(),
            r"mine.py:waves must give a tensor \(n, features\) for points \(n, 2\); .* gives ndarray",
        ),
        (lambda x: x.sum(1), r"for 2 points it gives \(2,\)"),
        (lambda x: x @ torch.zeros(3, 3), "cannot be computed at points of shape"),
        (lambda x: x.detach(), "their derivatives are all zero"),
        (lambda x: x / x.norm(), "it must be a function of the point alone"),
        (lambda x: (x - 2).log(), "not all finite"),
    ],
)
def test_a_function_that_is_no_encoding_is_refused(function, sentence: str) -> None:
    with pytest.raises(InputError, match=sentence):
        build_encoding(Own("mine.py", "waves", Code(function, b"")), 2, torch.Generator())


@pytest.mark.parametrize(
    ("word", "sentence"),
    [("mine.py", "name the function in it as well, as in mine.py:waves"), ("mine.py:1st", "is no name of a function")],
)
def test_a_word_without_a_function_is_answered_with_one(word: str, sentence: str) -> None:
    with pytest.raises(InputError, match=sentence):
        parse_encoding(word)
