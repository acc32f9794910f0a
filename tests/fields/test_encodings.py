"""Encodings against closed forms in float64, autograd and finite differences."""

import itertools
import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from fieldlens.configs.encoding import Basic, Code, Encoding, Fourier, Gaussian, HashGrid, Own, Positional, Raw
from fieldlens.fields import build_encoding
from fieldlens.fields.encodings import EncodingModule, HashGridEncoding, octave_waves

LAST_PLACE = 2.0**-23
"""The step from 1 to the next fp32 number."""


def bumps(x: Tensor) -> Tensor:
    """Features of one's own: no waves, and of all coordinates at once."""
    centres = torch.linspace(0, 1, 5)
    return torch.exp(-8 * (x.sum(1, keepdim=True) / x.shape[1] - centres).square())


EVERY_KIND = [
    Raw(),
    Raw((-3.0, 0.5)),
    Fourier(5),
    Fourier(3, include_input=True),
    Fourier(3, include_input=True, interval=(-1.0, 0.5)),
    Positional(4.0, 12),
    Basic(),
    Gaussian(3.0, 8),
    HashGrid(3, base=3, finest=11, log2_size=5),
    Own("mine.py", "bumps", Code(bumps, b"")),
]


def make(config: Encoding, dim: int = 2, seed: int = 0) -> EncodingModule:
    return build_encoding(config, dim, torch.Generator().manual_seed(seed))


def points(n: int = 50, dim: int = 2, seed: int = 0) -> Tensor:
    """Random points of the unit square, its corners among them."""
    corners = torch.tensor(list(itertools.product([0.0, 1.0], repeat=dim)))
    return torch.cat([corners, torch.rand(n, dim, generator=torch.Generator().manual_seed(seed))])


def in_float64(x: Tensor) -> np.ndarray:
    return x.detach().numpy().astype(np.float64)


# --- what all have in common


@pytest.mark.parametrize("dim", [1, 2, 3])
@pytest.mark.parametrize("config", EVERY_KIND, ids=str)
def test_shapes_are_those_that_were_promised(config: Encoding, dim: int) -> None:
    encoding, x = make(config, dim), points(dim=dim)
    features = encoding(x)
    value, tangents = encoding.value_and_tangents(x)
    assert features.shape == value.shape == (len(x), encoding.features)
    assert tangents.shape == (len(x), dim, encoding.features)
    assert features.dtype == tangents.dtype == torch.float32
    assert encoding.config == config


@pytest.mark.parametrize("config", EVERY_KIND, ids=str)
def test_no_points_have_no_features(config: Encoding) -> None:
    encoding = make(config)
    value, tangents = encoding.value_and_tangents(torch.zeros(0, 2))
    assert value.shape == (0, encoding.features)
    assert tangents.shape == (0, 2, encoding.features)


@pytest.mark.parametrize("dim", [1, 2, 3])
@pytest.mark.parametrize("config", EVERY_KIND, ids=str)
def test_tangents_are_what_autograd_finds(config: Encoding, dim: int) -> None:
    encoding = make(config, dim)
    x = points(20, dim, seed=1)[2**dim :]  # inside: at a hash grid's own lines there are two derivatives
    value, tangents = encoding.value_and_tangents(x)
    leaf = x.clone().requires_grad_()
    features = encoding(leaf)
    assert torch.equal(value, features)
    for index in range(encoding.features):
        (slope,) = torch.autograd.grad(features[:, index].sum(), leaf, retain_graph=True)
        scale = max(1.0, float(slope.abs().max()))
        torch.testing.assert_close(tangents[:, :, index], slope, rtol=1e-5, atol=1e-5 * scale)


@pytest.mark.parametrize("dim", [1, 2, 3])
@pytest.mark.parametrize("config", EVERY_KIND, ids=str)
def test_second_derivatives_are_autograds_of_the_tangents(config: Encoding, dim: int) -> None:
    encoding = make(config, dim)
    x = points(20, dim, seed=1)[2**dim :]
    second = encoding.second_derivatives(x)
    assert second.shape == (len(x), dim, encoding.features)
    for axis in range(dim):
        leaf = x.clone().requires_grad_()
        features = encoding(leaf)
        for index in range(encoding.features):
            (slope,) = torch.autograd.grad(features[:, index].sum(), leaf, create_graph=True)
            curved = torch.zeros(len(x))
            if slope.requires_grad:
                (by_axes,) = torch.autograd.grad(slope[:, axis].sum(), leaf, retain_graph=True, allow_unused=True)
                curved = torch.zeros(len(x)) if by_axes is None else by_axes[:, axis]
            scale = max(1.0, float(curved.abs().max()))
            torch.testing.assert_close(second[:, axis, index], curved, rtol=1e-5, atol=1e-5 * scale)


