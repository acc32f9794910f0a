"""Configurations as YAML: the two are inverse, and a file that does not fit is refused by name."""

import dataclasses
import itertools
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from fieldlens.configs.encoding import Fourier, Gaussian, HashGrid, Raw
from fieldlens.configs.errors import InputError
from fieldlens.configs.network import Network
from fieldlens.configs.optimizer import Adam, Muon
from fieldlens.configs.run import CompareConfig, FitConfig, Output, Target, Training
from fieldlens.configs.space import Space
from fieldlens.configs.storage import SCHEMA, from_yaml, read_config, to_yaml
from fieldlens.configs.word import KeyedWord
from tests.configs.test_encoding_words import encodings
from tests.configs.test_network_words import networks

positive = st.floats(0, 1000, exclude_min=True)
whole = st.integers(1, 1024)
trainings = st.builds(
    Training,
    steps=whole,
    seconds=st.none() | positive,
    target_psnr=st.none() | st.floats(-100, 100),
    plateau=st.none() | positive,
    batch_size=st.none() | whole,
    learning_rate=st.none() | positive,
    schedule=st.sampled_from(["rsqrt", "constant", "cosine"]),
    precision=st.sampled_from(["auto", "fp32", "bf16"]),
    device=st.sampled_from(["auto", "cpu", "cuda"]),
    threads=st.none() | whole,
)
shared: dict[str, Any] = {
    "scene": st.text(),
    "training": trainings,
    "target": st.builds(
        Target, st.none() | whole, whole, st.sampled_from(["none", "checkerboard", "even-odd", "even-rest"])
    ),
    "space": st.builds(
        Space,
        st.sampled_from(["auto", "radiance", "occupancy", "sdf"]),
        st.none() | encodings,
        st.sampled_from(["white", "black", "random"]),
        st.integers(1, 512),
        st.integers(1, 4096),
    ),
    "output": st.builds(
        Output,
        st.text(st.characters(codec="ascii", exclude_characters="\0"), min_size=1).map(Path),
        st.sampled_from(["log", "all", "every:7"]),
        st.sampled_from(["newest", "frames"]),
        st.booleans(),
        st.booleans(),
    ),
    "seed": st.integers(0, 2**63 - 1),
}


@settings(max_examples=50)
@given(st.fixed_dictionaries({**shared, "encoding": encodings, "network": networks}))
def test_a_fit_survives_yaml(choices: dict[str, Any]) -> None:
    config = FitConfig(**choices)
    assert from_yaml(to_yaml(config), FitConfig, "run.yaml") == config


@settings(max_examples=50)
@given(
    st.fixed_dictionaries(
        {
            **shared,
            "encodings": st.lists(encodings, max_size=3).map(tuple),
            "networks": st.lists(networks, max_size=3).map(tuple),
        }
    )
)
def test_a_comparison_survives_yaml(choices: dict[str, Any]) -> None:
    config = CompareConfig(**choices)
    assert from_yaml(to_yaml(config), CompareConfig, "run.yaml") == config


@pytest.mark.parametrize(
    "scene",
    [
        'it\'s "quoted".png',
        "<script>alert(1)</script>",
        "🦊 fox.png",
        "no",
        "null",
        "~",
        "1e3",
        "2026-11-21",
        "- a: b # c",
        "two\nlines\t\\",
        "x\x85\u2028\ufeff\x07",
        "not utf-8 \udcff.png",
        "a name " * 40,
    ],
)
def test_a_scene_may_have_any_name(scene: str) -> None:
    text = to_yaml(FitConfig(scene))
    text.encode("utf-8")  # what is written can be saved
    assert from_yaml(text, FitConfig, "run.yaml").scene == scene


def test_names_stay_readable_in_the_file() -> None:
    assert "scene: 🦊 füchse.png\n" in to_yaml(FitConfig("🦊 füchse.png"))


NOT_DEFAULT: dict[str, Any] = {
    "scene": "photo.jpg",
    "training": {
        "steps": 7,
        "seconds": 3.5,
        "target_psnr": 30.0,
        "plateau": 0.1,
        "batch_size": 99,
        "optimizer": "muon:0.01",
        "learning_rate": 0.002,
        "schedule": "cosine",
        "average": 0.2,
        "precision": "fp32",
        "device": "cpu",
        "threads": 3,
    },
    "target": {"max_side": 64, "max_pixels": 1000, "holdout": "checkerboard"},
    "space": {"kind": "sdf", "direction": "raw:0..1", "background": "black", "grid": 32, "samples": 99},
    "output": {
        "output_dir": "elsewhere",
        "frames": "every:5",
        "checkpoints": "frames",
        "turntable": True,
        "quick": True,
    },
    "seed": 5,
}
"""A value other than the default for every setting that all configurations share."""

