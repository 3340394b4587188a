"""Errors at the edge: those that only HTTP knows, and how each becomes a response in the form of its route."""

from __future__ import annotations

import math
from http import HTTPStatus
from typing import Literal

from aiohttp import web

from core import strict_json
from core.contract import Json, Language
from core.errors import BadRequest, CspsError, FetchFailed, FetchRefused, NotFound, UnreadableDocument
from core.openai.responses import error_body, openai_status
from core.texts import error_text

Form = Literal["text", "problem", "openai"]


class TooLarge(BadRequest):
    code = "too_large"
    status = 413


class TargetTooLong(BadRequest):
    code = "target_too_long"
    status = 414


class MediaTypeRefused(BadRequest):
    code = "media_type"
    status = 415


class TooSlow(BadRequest):
    code = "too_slow"
    status = 408


class UpgradeRequired(BadRequest):
    code = "upgrade_required"
    status = 426


class OriginRefused(CspsError):
    code = "origin_refused"
    status = 403


class HostRefused(CspsError):
    code = "host_refused"
    status = 421


class PathUnknown(NotFound):
    code = "path_unknown"


class MethodRefused(CspsError):
    code = "method_refused"
    status = 405

    def __init__(self, allowed: str) -> None:
        super().__init__(f"this path takes {allowed}")
        self.allowed = allowed


class HttpRefused(CspsError):
    """An error of aiohttp's own that has no class here."""

    code = "http"

    def __init__(self, status: int) -> None:
        super().__init__(f"{HTTPStatus(status).phrase}.")
        self.http_status = status


class Internal(CspsError):
    """A defect of ours. Its cause is in the log, and nothing of it goes out."""

    def __init__(self) -> None:
        super().__init__("something went wrong on our side")


def form_of(path: str) -> Form:
    if path.startswith("/v1/"):
        return "openai"
    first = path.split("/", 2)[1] if "/" in path else ""
    return "problem" if first in ("toil", "read", "describe", "healthz", "readyz") else "text"


def sentence(error: CspsError, language: Language | None) -> str:
    """What a person reads, in both languages where theirs is not known."""
    return error_text(error, language) if language else f"{error_text(error, 'en')} / {error_text(error, 'fr')}"


def status_of(error: CspsError, form: Form) -> int:
    if isinstance(error, HttpRefused):
        return error.http_status
    return openai_status(error) if form == "openai" else error.status


def response(error: CspsError, form: Form, text: str | None = None) -> web.Response:
    """`text` is what to say in the form "text"; by default the error's message."""
    status = status_of(error, form)
    if form == "text":
        body = f"{text or error.message}\n".encode()
        content_type = "text/plain; charset=utf-8"
    elif form == "openai":
        body = strict_json.dump(error_body(error))
        content_type = "application/json"
    else:
        body = strict_json.dump(problem(error, status))
        content_type = "application/problem+json"
    answer = web.Response(status=status, body=body, headers={"Content-Type": content_type, **headers(error)})
    if isinstance(error, (TooSlow, TooLarge)):
        answer.force_close()  # the rest of the body may still be on its way
    return answer


def headers(error: CspsError) -> dict[str, str]:
    found = {}
    if error.retry_after_s is not None:
        found["Retry-After"] = str(max(1, math.ceil(error.retry_after_s)))
    if isinstance(error, MethodRefused):
        found["Allow"] = error.allowed
    if isinstance(error, UpgradeRequired):
        found["Upgrade"] = "websocket"
    return found


def problem(error: CspsError, status: int) -> dict[str, Json]:
    """RFC 9457. `reason`: of a document or an address that cannot be read, where it is known."""
    told = error.reason if isinstance(error, UnreadableDocument | FetchFailed | FetchRefused) else None
    reason: dict[str, Json] = {"reason": told} if told else {}
    return {
        "type": "about:blank",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": error.message,
        "code": error.code,
        **reason,
    }


def of_http(exc: web.HTTPException) -> CspsError:
    """aiohttp's own errors in our family."""
    if isinstance(exc, web.HTTPMethodNotAllowed):
        return MethodRefused(", ".join(sorted(exc.allowed_methods)))
    if exc.status == 404:
        return PathUnknown("there is nothing at this path")
    return HttpRefused(exc.status)
