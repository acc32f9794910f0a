"""Signals as scenes: the right sum of sines, in batches, drawn, saved and found again."""

import numpy as np
import pytest
import torch

from fieldlens.configs.errors import InputError
from fieldlens.configs.run import Target
from fieldlens.configs.signal import Sines
from fieldlens.configs.space import Space
from fieldlens.render.files import write_npz
from fieldlens.scenes import Scene, Signal, View, load
from fieldlens.scenes.load import restore
from fieldlens.scenes.signal import sum_of_sines


@pytest.fixture
def signal() -> Signal:
    return sum_of_sines(Sines((3, 7), 100), seed=1)


def test_it_has_the_amplitudes_that_its_notes_state_and_fills_the_range(signal):
    bins = np.abs(np.fft.rfft(signal.samples)) * 2 / 100
    scale = float(signal.notes[0].split("amplitude ")[1].split()[0])
    np.testing.assert_allclose(bins[[3, 7]], scale, rtol=1e-3)
    assert np.delete(bins, [0, 3, 7]).max() < 1e-6
    assert np.abs(signal.samples - 0.5).max() == pytest.approx(0.5, abs=1e-6)


def test_the_seed_changes_phases_and_nothing_else(signal):
    other = sum_of_sines(Sines((3, 7), 100), seed=2)
    assert not np.allclose(other.samples, signal.samples)
    np.testing.assert_array_equal(sum_of_sines(Sines((3, 7), 100), seed=1).samples, signal.samples)


def test_it_is_a_scene_and_its_own_view(signal: Signal):
    assert isinstance(signal, Scene)
    assert isinstance(signal, View)
    assert (signal.in_dim, signal.out_dim, signal.resolution, signal.training_samples) == (1, 1, 100, 100)
    assert signal.views() == (signal,)
    assert signal.preview == (1, 100)


@pytest.mark.parametrize("size", [16, 100, 8192])
def test_batches_hold_samples_where_they_are(signal, size):
    batch = signal.batch(torch.Generator().manual_seed(0), size)
    assert batch.coordinates.shape == (min(size, 100), 1)
    index = (batch.coordinates[:, 0] * 100 - 0.5).round().long()
    assert len(index.unique()) == len(index)
    np.testing.assert_array_equal(batch.values[:, 0].numpy(), signal.samples[index.numpy()])


def test_every_other_sample_can_be_held_out():
    signal = sum_of_sines(Sines((3,), 9), seed=0, holdout="checkerboard")
    batch = signal.batch(torch.Generator(), 50)
    np.testing.assert_allclose(batch.coordinates[:, 0], (np.arange(0, 9, 2) + 0.5) / 9)
    assert signal.heldout is not None
    assert signal.heldout.sum() == 4
    with pytest.raises(InputError, match="hold out"):
        sum_of_sines(Sines((3,), 9), seed=0, holdout="even-odd")


def test_drawing_asks_a_function_of_one_number(signal):
    def line(x: torch.Tensor) -> torch.Tensor:
        assert x.shape[1:] == (1,)
        return x

    np.testing.assert_allclose(signal.draw(line)[0, :, 0], (np.arange(100) + 0.5) / 100, atol=1e-7)
    assert signal.draw(line, width=10).shape == (1, 10, 1)
    assert signal.target().shape == (1, 100, 1)


def test_it_is_saved_and_found_again(signal, tmp_path):
    write_npz(tmp_path / "target.npz", **signal.to_npz_arrays())
    again = restore(tmp_path / "target.npz", Space())
    assert isinstance(again, Signal)
    assert (again.name, again.frequencies, again.notes) == (signal.name, signal.frequencies, signal.notes)
    np.testing.assert_array_equal(again.samples, signal.samples)
    (tmp_path / "target.npz").write_bytes(b"nonsense")
    with pytest.raises(InputError, match="damaged"):
        restore(tmp_path / "target.npz", Space())


def test_a_word_loads_one_unless_a_file_is_called_so(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    scene = load("signal:5,10,samples=64", seed=3)
    assert isinstance(scene, Signal)
    assert scene.name == "signal:5,10,samples=64"
    with pytest.raises(InputError, match="max-side"):
        load("signal:5", Target(max_side=100))
    with pytest.raises(InputError, match="did you mean 'signal'"):
        load("signl")
    (tmp_path / "signal").write_text("no picture")
    with pytest.raises(InputError, match="no picture that can be read"):
        load("signal")