FIT = {
    **NOT_DEFAULT,
    "encoding": "gaussian:5,features=32",
    "network": {"width": 16, "depth": 2, "activation": "leaky_relu", "output": "sigmoid", "bias_spread": 2},
}
COMPARE = {
    **NOT_DEFAULT,
    "training": {**NOT_DEFAULT["training"], "optimizer": None},
    "encodings": ["raw:0..1", "hashgrid:4"],
    "networks": ["2x16,sine", {"width": 8}],
    "optimizers": ["adam", "muon:0.1"],
    "more_scenes": ["coffee"],
    "seeds": 3,
}


def values(config: Any, path: str = "") -> dict[str, Any]:
    """All values of a configuration by their names, such as training.steps."""
    if not dataclasses.is_dataclass(config) or isinstance(config, KeyedWord):
        return {path: config}
    inner = [values(getattr(config, key.name), f"{path}.{key.name}".strip(".")) for key in dataclasses.fields(config)]
    return {name: value for part in inner for name, value in part.items()}


@pytest.mark.parametrize(("kind", "data"), [(FitConfig, FIT), (CompareConfig, COMPARE)])
def test_every_setting_can_be_changed_in_yaml(kind: type[Any], data: dict[str, Any]) -> None:
    config = from_yaml(yaml.safe_dump({"schema": SCHEMA, **data}), kind, "run.yaml")
    default = values(kind())
    left = [name for name, value in values(config).items() if value == default[name]]
    alone = "training.revive_at"  # which goes with relu
    # a comparison has several optimizers in place of one, and a rate that is named is not searched for
    assert left == (["training.optimizer", alone, "tune"] if kind is CompareConfig else [alone])
    revived = yaml.safe_dump({"schema": SCHEMA, "training": {"revive_at": [3, 5]}})
    assert from_yaml(revived, kind, "run.yaml").training.revive_at == (3, 5)


def test_words_in_yaml_are_read_as_on_the_command_line() -> None:
    compare = from_yaml(yaml.safe_dump({"schema": SCHEMA, **COMPARE}), CompareConfig, "run.yaml")
    assert compare.encodings == (Raw((0.0, 1.0)), HashGrid(4))
    assert compare.networks == (Network(16, 2, "sine"), Network(8))
    fit = from_yaml("schema: 3\nencoding: fourier:3\nnetwork: 2x8", FitConfig, "run.yaml")
    assert (fit.encoding, fit.network) == (Fourier(3), Network(8, 2))


def test_what_a_file_does_not_say_is_the_default() -> None:
    assert from_yaml("schema: 3", FitConfig, "run.yaml") == FitConfig()
    partly = from_yaml("schema: 3\ntraining: {steps: 5}", FitConfig, "run.yaml")
    assert partly == FitConfig(training=Training(steps=5))


@pytest.mark.parametrize("training", ["", "training: {}", "training: {optimizer: null}"])
def test_what_schema_2_left_open_is_what_it_was_then(training: str) -> None:
    fit = from_yaml(f"schema: 2\n{training}", FitConfig, "run.yaml")
    assert (fit.training.optimizer, fit.training.average) == (Adam(), 0)
    named = from_yaml("schema: 2\ntraining: {optimizer: muon}", FitConfig, "run.yaml")
    assert named.training.optimizer == Muon()
    several = from_yaml("schema: 2\noptimizers: [adam, muon]", CompareConfig, "run.yaml")
    assert (several.training.optimizer, several.optimizers) == (None, (Adam(), Muon()))
    with pytest.raises(InputError, match="training must be a group of settings, got 5"):
        from_yaml("schema: 2\ntraining: 5", FitConfig, "run.yaml")


@pytest.mark.parametrize("written", ["1e-3", "1.0e-3", "0.001", ".001"])
def test_a_rate_may_be_written_in_every_usual_way(written: str) -> None:
    config = from_yaml(f"schema: 3\ntraining: {{learning_rate: {written}}}", FitConfig, "run.yaml")
    assert config.training.learning_rate == 1e-3


