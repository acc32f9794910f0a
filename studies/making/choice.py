"""Who is to make the fits of a study, as a person chooses."""

from fieldlens.configs.errors import InputError

from .executor import Executor
from .processes import Processes


def executor_of(workers: int | None, cluster: str | None, threads: int = 1) -> Executor | None:
    """Whoever makes fits, where a person chose; None for `missing.default_executor`.

    Args:
        workers: processes of this machine.
        cluster: the address of a Dask scheduler.
        threads: that torch takes for each fit, either way.

    Raises:
        InputError: when Dask is not installed.
    """
    if cluster is not None:
        try:
            from .cluster import Cluster
        except ImportError as error:
            if error.name is not None and error.name.startswith("fieldlens"):
                raise
            raise InputError(
                "--cluster needs packages that are not installed; run: pip install 'fieldlens[cluster]'"
            ) from None
        return Cluster(cluster, threads)
    return None if workers is None else Processes(workers, threads)
