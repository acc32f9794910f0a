"""What the server answers: the page, what is new of the fit, its pictures, and what a viewer asks."""

import asyncio
import json
import re
from collections.abc import AsyncGenerator, Mapping
from html import escape
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import FileResponse, HTMLResponse, JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from fieldlens.configs.errors import InputError
from fieldlens.report import Encoded
from fieldlens.studies.runs.folder import RunFolder

from .asked import DEEDS, LOOKS, question_of
from .hub import Hub, Viewer

WAITING = """<!doctype html><html lang="en"><head><meta charset="utf-8"><meta http-equiv="refresh" content="1">
<title>fieldlens</title><link rel="icon" href="data:,"></head>
<body><p>The page is being prepared. It shows itself as soon as there is something to see.</p><p>{doing}</p></body>
</html>"""

WHOLE = re.compile("[0-9]{1,9}")
"""A whole number, as an address has it."""

SIGN_OF_LIFE = 15.0
"""Seconds without anything new after which a line is sent all the same: who has gone is noticed by it."""


def app_of(hub: Hub) -> Starlette:
    """The application of a hub. Nothing that a viewer sends is part of a file's name, but for the number of a step."""

    async def page(_request: Request) -> Response:
        return HTMLResponse(hub.page or WAITING.format(doing=escape(hub.preparing)))

    async def events(request: Request) -> Response:
        asked = request.query_params
        viewer = Viewer(asked.get("map") or None, asyncio.get_running_loop(), asleep="asleep" in asked)
        return StreamingResponse(_news(hub, viewer), media_type="text/event-stream")

    async def picture(request: Request) -> Response:
        found = hub.pictures.get(request.url.path.removeprefix("/"))
        return _not_found() if found is None else Response(found.data, media_type=found.media_type)

    async def frame(request: Request) -> Response:
        step = request.path_params["step"]
        if hub.folder is None or not re.fullmatch("[0-9]{1,18}", step):
            return _not_found()
        file = RunFolder(hub.folder).frame(int(step), "reconstruction")
        return FileResponse(file) if file.is_file() else _not_found()

    async def film(request: Request) -> Response:
        folder = None if hub.folder is None else RunFolder(hub.folder)
        files = [] if folder is None else [folder.video, folder.turntable]
        file = next((file for file in files if file.name == request.url.path.removeprefix("/")), None)
        return FileResponse(file) if file is not None and file.is_file() else _not_found()

    async def ask(request: Request) -> Response:
        kind = request.url.path.removeprefix("/")
        values = await _sent(request) if request.method == "POST" else _asked(request)
        found = await asyncio.wrap_future(hub.ask(question_of(kind, values)))
        if isinstance(found, Encoded):
            return Response(found.data, media_type=found.media_type)
        return JSONResponse(found)

    return Starlette(
        routes=[
            Route("/", page),
            Route("/events", events),
            Route("/now", picture),
            Route("/map/{name}", picture),
            Route("/frame/{step}", frame),
            Route("/progress.mp4", film),
            Route("/turntable.mp4", film),
            *(Route(f"/{kind}", ask) for kind in LOOKS),
            *(Route(f"/{kind}", ask, methods=["POST"]) for kind in DEEDS),
        ],
        exception_handlers={InputError: _refused, Exception: _failed},
    )


async def _news(hub: Hub, viewer: Viewer) -> AsyncGenerator[str]:
    """What is new, from now on, as server-sent events; the moments that came while one was sent are left out.

    A page that sleeps is sent the end alone.
    """
    try:
        with hub.watching(viewer):
            sent = -1
            while not hub.is_closing:
                if hub.news and sent != hub.version and (hub.is_over or not viewer.asleep):
                    sent = hub.version
                    yield f"data: {hub.news}\n\n"
                try:
                    await asyncio.wait_for(viewer.changed.wait(), SIGN_OF_LIFE)
                except TimeoutError:
                    yield ": still there\n\n"
                viewer.changed.clear()
    except InputError as error:  # too many look
        yield f"data: {json.dumps({'refused': str(error)})}\n\n"


def _asked(request: Request) -> dict[str, Any]:
    """What the address asks, without what is for the guard, and for the browser, which asks no address twice."""
    asked = {name: value for name, value in request.query_params.items() if name not in ("token", "again")}
    return {name: int(value) if WHOLE.fullmatch(value) else value for name, value in asked.items()}


async def _sent(request: Request) -> Mapping[str, Any]:
    """What a request holds, which the guard has found to be short.

    Raises:
        InputError: when it is no JSON object.
    """
    try:
        values = json.loads(await request.body())
    except (ValueError, RecursionError):
        values = None
    if not isinstance(values, dict):
        raise InputError("what was sent is no JSON object")
    return values


async def _refused(_request: Request, error: Exception) -> Response:
    return JSONResponse({"error": str(error)}, 400)


async def _failed(_request: Request, error: Exception) -> Response:
    return JSONResponse({"error": f"this went wrong in the program itself ({type(error).__name__})"}, 500)


def _not_found() -> Response:
    return JSONResponse({"error": "there is no such picture"}, 404)
