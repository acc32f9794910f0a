"""The microscope's own evaluation of a network against the program's, by numbers, on both of its ways."""

import functools
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import torch
from jaxtyping import Bool, Float
from playwright.sync_api import Page

from fieldlens.analysis import relu_network
from fieldlens.analysis.networks.scratch import Scratch
from fieldlens.configs.encoding import Basic, Encoding, Fourier, Gaussian, HashGrid, Positional, Raw
from fieldlens.configs.network import Network
from fieldlens.fields import Field
from fieldlens.fields.plain import plain_field
from fieldlens.report import KeptNetwork
from fieldlens.report.build import file_text
from fieldlens.report.microscope_page import SCRIPTS, microscope_data
from tests.support.browsers import SOFTWARE_GL, chromium
from tests.support.report_examples import microscope_report
from tests.support.small_fits import start

WAYS = ("gpuSampler", "plainSampler")

NEAR_PX = 0.01
"""How near to a crease, in 512ths of the picture, a neuron may be on here and off there: z is zero but for rounding."""

EVERY_KIND: list[Encoding] = [
    Raw(),
    Fourier(10, include_input=True),
    Fourier(3, interval=(-1.0, 1.0)),
    Basic(),
    Positional(6, features=20),
    Gaussian(10, features=30),
    HashGrid(levels=4, features=2, log2_size=8, base=4, finest=40),
]

NETWORKS = [Network(40, 3), Network(150, 2, "leaky_relu"), Network(16, 2, "sine"), Network(5, 1, output="sigmoid")]

SAMPLE = """async ([run, way, xs, ys, off]) => {
    const network = without(decodedNetwork(run.network, run.checkpoints.at(-1)), off);
    const sampler = await globalThis[way](network);
    const { values, patterns } = await sampler.sample(xs, ys);
    sampler.free?.();
    return { kind: sampler.kind, values: [...values], patterns: [...patterns], parts: patternParts(network) };
}"""


NOTHING_OFF: dict[str, Any] = {"features": [], "neurons": [], "layers": [], "size": [1, 1]}


@pytest.fixture(scope="module")
def page() -> Iterator[Page]:
    """The scripts of the microscope without a report around them; WebGL2 is drawn in software."""
    with chromium(SOFTWARE_GL) as browser:
        yield _with_scripts(browser.new_page())


def _with_scripts(page: Page) -> Page:
    page.add_script_tag(content="".join(map(file_text, SCRIPTS[: SCRIPTS.index("microscope/lens.js")])))
    page.evaluate("Object.assign(globalThis, { gpuSampler, plainSampler })")
    return page


def field_of(encoding: Encoding, network: Network | None = None) -> Field:
    """A field as it is before training, but with creases spread over the picture and colours that differ."""
    field = start(1, encoding, network or Network(40, 3)).field
    with torch.no_grad():
        field.mlp.linears[-1].weight.mul_(4)
        for parameter in field.encoding.parameters():  # type: ignore[attr-defined]  # a hash grid's table starts at 0
            parameter.copy_(torch.randn(parameter.shape, generator=torch.Generator().manual_seed(2)) * 0.3)
    return field


def run_of(field: Field, precision: Any = "float32") -> dict[str, Any]:
    """A run as the scripts read it."""
    report = microscope_report([KeptNetwork(8, plain_field(field), precision)])
    return microscope_data(report)["runs"][0]  # type: ignore[index]


def sampled(page: Page, field: Field, way: str, xs: Any, ys: Any, **off: Any) -> tuple[np.ndarray, list[np.ndarray]]:
    """Values (n, c) at a lattice of points, and for each layer which neurons are on (n, width)."""
    asked = [run_of(field), way, list(xs), list(ys), NOTHING_OFF | off]
    found = page.evaluate(SAMPLE, asked)
    assert found["kind"] == ("WebGL2" if way == "gpuSampler" else "plain JavaScript")
    n, channels = len(xs) * len(ys), len(field.mlp.linears[-1].bias)
    words = np.array(found["patterns"], np.uint32).reshape(n, -1)
    on = [unpacked(words[:, part["first"] :], part["neurons"]) for part in found["parts"]]
    return np.array(found["values"]).reshape(n, 4)[:, :channels], on


