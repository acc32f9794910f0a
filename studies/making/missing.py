"""The fits of a study that are not there yet are made; those that are there are left."""

from collections.abc import Callable, Sequence
from contextlib import closing

import torch

from fieldlens.configs.errors import InputError, counted
from fieldlens.configs.run import FitConfig
from fieldlens.fitting import Controls, place
from fieldlens.studies.runs.reporter import Reporter

from .executor import Executor, Outcome, Outcomes, Work
from .here import Here
from .processes import Processes

MOST_GIVEN_UP = 3
"""Fits that are given up with none made between them: then it is no longer about these fits."""


def make_missing(
    planned: Sequence[FitConfig],
    finished: Callable[[FitConfig], bool],
    work: Work,
    reporter: Reporter,
    controls: Controls,
    executor: Executor | None = None,
) -> bool:
    """`outcomes_of_missing` for those who want no more of them than that they are made; False when it was stopped
    before the last."""
    for _ in outcomes_of_missing(planned, finished, work, reporter, controls, executor):
        pass
    return not controls.stop


def outcomes_of_missing(
    planned: Sequence[FitConfig],
    finished: Callable[[FitConfig], bool],
    work: Work,
    reporter: Reporter,
    controls: Controls,
    executor: Executor | None = None,
) -> Outcomes:
    """Make the fits that are not finished, and yield what became of each; they end early when they are stopped.

    Args:
        executor: by default `default_executor`.

    Raises:
        InputError: what `work.make` raises, as soon as it does; for fits that were lost with their process too often,
            after all others.
    """
    missing = [config for config in planned if not finished(config)]
    done = len(planned) - len(missing)
    if done:
        reporter.say(f"{done} of {counted(len(planned), 'fit')} {'is' if done == 1 else 'are'} there already")
    given_up: list[Outcome] = []
    in_a_row = 0
    with closing((executor or default_executor(missing)).outcomes(missing, work, controls)) as outcomes:
        for outcome in outcomes:
            if outcome.losses:
                reporter.say(_told(outcome))
            if outcome.made is not None:
                done, in_a_row = done + 1, 0
                reporter.working(f"fit {done} of {len(planned)}: {outcome.made}", done / len(planned))
            else:
                given_up.append(outcome)
                in_a_row += 1
            yield outcome
            if in_a_row == MOST_GIVEN_UP:
                break
    if given_up and not controls.stop:
        named = ", ".join(_name(outcome.config) for outcome in given_up[:MOST_GIVEN_UP])
        more = f" and {len(given_up) - MOST_GIVEN_UP} more" if len(given_up) > MOST_GIVEN_UP else ""
        raise InputError(
            f"{counted(len(given_up), 'fit')} could not be made: {named}{more}, of which the last says "
            f"{given_up[-1].losses[-1]!r}; what is finished stays, and the same command tries again (with "
            "`--workers 1` where memory is short)"
        )


def default_executor(configs: Sequence[FitConfig]) -> Executor:
    """Who makes fits where nobody was named: as many processes as torch's threads suffice for, or one a card on GPUs.

    Each fit takes one thread, or as many as it names, also where it is the only one that is left: its bytes do not
    depend on how many go on at once.

    Raises:
        InputError: for a device that is not there.
    """
    on_gpu = any(place(config.training, config.network).device.type != "cpu" for config in configs)
    threads = max((config.training.threads or 1 for config in configs), default=1)
    workers = min(torch.cuda.device_count() if on_gpu else torch.get_num_threads() // threads, len(configs))
    if workers > 1:
        return Processes(workers, threads)
    return Here(None if on_gpu else threads)


def _told(outcome: Outcome) -> str:
    """How often a fit was lost, and why."""
    times = counted(len(outcome.losses), "time")
    after = "given up" if outcome.made is None else "made all the same"
    return f"{_name(outcome.config)} was lost {times} ({', '.join(dict.fromkeys(outcome.losses))}) and {after}"


def _name(config: FitConfig) -> str:
    return f"{config.scene} {config.name}, seed {config.seed}"
