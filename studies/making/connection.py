"""A connection to a Dask cluster that is there already, and what has to be so before it is asked for anything."""

import logging
import os
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, cast

from distributed import Client, Security

from fieldlens.configs.errors import InputError
from fieldlens.configs.files import make_folder, remove, unfinished

ANSWER_SECONDS = 10
"""In which a scheduler has to answer."""
WORKER_SECONDS = 60
"""In which it has to have a first worker."""
SAME = ("fieldlens", "torch")
"""Packages that are of one version everywhere: what is sent is of the first, and numbers are of the second."""


def require_address(word: str) -> None:
    """See that a word can be the address of a scheduler.

    Raises:
        InputError: when it cannot.
    """
    if not re.fullmatch(r"(?:(?:tcp|tls)://)?[^\s/:]+:\d+|(?:tcp|tls)://\[[0-9a-fA-F:]+\]:\d+", word):
        raise InputError(f"--cluster takes the address of a Dask scheduler, such as tcp://10.0.0.1:8786, got {word!r}")


@contextmanager
def connected(address: str) -> Iterator[Client]:
    """A client of a cluster that has a worker.

    Raises:
        InputError: when nobody answers there, there is no worker, or this program is not the same everywhere.
    """
    log = logging.getLogger("distributed.client")
    level = log.level
    log.setLevel(logging.CRITICAL)  # it logs a traceback where the scheduler goes, of which a person gets a sentence
    try:
        with _client(address) as client:
            try:
                client.wait_for_workers(1, timeout=WORKER_SECONDS)
            except TimeoutError:
                raise InputError(
                    f"the cluster at {address!r} has no worker; start one with `dask worker {address} --nthreads 1`"
                ) from None
            require_same(cast(Mapping[str, Any], client.get_versions(packages=SAME)))
            yield client
    finally:
        log.setLevel(level)


def require_same(versions: Mapping[str, Any]) -> None:
    """See that scheduler and workers have this program, in this version.

    Args:
        versions: as `Client.get_versions` gives them.

    Raises:
        InputError: naming who has it not.
    """
    own = versions["client"]["packages"]
    for place, theirs in {"the scheduler": versions["scheduler"], **versions["workers"]}.items():
        for package in SAME:
            here, there = own[package], theirs["packages"].get(package)
            if _public(here) != _public(there):
                found = f"no {package}" if there is None else f"{package} {there}"
                raise InputError(
                    f"{place} of the cluster has {found}, and here it is {here}; install the same version everywhere"
                )


def _public(version: str | None) -> str | None:
    """A version without what tells builds apart, such as +cpu."""
    return None if version is None else version.partition("+")[0]


def _client(address: str) -> Client:
    """A client of a scheduler.

    Raises:
        InputError: when nobody answers there, or there are no certificates where they are needed.
    """
    if address.startswith("tls:") and Security().get_connection_args("client").get("ssl_context") is None:
        raise InputError(
            f"{address!r} takes certificates, of which Dask's settings here name none; see docs/cluster.md"
        )
    try:
        return Client(address, timeout=ANSWER_SECONDS, set_as_default=False)
    except (OSError, RuntimeError, ValueError) as error:
        raise InputError(
            f"no Dask scheduler answers at {address!r} ({error}); `dask scheduler` starts one and prints its address"
        ) from None


@contextmanager
def marked(folder: Path) -> Iterator[Path]:
    """A file below a folder, by which workers see whether they have the same files.

    Raises:
        InputError: when it cannot be written.
    """
    mark = unfinished(Path(os.path.abspath(folder)) / "mark")
    try:
        make_folder(mark.parent)
        mark.touch()
    except OSError as error:
        raise InputError(f"cannot write {str(mark)!r}: {error.strerror}") from None
    try:
        yield mark
    finally:
        remove(mark)
