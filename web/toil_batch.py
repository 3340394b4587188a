"""/toil/<personality>/batch: NDJSON in, NDJSON out, both at once and for as long as the caller likes.

A line is read only when there is room for its answer, so what is held stays small however much is sent, and a caller
who does not read is not read from. How rows are answered is in `core.toil.batch`.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from typing import Literal

import structlog
from aiohttp import web
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from core import strict_json
from core.contract import Sampling
from core.errors import BadRequest, CspsError, Stopping
from core.request_validation import of_validation
from core.toil.batch.answers import Outcome, RowRetryPolicy, ToilAnswers
from core.toil.batch.job import Job, parse_template
from core.toil.batch.pipeline import BoundedPipeline
from core.toil.batch.rows import AnyRow, InputLine, LineSplitter, Row, parse_json_row
from core.toil.request import SamplingOptions, Schema
from web import body, hangup
from web.problems import TooSlow
from web.service import SERVICE, Service
from web.streaming import Stream

log = structlog.get_logger()

NDJSON = "application/x-ndjson"
PATIENCE = RowRetryPolicy(attempts=3)  # somebody is waiting at the other end
HEADER = "batch"


class Header(SamplingOptions):
    """What all rows share: the value of `batch` in a first line that has nothing else."""

    json_schema: Schema | None = Field(default=None, alias="schema")
    prompt_template: str | None = None
    order: Literal["rows", "answers"] = "rows"


class HeaderLine(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid")

    batch: Header


async def toil_batch(request: web.Request) -> web.StreamResponse:
    """POST /toil/<personality>/batch."""
    service = request.app[SERVICE]
    personality = service.personality(request.match_info["personality"])
    body.check_media(request, NDJSON)
    source = Source(request)
    with hangup.watched(request):
        async with aclosing(source.rows()) as rows:
            first = await anext(rows, None)
            if first is None and source.failure:
                raise source.failure
            header = header_of(first)
            job = job_of(header or Header(), personality, service.user_of(request))
            return await answered(request, source, job, header, chained(None if header else first, rows))


async def answered(
    request: web.Request, source: Source, job: Job, header: Header | None, rows: AsyncGenerator[AnyRow, None]
) -> web.StreamResponse:
    """Writes outcomes as they are there. What breaks the whole batch off is its last line, and then the connection."""
    service = request.app[SERVICE]
    out = Stream(request, {"Content-Type": f"{NDJSON}; charset=utf-8"})

    async def deliver(outcomes: Sequence[Outcome]) -> None:
        for outcome in outcomes:
            count(service, outcome)
        await out.write(b"".join(strict_json.dump(outcome.line) + b"\n" for outcome in outcomes))

    in_order = header is None or header.order == "rows"
    pipeline = BoundedPipeline(
        ToilAnswers(service.engine, job, PATIENCE).answer, deliver, service.limits.batch_rows, in_order=in_order
    )
    await out.begin()
    with service.metrics.running.track_inprogress():
        try:
            async with aclosing(rows):
                await pipeline.run(rows)
        except CspsError as error:
            await out.write(last_line(error))
            raise
    if source.failure:
        await out.write(last_line(source.failure))
        raise source.failure  # the cut, too, says that this is not all
    return out.response


def count(service: Service, outcome: Outcome) -> None:
    service.metrics.used(outcome.usage)
    if outcome.code is not None:
        service.metrics.errors.labels(outcome.code).inc()


def last_line(error: CspsError) -> bytes:
    """About no row: the batch as a whole goes no further."""
    return strict_json.dump({"error": {"code": error.code, "message": error.message}}) + b"\n"


async def chained(first: AnyRow | None, rest: AsyncGenerator[AnyRow, None]) -> AsyncGenerator[AnyRow, None]:
    if first is not None:
        yield first
    async for row in rest:
        yield row


def header_of(row: AnyRow | None) -> Header | None:
    """Raises ParameterRefused for a header that cannot be honoured."""
    if not isinstance(row, Row) or list(row.fields) != [HEADER]:
        return None
    try:
        return HeaderLine.model_validate(row.fields).batch
    except ValidationError as exc:
        raise of_validation(exc) from exc


def job_of(header: Header, personality: str, user: str) -> Job:
    """Raises BadRequest for a template that is none."""
    filled = None if header.prompt_template is None else parse_template(header.prompt_template)
    return Job(personality, header.json_schema, filled, header.override(Sampling()), user)


class Source:
    """The rows of a request's body. After `rows` has ended, `failure` says whether it ended too early."""

    def __init__(self, request: web.Request) -> None:
        service = request.app[SERVICE]
        self.failure: CspsError | None = None
        self._life = service.life
        self._content = request.content
        self._limit_bytes = service.settings.body_limit_bytes
        self._timeout_s = service.settings.read_timeout_s
        self._lines = LineSplitter(self._limit_bytes)

    async def rows(self) -> AsyncGenerator[AnyRow, None]:
        """Ends where the body ends, or breaks off, or no line comes in time, or the service is being stopped."""
        try:
            async for line in self._read():
                self._life.refuse_when_stopping()
                yield parse_json_row(line, self._limit_bytes)
        except (BadRequest, Stopping) as exc:
            self.failure = exc

    async def _read(self) -> AsyncGenerator[InputLine, None]:
        loop = asyncio.get_running_loop()
        deadline = loop.time() + self._timeout_s
        while chunk := await self._chunk(deadline):
            for line in self._lines.feed(chunk):
                yield line
                # Only now is the next one waited for: until here there was no room for it.
                deadline = loop.time() + self._timeout_s
        for line in self._lines.end():
            yield line

    async def _chunk(self, deadline: float) -> bytes:
        """Raises TooSlow, BadRequest."""
        try:
            async with asyncio.timeout_at(deadline):
                return await self._content.readany()
        except TimeoutError as exc:
            raise TooSlow(f"no whole line arrived within {self._timeout_s:g} s") from exc
        except web.RequestPayloadError as exc:
            raise BadRequest("the body is not well-formed HTTP") from exc
