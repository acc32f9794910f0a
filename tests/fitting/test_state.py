"""The state of a fit as named tensors: complete, copied, and refused where it does not fit."""

import pytest
import torch

from fieldlens.configs.encoding import Encoding, Fourier, Gaussian, HashGrid
from fieldlens.configs.errors import InputError
from fieldlens.configs.network import Network
from fieldlens.fitting import TrainingState, fit
from tests.support.small_fits import noise, plan, same_bytes, start


def after(steps: int, state: TrainingState) -> TrainingState:
    for _ in fit(state, noise(), plan(1e-2, steps=steps), []):
        pass
    return state


@pytest.mark.parametrize("encoding", [Fourier(2), Gaussian(2.0, 8), HashGrid(2, base=2, finest=8)], ids=str)
@pytest.mark.parametrize("steps", [0, 3])
def test_a_state_that_was_restored_is_the_one_that_was_saved(encoding: Encoding, steps: int) -> None:
    saved = start(1, encoding)
    if steps:
        after(steps, saved)
    restored = start(2, encoding)
    restored.restore(saved.tensors(), saved.step, saved.seconds)
    assert same_bytes(saved.tensors(), restored.tensors())
    assert (restored.step, restored.seconds) == (saved.step, saved.seconds)


def test_a_state_holds_weights_moments_and_the_generator_by_name() -> None:
    names = set(after(1, start(network=Network(width=8, depth=1))).tensors())
    layers = [f"mlp.layers.{index}.{part}" for index in (0, 1) for part in ("weight", "bias")]
    moments = {f"moments.{layer}.{key}" for layer in layers for key in ("mean", "mean_square")}
    assert names == {f"field.{layer}" for layer in layers} | moments | {"generator"}


def test_random_frequencies_are_part_of_the_state() -> None:
    assert "field.encoding.frequencies" in start(encoding=Gaussian()).tensors()


def test_before_the_first_step_all_moments_are_zero() -> None:
    assert not any(value.any() for name, value in start().tensors().items() if name.startswith("moments"))


def test_an_unstepped_state_restored_over_a_stepped_one_forgets_its_moments() -> None:
    fresh, stepped = start(), after(3, start())
    stepped.restore(fresh.tensors(), 0, 0.0)
    assert same_bytes(after(5, stepped).tensors(), after(5, fresh).tensors())


def test_saved_tensors_do_not_change_while_the_fit_goes_on() -> None:
    state = after(2, start())
    saved = state.tensors()
    copies = {name: value.clone() for name, value in saved.items()}
    after(4, state)
    assert same_bytes(saved, copies)
    assert not same_bytes(saved, state.tensors())


def test_a_restored_fit_leaves_what_it_was_restored_from_alone() -> None:
    saved = after(2, start()).tensors()
    copies = {name: value.clone() for name, value in saved.items()}
    restored = start()
    restored.restore(saved, 2, 0.0)
    after(4, restored)
    assert same_bytes(saved, copies)


@pytest.mark.parametrize(
    ("other", "name"),
    [
        (start(network=Network(width=9, depth=2)), "field.mlp.layers.0.weight"),
        (start(network=Network(width=8, depth=3)), "field.mlp.layers.2.weight"),
        (start(encoding=Fourier(3)), "field.mlp.layers.0.weight"),
        (start(encoding=Gaussian(2.0, 4)), "field.encoding.frequencies"),
    ],
)
def test_the_state_of_another_field_is_refused_by_what_does_not_fit(other: TrainingState, name: str) -> None:
    state = start()
    before = state.tensors()
    with pytest.raises(InputError, match=f"its {name} does not fit"):
        state.restore(other.tensors(), 0, 0.0)
    assert same_bytes(before, state.tensors()), "and changes nothing"


@pytest.mark.parametrize("missing", ["generator", "field.mlp.layers.0.bias", "moments.mlp.layers.0.bias.mean"])
def test_an_incomplete_state_is_refused(missing: str) -> None:
    state = after(1, start())
    tensors = state.tensors()
    del tensors[missing]
    with pytest.raises(InputError, match=missing):
        state.restore(tensors, 1, 0.0)


def test_the_same_seed_starts_with_the_same_bytes_and_another_with_others() -> None:
    torch.rand(5)  # the global generator is no part of it
    assert same_bytes(start(3).tensors(), start(3).tensors())
    assert not same_bytes(start(3).tensors(), start(4).tensors())


def test_fields_of_any_shape_see_the_same_data_in_the_same_order() -> None:
    states = [
        start(1, Fourier(2)),
        start(1, Gaussian(2.0, 8), Network(width=12, depth=1)),
        start(1, HashGrid(2, base=2, finest=8)),
    ]
    first, *others = [noise().batch(after(3, state).generator, 9).coordinates for state in states]
    assert all(torch.equal(first, other) for other in others)
    weights = torch.Generator().manual_seed(1)
    assert not torch.equal(first, noise().batch(weights, 9).coordinates)  # and no random number serves twice
