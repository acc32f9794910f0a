"""Who may ask the server anything: a browser of this machine that was given the address, and no other page in it.

Any page that a person visits may send requests to 127.0.0.1. It does not know the token, and says where it comes from.
"""

import secrets
from hmac import compare_digest
from urllib.parse import urlsplit

from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

MOST_BYTES = 4096
"""Of what is sent with a request."""

OWN_NAMES = ("127.0.0.1", "localhost", "[::1]")
"""This machine; a name that only leads here may be another page's."""

HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "frame-ancestors 'none'; base-uri 'none'; form-action 'none'; object-src 'none'",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}
"""With every answer; the page itself narrows the policy further."""


def new_token() -> str:
    """A secret that cannot be guessed."""
    return secrets.token_urlsafe(24)


class Guard:
    """Lets only those in who have the token: in the address at first, and from then on in a cookie."""

    def __init__(self, app: ASGIApp, token: str, cookie: str) -> None:
        """Guard an application.

        Args:
            cookie: its name, which no other page on this machine has.
        """
        self._app, self._token, self._cookie = app, token, cookie

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        if scope["type"] != "http":
            return await self._app(scope, receive, send)
        request = Request(scope, receive)
        refusal = self._refusal(request)

        async def answer(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers[name] = value
                if refusal is None and "token" in request.query_params:
                    headers.append("Set-Cookie", f"{self._cookie}={self._token}; Path=/; HttpOnly; SameSite=Strict")
            await send(message)

        app = self._app if refusal is None else JSONResponse({"error": refusal[1]}, refusal[0])
        return await app(scope, receive, answer)

    def _refusal(self, request: Request) -> tuple[int, str] | None:
        """The status and the sentence for who may not come in."""
        host, origin = request.headers.get("host", ""), request.headers.get("origin")
        if _name(host) not in OWN_NAMES:
            return 403, "this server answers to the name of this machine alone"
        if origin is not None and origin != f"http://{host}":
            return 403, "this server answers no other pages"
        known = request.query_params.get("token") or request.cookies.get(self._cookie) or ""
        if not compare_digest(known.encode(errors="replace"), self._token.encode()):
            return 403, "open the address that was printed, with all that stands in it"
        length = request.headers.get("content-length", "0")
        if not length.isdecimal() or int(length) > MOST_BYTES or "transfer-encoding" in request.headers:
            return 400, f"a request has at most {MOST_BYTES:,} bytes, and says how many"
        return None


def _name(host: str) -> str:
    """The name in a Host header, without its port: a tunnel from another machine may have another.

    >>> _name("127.0.0.1:8722"), _name("[::1]:80"), _name("localhost")
    ('127.0.0.1', '[::1]', 'localhost')
    """
    try:
        name = urlsplit(f"//{host}").hostname or ""
    except ValueError:
        return ""
    return f"[{name}]" if ":" in name else name
