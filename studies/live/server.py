"""The server of a fit's page: on this machine alone, in a thread of its own."""

import contextlib
import os
import socket
import sys
import threading
import webbrowser
from collections.abc import Iterator
from contextlib import contextmanager

from fieldlens.configs.errors import InputError

from .hub import Hub

HOST = "127.0.0.1"
FIRST_PORT, TRIED_PORTS = 8722, 100
"""Where a port is looked for that nobody has, where none is named."""
GIVEN_UP_AFTER = 2.0
"""Seconds that the server's thread is waited for at the end."""


@contextmanager
def served(hub: Hub, port: int | None = None) -> Iterator[str]:
    """Serve a hub until the block is left; gives the address of its page.

    Raises:
        InputError: when the port is taken, or the packages that serve are not installed.
    """
    try:
        import uvicorn

        from .app import app_of
        from .guard import Guard, new_token
    except ImportError as error:
        if error.name is not None and error.name.startswith("fieldlens"):
            raise
        raise InputError("--live needs packages that are not installed; run: pip install 'fieldlens[live]'") from None
    with _bound(port) as listener:
        own = listener.getsockname()[1]
        token = new_token()
        app = Guard(app_of(hub), token, f"fieldlens_{own}")
        config = uvicorn.Config(
            app, log_config=None, log_level="error", access_log=False, lifespan="off", timeout_graceful_shutdown=1
        )  # on the terminal is the fit: what is no HTTP is nothing to be told there
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, args=([listener],), name="fieldlens live", daemon=True)
        thread.start()
        try:
            yield f"http://{HOST}:{own}/?token={token}"
        finally:
            hub.close("the fit has ended")
            hub.is_closing = True
            hub.wake_all()
            server.should_exit = True
            thread.join(GIVEN_UP_AFTER)


@contextmanager
def _bound(port: int | None) -> Iterator[socket.socket]:
    """A socket that has a port of this machine, which is the one that was named, if one was."""
    for candidate in range(FIRST_PORT, FIRST_PORT + TRIED_PORTS) if port is None else (port,):
        listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        with contextlib.closing(listener):
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # those of a server that has ended are free
            try:
                listener.bind((HOST, candidate))
                listener.listen()  # only then is a port that another has just bound known to be taken
            except OSError as error:
                if port is not None:
                    raise InputError(f"port {port} cannot be had ({error.strerror}); name another --port") from None
                continue
            yield listener
            return
    raise InputError(f"ports {FIRST_PORT} to {FIRST_PORT + TRIED_PORTS - 1} are all taken; name another with --port")


def open_in_browser(address: str) -> None:
    """Open a page where there is a screen; a browser of the terminal would take it over."""
    if sys.platform in ("win32", "darwin") or os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"):
        threading.Thread(target=webbrowser.open, args=(address,), daemon=True).start()
