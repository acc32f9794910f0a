"""Fits made in this process, one after the other."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import final

import torch

from fieldlens.configs.run import FitConfig
from fieldlens.fitting import Controls

from .executor import LostError, Outcome, Outcomes, Work, made


@final
@dataclass(frozen=True)
class Here:
    """This process. A fit that is lost is not begun again: there is nobody else to do it."""

    threads: int | None = None
    """Threads that torch takes for a fit; None for as many as it takes anyway."""

    def outcomes(self, configs: Sequence[FitConfig], work: Work, controls: Controls) -> Outcomes:
        """Make fits one after the other; see `Executor.outcomes`."""
        for config in configs:
            try:
                with _taking(self.threads):
                    label = made(config, work.make, work.folder, controls)
            except LostError as lost:
                yield Outcome(config, None, (str(lost),))
                continue
            if label is None:
                return
            yield Outcome(config, label)


@contextmanager
def _taking(threads: int | None) -> Iterator[None]:
    """Torch takes so many threads in this block, and as many as before after it."""
    before = torch.get_num_threads()
    torch.set_num_threads(threads or before)
    try:
        yield
    finally:
        torch.set_num_threads(before)
