"""/toil/<personality>/batch: NDJSON in, NDJSON out, both at once, without a time limit.

It reads a line only when there is room for its answer. So memory stays bounded, and a client that does not read is not
read from. `core.toil.batch` answers the rows.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from functools import partial
from typing import Literal

import structlog
from aiohttp import web
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from core import strict_json
from core.contract import Sampling
from core.errors import BadRequest, CspsError, Overloaded
from core.request_validation import to_parameter_refused
from core.toil.batch.answers import Outcome, RowRetryPolicy, ToilAnswers
from core.toil.batch.job import Job, parse_template
from core.toil.batch.pipeline import BoundedPipeline
from core.toil.batch.rows import AnyRow, InputLine, LineSplitter, Row, parse_json_row
from core.toil.request import SamplingOptions
from core.toil.schema.drafts import Schema
from web import request_body
from web.identity.caller import find_names
from web.identity.limits import Limited
from web.problems import BodyTimeout
from web.service import SERVICE
from web.streaming import StreamedResponse, cancel_on_hangup

log = structlog.get_logger()

NDJSON = "application/x-ndjson"
RETRY_POLICY = RowRetryPolicy(attempts=3)  # fewer than in a job: a client is waiting
HEADER = "batch"
PIECE_BYTES = 16 * 1024


class BatchHeader(SamplingOptions):
    """Options of all rows: the value of `batch`, in a first line that has no other key."""

    json_schema: Schema | None = Field(default=None, alias="schema")
    prompt_template: str | None = None
    order: Literal["rows", "answers"] = "rows"


class HeaderLine(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid")

    batch: BatchHeader


async def toil_batch(request: web.Request) -> web.StreamResponse:
    """POST /toil/<personality>/batch."""
    service = request.app[SERVICE]
    personality = service.check_personality(request.match_info["personality"], find_names(request))
    request_body.check_media_type(request, NDJSON)
    body = RowStream(request)
    with cancel_on_hangup(request):
        async with aclosing(body.rows()) as rows:
            first = await anext(rows, None)
            if first is None and body.failure:
                raise body.failure
            header = parse_header(first)
            options = header or BatchHeader()
            build = partial(build_job, options, personality, service.user_id(request), find_names(request))
            job = await request_body.parse_large(request, len(options.prompt_template or ""), build)
            who = await service.callers.admit(job.user, job.names)
            return await answer_rows(request, body, job, header, prepend(None if header else first, rows), who)


async def answer_rows(
    request: web.Request,
    body: RowStream,
    job: Job,
    header: BatchHeader | None,
    rows: AsyncGenerator[AnyRow, None],
    who: Limited,
) -> web.StreamResponse:
    """Writes outcomes as they come. An error that ends the batch is its last line, and the connection is aborted."""
    service = request.app[SERVICE]
    out = StreamedResponse(request, {"Content-Type": f"{NDJSON}; charset=utf-8"})

    async def deliver(outcomes: Sequence[Outcome]) -> None:
        for outcome in outcomes:
            service.metrics.count_usage(outcome.usage)
            await service.callers.count(who, outcome.usage)
            if outcome.code is not None:
                service.metrics.errors.labels(outcome.code).inc()
        await out.write(b"".join(strict_json.dump(outcome.line) + b"\n" for outcome in outcomes))

    in_order = header is None or header.order == "rows"
    answers = ToilAnswers(service.engine, job, RETRY_POLICY)
    pipeline = BoundedPipeline(answers.answer, deliver, service.limits.batch_rows, in_order=in_order)
    await out.start()
    with service.metrics.running.track_inprogress():
        try:
            async with aclosing(rows):
                await pipeline.run(rows)
        except CspsError as error:
            await out.write(encode_error(error))
            raise
    if body.failure:
        await out.write(encode_error(body.failure))
        raise body.failure  # aborts the connection, so that the output does not look complete
    return out.response


def encode_error(error: CspsError) -> bytes:
    """The last line, about the whole batch."""
    return strict_json.dump({"error": {"code": error.code, "message": error.message}}) + b"\n"


async def prepend(first: AnyRow | None, rest: AsyncGenerator[AnyRow, None]) -> AsyncGenerator[AnyRow, None]:
    if first is not None:
        yield first
    async for row in rest:
        yield row


def parse_header(row: AnyRow | None) -> BatchHeader | None:
    """The options of a header row; None for any other row. Raises ParameterRefused for an invalid header."""
    if not isinstance(row, Row) or list(row.fields) != [HEADER]:
        return None
    try:
        return HeaderLine.model_validate(row.fields).batch
    except ValidationError as exc:
        raise to_parameter_refused(exc) from exc


def build_job(header: BatchHeader, personality: str, user: str, names: frozenset[str]) -> Job:
    """Raises BadRequest for an invalid template."""
    template = None if header.prompt_template is None else parse_template(header.prompt_template)
    return Job(personality, header.json_schema, template, header.override(Sampling()), user, "toil", names)


class RowStream:
    """Parses the rows of a request's body. After `rows` has ended early, `failure` holds the reason."""

    def __init__(self, request: web.Request) -> None:
        service = request.app[SERVICE]
        self.failure: CspsError | None = None
        self._request = request
        self._gate = service.gate
        self._content = request.content
        self._limit_bytes = service.settings.body_limit_bytes
        self._timeout_s = service.settings.read_timeout_s
        self._lines = LineSplitter(self._limit_bytes)

    async def rows(self) -> AsyncGenerator[AnyRow, None]:
        """Ends with the body, on an error in it, when no line arrives in time, or when the service stops."""
        try:
            async for line in self._read():
                self._gate.check_open()
                parse = partial(parse_json_row, line, self._limit_bytes)
                yield await request_body.parse_large(self._request, len(line.raw or b""), parse)
        except (BadRequest, Overloaded) as exc:  # Overloaded: also Stopping
            self.failure = exc

    async def _read(self) -> AsyncGenerator[InputLine, None]:
        loop = asyncio.get_running_loop()
        deadline = loop.time() + self._timeout_s
        while chunk := await self._chunk(deadline):
            for line in self._lines.feed(chunk):
                yield line
                # The deadline starts here: before, there was no room for the next line.
                deadline = loop.time() + self._timeout_s
        for line in self._lines.end():
            yield line

    async def _chunk(self, deadline: float) -> bytes:
        """Raises BodyTimeout, BadRequest."""
        try:
            async with asyncio.timeout_at(deadline):
                await asyncio.sleep(0)  # what has arrived is read without a pause, and may be lines without end
                return await self._content.read(PIECE_BYTES)
        except TimeoutError as exc:
            raise BodyTimeout(f"no whole line arrived within {self._timeout_s:g} s") from exc
        except web.RequestPayloadError as exc:
            raise BadRequest("the body is not well-formed HTTP") from exc
