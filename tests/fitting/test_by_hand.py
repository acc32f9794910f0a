"""What a person does to a fit while it runs: it takes effect, it is told, and a fit that goes on keeps it."""

from dataclasses import replace

import pytest

from fieldlens.configs.optimizer import Muon
from fieldlens.fitting import Change, fit, go_on_with
from fieldlens.fitting.by_hand import change_rate, change_target
from tests.support.small_fits import noise, plan, same_bytes, start

RATE = 1e-2


def test_a_changed_rate_moves_weights_as_that_rate_would_have() -> None:
    changed, planned = start(), start()
    assert change_rate(changed, plan(RATE), RATE / 4) == Change(0, "learning_rate", RATE, RATE / 4)
    for state, rate in ((changed, RATE), (planned, RATE / 4)):
        assert [moment.step for moment in fit(state, noise(), plan(rate, steps=3), [])] == [0, 3]
    assert same_bytes(changed.tensors(), planned.tensors())


def test_muon_s_own_rate_changes_in_proportion() -> None:
    changed, planned = (start(optimizer=Muon(rate)) for rate in (0.04, 0.02))
    change_rate(changed, plan(RATE), RATE / 2)
    for state, rate, muon in ((changed, RATE, 0.04), (planned, RATE / 2, 0.02)):
        for _ in fit(state, noise(), plan(rate, steps=3, optimizer=Muon(muon)), []):
            pass
    tensors, expected = changed.tensors(), planned.tensors()
    assert all(tensors[name].allclose(expected[name], rtol=1e-4, atol=1e-6) for name in expected if "field" in name)


def test_a_fit_goes_on_with_the_newest_of_all_changes() -> None:
    state, first = start(), plan(RATE, steps=9)
    changes = [
        Change(2, "learning_rate", RATE, 0.5),
        Change(3, "learning_rate", 0.5, 0.25),
        Change(4, "target_psnr_db", None, 30.0),
        Change(5, "snapshot", None, None),
    ]
    assert go_on_with(changes, state, first, keeps_limits=True) == (replace(first, target_psnr_db=30.0), changes)
    assert state.rate_factor * RATE == pytest.approx(0.25)


def test_limits_that_are_named_anew_replace_a_target_that_was_set_by_hand_for_good() -> None:
    first, state = plan(RATE, steps=9), start()
    changes = [Change(4, "target_psnr_db", None, 30.0)]
    replaced, all_changes = go_on_with(changes, state, first, keeps_limits=False)
    assert replaced == first
    assert all_changes == [*changes, Change(0, "target_psnr_db", 30.0, None)]
    assert go_on_with(all_changes, state, first, keeps_limits=True) == (first, all_changes)


def test_limits_that_are_named_anew_add_no_change_where_no_target_was_set_by_hand() -> None:
    first, changes = plan(RATE, steps=9), [Change(4, "learning_rate", RATE, 0.5)]
    assert go_on_with(changes, start(), first, keeps_limits=False) == (first, changes)


def test_each_change_is_told_in_a_sentence() -> None:
    _, target = change_target(start(), plan(RATE), 30)
    assert [change.sentence for change in (Change(1200, "learning_rate", 0.01, 0.0025), target)] == [
        "learning rate 0.01 became 0.0025 at step 1,200, by hand",
        "no dB to reach became 30 dB to reach at step 0, by hand",
    ]
