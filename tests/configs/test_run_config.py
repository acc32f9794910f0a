"""What a run is made of: limits that make sense, and an option on the command line for each choice."""

import re
from collections.abc import Callable
from typing import Any

import pytest

from fieldlens.configs.encoding import ENCODINGS, Fourier, Gaussian, HashGrid, Raw, parse_encoding
from fieldlens.configs.errors import InputError
from fieldlens.configs.network import Network
from fieldlens.configs.optimizer import (
    OPTIMIZERS,
    Adam,
    Muon,
    Optimizer,
    default_learning_rate,
    default_optimizer,
    with_rate,
)
from fieldlens.configs.run import CompareConfig, FitConfig, Output, Protocol, Target, Training
from fieldlens.verbs.options import parse
from tests.configs.test_storage import values

SHARED = [
    ("--steps 7", "training.steps", 7),
    ("--seconds 3.5", "training.seconds", 3.5),
    ("--target-psnr 30", "training.target_psnr", 30.0),
    ("--plateau 0.1", "training.plateau", 0.1),
    ("--batch-size 99", "training.batch_size", 99),
    ("--learning-rate 2e-3", "training.learning_rate", 2e-3),
    ("--schedule constant", "training.schedule", "constant"),
    ("--average 0.2", "training.average", 0.2),
    ("--precision fp32", "training.precision", "fp32"),
    ("--device cpu", "training.device", "cpu"),
    ("--threads 3", "training.threads", 3),
    ("--max-side 64", "target.max_side", 64),
    ("--max-pixels 1000", "target.max_pixels", 1000),
    ("--holdout checkerboard", "target.holdout", "checkerboard"),
    ("--kind sdf", "space.kind", "sdf"),
    ("--direction raw:0..1", "space.direction", Raw((0.0, 1.0))),
    ("--direction none", "space.direction", None),
    ("--background random", "space.background", "random"),
    ("--grid 32", "space.grid", 32),
    ("--samples 64", "space.samples", 64),
    ("--revive-at 3 5", "training.revive_at", (3, 5)),
    ("--optimizer muon:0.01,momentum=0.9", "training.optimizer", Muon(0.01, 0.9)),
    ("--output-dir elsewhere", "output.output_dir", "elsewhere"),
    ("--frames every:5", "output.frames", "every:5"),
    ("--checkpoints frames", "output.checkpoints", "frames"),
    ("--quick", "output.quick", True),
    ("--turntable", "output.turntable", True),
    ("--seed 5", "seed", 5),
    ("photo.jpg", "scene", "photo.jpg"),
]
FIT = [
    ("--encoding gaussian:5,features=32", "encoding", Gaussian(5.0, 32)),
    ("--encoding=raw:-2..2", "encoding", Raw((-2.0, 2.0))),
    ("--network.width 16", "network.width", 16),
    ("--network.depth 2", "network.depth", 2),
    ("--network.activation leaky_relu", "network.activation", "leaky_relu"),
    ("--network.output sigmoid", "network.output", "sigmoid"),
    ("--network.bias-spread 4", "network.bias_spread", 4.0),
]
COMPARE = [
    ("--encodings raw:0..1 hashgrid:4,base=8", "encodings", (Raw((0.0, 1.0)), HashGrid(4, base=8))),
    ("--optimizers adam muon:0.05", "optimizers", (Adam(), Muon(0.05))),
    ("--networks 2x16,sine 4x8", "networks", (Network(16, 2, "sine"), Network(8, 4))),
    ("--seeds 3", "seeds", 3),
    ("--tune 4", "tune", 4),
    (" photo.jpg other.png", "more_scenes", ("photo.jpg", "other.png")),
]


@pytest.mark.parametrize(
    ("kind", "words", "name", "value"),
    [(FitConfig, *case) for case in SHARED + FIT] + [(CompareConfig, *case) for case in SHARED + COMPARE],
)
def test_an_option_changes_its_choice_and_no_other(kind: type[Any], words: str, name: str, value: Any) -> None:
    parsed, default = values(parse(kind, "verb", "", words.split(" "))), values(kind())
    assert parsed[name] == (type(default[name])(value) if name == "output.output_dir" else value)
    assert [other for other in default if parsed[other] != default[other]] == [name]


@pytest.mark.parametrize(("kind", "cases"), [(FitConfig, SHARED + FIT), (CompareConfig, SHARED + COMPARE)])
def test_every_choice_has_an_option(kind: type[Any], cases: list[tuple[str, str, Any]]) -> None:
    assert {name for _, name, _ in cases} == set(values(kind()))


