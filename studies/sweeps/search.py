"""The search for rates is made: fits of each scene by each method with a seed of its own; the best of each is taken."""

import math
from dataclasses import dataclass

from fieldlens.configs.encoding import Gaussian
from fieldlens.configs.files import write_json
from fieldlens.configs.records import to_json
from fieldlens.fitting import Controls, plan_of
from fieldlens.studies.making.executor import Executor
from fieldlens.studies.runs.reporter import Reporter

from .folder import Finished, Sweep
from .making import make_planned
from .plan import Grid, Method, Planned, fit_name
from .scores import HELD_OUT, PSNR, Finding
from .tuning import OWN_SEED, Factors, Tuned, best_of, trial_of, tried, tuned_fit


@dataclass(frozen=True)
class _Try:
    """One fit of the search."""

    factors: Factors
    planned: Planned


def search_rates(sweep: Sweep, reporter: Reporter, controls: Controls, executor: Executor | None = None) -> Tuned:
    """Search the rates of each method, and keep what was found: tuned.json.

    Args:
        executor: who makes the fits, as `make_missing` takes it.

    Raises:
        InputError: when a method diverged at every rate, or a folder cannot be written.
        KeyboardInterrupt: when stopped before all fits of the search are finished; those that are stay.
    """
    grid = sweep.grid()
    tries = _tries(sweep, grid)
    finished = Finished(sweep.trials, grid.config.output.output_dir)
    reporter.say(
        f"searching the rates of {len(grid.methods)} methods first, by {grid.config.tune} fits of each scene by each; "
        "they are not reported"
    )
    planned = [one.planned for one in tries]
    if not make_planned(sweep, sweep.trials, planned, finished, reporter, controls, executor=executor):
        raise KeyboardInterrupt
    scores: dict[tuple[Method, Factors], list[float]] = {}
    for one in tries:
        folder = finished.of(one.planned.name)
        assert folder is not None  # all of them are finished
        finding = Finding(one.planned, folder, folder.record())
        held_out = finding.number(HELD_OUT)
        score = finding.number(PSNR) if held_out is None else held_out
        scores.setdefault((one.planned.method, one.factors), []).append(math.nan if score is None else score)
    factors = {method: [one for of, one in scores if of == method] for method in grid.methods}
    found = best_of(grid.methods, factors.__getitem__, lambda method, one: _mean(scores[method, one]))
    tuned = Tuned(grid.config.seed + OWN_SEED, grid.config.tune, found)
    write_json(sweep.tuned_file, to_json(tuned))
    return tuned


def _tries(sweep: Sweep, grid: Grid) -> list[_Try]:
    """The fits of the search, the defaults of every method first."""
    found: list[tuple[int, _Try]] = []
    for word in grid.config.scenes:
        configs = grid.at(word, grid.config.seed + OWN_SEED)
        fitted, scene = sweep.scene(configs[0])
        for config in configs:
            for number, factors in enumerate(tried(isinstance(config.encoding, Gaussian), grid.config.tune)):
                trial = trial_of(tuned_fit(config, scene, factors))
                name = fit_name(trial, plan_of(trial, scene), fitted.digest)
                found.append((number, _Try(factors, Planned(trial, fitted.name, grid.method_of(config), name))))
    return [one for _, one in sorted(found, key=lambda pair: pair[0])]


def _mean(values: list[float]) -> float:
    return sum(values) / len(values)
