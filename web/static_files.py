"""Serves the page: its documents, which browsers revalidate, and one version of its files, which they keep for good."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable
from pathlib import Path

from aiohttp import ETag, web

from core.texts import LANGUAGES, text
from core.texts.catalogue import catalogue
from web.page_documents import file_address
from web.page_version import PageFile, PageVersion, read_version
from web.problems import PathUnknown

START = "index.html"
KEPT = "public, max-age=31536000, immutable"
ACCEPTED_CODING = re.compile(r"\s*([\w*-]+)\s*(?:;\s*q\s*=\s*([01](?:\.[0-9]{0,3})?)\s*)?", re.ASCII | re.IGNORECASE)


class StaticFiles:
    """`folder` holds index.html and its files. `prefix`: WEB_PREFIX, "" or a path such as "/chat"."""

    def __init__(self, folder: Path, prefix: str = "") -> None:
        self._folder = folder
        self.root = (
            f"{prefix}/" if prefix else "./"
        )  # the address of the service, for a document at the level of the page
        self._version: PageVersion | None = None

    async def load(self, _app: web.Application | None = None) -> None:
        """Reads all files. Call it before the first request."""
        texts = {f"texts/{language}.ftl": catalogue(language).source("page-") for language in LANGUAGES}
        self._version = await asyncio.to_thread(read_version, self._folder, texts, self.root, text)

    @property
    def version(self) -> PageVersion:
        assert self._version is not None, "load() comes first"
        return self._version

    def address(self, path: str) -> str:
        """Returns the address of a file, for a document at the level of the page."""
        return file_address(self.root, self.version.name, path)

    def document(self, name: str) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
        """Returns the handler of an HTML file."""

        async def handle(request: web.Request) -> web.StreamResponse:
            if (found := self.version.documents.get(name)) is None:
                raise PathUnknown("there is no such page")
            return respond(request, found, "no-cache")

        return handle

    async def file(self, request: web.Request) -> web.StreamResponse:
        """GET /static/<version>/<path>. An address without a version leads to today's."""
        version, path = self.version, request.match_info["path"]
        name, _, rest = path.partition("/")
        if name == version.name and rest in version.files:
            return respond(request, version.files[rest], KEPT)
        up = "../" * path.count("/")
        if path in version.documents:
            return redirect(request, f"{up}../{'' if path == START else Path(path).stem}")
        if path in version.files:
            return redirect(request, f"{up}{version.name}/{path}")
        raise PathUnknown("there is no such file; reload the page if it is an earlier version's")


STATIC: web.AppKey[StaticFiles] = web.AppKey("static", StaticFiles)


def redirect(request: web.Request, path: str) -> web.Response:
    """Redirects to a relative path, so that it is right under every prefix. Keeps the query."""
    query = f"?{request.query_string}" if request.query_string else ""
    return web.Response(status=302, headers={"Location": path + query, "Cache-Control": "no-cache"})


def respond(request: web.Request, file: PageFile, cache_control: str) -> web.StreamResponse:
    """Sends the file, compressed if the browser accepts that, or 304 if its copy is the same."""
    compressed = file.gzipped if accepts_gzip(request.headers.get("Accept-Encoding", "")) else None
    tag = ETag(f"{file.digest}-gzip" if compressed else file.digest)
    headers = {"Vary": "Accept-Encoding", "Cache-Control": cache_control, "Content-Type": file.content_type}
    if any(each.value in (tag.value, "*") for each in request.if_none_match or ()):
        del headers["Content-Type"]
        response = web.Response(status=304, headers=headers)
    elif compressed:
        response = web.Response(body=compressed, headers={**headers, "Content-Encoding": "gzip"})
    else:
        response = web.Response(body=file.content, headers=headers)
    response.etag = tag
    return response


def accepts_gzip(header: str) -> bool:
    """Reads an Accept-Encoding header (RFC 9110, 12.5.3): a weight of 0 refuses, `*` stands for the others."""
    matches = filter(None, map(ACCEPTED_CODING.fullmatch, header.split(",")))
    weights = {match[1].lower(): float(match[2] or 1) for match in matches}
    return weights.get("gzip", weights.get("*", 0)) > 0
