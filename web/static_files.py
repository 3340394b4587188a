"""Serves the page's files: one folder, known file types only. No listings, no links that lead out of it."""

from __future__ import annotations

import asyncio
import hashlib
from pathlib import Path

from aiohttp import ETag, web

from core.texts import LANGUAGES
from core.texts.catalogue import catalogue
from web.problems import PathUnknown

START = "/static/index.html"
# Fixed: a machine's own table may call JavaScript text/plain, and browsers then refuse to run it.
CONTENT_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".ico": "image/x-icon",
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".mjs": "text/javascript; charset=utf-8",
    ".png": "image/png",
    ".svg": "image/svg+xml",
    ".txt": "text/plain; charset=utf-8",
    ".webmanifest": "application/manifest+json",
    ".woff2": "font/woff2",
}


class StaticFiles:
    """`folder` holds index.html and its files."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder.resolve()

    async def start(self, _request: web.Request) -> web.StreamResponse:
        """GET /."""
        return web.Response(status=302, headers={"Location": START})

    async def file(self, request: web.Request) -> web.StreamResponse:
        """GET /static/<path>. Browsers cache it and revalidate it each time."""
        path = await asyncio.to_thread(self.find, request.match_info["path"])
        return revalidated(request, await asyncio.to_thread(path.read_bytes), CONTENT_TYPES[path.suffix])

    async def texts(self, request: web.Request) -> web.StreamResponse:
        """GET /static/texts/<language>.ftl: the page's texts, with the operator's own."""
        language = next((each for each in LANGUAGES if each == request.match_info["language"]), None)
        if language is None:
            raise PathUnknown("there are no texts in this language")
        source = await asyncio.to_thread(lambda: catalogue(language).source("page-"))
        return revalidated(request, source.encode(), CONTENT_TYPES[".txt"])

    def find(self, name: str) -> Path:
        """Raises PathUnknown unless the name is a servable file below the folder."""
        try:
            path = (self._folder / name).resolve()
            # Only the normalized name: without dots, doubled slashes or links, nothing leads out.
            normalized = path.relative_to(self._folder).as_posix() == name
            if normalized and path.suffix in CONTENT_TYPES and path.is_file():
                return path
        except (OSError, ValueError, RuntimeError):  # outside, a name too long, a NUL in it, a loop of links
            pass
        raise PathUnknown("there is no such file")


def revalidated(request: web.Request, content: bytes, content_type: str) -> web.StreamResponse:
    """The content, or 304 if the browser's copy is the same."""
    tag = ETag(hashlib.sha256(content).hexdigest()[:32])
    if any(each.value in (tag.value, "*") for each in request.if_none_match or ()):
        response = web.Response(status=304)
    else:
        response = web.Response(body=content, headers={"Content-Type": content_type})
    response.etag = tag
    response.headers["Cache-Control"] = "no-cache"
    return response
