"""Why a fit trains no more, and with which limits it would."""

from typing import Any

import pytest

from fieldlens.fitting import is_still_gaining, longer, nothing_left
from tests.support.small_fits import plan


@pytest.mark.parametrize(
    ("limits", "reason", "said"),
    [
        ({"steps": 500}, "steps", "it has reached its 500 steps; go on with --steps 1000 or --seconds 80"),
        ({"steps": 100}, "steps", "it has reached its 100 steps and is at step 500; go on with --steps 1000 or "),
        ({"seconds": 40}, "seconds", "--seconds 40 counts from the first step; go on with --seconds 80 or --steps"),
        ({"target_psnr": 30}, "target", "it has reached its 30 dB; go on with --steps 1000"),
        ({"plateau": 0.5}, "plateau", "it gained less than 0.5 dB over the last third of its steps"),
        ({"steps": 900}, "diverged", "it has diverged; begin anew with a --learning-rate lower than 0.01"),
    ],
)
def test_what_ended_a_fit_is_said_with_what_goes_on(limits: dict[str, Any], reason: str, said: str) -> None:
    assert said in nothing_left(plan(**limits), reason, 500, 40.0)


def test_the_options_that_are_offered_let_a_fit_train_on() -> None:
    """Whatever the step and the seconds: each number is beyond what was reached, and is no long fraction."""
    for step, seconds in ((1, 0.02), (499, 59.99), (1341, 61.7), (123_456, 3600.0)):
        for reason in ("steps", "seconds"):
            said = dict(option.split() for option in longer(plan(steps=step), reason, step, seconds))
            assert int(said["--steps"]) > step
            assert int(said["--seconds"]) > seconds


def test_a_cosine_is_lengthened_in_steps_alone() -> None:
    assert longer(plan(steps=500, schedule="cosine"), "steps", 500, 40.0) == ["--steps 1000"]


@pytest.mark.parametrize(
    ("reason", "gained_db", "gaining"),
    [
        ("steps", 0.25, True),
        ("seconds", 3.0, True),
        ("steps", 0.24, False),
        ("steps", None, False),
        ("plateau", 3.0, False),
        ("target", 3.0, False),
        ("diverged", 3.0, False),
    ],
)
def test_only_a_fit_that_ended_by_its_length_was_still_gaining(
    reason: str, gained_db: float | None, gaining: bool
) -> None:
    assert is_still_gaining(reason, gained_db) is gaining