@pytest.mark.parametrize(
    "make",
    [
        lambda one: FitConfig(training=Training(optimizer=Muon()), network=one),
        lambda one: CompareConfig(networks=(Network(), one), optimizers=(Adam(), Muon())),
        lambda one: CompareConfig(networks=(one,), training=Training(optimizer=Muon())),
    ],
)
def test_muon_needs_a_matrix_between_two_hidden_layers(make: Callable[[Network], Any]) -> None:
    make(Network(8, 2))
    with pytest.raises(InputError, match="1x8 has one such layer alone"):
        make(Network(8, 1))


def test_options_are_changes_to_the_defaults_they_start_from() -> None:
    start = FitConfig("photo.jpg", Training(steps=5, batch_size=3), encoding=Gaussian(), network=Network(16))
    parsed = parse(FitConfig, "fit", "", ["--steps", "9"], start)
    assert parsed == FitConfig("photo.jpg", Training(steps=9, batch_size=3), encoding=Gaussian(), network=Network(16))


def test_a_scene_may_be_called_anything_that_is_no_option() -> None:
    for scene in ['it\'s "quoted".png', "<script>.png", "🦊.png", "a b", "none", "3"]:
        assert parse(FitConfig, "fit", "", [scene]).scene == scene


def training_with(name: str, value: Any) -> Training:
    return Training(**{name: value})


@pytest.mark.parametrize("name", ["steps", "seconds", "plateau", "batch_size", "learning_rate", "threads"])
def test_counts_and_rates_must_be_above_zero(name: str) -> None:
    for value in (0, -1):
        with pytest.raises(InputError, match=f"--{name.replace('_', '-')} must be a number above 0, got {value}"):
            training_with(name, value)


@pytest.mark.parametrize("name", ["seconds", "plateau", "learning_rate", "target_psnr"])
def test_real_numbers_must_be_finite(name: str) -> None:
    for value in (float("nan"), float("inf")):
        with pytest.raises(InputError, match=f"--{name.replace('_', '-')} must be "):
            training_with(name, value)


def test_sizes_of_pictures_must_be_above_zero() -> None:
    with pytest.raises(InputError, match="--max-side"):
        Target(max_side=0)
    with pytest.raises(InputError, match="--max-pixels"):
        Target(max_pixels=0)


def test_a_cosine_needs_its_length() -> None:
    with pytest.raises(InputError, match="--steps"):
        Training(schedule="cosine", seconds=5)
    assert Training(schedule="cosine", steps=5).schedule == "cosine"


@pytest.mark.parametrize("seed", [-1, 2**63])
def test_a_seed_is_a_number_of_63_bits(seed: int) -> None:
    with pytest.raises(InputError, match="--seed"):
        Protocol(seed=seed)


@pytest.mark.parametrize("frames", ["log", "all", "every:1", "every:500"])
def test_frames_may_be(frames: str) -> None:
    assert Output(frames=frames).frames == frames


@pytest.mark.parametrize("frames", ["", "some", "every", "every:", "every:0", "every:-3", "every:2.5", "50"])
def test_other_frames_are_refused_with_what_they_may_be(frames: str) -> None:
    with pytest.raises(InputError, match=re.escape(f"--frames takes log, every:N or all, got {frames!r}")):
        Output(frames=frames)


@pytest.mark.parametrize("name", ENCODINGS)
@pytest.mark.parametrize("optimizer", [cls() for cls in OPTIMIZERS.values()], ids=str)
def test_every_encoding_has_learning_rates_and_siren_one_for_all(name: str, optimizer: Optimizer) -> None:
    siren = Network(activation="sine")
    encoding = parse_encoding(name)
    assert 0 < default_learning_rate(encoding, Network(), optimizer) < 1
    assert default_learning_rate(encoding, siren, optimizer) == default_learning_rate(Raw(), siren, optimizer)


def test_a_rate_of_muon_that_is_left_open_is_that_of_the_encoding_and_the_network() -> None:
    siren = Network(activation="sine")
    named, small = with_rate(Muon(0.3), Raw(), siren), with_rate(Muon(momentum=0.9), Raw(), siren)
    assert named == Muon(0.3)
    assert isinstance(small, Muon)
    assert small.rate is not None
    assert small.momentum == 0.9
    large = with_rate(Muon(), Raw(), Network())
    assert isinstance(large, Muon)
    assert large.rate is not None
    assert small.rate < large.rate, "a network of sines begins with smaller matrices"


@pytest.mark.parametrize("name", ENCODINGS)
def test_a_network_without_matrices_between_hidden_layers_is_moved_by_adam_if_nothing_is_named(name: str) -> None:
    assert default_optimizer(parse_encoding(name), Network(depth=1)) == Adam()


def test_the_default_encoding_is_in_the_help_as_a_word(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as leaving:
        parse(FitConfig, "fit", "", ["--help"])
    assert leaving.value.code == 0
    assert str(Fourier()) in capsys.readouterr().out
