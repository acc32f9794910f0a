"""The page that a verb serves to browsers of this machine."""

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from typing import TYPE_CHECKING

from fieldlens.configs.errors import InputError

if TYPE_CHECKING:
    from fieldlens.studies.live.hub import Hub

    from ..terminal.console import Console


def check_port(port: int | None) -> None:
    """See that there can be such a port.

    Raises:
        InputError: when there cannot.
    """
    if port is not None and not 1 <= port <= 65535:
        raise InputError(f"--port must be 1 to 65535, got {port}")


@contextmanager
def page_served(hub: "Hub", console: "Console", port: int | None, *, opens_browser: bool) -> Iterator[None]:
    """Serve a hub's page until the block is left, and say where it is.

    Raises:
        InputError: when the port is taken, or the packages that serve are not installed.
    """
    from fieldlens.studies.live.server import open_in_browser, served

    with served(hub, port) as address:
        console.say(f"page    {address}")
        with open_in_browser(address) if opens_browser else nullcontext():
            yield
