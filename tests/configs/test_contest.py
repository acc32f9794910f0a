"""The contest is fixed by its files, and refuses what could not be judged."""

from dataclasses import replace

import pytest

from fieldlens.configs.encoding import Fourier, Raw
from fieldlens.configs.errors import InputError
from fieldlens.configs.network import Network
from fieldlens.configs.optimizer import Adam, Muon
from fieldlens.configs.run import Training
from fieldlens.configs.storage import from_yaml, read_config, to_yaml
from fieldlens.configs.study import Contest, Study
from fieldlens.scenes import BUILTINS
from fieldlens.verbs.options import PRESETS

TIERS = sorted((PRESETS / "contest").glob("*.yaml"))


def test_there_is_a_contest_for_each_tier_of_the_study() -> None:
    assert [tier.name for tier in TIERS] == [tier.name for tier in sorted((PRESETS / "paper").glob("*.yaml"))]


def test_the_protocol_is_four_photographs_six_crops_and_three_targets_under_six_encodings_by_two_optimizers() -> None:
    for tier in ("cpu", "full"):
        contest = read_config(PRESETS / "contest" / f"{tier}.yaml", Contest)
        assert len(contest.pictures) == 13
        assert set(contest.pictures) <= set(BUILTINS)
        generated = [name for name in contest.pictures if "generated" in BUILTINS[name].credit]
        assert generated == ["zoneplate", "noise", "text"]
        words = [str(encoding) for encoding in contest.encodings]
        assert words == ["raw", "fourier:4", "fourier:6", "fourier:8", "gaussian:10", "hashgrid:16"]
        assert contest.optimizers == (Adam(), Muon())
        assert contest.repeats == 3
    cpu = read_config(PRESETS / "contest" / "cpu.yaml", Contest)
    assert (cpu.max_side, str(cpu.network), cpu.training.steps, cpu.training.batch_size) == (192, "4x128", 700, 4096)
    assert (cpu.early_step, cpu.foretelling_steps, cpu.last_step) == (70, (70, 231), 700)


def test_the_quick_tier_is_what_a_contest_is_by_default() -> None:
    assert read_config(PRESETS / "contest" / "quick.yaml", Contest) == Contest()


def test_a_contest_survives_its_file() -> None:
    contest = Contest(encodings=(Raw((-2, 2)), Fourier(3)), optimizers=(Adam(), Muon(0.01)))
    assert from_yaml(to_yaml(contest), Contest, "here") == contest
    with pytest.raises(InputError):
        from_yaml(to_yaml(Study()), Contest, "here")


@pytest.mark.parametrize(
    "changes",
    [
        *({name: ()} for name in ("pictures", "encodings", "optimizers")),
        {"pictures": ("coffee", "coffee")},
        *({"early": share} for share in (0, 1, 1.5)),
        {"foretold": (0.1, 1.0)},
        {"network": Network(width=8, depth=1), "optimizers": (Muon(),)},
        *(
            {"training": replace(Training(steps=10, average=0), **other)}
            for other in ({"average": 0.05}, {"optimizer": Adam()}, {"learning_rate": 1e-3}, {"steps": None})
        ),
    ],
)
def test_a_contest_that_cannot_be_judged_is_refused(changes: dict[str, object]) -> None:
    with pytest.raises(InputError):
        replace(Contest(), **changes)  # type: ignore[arg-type]
