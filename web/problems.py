"""Errors that only HTTP has, and the response to each error in the form of its route."""

from __future__ import annotations

import math
from http import HTTPStatus
from typing import Literal

from aiohttp import web

from core import strict_json
from core.contract import Json, Language
from core.errors import (
    BadRequest,
    CspsError,
    FetchFailed,
    FetchRefused,
    KeyRefused,
    NotFound,
    PersonalInformationRefused,
    UnreadableDocument,
)
from core.openai.response_objects import error_body, http_error_body, openai_status
from core.texts import error_text
from web.masked import encode_found

Form = Literal["text", "problem", "openai"]


class BodyTooLarge(BadRequest):
    code = "too_large"
    status = 413


class TargetTooLong(BadRequest):
    code = "target_too_long"
    status = 414


class MediaTypeRefused(BadRequest):
    code = "media_type"
    status = 415


class BodyTimeout(BadRequest):
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
    """An error of aiohttp without a class here. `message`: None for the phrase of the status."""

    code = "http"

    def __init__(self, status: int, message: str | None = None) -> None:
        super().__init__(message or f"{HTTPStatus(status).phrase}.")
        self.http_status = status


class InternalError(CspsError):
    """A defect in this service. The log has its cause; the response does not."""

    def __init__(self) -> None:
        super().__init__("something went wrong on our side")


def error_form(path: str) -> Form:
    if path.startswith(("/v1/", "/openai/")):
        return "openai"
    first = path.split("/", 2)[1] if "/" in path else ""
    if first in ("v1", "chat", "completions", "responses", "embeddings", "models"):  # a client's base URL lacks /v1
        return "openai"
    return "problem" if first in ("toil", "read", "facts", "conversations", "describe", "healthz", "readyz") else "text"


def person_text(error: CspsError, language: Language | None) -> str:
    """The text for a person, in both languages if theirs is not known."""
    return error_text(error, language) if language else f"{error_text(error, 'en')} / {error_text(error, 'fr')}"


def status_of(error: CspsError, form: Form) -> int:
    if isinstance(error, HttpRefused):
        return error.http_status
    return openai_status(error) if form == "openai" else error.status


def build_response(error: CspsError, form: Form, text: str | None = None) -> web.Response:
    """`text`: for a person. It replaces the error's message in the form "text", and is `message` in "problem"."""
    status = status_of(error, form)
    if form == "text":
        body = f"{text or error.message}\n".encode()
        content_type = "text/plain; charset=utf-8"
    elif form == "openai":
        is_http = isinstance(error, HttpRefused)
        body = strict_json.dump(http_error_body(error.message, status) if is_http else error_body(error))
        content_type = "application/json"
    else:
        body = strict_json.dump(problem_details(error, status) | ({"message": text} if text else {}))
        content_type = "application/problem+json"
    answer = web.Response(status=status, body=body, headers={"Content-Type": content_type, **error_headers(error)})
    if isinstance(error, (BodyTimeout, BodyTooLarge)):
        answer.force_close()  # the rest of the body may still arrive
    return answer


def error_headers(error: CspsError) -> dict[str, str]:
    headers = {}
    if error.retry_after_s is not None:
        headers["Retry-After"] = str(max(1, math.ceil(error.retry_after_s)))
    if isinstance(error, MethodRefused):
        headers["Allow"] = error.allowed
    if isinstance(error, KeyRefused):
        headers["WWW-Authenticate"] = "Bearer"
    if isinstance(error, UpgradeRequired):
        headers["Upgrade"] = "websocket"
    return headers


def problem_details(error: CspsError, status: int) -> dict[str, Json]:
    """The members of RFC 9457. `reason`: why a document or an address cannot be read, if known. `kinds`: of personal
    information that was refused.
    """
    error_reason = error.reason if isinstance(error, UnreadableDocument | FetchFailed | FetchRefused) else None
    reason: dict[str, Json] = {"reason": error_reason} if error_reason else {}
    kinds: dict[str, Json] = (
        {"kinds": encode_found(error.found)} if isinstance(error, PersonalInformationRefused) else {}
    )
    return {
        "type": "about:blank",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": error.message,
        "code": error.code,
        **reason,
        **kinds,
    }


def translate_http_error(exc: web.HTTPException) -> CspsError:
    """The CspsError for an error of aiohttp."""
    if isinstance(exc, web.HTTPMethodNotAllowed):
        return MethodRefused(", ".join(sorted(exc.allowed_methods)))
    if exc.status == 404:
        return PathUnknown("there is nothing at this path")
    return HttpRefused(exc.status)
