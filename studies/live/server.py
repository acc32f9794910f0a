"""The server of a page: on this machine alone, in a thread of its own."""

import contextlib
import os
import socket
import sys
import tempfile
import threading
import webbrowser
from collections.abc import Iterator
from contextlib import contextmanager
from html import escape
from pathlib import Path

from fieldlens.configs.errors import InputError

from .hub import Hub

HOST = "127.0.0.1"
FIRST_PORT, TRIED_PORTS = 8722, 100
"""Where a port is looked for that nobody has, where none is named."""
GIVEN_UP_AFTER = 2.0
"""Seconds that the server's thread is waited for at the end."""

LEADING_TO = """<!doctype html><html lang="en"><head><meta charset="utf-8"><title>fieldlens</title>
<meta name="referrer" content="no-referrer"><meta http-equiv="refresh" content="0; url={address}"></head>
<body><p><a href="{address}">Open the page</a></p></body></html>
"""


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
        raise InputError(
            "this page needs packages that are not installed; run: pip install 'fieldlens[live]'"
        ) from None
    with _bound(port) as listener:
        own = listener.getsockname()[1]
        token = new_token()
        app = Guard(app_of(hub), token, f"fieldlens_{own}")
        config = uvicorn.Config(
            app, log_config=None, log_level="error", access_log=False, lifespan="off", timeout_graceful_shutdown=1
        )  # on the terminal is the fit: what is no HTTP is nothing to be told there
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, args=([listener],), name="fieldlens page", daemon=True)
        thread.start()
        try:
            yield f"http://{HOST}:{own}/?token={token}"
        finally:
            hub.close("the command that served this page has ended")
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


@contextmanager
def open_in_browser(address: str) -> Iterator[None]:
    """Open a page where there is a screen, and leave it open; a browser of the terminal would take it over.

    The address has a token in it, and whoever is on this machine can read the words that a process was started with. So
    the browser is given a file that nobody else can read and that leads to the address; it goes when the block is left.
    """
    if not (sys.platform in ("win32", "darwin") or os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")):
        yield
        return
    with tempfile.TemporaryDirectory(prefix="fieldlens-", ignore_cleanup_errors=True) as folder:  # its mode is 0700
        page = Path(folder, "open.html")
        with open(os.open(page, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
            file.write(LEADING_TO.format(address=escape(address)))
        threading.Thread(target=webbrowser.open, args=(page.as_uri(),), daemon=True).start()
        yield
