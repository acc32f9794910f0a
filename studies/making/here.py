"""Fits made in this process, one after the other."""

from collections.abc import Sequence
from typing import final

from fieldlens.configs.run import FitConfig
from fieldlens.fitting import Controls

from .executor import LostError, Outcome, Outcomes, Work, made


@final
class Here:
    """This process. A fit that is lost is not begun again: there is nobody else to do it."""

    def outcomes(self, configs: Sequence[FitConfig], work: Work, controls: Controls) -> Outcomes:
        """Make fits one after the other; see `Executor.outcomes`."""
        for config in configs:
            try:
                label = made(config, work.make, work.folder, controls)
            except LostError as lost:
                yield Outcome(config, None, (str(lost),))
                continue
            if label is None:
                return
            yield Outcome(config, label)
