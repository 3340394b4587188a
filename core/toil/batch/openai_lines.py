"""OpenAI's Batch file format: one request or response a line. https://platform.openai.com/docs/guides/batch

A request's body follows the rules of its URL. Every result is a `response` with a status, as over HTTP.
`error` stays null, because it is for requests that were never tried.
"""

from __future__ import annotations

import secrets
from collections.abc import Awaitable, Callable, Sequence
from contextlib import aclosing
from dataclasses import replace
from typing import Any, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from core.access.names import OPERATORS
from core.contract import Engine, Json, Usage
from core.errors import BadRequest, CspsError
from core.openai.public.chat_requests import Chat, PublicChatRequest, build_chat
from core.openai.public.choices import answer_choices, build_completion, collect_completion
from core.openai.public.input_files import InputFile, read_files
from core.openai.public.responses.answers import collect_response, response_parts
from core.openai.public.responses.events import ResponseEvents
from core.openai.public.responses.objects import ResponseEnvelope
from core.openai.public.responses.requests import PublicResponseRequest, build_response_chat
from core.openai.response_objects import error_body, openai_status
from core.request_validation import to_parameter_refused
from core.toil.batch.answers import Outcome, RowAnswers, RowRetryPolicy
from core.toil.batch.rows import AnyRow, Row, UnreadableRow

OK = 200
ID_PREFIX = "batch_req_"
RESPONSES = "/v1/responses"
Request = TypeVar("Request", bound=BaseModel)
Completed = tuple[dict[str, Json], Usage]  # the body of an answer
Completing = Callable[[], Awaitable[Completed]]


class RequestLine(BaseModel):
    model_config = ConfigDict(strict=True, extra="ignore")

    custom_id: str = Field(min_length=1, max_length=512)
    method: Literal["POST"]
    url: Literal["/v1/chat/completions", "/v1/responses"]
    body: dict[str, Any]

    def parse_body(self, model: type[Request]) -> Request:
        """Raises ParameterRefused with the wrong key."""
        try:
            return model.model_validate(self.body)
        except ValidationError as exc:
            raise to_parameter_refused(exc, self.body) from exc


class OpenAiAnswers(RowAnswers):
    """Outcomes as `{"id", "custom_id", "response": {"status_code", "request_id", "body"}, "error": null}`."""

    id_field = "custom_id"

    def __init__(self, engine: Engine, user: str, policy: RowRetryPolicy | None = None) -> None:
        super().__init__(engine, policy)
        self._user = user

    async def _answer(self, row: Row, name: Json) -> Outcome:
        line = parse_line(row.fields)
        complete = await (self._prepare_response(line) if line.url == RESPONSES else self._prepare_chat(line))
        body, usage = await self._retry(complete)
        return Outcome(row.number, build_line(row.number, name, OK, body), usage=usage)

    def _failure(self, number: int, name: Json, error: CspsError) -> Outcome:
        return Outcome(number, build_line(number, name, openai_status(error), error_body(error)), error.code)

    async def _prepare_chat(self, line: RequestLine) -> Completing:
        request = line.parse_body(PublicChatRequest)
        chat = await self._add_files(replace(build_chat(request), names=OPERATORS), request.files)

        async def complete() -> Completed:
            async with aclosing(answer_choices(self._engine, chat, self._user)) as parts:
                return await collect_completion(build_completion(chat), parts)

        return complete

    async def _prepare_response(self, line: RequestLine) -> Completing:
        request = line.parse_body(PublicResponseRequest)
        chat = await self._add_files(build_response_chat(request), request.files)

        async def complete() -> Completed:
            async with aclosing(response_parts(self._engine, request, chat, self._user)) as parts:
                return await collect_response(ResponseEvents(ResponseEnvelope(request.echo())), parts)

        return complete

    async def _add_files(self, chat: Chat, files: Sequence[InputFile]) -> Chat:
        attachments = await read_files(self._engine, files)
        return replace(chat, stream=False, attachments=attachments, priority="batch")


def parse_line(fields: Any) -> RequestLine:
    """Raises ParameterRefused with the wrong key."""
    try:
        return RequestLine.model_validate(fields)
    except ValidationError as exc:
        raise to_parameter_refused(exc) from exc


def build_line(number: int, name: Json, status: int, body: dict[str, Json]) -> dict[str, Json]:
    """The id holds the row number, so that a later run can resume."""
    response: Json = {"status_code": status, "request_id": f"req_{secrets.token_hex(12)}", "body": body}
    return {"id": f"{ID_PREFIX}{number:08d}", "custom_id": name, "response": response, "error": None}


def line_number(entry: dict[str, object]) -> object:
    """The row number of an output line; None if no batch wrote the line."""
    name = entry.get("id")
    digits = name.removeprefix(ID_PREFIX) if isinstance(name, str) else ""
    return int(digits) if digits.isdecimal() and len(digits) < 12 and "response" in entry else None


def line_error_code(entry: dict[str, object]) -> str | None:
    """The error code of an output line; None for an answer."""
    response = entry.get("response")
    body = response.get("body") if isinstance(response, dict) else None
    error = body.get("error") if isinstance(body, dict) else None
    return str(error.get("code")) if isinstance(error, dict) else None


class UniqueIds:
    """Refuses a file with a repeated `custom_id`: its answers would be ambiguous."""

    def __init__(self) -> None:
        self._line_of_id: dict[str, int] = {}

    def check(self, row: AnyRow) -> None:
        """Raises BadRequest with both line numbers."""
        name = None if isinstance(row, UnreadableRow) else row.fields.get("custom_id")
        if isinstance(name, str) and (before := self._line_of_id.setdefault(name, row.number)) != row.number:
            raise BadRequest(f"lines {before} and {row.number} have the same custom_id")
