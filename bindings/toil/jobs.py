"""Jobs: answers a file of rows one by one by a schema, shows progress, and sends a file of answers at the end.

A job runs until all rows are answered or a person stops it. Finished rows are on disk, so that the next process
continues without losing or repeating a row. `core.toil.batch` answers the rows.
"""

from __future__ import annotations

import asyncio
import itertools
import re
import time
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import aclosing, suppress
from dataclasses import dataclass, replace

import structlog

from bindings.delivery.outlet import Throttled, Unreachable, Upload
from bindings.delivery.partial_answer import build_progress
from bindings.files import TextFile, explain_omissions
from bindings.toil.job_files import JobFiles, JobPlan, RowFormat, RowPromptPart, TooManyRows
from bindings.toil.schema_reply import SendFile, code_block
from core.contract import (
    Attachment,
    Channel,
    Done,
    Engine,
    Event,
    Json,
    Language,
    Masked,
    PersonalInformation,
    Status,
    Text,
    Usage,
)
from core.errors import BadRequest, SchemaRefused, StorageError
from core.privacy.screening import Screen, screen_attachments, screen_schema
from core.rag.context import quote_attachments
from core.screening import Screener
from core.texts import text
from core.toil.batch.answers import ModelGone, Outcome, ToilAnswers
from core.toil.batch.job import ColumnUnknown, Placeholder, parse_template
from core.toil.batch.journal import BatchProgress, Journal, RecoveredRows
from core.toil.batch.pipeline import BoundedPipeline
from core.toil.batch.row_input import Survey
from core.toil.batch.rows import AnyRow, Row

log = structlog.get_logger()

PLACEHOLDER = re.compile(r"\{[^{}\n]+\}")
FILE_NAME = "answers.jsonl"
MEDIA_TYPE = "application/x-ndjson"
INLINE_LIMIT_CHARS = 6000  # of answers in messages, where files cannot be sent
LISTED_CODES = 5
MODEL_PAUSE_S = 30.0  # before the model is tried again
STORAGE_PAUSE_S = 30.0  # before the disk or the platform is tried again


class JobRefused(BadRequest):
    """The file cannot become a job. `key` and `values` are of the text that explains it."""

    def __init__(self, key: str, **values: int) -> None:
        super().__init__(text(key, "en", **values))
        self._key = key
        self._values = values

    def text(self, language: Language) -> str:
        return text(self._key, language, **self._values)


@dataclass(frozen=True, slots=True)
class JobRequest:
    """A person's request. `prompt` may name columns; otherwise each prompt contains the whole row."""

    personality: str
    schema: Mapping[str, Json]
    prompt: str
    rows: TextFile
    attachments: tuple[Attachment, ...]
    user: str
    language: Language
    channel: Channel
    names: frozenset[str] = frozenset()  # of the person, as in Prompt


def screen_job(
    request: JobRequest, rows: TextFile, screen: Screen
) -> tuple[JobRequest, TextFile, tuple[PersonalInformation, ...]]:
    """The request and its rows as they may be stored, and what was taken out. Raises PersonalInformationRefused."""
    lines = rows.verbatim
    if rows.format == "csv":
        screened = screen.own(lines)
    else:
        screened = "\n".join(screen.own_json(line) for line in lines.split("\n"))
    request = replace(
        request,
        prompt=screen.own(request.prompt),
        schema=screen_schema(request.schema, screen),
        attachments=screen_attachments(request.attachments, screen),
    )
    masked = screen.masked()
    return request, replace(rows, text=screened, body=b""), masked.found if masked else ()


class JobRun:
    """One run over the unanswered rows of a job. Continue it by another `advance` after ModelGone."""

    def __init__(
        self, engine: Engine, plan: JobPlan, files: JobFiles, answer: str, row_slots: int, clock: Callable[[], float]
    ) -> None:
        self._answers = ToilAnswers(engine, plan.job())
        self._plan = plan
        self._files = files
        self._answer = answer
        self._row_slots = row_slots
        self._clock = clock
        self.progress = BatchProgress(RecoveredRows(), plan.total, clock)
        self.usage = Usage()
        self.finished = False

    async def advance(self, stop: asyncio.Event) -> AsyncGenerator[BatchProgress, None]:
        """Yields whenever rows reach the disk, until all are there or `stop` is set. Raises ModelGone, StorageError."""
        journal = await asyncio.to_thread(self._files.journal, self._answer, self._plan)
        try:
            self.progress = BatchProgress(journal.recovered, self._plan.total, self._clock)
            async with aclosing(self._answer_rows(journal, stop)) as updates:
                async for progress in updates:
                    yield progress
        finally:
            await asyncio.to_thread(journal.close)

    async def _answer_rows(self, journal: Journal, stop: asyncio.Event) -> AsyncGenerator[BatchProgress, None]:
        changed = asyncio.Event()
        rows = await asyncio.to_thread(list, self._files.rows(self._answer, self._plan.form))
        remaining = [row for row in rows if row.number not in journal.recovered.done]
        record = self._recorder(journal, changed)
        pipeline = BoundedPipeline(self._answers.answer, record, self._row_slots, in_order=True)
        flowing = asyncio.create_task(pipeline.run(iterate(remaining)))
        stopping = asyncio.create_task(stop.wait())
        for task in (flowing, stopping):
            task.add_done_callback(lambda _task: changed.set())
        try:
            while not flowing.done() and not stopping.done():
                await changed.wait()
                changed.clear()
                yield self.progress
        finally:
            flowing.cancel()
            stopping.cancel()
            await asyncio.wait({flowing, stopping})
        if not flowing.cancelled():
            flowing.result()
            self.finished = True

    def _recorder(self, journal: Journal, changed: asyncio.Event) -> Callable[[Sequence[Outcome]], Awaitable[None]]:
        async def record(outcomes: Sequence[Outcome]) -> None:
            await asyncio.to_thread(journal.record, outcomes)
            self.progress.add(outcomes)
            self.usage = sum((outcome.usage for outcome in outcomes), self.usage)
            changed.set()

        return record


