"""Options of the verbs that make many fits: who makes them."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from fieldlens.configs.errors import InputError
from fieldlens.configs.records import within
from fieldlens.configs.run import Options

if TYPE_CHECKING:
    from fieldlens.studies.making.executor import Executor

MOST_WORKERS = 1000


@dataclass(frozen=True)
class ExecutorOptions(Options):
    """Who makes the fits of a verb that makes many."""

    workers: int | None = field(default=None, metadata=within(0, MOST_WORKERS, above=True))
    """Fits that are made at once, each in a process of its own; by default one for each processor, or each GPU."""
    cluster: str | None = None
    """The address of a Dask scheduler, such as tcp://10.0.0.1:8786: its workers make the fits.
    docs/cluster.md says how to start them."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.workers is not None and self.cluster is not None:
            raise InputError("fits are made by processes here or by a cluster: leave out --workers or --cluster")

    def executor(self, threads: int = 1) -> "Executor | None":
        """Whoever was chosen; None for the default.

        Args:
            threads: that torch takes for each fit.

        Raises:
            InputError: when the packages that it takes are not installed.
        """
        from fieldlens.studies.making.choice import executor_of

        return executor_of(self.workers, self.cluster, threads)
