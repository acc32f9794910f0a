"""The numbers of a fit: those that a person chose, and for what is left open those of the scene and the encoding."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from fieldlens.configs.encoding import Fourier, Gaussian, Raw
from fieldlens.configs.files import read_json
from fieldlens.configs.network import Network
from fieldlens.configs.optimizer import Adam, Muon, default_learning_rate
from fieldlens.configs.records import from_json, to_json
from fieldlens.configs.run import FitConfig, Output, Training
from fieldlens.configs.space import Space
from fieldlens.fitting import Plan, initial_state, plan_of
from fieldlens.scenes.captures.capture import Bounds, Capture
from fieldlens.scenes.posed import PosedScene
from fieldlens.scenes.scene import Scene
from fieldlens.scenes.shape import Shape
from fieldlens.studies.runs.fit import run, start
from fieldlens.studies.runs.record import RunRecord
from tests.support.posed_scenes import lego_like
from tests.support.runs import small_config, small_picture
from tests.support.small_fits import noise
from tests.support.small_meshes import box

PICTURE = noise()
PHOTOGRAPHS = PosedScene(Capture("photographs", lego_like(2, 8), (), Bounds((0.0, 0.0, 0.0), 4.0), ()), Space())
SOLID = Shape(box(), "sdf", pool_size=64)


def planned(choices: dict[str, Any], scene: Scene = PICTURE) -> Plan:
    return plan_of(FitConfig(training=Training(**choices)), scene)


@pytest.mark.parametrize(
    ("scene", "batch_size", "seconds", "least_steps", "open_frames"),
    [
        (PICTURE, 8192, 60.0, 100, (36, 1.12)),
        (PHOTOGRAPHS, 1024, 30.0, 1000, (0, 1.15)),
        (SOLID, 8192, 60.0, 100, (0, 1.15)),
    ],
    ids=["picture", "photographs", "solid"],
)
def test_what_is_left_open_is_as_the_scene_has_it(
    scene: Scene, batch_size: int, seconds: float, least_steps: int, open_frames: tuple[int, float]
) -> None:
    plan = planned({}, scene)
    assert (plan.batch_size, plan.seconds, plan.least_steps) == (batch_size, seconds, least_steps)
    assert plan.open_frames == open_frames


def test_a_person_s_number_of_rays_is_exact_and_the_scene_s_own_is_a_limit() -> None:
    field = initial_state(FitConfig(network=Network(8, 1)), PHOTOGRAPHS).field
    few = planned({}, PHOTOGRAPHS)
    assert few.samples is not None

    def size(plan: Plan, scene: Scene = PHOTOGRAPHS) -> int:
        return len(plan.batch_of_step(scene, field, 0, torch.Generator()).values)

    sizes = [size(replace(few, samples=samples)) for samples in (1, 1000, 10**6)]
    assert sizes[0] < sizes[1] < sizes[2] == few.batch_size
    asked = planned({"batch_size": 7}, PHOTOGRAPHS)
    assert asked.samples is None
    assert size(asked) == 7
    assert size(planned({}), PICTURE) == 8192


@pytest.mark.parametrize(
    ("choices", "seconds", "plateau"),
    [
        ({}, 60.0, 0.05),
        ({"steps": 5}, None, None),
        ({"seconds": 3}, 3, None),
        ({"target_psnr": 30}, 60.0, None),
        ({"plateau": 0.2}, 60.0, 0.2),
        ({"steps": 5, "seconds": 3, "plateau": 0.2}, 3, 0.2),
    ],
)
def test_only_a_fit_without_limits_is_given_some(
    choices: dict[str, float], seconds: float | None, plateau: float | None
) -> None:
    plan = planned(choices)
    assert (plan.seconds, plan.plateau_db) == (seconds, plateau)
    assert (plan.steps, plan.target_psnr_db) == (choices.get("steps"), choices.get("target_psnr"))


def test_what_is_chosen_is_taken_as_it_is_whatever_the_scene() -> None:
    choices = {"batch_size": 7, "learning_rate": 0.25, "threads": 3, "revive_at": (2, 4), "schedule": "constant"}
    for scene in (PICTURE, PHOTOGRAPHS, SOLID):
        plan = planned(choices, scene)
        assert {name: getattr(plan, name) for name in choices} == choices


@pytest.mark.parametrize("optimizer", [Adam(), Muon()], ids=str)
@pytest.mark.parametrize("encoding", [Raw(), Gaussian()], ids=str)
@pytest.mark.parametrize("network", [Network(), Network(activation="sine")], ids=str)
def test_the_rate_is_the_encoding_s_own_and_of_3d_scenes_twice_that(encoding, network: Network, optimizer) -> None:
    config = FitConfig(training=Training(optimizer=optimizer), encoding=encoding, network=network)
    rate = default_learning_rate(encoding, network, optimizer)
    assert plan_of(config, PICTURE).learning_rate == rate
    assert plan_of(config, SOLID).learning_rate == plan_of(config, PHOTOGRAPHS).learning_rate == 2 * rate


def test_the_number_of_threads_is_torch_s_unless_told() -> None:
    assert planned({}).threads == torch.get_num_threads()


@pytest.mark.parametrize(("precision", "dtype"), [("fp32", torch.float32), ("bf16", torch.bfloat16)])
def test_its_placement_is_torch_s_words_for_its_device_and_precision(precision: str, dtype: torch.dtype) -> None:
    plan = planned({"device": "cpu", "precision": precision})
    assert (plan.device, plan.device_name, plan.precision) == ("cpu", "cpu", precision)
    assert (plan.placement.device, plan.placement.hidden_dtype) == (torch.device("cpu"), dtype)


def test_its_frames_are_those_of_the_configuration_up_to_its_steps() -> None:
    config = FitConfig(training=Training(steps=20), output=Output(frames="every:8"))
    assert list(plan_of(config, PICTURE).frame_steps()) == [0, 8, 16, 20]


@pytest.mark.parametrize(
    "choices",
    [{}, {"steps": 9, "schedule": "cosine", "revive_at": (3, 5)}, {"seconds": 2.5, "target_psnr": 31.0, "threads": 2}],
    ids=str,
)
def test_a_plan_that_was_written_as_json_is_read_as_it_was(choices: dict[str, Any]) -> None:
    for scene in (PICTURE, PHOTOGRAPHS):
        plan = planned(choices, scene)
        assert from_json(Plan, json.loads(json.dumps(to_json(plan)))) == plan


def test_run_json_says_the_plan_of_the_run_s_configuration(tmp_path: Path) -> None:
    config = small_config(small_picture(tmp_path / "p.png"), tmp_path, steps=3, encoding=Fourier(2))
    folder = start(replace(config, seed=5))
    run(folder)
    plan, written = plan_of(folder.config(), folder.scene()), read_json(folder.result_file)
    assert from_json(Plan, written["plan"]) == from_json(RunRecord, written).plan == plan
    said = (written[key] for key in ("learning_rate", "second_limit", "device", "precision", "threads", "seed"))
    assert (*said,) == (plan.learning_rate, None, "cpu", plan.precision, 1, 5)