@pytest.mark.parametrize("dim", [1, 2, 3])
@pytest.mark.parametrize(
    "config", [Fourier(5), Fourier(4, interval=(-0.3, 1.1)), Positional(4.0, 12), Basic(), Gaussian(3.0, 8)], ids=str
)
def test_waves_are_sines_with_their_rates_and_phases(config: Encoding, dim: int) -> None:
    encoding, x = make(config, dim), points(dim=dim)
    form = encoding.closed_form()
    assert form is not None
    assert not len(form.scale)
    waves = (x.double() @ form.rates.T + form.phases).sin()
    torch.testing.assert_close(encoding(x).double(), waves, rtol=0, atol=1e-5)


@pytest.mark.parametrize("dim", [1, 2, 3])
@pytest.mark.parametrize("config", EVERY_KIND, ids=str)
def test_features_are_those_of_the_closed_form_and_of_the_learnt_table(config: Encoding, dim: int) -> None:
    encoding, x = make(config, dim), points(dim=dim)
    form, table = encoding.closed_form(), encoding.learnt_table()
    assert (table is not None) == bool(list(encoding.parameters()))  # type: ignore[attr-defined]
    if form is not None:
        torch.testing.assert_close(encoding(x).double(), form(x.double()), rtol=0, atol=1e-5)
    if table is not None:
        rows, weights = table.rows_and_weights(x)
        assert rows[0].numel() == table.rows_per_point
        torch.testing.assert_close(encoding(x), (table.values[rows] * weights[..., None]).sum(2).flatten(1))


@pytest.mark.parametrize("config", [kind for kind in EVERY_KIND if not isinstance(kind, Gaussian)], ids=str)
def test_the_highest_frequency_is_that_of_the_fastest_wave_of_the_closed_form(config: Encoding) -> None:
    form = make(config).closed_form()
    if form is not None:
        fastest = max(form.rates.abs().flatten().tolist(), default=0.0)
        assert 2 * math.pi * config.highest_frequency == pytest.approx(fastest)


def test_where_frequencies_are_drawn_or_features_interpolated_the_highest_is_a_convention() -> None:
    form = make(Gaussian(2.0, 60_000)).closed_form()
    assert form is not None
    beyond = (form.rates.abs() > 2 * math.pi * Gaussian(2.0).highest_frequency).double().mean()
    assert float(beyond) == pytest.approx(0.0027, abs=0.0005)  # beyond three standard deviations
    assert HashGrid(base=3, finest=64).highest_frequency == 32, "a hat and the next make one wave"


@pytest.mark.parametrize("config", EVERY_KIND, ids=str)
def test_the_affine_encodings_are_those_whose_slope_is_the_same_everywhere(config: Encoding) -> None:
    encoding = make(config)
    _, tangents = encoding.value_and_tangents(points())
    assert encoding.config.is_affine == torch.equal(tangents, tangents[:1].expand_as(tangents))


@pytest.mark.parametrize("config", [Gaussian(), HashGrid(2)], ids=str)
def test_random_parts_follow_from_the_generator_alone(config: Encoding) -> None:
    def parts(seed: int) -> Tensor:
        torch.rand(3)  # the global generator's state is no part of it
        return torch.cat([part.flatten() for part in make(config, seed=seed).state_dict().values()])  # type: ignore[attr-defined]

    assert torch.equal(parts(1), parts(1))
    assert not torch.equal(parts(1), parts(2))


# --- closed forms


def test_raw_sends_the_unit_square_to_the_square_of_its_interval() -> None:
    x = torch.tensor([[0.0, 1.0], [0.5, 0.25]])
    assert make(Raw())(x).tolist() == [[-1.0, 1.0], [0.0, -0.5]]
    assert make(Raw((0.0, 1.0)))(x).tolist() == x.tolist()


@pytest.mark.parametrize("octaves", [1, 4, 16, 17, 24])
def test_every_octave_is_right_to_the_last_place_of_fp32(octaves: int) -> None:
    x = torch.cat([points(2000, 1), (torch.arange(512)[:, None] + 0.5) / 512, torch.tensor([[0.5]])])
    waves = in_float64(octave_waves(x, octaves)[..., 0])
    for octave in range(octaves):
        turns = np.remainder(in_float64(x[:, 0]) * 2.0**octave, 2.0)  # exact in binary
        assert np.abs(waves[:, octave, 0] - np.sin(np.pi * turns)).max() < LAST_PLACE
        assert np.abs(waves[:, octave, 1] - np.cos(np.pi * turns)).max() < LAST_PLACE