def unpacked(words: np.ndarray, neurons: int) -> Bool[np.ndarray, "n neurons"]:
    bits = np.arange(neurons)
    return (words[:, bits // 32] >> (bits % 32) & 1).astype(bool)


def lattice(xs: np.ndarray, ys: np.ndarray) -> Float[torch.Tensor, "n 2"]:
    x, y = np.meshgrid(xs, ys)
    return torch.from_numpy(np.stack([x.ravel(), y.ravel()], -1).astype(np.float32))


RANDOM = np.random.default_rng(0)
XS, YS = RANDOM.random(40).astype(np.float32), RANDOM.random(25).astype(np.float32)
"""Of a lattice of 1,000 points that fp32 has exactly."""


@functools.cache
def sampled_once(page: Page, way: str, encoding: Encoding) -> tuple[np.ndarray, list[np.ndarray]]:
    return sampled(page, field_of(encoding), way, XS.tolist(), YS.tolist())


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("encoding", EVERY_KIND, ids=str)
def test_colours_of_1000_points_are_within_1_255_for_every_encoding(page: Page, way: str, encoding: Encoding):
    field, (values, _) = field_of(encoding), sampled_once(page, way, encoding)
    expected = field(lattice(XS, YS)).detach().numpy()
    assert np.ptp(expected) > 0.2
    assert np.abs(values - expected).max() < 1 / 255


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("network", NETWORKS, ids=str)
def test_colours_of_1000_points_are_within_1_255_for_every_network(page: Page, way: str, network: Network):
    field = field_of(Fourier(4), network)
    values, on = sampled(page, field, way, XS.tolist(), YS.tolist())
    assert np.abs(values - field(lattice(XS, YS)).detach().numpy()).max() < 1 / 255
    assert [layer.shape[1] for layer in on] == ([] if network.activation == "sine" else [network.width] * network.depth)


@torch.no_grad()
@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("encoding", EVERY_KIND, ids=str)
def test_patterns_are_the_programs_but_within_a_hundredth_of_a_pixel_of_a_crease(
    page: Page, way: str, encoding: Encoding
):
    network, (_, on) = relu_network(field_of(encoding)), sampled_once(page, way, encoding)
    layers = network.preactivations_with_tangents(lattice(XS, YS), Scratch(torch.device("cpu")))
    for found, layer in zip(on, layers, strict=True):
        expected = (layer.z > 0).numpy()
        distance = (layer.z.abs() / layer.tangents.norm(dim=0)).numpy()
        assert 0.1 < expected.mean() < 0.9
        assert np.nanmax(distance[found != expected], initial=0) < NEAR_PX / 512


@pytest.mark.parametrize("way", WAYS)
def test_a_window_of_a_millionth_of_the_picture_still_has_its_creases(page: Page, way: str):
    """At a point of a crease of the last layer, found in doubles, that crease halves the window, as a straight line."""
    field = field_of(Fourier(4))
    exact = Field(field.encoding, field.mlp).double()
    x, neuron = point_of_a_crease(exact)
    offsets = (np.arange(20) + 0.5 - 10) * 5e-8
    _, on = sampled(page, field, way, (x[0] + offsets).tolist(), (x[1] + offsets).tolist())
    z, slope = last_layer(exact, x, neuron)
    dx, dy = np.meshgrid(offsets, offsets)
    expected = z + slope[0] * dx.ravel() + slope[1] * dy.ravel() > 0
    assert 0.2 < expected.mean() < 0.8
    assert (on[-1][:, neuron] == expected).mean() > 0.97


def last_layer(field: Field, x: Float[np.ndarray, " 2"], neuron: int) -> tuple[float, Float[np.ndarray, " 2"]]:
    """The pre-activation of a neuron of the last hidden layer, and its gradient."""
    at = torch.tensor(x[None], requires_grad=True)
    *_, z = field.mlp.preactivations(features_in_double(field, at))
    (slope,) = torch.autograd.grad(z[0, neuron], at)
    return float(z[0, neuron].detach()), slope[0].numpy()


def features_in_double(field: Field, x: Float[torch.Tensor, "n 2"]) -> Float[torch.Tensor, "n f"]:
    formulas = field.encoding.closed_form()
    assert formulas is not None
    return formulas(x)


def point_of_a_crease(field: Field) -> tuple[Float[np.ndarray, " 2"], int]:
    """By Newton's steps from the middle, for the neuron that is nearest to zero there."""
    x = np.array([0.4321, 0.5678])
    *_, z = field.mlp.preactivations(features_in_double(field, torch.tensor(x[None])))
    neuron = int(z[0].abs().argmin())
    for _ in range(60):
        value, slope = last_layer(field, x, neuron)
        x = x - value * slope / (slope @ slope) * 0.7
    assert abs(last_layer(field, x, neuron)[0]) < 1e-12
    return x, neuron


@pytest.mark.parametrize("way", WAYS)
def test_what_is_switched_off_gives_nothing(page: Page, way: str):
    field = field_of(Fourier(3))
    values, on = sampled(
        page, field, way, XS.tolist(), YS.tolist(), features=[4, 5, 6, 7], neurons=[{"layer": 1, "neuron": 7}]
    )
    with torch.no_grad():
        field.mlp.linears[0].weight[:, 4:8] = 0
        field.mlp.linears[2].weight[:, 7] = 0
    assert np.abs(values - field(lattice(XS, YS)).detach().numpy()).max() < 1 / 255
    assert not on[1][:, 7].any()


@torch.no_grad()
@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("network", [Network(40, 3), Network(16, 3, "sine")], ids=str)
def test_neurons_of_a_layer_that_is_off_go_on_as_the_lines_that_least_squares_give(
    page: Page, way: str, network: Network
):
    field = field_of(Fourier(4), network)
    values, on = sampled(page, field, way, XS.tolist(), YS.tolist(), layers=[2, 0])
    expected = with_lines(field, {0, 2}, lattice(*spread_places(page)))(lattice(XS, YS))
    assert np.abs(values - expected.numpy()).max() < 1 / 255
    assert (expected - field(lattice(XS, YS))).abs().max() > 20 / 255
    assert [bool(layer.any()) for layer in on] == ([] if network.activation == "sine" else [False, True, False])


def spread_places(page: Page) -> Iterator[np.ndarray]:
    """The columns and rows of points at which the page fits lines."""
    yield from map(np.array, page.evaluate("spreadPlaces([1, 1])"))


def with_lines(field: Field, layers: set[int], fitted_at: Float[torch.Tensor, "n 2"]) -> Any:
    """The field as a function, with NumPy's line through what each neuron of these layers gives at some points."""
    mlp, lines = field.mlp, dict[int, list[np.ndarray]]()

    def through(x: Float[torch.Tensor, "n 2"], fits: bool) -> Float[torch.Tensor, "n c"]:
        h = field.encoding(x)
        for index, linear in enumerate(mlp.linears[:-1]):
            z = linear(h)
            h = torch.sin(30 * z) if mlp.activation == "sine" else torch.where(z > 0, z, mlp.negative_slope * z)
            if index in layers and fits:
                pairs = zip(z.double().numpy().T, h.double().numpy().T, strict=True)
                lines[index] = [np.polyfit(inputs, outputs, 1) for inputs, outputs in pairs]
            if index in layers:
                slope, start = torch.tensor(np.array(lines[index]).T, dtype=z.dtype)
                h = slope * z + start
        return mlp.linears[-1](h)

    through(fitted_at, True)
    return lambda x: through(x, False)


@pytest.mark.parametrize("way", WAYS)
def test_a_layer_that_bends_nowhere_is_as_good_as_off(page: Page, way: str):
    """Its neurons are on everywhere, so that their lines are all that they do."""
    field = field_of(Raw(), Network(12, 2))
    with torch.no_grad():
        field.mlp.linears[0].bias.fill_(100)
    values, _ = sampled(page, field, way, XS.tolist(), YS.tolist())
    off, _ = sampled(page, field, way, XS.tolist(), YS.tolist(), layers=[0])
    assert np.abs(values - off).max() < 1 / 255


def test_every_half_precision_number_is_read_as_numpy_reads_it(page: Page):
    bits = np.arange(2**16, dtype=np.uint16)
    found = page.evaluate("(bits) => bits.map((half) => String(fromHalf(half)))", bits.tolist())
    expected = bits.view(np.float16).astype(np.float64)
    assert np.array_equal(np.array([float(number) for number in found]), expected, equal_nan=True)


def test_a_network_in_half_precision_is_half_as_long_and_within_1_255(page: Page):
    field = field_of(Fourier(3))
    half, single = run_of(field, "float16"), run_of(field)
    numbers = [run["checkpoints"][0]["numbers"] for run in (half, single)]
    assert abs(len(numbers[0]) - len(numbers[1]) / 2) <= 4
    found = page.evaluate(SAMPLE, [half, "plainSampler", XS.tolist(), YS.tolist(), NOTHING_OFF])
    values = np.array(found["values"]).reshape(-1, 4)[:, :3]
    assert np.abs(values - field(lattice(XS, YS)).detach().numpy()).max() < 1 / 255


def test_octaves_hold_each_wave_once_and_say_its_length():
    run = run_of(field_of(Fourier(4, include_input=True)))
    assert [octave["label"] for octave in run["octaves"]] == [f"waves of {px} px" for px in (128, 64, 32, 16)]
    assert sorted(feature for octave in run["octaves"] for feature in octave["features"]) == list(range(2, 18))
