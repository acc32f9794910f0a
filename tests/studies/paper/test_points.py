"""Measures over points that make no picture: against loops over pairs, and against other libraries."""

import numpy as np
import pytest
import torch
from sklearn.datasets import load_digits
from sklearn.neighbors import NearestNeighbors

from fieldlens.analysis.gradients.point_gradients import squared_error
from fieldlens.configs.encoding import Raw
from fieldlens.configs.network import Network
from fieldlens.configs.run import FitConfig, Training
from fieldlens.fields import build
from fieldlens.fitting import fit, initial_state, plan_of
from fieldlens.scenes.digits import cross_entropy, digits
from fieldlens.scenes.scene import Scene
from fieldlens.studies.paper.points import POINT_QUANTITIES, measure_points, near_and_far
from fieldlens.studies.runs.history import history_of

PLACES = torch.rand(40, 5, generator=torch.Generator().manual_seed(0))


def field_of_five(depth: int = 2):
    return build(Raw(), Network(width=12, depth=depth), 5, 3, torch.Generator().manual_seed(1))


def test_digits_are_those_of_scikit_learn() -> None:
    found, (levels, labels) = digits(), load_digits(return_X_y=True)
    np.testing.assert_array_equal(found.images.numpy() * 16, levels)
    np.testing.assert_array_equal(found.classes.argmax(1), labels)
    assert (found.classes.sum(1) == 1).all()
    assert isinstance(found, Scene)
    everything = found.batch(torch.Generator(), 5000)
    assert torch.equal(everything.coordinates, found.images)
    some = found.batch(torch.Generator().manual_seed(0), 7)
    assert len(some.values) == 7
    assert all((found.images == image).all(1).any() for image in some.coordinates)


def test_the_loss_is_torch_s_cross_entropy() -> None:
    scores, labels = torch.randn(9, 10), torch.arange(9)
    classes = torch.nn.functional.one_hot(labels, 10).float()
    theirs = torch.nn.functional.cross_entropy(scores, labels, reduction="none")
    torch.testing.assert_close(cross_entropy(scores, classes), theirs)


def test_a_field_learns_to_tell_digits_apart() -> None:
    scene = digits()
    training = Training(steps=60, batch_size=256, learning_rate=3e-3, device="cpu", precision="fp32")
    config = FitConfig(encoding=Raw((0, 1)), network=Network(width=32, depth=2), training=training)
    state = initial_state(config, scene)
    for _ in fit(state, scene, plan_of(config, scene), []):
        pass
    right = state.field(scene.images).argmax(1) == scene.classes.argmax(1)
    assert right.float().mean() > 0.85


def test_neighbours_are_those_of_scikit_learn() -> None:
    pairs = near_and_far(PLACES, 6, 4, torch.Generator().manual_seed(3))
    order = NearestNeighbors(n_neighbors=40).fit(PLACES.numpy()).kneighbors(PLACES.numpy())[1]
    for name, columns in (("local", slice(1, 5)), ("global", slice(-4, None))):
        first, second = (each.view(6, 4).numpy() for each in pairs[name])
        assert len(set(first[:, 0])) == 6
        for row, others in zip(first, second, strict=True):
            assert set(row) == {row[0]}
            assert set(others) == set(order[row[0], columns])


def test_distances_and_dead_neurons_are_those_of_a_loop() -> None:
    field = field_of_five()
    with torch.no_grad():
        field.mlp.linears[0].bias[:3] = -50
    pairs = near_and_far(PLACES, 8, 5, torch.Generator().manual_seed(0))
    values = torch.rand(40, 3)
    found = measure_points(field, PLACES, values, pairs, squared_error)
    assert set(history_of([(0, found)]).quantities) == POINT_QUANTITIES
    for layer, z in enumerate(field.preactivations(PLACES), start=1):
        on = (z > 0).detach().numpy()
        assert found[f"dead__layer{layer}"] == sum(not column.any() for column in on.T)
        for name, (first, second) in pairs.items():
            apart = [np.sum(on[i] != on[j]) for i, j in zip(first.tolist(), second.tolist(), strict=True)]
            assert found[f"hamming_{name}__layer{layer}"] == pytest.approx(np.mean(apart))
    assert found["loss"] == pytest.approx(((field(PLACES) - values) ** 2).mean().item(), rel=1e-5)


def test_cosines_are_those_of_autograd_for_cross_entropy() -> None:
    field, first, second = field_of_five(), torch.arange(10), torch.arange(10, 20)
    classes = torch.nn.functional.one_hot(torch.arange(40) % 3, 3).float()

    def gradient(index: int) -> torch.Tensor:
        loss = cross_entropy(field(PLACES[index : index + 1]), classes[index : index + 1]).sum()
        return torch.cat([each.flatten() for each in torch.autograd.grad(loss, list(field.parameters()))])

    cosines = [torch.cosine_similarity(gradient(i), gradient(i + 10), dim=0).item() for i in range(10)]
    found = measure_points(field, PLACES, classes, {"local": (first, second)}, cross_entropy)
    assert found["confusion_local__mean"] == pytest.approx(np.mean(cosines), abs=1e-5)
    assert found["confusion_local__std"] == pytest.approx(np.std(cosines), abs=1e-5)
