"""Where a fit runs and in which precision, on machines that this one may not be."""

import pytest
import torch

from fieldlens.configs.errors import InputError
from fieldlens.configs.network import Network
from fieldlens.configs.run import Training
from fieldlens.fitting import place, precision

WIDE = Network(width=256, depth=4)
NARROW = Network(width=128, depth=4)
SHALLOW = Network(width=256, depth=1)  # has no product between hidden layers


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch):
    def be(gpu: bool, bf16: bool) -> None:
        monkeypatch.setattr(torch.cuda, "is_available", lambda: gpu)
        monkeypatch.setattr(precision, "multiplies_bf16", lambda device: bf16)

    return be


@pytest.mark.parametrize(
    ("network", "bf16", "name"),
    [(WIDE, True, "bf16"), (WIDE, False, "fp32"), (NARROW, True, "fp32"), (SHALLOW, True, "fp32")],
)
def test_auto_takes_bf16_where_hardware_and_width_gain_from_it(machine, network, bf16, name) -> None:
    machine(gpu=False, bf16=bf16)
    assert place(Training(), network).precision == name


@pytest.mark.parametrize(("asked", "dtype"), [("fp32", torch.float32), ("bf16", torch.bfloat16)])
def test_a_precision_that_is_asked_for_is_taken(machine, asked, dtype) -> None:
    for network in (WIDE, NARROW):
        for bf16 in (True, False):
            machine(gpu=False, bf16=bf16)
            placement = place(Training(precision=asked), network)
            assert (placement.hidden_dtype, placement.precision) == (dtype, asked)


@pytest.mark.parametrize(
    ("gpu", "asked", "device"),
    [
        (True, "auto", "cuda"),
        (True, "cpu", "cpu"),
        (True, "cuda", "cuda"),
        (False, "auto", "cpu"),
        (False, "cpu", "cpu"),
    ],
)
def test_auto_takes_a_gpu_if_there_is_one(machine, gpu, asked, device) -> None:
    machine(gpu=gpu, bf16=False)
    assert place(Training(device=asked), WIDE).device.type == device


def test_a_gpu_that_is_not_there_is_refused(machine) -> None:
    machine(gpu=False, bf16=False)
    with pytest.raises(InputError, match="--device cuda"):
        place(Training(device="cuda"), WIDE)


def test_the_name_of_a_processor_is_cpu() -> None:
    assert place(Training(device="cpu"), WIDE).device_name == "cpu"


def test_asking_the_processor_for_bf16_gives_an_answer() -> None:
    assert precision.multiplies_bf16(torch.device("cpu")) in (True, False)