def test_fourier_features_are_sines_then_cosines_octave_by_octave() -> None:
    x = points()
    columns = [
        wave(math.pi * 2.0**octave * in_float64(x)[:, axis])
        for octave in range(3)
        for wave in (np.sin, np.cos)
        for axis in range(2)
    ]
    np.testing.assert_allclose(in_float64(make(Fourier(3))(x)), np.stack(columns, 1), atol=LAST_PLACE)
    with_input = make(Fourier(3, include_input=True))(x)
    assert torch.equal(with_input[:, :2], x)
    assert torch.equal(with_input[:, 2:], make(Fourier(3))(x))


def test_on_an_interval_fourier_features_are_those_of_the_scaled_coordinates() -> None:
    x = points()
    scaled = 1.5 * x.double() - 0.5
    waves = make(Fourier(4))(scaled)  # fp64 in, and fp32's last place out
    on_interval = make(Fourier(4, include_input=True, interval=(-0.5, 1.0)))(x)
    assert torch.equal(on_interval, torch.cat([scaled.float(), waves], 1))


def test_on_a_wider_interval_fewer_octaves_are_told_apart() -> None:
    assert Fourier(6, interval=(-1.0, 1.0)).aliasing_note(64) is None
    warning = Fourier(7, interval=(-1.0, 1.0)).aliasing_note(64)
    assert warning is not None
    assert "fourier:6,interval=-1..1 is the most" in warning


def test_basic_is_one_wave_over_the_picture() -> None:
    x = points()
    angle = 2 * np.pi * in_float64(x)
    expected = np.concatenate([np.sin(angle), np.cos(angle)], 1)
    np.testing.assert_allclose(in_float64(make(Basic())(x)), expected, atol=1e-6)


@pytest.mark.parametrize("dim", [1, 2, 3])
def test_positional_has_tancik_s_log_spaced_frequencies_on_each_axis(dim: int) -> None:
    x, per_axis = points(dim=dim), 24 // dim
    ladder = 2.0 ** np.linspace(0, 5.0, per_axis) - 1
    angles = np.concatenate([2 * np.pi * in_float64(x)[:, [axis]] * ladder for axis in range(dim)], 1)
    expected = np.concatenate([np.sin(angles), np.cos(angles)], 1)
    np.testing.assert_allclose(in_float64(make(Positional(5.0, 24), dim)(x)), expected, atol=1e-4)


def test_gaussian_is_sines_and_cosines_along_its_frequencies() -> None:
    encoding, x = make(Gaussian(10.0, 64)), points()
    angles = 2 * np.pi * in_float64(x) @ in_float64(encoding.frequencies).T  # type: ignore[attr-defined]
    expected = np.concatenate([np.sin(angles), np.cos(angles)], 1)
    np.testing.assert_allclose(in_float64(encoding(x)), expected, atol=1e-4)


@pytest.mark.parametrize("scale", [1.0, 10.0])
def test_gaussian_frequencies_have_the_deviation_that_was_asked_for(scale: float) -> None:
    frequencies = in_float64(make(Gaussian(scale, 20_000)).frequencies) / scale  # type: ignore[attr-defined]
    assert abs(frequencies.mean()) < 0.02
    assert np.cov(frequencies.T) == pytest.approx(np.eye(2), abs=0.03)
    assert (frequencies**4).mean() == pytest.approx(3, abs=0.15), "a normal distribution's fourth moment"


# --- hash grid


def one_level(resolution: int, dim: int, log2_size: int = 20) -> HashGridEncoding:
    config = HashGrid(1, features=1, log2_size=log2_size, base=resolution, finest=resolution)
    return HashGridEncoding(config, dim, torch.Generator().manual_seed(0))


def grid_points(resolution: int, dim: int) -> Tensor:
    """All (resolution + 1)^dim corners of the grid's squares."""
    return torch.tensor(list(itertools.product(range(resolution + 1), repeat=dim))) / resolution


@pytest.mark.parametrize(("resolution", "dim"), [(1, 1), (16, 1), (1, 2), (8, 2), (32, 2), (4, 3)])
def test_a_level_that_fits_its_table_has_an_entry_of_its_own_for_each_corner(resolution: int, dim: int) -> None:
    encoding = one_level(resolution, dim)
    encoding.table.data = torch.arange(float(len(encoding.table)))[:, None]
    entries = encoding(grid_points(resolution, dim))[:, 0]  # at a corner the value is the entry itself, exactly
    assert sorted(entries.tolist()) == list(range((resolution + 1) ** dim))


