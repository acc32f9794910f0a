"""Reviving changes what is dead, and nothing else."""

import pytest
import torch

from fieldlens.configs.encoding import Raw
from fieldlens.configs.errors import InputError
from fieldlens.configs.network import Activation, Network
from fieldlens.configs.run import CompareConfig, FitConfig, Training
from fieldlens.fitting import TrainingState, fit
from fieldlens.fitting.revive import revive, revive_dead
from fieldlens.render.grid import pixel_points
from tests.support.small_fits import noise, plan, same_bytes, start
from tests.support.small_networks import field_of

PIXELS = pixel_points(8, 8).flatten(0, 1)


def dying(encoding: str = "raw", network: str = "3x16"):
    """A field of which many neurons are dead on the picture, some in each layer."""
    field = field_of(encoding, network)
    with torch.no_grad():
        for layer in field.mlp.linears[:-1]:
            layer.bias[::3] = -50
    return field


def on(field) -> list[torch.Tensor]:
    return [z.detach() > 0 for z in field.preactivations(PIXELS)]


@pytest.mark.parametrize("encoding", ["raw:0..1", "fourier:4", "hashgrid:4,finest=40"])
def test_revived_neurons_cross_the_picture_and_the_field_stays_what_it_is(encoding: str) -> None:
    field = dying(encoding)
    before, patterns = field(PIXELS).detach(), on(field)
    revived = revive_dead(field, PIXELS, torch.Generator().manual_seed(0))
    assert torch.equal(field(PIXELS), before)
    for layer, (dead, was, now) in enumerate(zip(revived, patterns, on(field), strict=True)):
        assert torch.equal(dead, ~was.any(0)), layer
        assert dead.sum() >= 5
        assert now[:, dead].any(0).all()
        assert not now[:, dead].all(0).any()
        assert torch.equal(now[:, ~dead], was[:, ~dead])


def test_even_among_two_coordinates_no_revived_neuron_stays_dead() -> None:
    for seed in range(20):
        field = dying()
        two = PIXELS[torch.randperm(len(PIXELS), generator=torch.Generator().manual_seed(seed))[:2]]
        revived = revive_dead(field, two, torch.Generator().manual_seed(seed))
        assert sum(int(layer.sum()) for layer in revived) > 0
        for layer, z in zip(revived, field.preactivations(two), strict=True):
            assert (z > 0)[:, layer].any(0).all()


def test_with_one_coordinate_or_in_a_field_that_has_diverged_nothing_changes() -> None:
    lone, broken = dying(), dying()
    with torch.no_grad():
        broken.mlp.linears[0].weight[0] = torch.nan
    for field, coordinates in ((lone, PIXELS[:1]), (broken, PIXELS)):
        before = {name: value.clone() for name, value in field.state_dict().items()}
        assert revive_dead(field, coordinates, torch.Generator()) == []
        assert all(torch.equal(before[name].nan_to_num(), v.nan_to_num()) for name, v in field.state_dict().items())


def test_revived_neurons_learn_again() -> None:
    field = dying()
    revived = revive_dead(field, PIXELS, torch.Generator().manual_seed(0))
    field(PIXELS).square().sum().backward()
    for dead, following in zip(revived, field.mlp.linears[1:], strict=True):
        gradient = following.weight.grad
        assert gradient is not None
        assert (gradient[:, dead].abs().sum(0) > 0).any()


def test_where_no_neuron_is_dead_nothing_changes() -> None:
    field = field_of("fourier:4")
    revive_dead(field, PIXELS, torch.Generator().manual_seed(0))
    before = {name: value.clone() for name, value in field.state_dict().items()}
    again = revive_dead(field, PIXELS, torch.Generator().manual_seed(1))
    assert not any(dead.any() for dead in again)
    assert all(torch.equal(before[name], value) for name, value in field.state_dict().items())


def test_only_relu_networks_have_neurons_to_revive() -> None:
    for network in ("2x16,sine", "2x16,leaky_relu"):
        with pytest.raises(InputError, match="only dead neurons of a ReLU network"):
            revive_dead(field_of("raw", network), PIXELS, torch.Generator())