class Jobs:
    """Plans and runs jobs. `row_slots`: rows of one job answered at a time. `clock` gives seconds, for the rate."""

    def __init__(
        self,
        engine: Engine,
        files: JobFiles,
        row_limit: int,
        row_slots: int,
        clock: Callable[[], float] = time.monotonic,
        screener: Screener | None = None,
    ) -> None:
        self._screener = screener or Screener()
        self._engine = engine
        self._files = files
        self._row_limit = row_limit
        self._row_slots = row_slots
        self._clock = clock

    async def load_plan(self, answer: str) -> JobPlan | None:
        """The plan of a job that an earlier process began."""
        return await asyncio.to_thread(self._files.load_plan, answer)

    async def plan(self, answer: str, request: JobRequest) -> JobPlan:
        """Plans a job; durable when it returns. Raises BadRequest for an error that concerns all rows."""
        rows = await self._read_workbook(request.rows) if request.rows.format == "workbook" else request.rows
        form: RowFormat = "csv" if rows.format == "csv" else "jsonl"
        screen = self._screener.screen(request.personality, request.channel, request.language)
        request, rows, masked = await asyncio.to_thread(screen_job, request, rows, screen)
        await asyncio.to_thread(self._files.save_rows, answer, rows.verbatim)
        survey = await self._survey(answer, form)
        parts = build_parts(request, survey)
        plan = JobPlan(
            request.personality,
            request.schema,
            parts,
            form,
            total=survey.rows,
            user=request.user,
            rows_name=rows.name,
            omissions=rows.omissions,
            channel=request.channel,
            names=tuple(sorted(request.names)),
            masked=masked,
        )
        if isinstance(survey.first, Row):
            check_columns(plan, survey.first)
        await self._check_schema(request.schema)
        await asyncio.to_thread(self._files.save_plan, answer, plan)
        log.info("job_planned", answer=answer, rows=plan.total)
        return plan

    async def _read_workbook(self, file: TextFile) -> TextFile:
        """Raises UnreadableDocument, and JobRefused for a workbook without rows."""
        rows = await self._engine.read_rows(file.name, file.body)
        if not rows.text:
            raise JobRefused("bot-rows-none")
        return TextFile(file.name, "csv", rows.text, rows.omissions)

    async def _survey(self, answer: str, form: RowFormat) -> Survey:
        try:
            survey = await asyncio.to_thread(self._files.survey, answer, form, self._row_limit)
        except TooManyRows as exc:
            raise JobRefused("bot-rows-too_many", limit=self._row_limit) from exc
        if survey.first is None:
            raise JobRefused("bot-rows-none")
        return survey

    async def _check_schema(self, schema: Mapping[str, Json]) -> None:
        for note in await self._engine.check_schema(dict(schema)):
            if note.outcome == "refused":
                raise SchemaRefused(f"{note.path}: {note.why}")

    async def run(
        self, answer: str, plan: JobPlan, send: SendFile, stop: asyncio.Event, language: Language, model: str
    ) -> AsyncGenerator[Event, None]:
        """Yields progress, then the result. `stop` ends the job with the finished rows.

        Waits while the model is down, the disk is full or the platform takes no file. Once stopped, raises instead.
        """
        if plan.masked:
            yield Masked(plan.masked)
        run = JobRun(self._engine, plan, self._files, answer, self._row_slots, self._clock)
        yield build_progress(text("bot-rows-started", language, total=plan.total))
        while not run.finished and not stop.is_set():
            try:
                async with aclosing(run.advance(stop)) as updates:
                    async for progress in updates:
                        yield build_progress(describe_progress(progress, plan.total, language))
            except ModelGone as exc:
                log.warning("job_model_unavailable", answer=answer, problem=exc.message)
                yield Status("reconnecting")
                await wait_for(stop, MODEL_PAUSE_S)
            except StorageError as exc:
                if stop.is_set():
                    raise
                log.warning("job_storage_failed", answer=answer, problem=exc.message)
                await wait_for(stop, STORAGE_PAUSE_S)
        yield Text(await self._deliver_result(answer, run, plan, send, stop, language))
        yield Done("stop", model, run.usage)

    async def _deliver_result(
        self, answer: str, run: JobRun, plan: JobPlan, send: SendFile, stop: asyncio.Event, language: Language
    ) -> str:
        while True:
            try:
                return await self._result(answer, run.progress, plan, send, language, stopped=not run.finished)
            except (StorageError, Throttled, Unreachable) as exc:
                if stop.is_set():
                    raise
                log.warning("job_result_failed", answer=answer, problem=exc.message)
                await wait_for(stop, STORAGE_PAUSE_S)

    async def _result(
        self, answer: str, progress: BatchProgress, plan: JobPlan, send: SendFile, language: Language, *, stopped: bool
    ) -> str:
        answer_lines = await asyncio.to_thread(self._files.read_answers, answer)
        # Rows that were being recorded at the stop are in the file, but not in the progress.
        stopped_at = answer_lines.count(b"\n") if stopped else None
        summary = describe_result(progress, plan.total, language, stopped_at)
        if plan.omissions:
            file = TextFile(plan.rows_name, plan.form, "", plan.omissions)
            summary = f"{explain_omissions(file, language)} {summary}"
        if not answer_lines:
            return summary
        if await send(Upload(FILE_NAME, MEDIA_TYPE, answer_lines)):
            return f"{summary} {text('bot-rows-file', language, name=FILE_NAME)}"
        return "\n\n".join([summary, *show_inline(answer_lines.decode("utf-8", "replace"), language)])

    async def remove(self, answer: str) -> None:
        await asyncio.to_thread(self._files.remove, answer)

    async def stored(self) -> set[str]:
        """The answers whose jobs have files."""
        return await asyncio.to_thread(self._files.stored)


