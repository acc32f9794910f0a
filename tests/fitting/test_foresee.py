"""The step that is foreseen is the one that the fit takes, and foreseeing it leaves the fit as it was."""

from dataclasses import replace

import pytest
import torch

from fieldlens.configs.network import Network
from fieldlens.configs.optimizer import Adam, Muon, Optimizer
from fieldlens.configs.run import Schedule
from fieldlens.fitting import TrainingState, fit, foreseen_change, foreseen_step
from tests.support.small_fits import noise, plan, same_bytes, start

SCENE = noise(8)
PIXELS = SCENE.training_samples
NETWORK = Network(8, 3)


def full_gradient(state: TrainingState) -> dict[str, torch.Tensor]:
    """Of the loss over each pixel once."""
    batch = SCENE.batch(torch.Generator(), PIXELS)
    loss = SCENE.loss(state.trained(batch.coordinates), batch)
    names, parameters = zip(*state.trained.named_parameters(), strict=True)
    return dict(zip(names, torch.autograd.grad(loss, parameters), strict=True))


@pytest.mark.parametrize("average", [0.0, 0.3])
@pytest.mark.parametrize("schedule", ["constant", "rsqrt", "cosine"])
@pytest.mark.parametrize("optimizer", [Adam(), Muon(0.02)])
def test_it_is_the_difference_that_the_next_step_of_a_fit_makes(
    optimizer: Optimizer, schedule: Schedule, average: float
) -> None:
    state = start(network=NETWORK, optimizer=optimizer, average=average)
    whole = plan(1e-2, batch_size=PIXELS, optimizer=optimizer, schedule=schedule, steps=8, average=average)
    for _ in fit(state, SCENE, replace(whole, steps=5), []):
        pass
    before = state.tensors()
    foreseen = foreseen_step(state, whole, full_gradient(state))
    change = foreseen_change(state, whole, full_gradient(state))
    assert same_bytes(state.tensors(), before)

    weights = {name: parameter.detach().clone() for name, parameter in state.trained.named_parameters()}
    shown = {name: parameter.detach().clone() for name, parameter in state.field.named_parameters()}
    for _ in fit(state, SCENE, replace(whole, steps=8), [6]):
        if state.step == 6:
            break
    for name, parameter in state.trained.named_parameters():
        assert torch.equal(parameter.detach() - weights[name], foreseen[name])
        assert foreseen[name].any()
    for name, parameter in state.field.named_parameters():
        assert torch.equal(parameter.detach() - shown[name], change[name])