def test_whole_numbers_do_for_real_ones() -> None:
    config = from_yaml("schema: 3\ntraining: {seconds: 5}", FitConfig, "run.yaml")
    assert isinstance(config.training.seconds, float)


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("", "holds no configuration"),
        ("just words", "holds no configuration"),
        ("[1, 2]", "holds no configuration"),
        ("scene: fox.png", "names no schema"),
        ("schema: 1", "another schema"),
        (
            "schema: 3\ntraining: {steps: [",
            "is not YAML: expected the node content, but found '<stream end>' in line 2",
        ),
        ("schema: 3\nscene: !!python/object/apply:os.system [true]", "is not YAML: could not determine a constructor"),
        ("schema: 3\nseed: 2026-02-30", "is not YAML: day"),
        ("schema: 3\nscene: \x00", "is not YAML: unacceptable character"),
        ("schema: 3\nsede: 3", "'sede' is no setting; did you mean 'seed'?"),
        ("schema: 3\n3: sede", "3 is no setting; choose from"),
        ("schema: 3\ntraining: {step: 3}", "'step' is no setting of training; did you mean 'steps'?"),
        ("schema: 3\nnetwork: {widht: 3}", "'widht' is no setting of network; did you mean 'width'?"),
        ("schema: 3\nencodings: [raw]", "'encodings' is no setting; did you mean 'encoding'?"),
        ("schema: 3\ntraining: 5", "training must be a group of settings, got 5"),
        ("schema: 3\ntraining: null", "training must be a group of settings, got None"),
        ("schema: 3\ntraining: {steps: many}", "training.steps must be a whole number, got 'many'"),
        ("schema: 3\ntraining: {steps: 1.5}", "training.steps must be a whole number, got 1.5"),
        ("schema: 3\ntraining: {steps: true}", "training.steps must be a whole number, got True"),
        ("schema: 3\ntraining: {seconds: true}", "training.seconds must be a number, got True"),
        ("schema: 3\ntraining: {seconds: long}", "training.seconds must be a number, got 'long'"),
        ("schema: 3\ntraining: {seconds: .nan}", "--seconds must be a number above 0, got nan"),
        ("schema: 3\noutput: {frames: null}", "output.frames must be a text, got None"),
        ("schema: 3\nspace: {grid: 0}", "--grid must be 1 to 512, got 0"),
        ("schema: 3\nspace: {direction: forier}", "unknown encoding 'forier'; did you mean 'fourier'?"),
        ("schema: 3\ntraining: {schedule: linear}", "training.schedule must be one of rsqrt, constant, cosine"),
        ("schema: 3\ntraining: {schedule: [rsqrt]}", "training.schedule must be one of rsqrt, constant, cosine"),
        ("schema: 3\nscene: 12", "scene must be a text, got 12"),
        ("schema: 3\noutput: {output_dir: 3}", "output.output_dir must be a path, got 3"),
        ("schema: 3\nseed: -1", "--seed must be 0 to 9223372036854775807, got -1"),
        ("schema: 3\nencoding: forier", "unknown encoding 'forier'; did you mean 'fourier'?"),
        ("schema: 3\nencoding: 8", "encoding must be a word such as raw, got 8"),
        ("schema: 3\nencoding: {fourier: 8}", "encoding must be a word such as raw, got {'fourier': 8}"),
        ("schema: 3\nnetwork: big", "DEPTHxWIDTH"),
        ("schema: 3\nnetwork: {activation: gelu}", "network.activation must be one of relu, leaky_relu, sine"),
    ],
)
def test_a_file_that_does_not_fit_is_refused_by_its_name_in_one_sentence(text: str, hint: str) -> None:
    with pytest.raises(InputError, match=re.escape(hint)) as refusal:
        from_yaml(text, FitConfig, "run.yaml")
    assert "run.yaml" in str(refusal.value)
    assert "\n" not in str(refusal.value)


@pytest.mark.parametrize("value", ["raw", "{raw: 1}", "null"])
def test_a_list_must_be_a_list(value: str) -> None:
    with pytest.raises(InputError, match="encodings must be a list"):
        from_yaml(f"schema: 3\nencodings: {value}", CompareConfig, "run.yaml")


