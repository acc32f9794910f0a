"""What a step does to a view of photographs, against views drawn before and after a part of it."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from fieldlens.analysis import octave_bands
from fieldlens.analysis.detail.bands import REC709
from fieldlens.configs.encoding import Fourier
from fieldlens.configs.network import Network
from fieldlens.configs.optimizer import Adam, Muon, Optimizer
from fieldlens.configs.run import FitConfig
from fieldlens.configs.space import Space
from fieldlens.fields import RadianceField
from fieldlens.fitting import Plan, TrainingState, fit, initial_state, plan_of
from fieldlens.scenes.posed import PosedScene
from fieldlens.studies.foresight import through_rays
from fieldlens.studies.foresight.foresight import Foresight
from fieldlens.studies.foresight.through_rays import ThroughRays
from tests.scenes.test_posed import capture
from tests.support.small_fits import training

SIDE = 16
"""Of the photographs."""


def a_fit(optimizer: Optimizer) -> tuple[PosedScene, TrainingState[RadianceField], Plan]:
    """Of the ball, after a few steps."""
    scene = PosedScene(capture(), Space(grid=8, samples=24))
    config = FitConfig(
        training=training(optimizer=optimizer, steps=9, batch_size=256, learning_rate=0.02),
        encoding=Fourier(3),
        network=Network(16, 2),
    )
    state = initial_state(config, scene)
    plan = plan_of(config, scene)
    for _ in fit(state, scene, replace(plan, steps=5), []):
        pass
    return scene, state, plan


@pytest.mark.parametrize("optimizer", [Adam(), Muon(0.02)])
def test_a_small_part_of_the_next_step_mends_that_part_of_each_octave_of_the_view(optimizer: Optimizer) -> None:
    scene, state, plan = a_fit(optimizer)
    view, field = scene.views()[0], state.field
    foreseen = Foresight(view, ThroughRays(scene, view)).foresee(state, plan, SIDE)
    assert foreseen is not None

    def energies() -> np.ndarray:
        residual = (view.target() - view.draw(field)).astype(np.float64) @ REC709
        return np.array([np.square(octave).sum() for octave in octave_bands(residual)])

    before, share = energies(), 1e-2
    with torch.no_grad():
        for name, parameter in field.named_parameters():
            parameter.add_(foreseen.change[name], alpha=share)
    falls = (before - energies()) / share
    found = np.array([octave.whole.sum() for octave in foreseen.octaves()])
    np.testing.assert_allclose(found, falls, atol=0.02 * np.abs(falls).max())


def test_the_loss_descends_along_the_gradient_of_all_photographs(monkeypatch: pytest.MonkeyPatch) -> None:
    scene, state, _ = a_fit(Adam())
    view, field = scene.views()[0], state.trained
    probe = scene.training_probe(8 * SIDE**2)
    gradients = torch.autograd.grad(scene.loss(scene.predict(field, probe), probe), list(field.parameters()))
    monkeypatch.setattr(through_rays, "RAYS_AT_ONCE", 600)
    step = ThroughRays(scene, view).descent(field, view.target())
    for change, gradient in zip(step.values(), gradients, strict=True):
        np.testing.assert_allclose(change, -gradient, atol=1e-5 * float(gradient.abs().max()))