def test_a_level_that_does_not_fit_shares_entries_evenly() -> None:
    encoding = one_level(64, 2, log2_size=8)
    assert len(encoding.table) == 256
    encoding.table.data = torch.arange(256.0)[:, None]
    counts = torch.bincount(encoding(grid_points(64, 2))[:, 0].long(), minlength=256)
    assert counts.sum() == 65**2
    assert counts.min() > 0
    assert counts.max() < 3 * 65**2 / 256


@pytest.mark.parametrize("dim", [1, 2, 3])
def test_a_hash_is_that_of_mueller_et_al(dim: int) -> None:
    encoding = one_level(64, dim, log2_size=4)
    encoding.table.data = torch.arange(16.0)[:, None]
    corner = [5, 40, 63][:dim]
    value = 0
    for index, prime in zip(corner, (1, 2_654_435_761, 805_459_861), strict=False):
        value ^= index * prime
    assert encoding(torch.tensor([corner]) / 64).item() == value % 16


@given(st.integers(0, 2**32), st.sampled_from([1, 2, 3]))
def test_functions_linear_in_each_axis_are_interpolated_exactly(seed: int, dim: int) -> None:
    generator = torch.Generator().manual_seed(seed)
    coefficients = torch.rand(2**dim, generator=generator, dtype=torch.float64)

    def multilinear(x: Tensor) -> Tensor:
        """sum over subsets S of the axes of c_S prod_{a in S} x_a."""
        terms = [torch.stack([x[:, a] for a in range(dim) if s >> a & 1] + [x[:, 0] * 0 + 1]).prod(0)
                 for s in range(2**dim)]  # fmt: skip
        return torch.stack(terms, 1) @ coefficients

    encoding, corners = one_level(4, dim), grid_points(4, dim)
    row_at_corner = torch.arange(float(len(encoding.table)))[:, None]
    encoding.table.data = row_at_corner
    rows = encoding(corners)[:, 0].long()
    encoding.table.data[rows, 0] = multilinear(corners.double()).float()
    x = torch.cat([corners, torch.rand(30, dim, generator=generator)])
    torch.testing.assert_close(encoding(x)[:, 0], multilinear(x.double()).float(), rtol=1e-5, atol=1e-6)


def test_every_level_has_entries_of_its_own() -> None:
    encoding = HashGridEncoding(HashGrid(4, log2_size=6, base=2, finest=32), 2, torch.Generator().manual_seed(0))
    touched = []
    for level in range(4):
        encoding.zero_grad()
        encoding(points(3000))[:, 2 * level : 2 * level + 2].sum().backward()
        assert encoding.table.grad is not None
        touched.append(set(encoding.table.grad.abs().sum(1).nonzero().flatten().tolist()))
    assert sum(map(len, touched)) == len(set.union(*touched)) == len(encoding.table)


@pytest.mark.parametrize(
    ("config", "resolutions"),
    [
        (HashGrid(4, base=2, finest=16), [2, 4, 8, 16]),
        (HashGrid(1, base=7, finest=99), [7]),
        (HashGrid(3, base=5, finest=5), [5, 5, 5]),
        (HashGrid(), [math.floor(16 * 16 ** (level / 15) + 1e-6) for level in range(16)]),
    ],
)
def test_levels_grow_geometrically_from_base_to_finest(config: HashGrid, resolutions: list[int]) -> None:
    found = HashGridEncoding(config, 2, torch.Generator()).resolutions
    assert list(found) == resolutions
    assert found[0] == config.base
    assert found[-1] == (config.finest if config.levels > 1 else config.base)


def test_hash_grid_tangents_are_its_differences_inside_a_square() -> None:
    config = HashGrid(3, base=2, finest=8, log2_size=4)
    encoding = HashGridEncoding(config, 2, torch.Generator().manual_seed(0))
    encoding.table.data *= 1e4  # from the paper's tiny start to the size of trained ones
    # a multilinear function's central difference is exact as long as it stays in one square: centres of 1/16 squares
    x = (torch.cartesian_prod(torch.arange(16), torch.arange(16)) + 0.5) / 16
    _, tangents = encoding.value_and_tangents(x)
    for axis in range(2):
        step = torch.zeros(2)
        step[axis] = 1 / 64
        difference = (encoding(x + step) - encoding(x - step)) * 32
        torch.testing.assert_close(tangents[:, axis], difference, rtol=1e-3, atol=1e-4)