def test_encodings_are_written_as_words() -> None:
    plain = yaml.safe_load(to_yaml(FitConfig(encoding=Gaussian(3.0, 64))))
    assert plain["encoding"] == "gaussian:3,features=64"
    assert plain["schema"] == SCHEMA


@pytest.mark.parametrize("data", [None, b"scene: \xff", b"\0", b"- a list", b"schema: 3\nscene: [", b"schema: 1"])
def test_a_file_that_holds_no_configuration_is_named(tmp_path: Path, data: bytes | None) -> None:
    file = tmp_path / "config.yaml"
    if data is not None:
        file.write_bytes(data)
    with pytest.raises(InputError) as caught:
        read_config(file, FitConfig)
    assert str(file) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_configuration_file_is_read_as_utf_8(tmp_path: Path) -> None:
    file = tmp_path / "config.yaml"
    file.write_text(to_yaml(FitConfig("föhn 🦊.png")), encoding="utf-8")
    assert read_config(file, FitConfig).scene == "föhn 🦊.png"


BOMB = "a: &a [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{key}: &{key} [{', '.join([f'*{before}'] * 9)}]\n" for before, key in itertools.pairwise("abcdefghijkl")
)
MERGES = "a: &a {x: 1, y: 2}\n" + "".join(
    f"{key}: &{key} {{<<: [{', '.join([f'*{before}'] * 9)}]}}\n" for before, key in itertools.pairwise("abcdefghijkl")
)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (BOMB, "line 6: with what it repeats written out it holds more than 20,000 values"),
        (MERGES, "line 6: with what it repeats written out it holds more than 20,000 values"),
        ("a: &a [*a]", "line 2: *a stands within itself"),
        ("a: &a {b: {c: *a}}", "line 2: *a stands within itself"),
        ("a: " + "[" * 1000 + "]" * 1000, "line 2: a configuration is at most 15 groups and lists deep"),
        ("a: " + "{a: " * 1000 + "1" + "}" * 1000, "line 2: a configuration is at most 15 groups and lists deep"),
        ("scene:\n  " + "- " * 1000 + "x", "line 3: a configuration is at most 15 groups and lists deep"),
        ("scene: " + "a" * 10**6, "run.yaml has 1,000,017 characters, and a configuration at most 262,144"),
        ("scene: " + "a" * 5000, "scene must have at most 4,096 characters, got 5,000"),
        ("seed: 0x" + "f" * 9000, "--seed must be 0 to 9223372036854775807, got a whole number of 36000 bits"),
        ("seed: " + "9" * 9000, "run.yaml is not YAML: a number has more digits than can be read"),
        ("? 0x" + "f" * 9000 + "\n: 3", "a whole number of 36000 bits is no setting"),
        ("seed: 1\nseed: 2", "run.yaml, line 3: 'seed' stands twice in one group"),
        ("training: {steps: 1, seconds: 3, steps: 2}", "run.yaml, line 2: 'steps' stands twice in one group"),
        ("training: {revive_at: [" + "3, " * 5000 + "]}", "--revive-at takes at most 1,000 values, got 5,000"),
        ("scene: &x " + "[a, b]\nencoding: *x", "scene must be a text, got ['a', 'b']"),
    ],
)
def test_a_file_that_grows_or_goes_deep_is_refused_before_it_is_built(text: str, sentence: str) -> None:
    with pytest.raises(InputError, match=re.escape(sentence)) as refusal:
        from_yaml(f"schema: 3\n{text}", FitConfig, "run.yaml")
    assert "run.yaml" in str(refusal.value)
    assert len(str(refusal.value)) < 300


def test_a_file_may_repeat_itself_a_little() -> None:
    text = "schema: 3\nscene: &name fox.png\nnetworks: [&small {width: 8}, *small]\noutput: {output_dir: *name}"
    config = from_yaml(text, CompareConfig, "run.yaml")
    assert config.networks == (Network(8), Network(8))
    assert config.output.output_dir == Path("fox.png")
    again = "schema: 3\ntraining: &t {steps: 3}\nspace: {grid: 5}"
    assert from_yaml(again, FitConfig, "run.yaml").training.steps == 3


def test_a_large_file_is_not_read(tmp_path: Path) -> None:
    file = tmp_path / "config.yaml"
    file.write_text("# " + "a" * 10**6)
    with pytest.raises(InputError, match=r"config\.yaml.*1,000,002 bytes"):
        read_config(file, FitConfig)