def test_a_fit_forgets_the_moments_of_revived_neurons_and_of_no_other() -> None:
    state = start()
    for _ in fit(state, noise(), plan(1e-3, steps=3), []):
        pass
    with torch.no_grad():
        for layer in state.field.mlp.linears[:-1]:
            layer.bias[0] = -50
    before = {name: moment.clone() for name, moment in state.optimizer.moments().items()}
    dead = [~was.any(0) for was in on(state.field)]
    assert revive(state, PIXELS, torch.Generator().manual_seed(0)) == sum(int(each.sum()) for each in dead)
    after = state.optimizer.moments()
    for index, each in enumerate(dead):
        assert each[0]
        for kind in ("mean", "mean_square"):
            incoming, outgoing = f"mlp.layers.{index}.weight.{kind}", f"mlp.layers.{index + 1}.weight.{kind}"
            assert not after[incoming][each].any()
            assert not after[f"mlp.layers.{index}.bias.{kind}"][each].any()
            assert not after[outgoing][:, each].any()
    kept = ~dead[0]
    name = "mlp.layers.0.weight.mean"
    assert torch.equal(after[name][kept], before[name][kept])
    name = f"mlp.layers.{len(dead)}.weight.mean"
    assert torch.equal(after[name][:, ~dead[-1]], before[name][:, ~dead[-1]])
    assert before[name].any()


def test_a_fit_revives_at_its_steps_and_before_them_nothing_differs() -> None:
    def dead_on_the_way(*revive_at: int) -> dict[int, int]:
        state, counts = start(network=Network(width=16, depth=2)), {}
        with torch.no_grad():
            state.field.mlp.linears[0].bias[::3] = -50
        for moment in fit(state, noise(), plan(1e-3, steps=9, revive_at=revive_at), range(10)):
            counts[moment.step] = sum(int((~was.any(0)).sum()) for was in on(moment.state.field))
        return counts

    never, twice = dead_on_the_way(), dead_on_the_way(4, 6)
    assert all(never[step] == twice[step] >= 6 for step in range(5)), "dead until after step 4 is drawn"
    assert twice[5] < never[5] - 4
    assert never[9] >= 6


def test_reviving_leaves_the_data_and_its_order_as_they_are() -> None:
    generators = []
    for revive_at in ((), (2, 4)):
        state = start(network=Network(width=16, depth=2))
        with torch.no_grad():
            state.field.mlp.linears[0].bias[::3] = -50
        for _ in fit(state, noise(), plan(1e-3, steps=6, revive_at=revive_at), []):
            pass
        generators.append(state.generator.get_state())
    assert torch.equal(*generators)


def test_a_fit_that_revives_can_be_resumed_to_the_same_bytes() -> None:
    def train(state: TrainingState, steps: int) -> TrainingState:
        for moment in fit(state, noise(), plan(1e-2, steps=12, revive_at=(5,)), [steps]):
            if moment.step == steps:
                break
        return state

    through = train(start(3, Raw((0, 1))), 12)
    for pause in (3, 5, 6):
        first, second = train(start(3, Raw((0, 1))), pause), start(4, Raw((0, 1)))
        second.restore(first.tensors(), first.step, first.seconds)
        assert same_bytes(train(second, 12).tensors(), through.tensors()), pause


@pytest.mark.parametrize("activation", ["leaky_relu", "sine"])
def test_revival_is_refused_before_the_fit_where_neurons_cannot_be_dead(activation: Activation) -> None:
    revived, network = Training(revive_at=(5,)), Network(activation=activation)
    for make in (lambda: FitConfig(training=revived, network=network), lambda: both(revived, network)):
        with pytest.raises(InputError, match="only relu networks"):
            make()
    with pytest.raises(InputError, match="--revive-at must be 1 to"):
        Training(revive_at=(0,))


def both(training: Training, network: Network) -> CompareConfig:
    return CompareConfig(training=training, networks=(Network(), network))