def build_parts(request: JobRequest, survey: Survey) -> tuple[RowPromptPart, ...]:
    """The prompt of each row: attachments, the person's prompt, and the columns that it names, else all columns.

    Raises BadRequest for a malformed placeholder.
    """
    material = quote_attachments(request.attachments, request.language)
    before: tuple[RowPromptPart, ...] = (("text", f"{material}\n\n"),) if material else ()
    if PLACEHOLDER.search(request.prompt):
        return (*before, *(convert_part(part) for part in parse_template(request.prompt).parts))
    names = tuple(survey.first.fields) if isinstance(survey.first, Row) else ()
    prompt = request.prompt.strip() or text("prompt-fill-in", request.language)
    return (*before, ("text", f"{prompt}\n"), *(part for name in names for part in column_parts(name)))


def convert_part(part: str | Placeholder) -> RowPromptPart:
    return ("column", part.name) if isinstance(part, Placeholder) else ("text", part)


def column_parts(name: str) -> tuple[RowPromptPart, RowPromptPart]:
    return ("text", f"\n{name}: "), ("column", name)


def check_columns(plan: JobPlan, first: Row) -> None:
    """Builds the first row's prompt, to find errors that every row would have. Raises ColumnUnknown."""
    try:
        plan.job().build_task(first)
    except ColumnUnknown:
        raise
    except BadRequest:
        return  # an error of this row alone, which its answer will report


def describe_progress(progress: BatchProgress, total: int, language: Language) -> str:
    if progress.left_s is None:
        return text("bot-rows-started", language, total=total)
    return text(
        "bot-rows-progress",
        language,
        done=progress.done,
        total=total,
        failed=progress.failed,
        rate=progress.rate,
        left=progress.left_s,
    )


def describe_result(progress: BatchProgress, total: int, language: Language, stopped_at: int | None) -> str:
    if stopped_at is not None:
        return text("bot-rows-stopped", language, done=stopped_at, total=total)
    if not progress.failed:
        return text("bot-rows-done", language, done=progress.done)
    codes = ", ".join(f"{code} {count}" for code, count in progress.failures.most_common(LISTED_CODES))
    return text("bot-rows-failed", language, done=progress.done, failed=progress.failed, codes=codes)


def show_inline(answer_lines: str, language: Language) -> list[str]:
    """The first answers in a code block, up to INLINE_LIMIT_CHARS, with a note if there are more."""
    lines = answer_lines.splitlines()
    shown = lines[: count_fitting(lines, INLINE_LIMIT_CHARS)]
    note = [text("bot-rows-cut", language, shown=len(shown))] if len(shown) < len(lines) else []
    return [*note, code_block("\n".join(shown), "")]


def count_fitting(lines: Sequence[str], limit_chars: int) -> int:
    """The number of first lines that fit; at least one."""
    sizes = itertools.accumulate(len(line) + 1 for line in lines)
    return max(1, sum(1 for size in sizes if size <= limit_chars))


async def iterate(rows: Iterable[AnyRow]) -> AsyncIterator[AnyRow]:
    for row in rows:
        yield row


async def wait_for(event: asyncio.Event, limit_s: float) -> None:
    with suppress(TimeoutError):
        async with asyncio.timeout(limit_s):
            await event.wait()
