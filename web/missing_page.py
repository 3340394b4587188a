"""The page for a person who follows an address without one. Programs get the error in the form of its route."""

from __future__ import annotations

from aiohttp import web

from core.errors import CspsError
from web.form_page import FormFiles, missing_page
from web.gpt_form import HEADERS, choose_language
from web.problems import PathUnknown
from web.static_files import STATIC


def find_missing_page(request: web.Request, error: CspsError) -> web.Response | None:
    """The response to a browser that opens an unknown address; None for other requests and errors."""
    if not isinstance(error, PathUnknown) or not opens_document(request):
        return None
    language = choose_language("", request.headers.get("Accept-Language", ""))
    up = "../" * (request.path.count("/") - 1)
    files = request.app[STATIC]
    shown = FormFiles.build(lambda path: relative(up, files.address(path)))
    return web.Response(status=404, text=missing_page(language, shown, relative(up, files.root)), headers=HEADERS)


def opens_document(request: web.Request) -> bool:
    return request.method == "GET" and request.headers.get("Accept", "").startswith("text/html")


def relative(up: str, address: str) -> str:
    """The address as seen from a document that lies deeper than the page. One under WEB_PREFIX stays as it is."""
    return address if address.startswith("/") else (up + address.removeprefix("./") or "./")
