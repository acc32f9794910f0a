"""Which fits a sweep has, in which order, and names that say all that determines a fit and nothing else."""

from dataclasses import replace
from itertools import product

import pytest

from fieldlens.configs.encoding import Fourier, Gaussian, Raw
from fieldlens.configs.errors import InputError
from fieldlens.configs.network import Network
from fieldlens.configs.optimizer import Adam, Muon
from fieldlens.configs.run import CompareConfig, FitConfig, Output, Target, Training
from fieldlens.fitting import plan_of
from fieldlens.studies.runs.compare import completed, fits
from fieldlens.studies.sweeps.plan import Grid, Part, digest_in, fit_name
from tests.support.small_fits import noise

SWEEP = CompareConfig(
    scene="astronaut",
    more_scenes=("coffee", "rocket"),
    encodings=(Raw(), Fourier(4)),
    networks=(Network(width=8, depth=2), Network(width=16, depth=2)),
    seeds=2,
    seed=5,
)


def test_one_seed_of_everything_comes_first() -> None:
    made = Grid.of(SWEEP).fits()
    assert [(one.seed, one.scene, str(one.network), str(one.encoding)) for one in made] == list(
        product((5, 6), ("astronaut", "coffee", "rocket"), ("2x8", "2x16"), ("raw", "fourier:4"))
    )


def test_the_fits_of_a_picture_and_a_seed_are_those_of_a_comparison_on_one_thread() -> None:
    grid = Grid.of(SWEEP)
    one = replace(SWEEP, scene="coffee", more_scenes=(), seeds=1, seed=6, training=Training(threads=1))
    assert grid.at("coffee", 6) == fits(completed(one))


def test_a_scene_that_is_named_twice_is_fitted_once() -> None:
    twice = replace(SWEEP, more_scenes=("coffee", "astronaut", "coffee"))
    assert twice.scenes == ("astronaut", "coffee")


def test_methods_are_called_by_what_tells_them_apart() -> None:
    assert [one.label for one in Grid.of(SWEEP).methods] == [
        f"{encoding} {network}" for network, encoding in product(("2x8", "2x16"), ("raw", "fourier:4"))
    ]
    optimizers = replace(SWEEP, networks=(), encodings=(Raw(),), optimizers=(Adam(), Muon()))
    assert [one.label for one in Grid.of(optimizers).methods] == ["raw adam", "raw muon"]
    alone = replace(SWEEP, networks=(), encodings=(Raw(),))
    assert [one.label for one in Grid.of(alone).methods] == ["raw"]


def test_several_processes_make_each_fit_once() -> None:
    made = Grid.of(SWEEP).fits()
    shares = [Part.of_word(f"{number}/5").taken(made) for number in range(1, 6)]
    assert sorted((one for share in shares for one in share), key=made.index) == made
    assert list(shares[2]) == made[2::5]


@pytest.mark.parametrize("word", ["0/8", "9/8", "3", "3/0", "a/b", "-1/3", "1/2/3"])
def test_what_is_no_share_is_refused(word: str) -> None:
    with pytest.raises(InputError, match="--jobs takes a share such as 3/8"):
        Part.of_word(word)


def test_a_sweep_that_is_too_large_is_refused_with_its_size() -> None:
    with pytest.raises(InputError, match="these are 300,000 fits"):
        replace(SWEEP, networks=tuple(Network(width=n) for n in range(1, 51)), seeds=1000)


def name_of(config: FitConfig, target: str = "the target") -> str:
    return fit_name(config, plan_of(config, noise()), target)


FIT = FitConfig(scene="photos/cat.jpg", training=Training(steps=8, threads=1), encoding=Gaussian(5.0))


@pytest.mark.parametrize(
    "other",
    [
        replace(FIT, seed=1),
        replace(FIT, encoding=Gaussian(5.0, features=8)),
        replace(FIT, network=Network(width=8)),
        replace(FIT, training=replace(FIT.training, steps=9)),
        replace(FIT, training=replace(FIT.training, learning_rate=0.5)),
        replace(FIT, training=replace(FIT.training, threads=2)),
        replace(FIT, training=replace(FIT.training, precision="fp32")),
        replace(FIT, output=replace(FIT.output, quick=True)),
        replace(FIT, output=replace(FIT.output, frames="all")),
    ],
)
def test_a_fit_that_would_have_other_files_has_another_name(other: FitConfig) -> None:
    assert digest_in(name_of(other)) != digest_in(name_of(FIT))
    assert digest_in(name_of(FIT, "another")) != digest_in(name_of(FIT))


def test_the_name_of_a_fit_is_the_same_wherever_it_is_made_and_by_defaults_written_out() -> None:
    plan = plan_of(FIT, noise())
    same = [
        replace(FIT, scene="elsewhere/cat.jpg"),
        replace(FIT, output=Output(output_dir=FIT.output.output_dir / "other")),
        replace(FIT, target=Target(max_side=64)),  # what is fitted is known by its numbers
        replace(FIT, training=replace(FIT.training, optimizer=plan.optimizer, learning_rate=plan.learning_rate)),
    ]
    assert {digest_in(name_of(one)) for one in same} == {digest_in(name_of(FIT))}
    assert name_of(FIT).endswith("_cat.jpg_gaussian-5_4x128_muon-0.01_seed_0")