def test_a_hash_grid_starts_uniform_in_a_ten_thousandth() -> None:
    table = in_float64(HashGridEncoding(HashGrid(), 2, torch.Generator().manual_seed(0)).table) * 1e4
    assert -1 <= table.min() < -0.99
    assert 0.99 < table.max() <= 1
    assert table.std() == pytest.approx(3**-0.5, rel=0.01)


def test_a_hash_grid_of_four_dimensions_is_refused() -> None:
    with pytest.raises(ValueError, match="3 dimensions"):
        HashGridEncoding(HashGrid(), 4, torch.Generator())


# --- octaves that pixels cannot tell apart


def octave_columns(octave: int, pixels: int) -> np.ndarray:
    """The sine and the cosine of one octave on the pixel centres, (pixels, 2)."""
    angle = np.pi * 2.0**octave * (np.arange(pixels) + 0.5) / pixels
    return np.stack([np.sin(angle), np.cos(angle)], 1)


def useful_octaves(warning: str | None, asked: int) -> int:
    return asked if warning is None else int(warning.split("fourier:")[-1].split()[0])


@pytest.mark.parametrize("pixels", [8, 32, 64])  # fewer pixels have their full rank before all useful octaves are in
def test_on_a_power_of_two_the_octaves_called_useful_are_those_that_raise_the_rank(pixels: int) -> None:
    columns, rank, useful = np.ones((pixels, 1)), 1, []
    for octave in range(10):
        columns = np.concatenate([columns, octave_columns(octave, pixels)], 1)
        grown = np.linalg.matrix_rank(columns, tol=1e-9)
        useful.append(bool(grown > rank))
        rank = grown
    most = useful_octaves(Fourier(10).aliasing_note(pixels), 10)
    assert useful == [octave < most for octave in range(10)]


@pytest.mark.parametrize("pixels", [1, 2, 16, 64])
def test_on_a_power_of_two_further_octaves_are_constant(pixels: int) -> None:
    most = useful_octaves(Fourier(12).aliasing_note(pixels), 12)
    for octave in range(most, 12):
        assert np.ptp(octave_columns(octave, pixels), 0) == pytest.approx(0, abs=1e-9)
    if pixels > 1:
        assert np.ptp(octave_columns(most - 1, pixels), 0).max() > 1, "the last useful one is not"


@pytest.mark.parametrize("pixels", [3, 5, 12, 48, 100])
def test_on_other_grids_further_octaves_are_slower_waves(pixels: int) -> None:
    most = useful_octaves(Fourier(14).aliasing_note(pixels), 14)
    angles = np.arange(pixels)[:, None] * np.pi * (np.arange(pixels) + 0.5) / pixels  # k half cycles, below Nyquist
    for octave in range(14):
        wave = octave_columns(octave, pixels)
        same = [
            k
            for k, angle in enumerate(angles)
            if any(
                np.allclose(np.stack([sign * np.sin(angle), other * np.cos(angle)], 1), wave, atol=1e-6)
                for sign in (-1, 1)
                for other in (-1, 1)
            )
        ]
        assert len(same) == 1, "on the pixels every octave is one wave below Nyquist"
        if octave < most:
            assert same[0] == 2**octave, "itself"
        else:
            assert same[0] < 2**octave, "a slower one"


@pytest.mark.parametrize("pixels", [2, 3, 64, 100, 512, 4096])
def test_no_word_is_said_about_octaves_the_pixels_can_tell_apart(pixels: int) -> None:
    most = math.floor(math.log2(pixels)) + 1
    assert Fourier(most).aliasing_note(pixels) is None
    warning = Fourier(most + 1).aliasing_note(pixels)
    assert warning is not None
    assert f"fourier:{most} is the most that is useful" in warning
    assert f"a wave beyond the first {most} turns" in warning
    assert "\n" not in warning


def test_positional_waves_are_named_from_beyond_half_the_pixels() -> None:
    assert Positional(5.0).aliasing_note(62) is None  # 31 cycles on 62 pixels: two pixels a cycle
    warning = Positional(5.0).aliasing_note(61)
    assert warning is not None
    assert "above 30.5 cycles" in warning


@pytest.mark.parametrize("config", [Raw(), Basic(), Gaussian(), HashGrid()], ids=str)
def test_encodings_without_octaves_are_not_warned_of(config: Encoding) -> None:
    assert config.aliasing_note(2) is None
