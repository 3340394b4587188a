"""OpenAI's Batch file format: requests in, responses out, each a line. https://platform.openai.com/docs/guides/batch

A request's body is read by the rules of /v1/chat/completions. Whatever becomes of it is a `response` with a status, as
it would be over HTTP; `error` stays null, for that is about requests that were never tried.
"""

from __future__ import annotations

import secrets
from contextlib import aclosing
from typing import Any, Literal

import structlog
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from core.contract import Engine, Json, Usage
from core.errors import BadRequest, CspsError
from core.openai.request import Chat, ChatRequest, chat_of
from core.openai.responses import Completion, collect_completion, error_object, openai_status, stream_completion
from core.request_validation import of_validation
from core.toil.batch.answers import Asker, ModelGone, Outcome, Patience
from core.toil.batch.job import id_of
from core.toil.batch.rows import AnyRow, Broken

log = structlog.get_logger()

OK = 200
ID_PREFIX = "batch_req_"


class RequestLine(BaseModel):
    model_config = ConfigDict(strict=True, extra="ignore")

    custom_id: str = Field(min_length=1, max_length=512)
    method: Literal["POST"]
    url: Literal["/v1/chat/completions"]
    body: dict[str, Any]


class OpenAiAnswers:
    """Outcomes as `{"id", "custom_id", "response": {"status_code", "request_id", "body"}, "error": null}`."""

    def __init__(self, engine: Engine, user: str, patience: Patience | None = None) -> None:
        self._engine = engine
        self._user = user
        self._asker = Asker(engine, patience or Patience())

    async def answer(self, row: AnyRow) -> Outcome:
        """Raises ModelGone, and nothing else on purpose."""
        if isinstance(row, Broken):
            return refused(row.number, None, row.error)
        name = id_of(row, "custom_id")
        try:
            chat = chat_in(row.fields)
            body, usage = await self._asker.ask(lambda: self._whole(chat))
        except ModelGone:
            raise
        except CspsError as exc:
            return refused(row.number, name, exc)
        except Exception:
            log.exception("row_failed", row=row.number)
            return refused(row.number, name, CspsError("something went wrong on our side"))
        return Outcome(row.number, line_of(row.number, name, OK, body), usage=usage)

    async def _whole(self, chat: Chat) -> tuple[dict[str, Json], Usage]:
        async with aclosing(stream_completion(self._engine, chat, self._user)) as pieces:
            return await collect_completion(Completion(chat.personality), pieces)


def chat_in(fields: Any) -> Chat:
    """Raises BadRequest naming what of the line, or of the request in it, is wrong."""
    try:
        return chat_of(ChatRequest.model_validate(RequestLine.model_validate(fields).body))
    except ValidationError as exc:
        raise of_validation(exc) from exc


def refused(number: int, name: Json, error: CspsError) -> Outcome:
    body: dict[str, Json] = {"error": error_object(error)}
    return Outcome(number, line_of(number, name, openai_status(error), body), error.code)


def line_of(number: int, name: Json, status: int, body: dict[str, Json]) -> dict[str, Json]:
    """The row's number is in the id: by it, a run that was killed knows where to go on."""
    response: Json = {"status_code": status, "request_id": f"req_{secrets.token_hex(12)}", "body": body}
    return {"id": f"{ID_PREFIX}{number:08d}", "custom_id": name, "response": response, "error": None}


def number_in(entry: dict[str, object]) -> object:
    """The row's, in a line of the output; None if it is none of ours."""
    name = entry.get("id")
    digits = name.removeprefix(ID_PREFIX) if isinstance(name, str) else ""
    return int(digits) if digits.isdecimal() and len(digits) < 12 and "response" in entry else None


def code_in(entry: dict[str, object]) -> str | None:
    """Of a line of the output, None if it is an answer."""
    response = entry.get("response")
    body = response.get("body") if isinstance(response, dict) else None
    error = body.get("error") if isinstance(body, dict) else None
    return str(error.get("code")) if isinstance(error, dict) else None


class UniqueIds:
    """Refuses a file that gives a `custom_id` twice: its answers could not be told apart."""

    def __init__(self) -> None:
        self._seen: dict[str, int] = {}

    def check(self, row: AnyRow) -> None:
        """Raises BadRequest with both lines."""
        name = None if isinstance(row, Broken) else row.fields.get("custom_id")
        if isinstance(name, str) and (before := self._seen.setdefault(name, row.number)) != row.number:
            raise BadRequest(f"lines {before} and {row.number} have the same custom_id")
