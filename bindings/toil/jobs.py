"""Jobs: a file of rows and a schema, answered row by row, with progress on the way and a file of answers at the end.

A job lasts until all rows are answered or somebody stops it: what is done is in its files, and whoever takes the
delivery up again goes on from there, without a row lost or doubled. How rows are answered is in `core.toil.batch`.
"""

from __future__ import annotations

import asyncio
import itertools
import re
import time
from collections.abc import AsyncGenerator, Callable, Collection, Mapping, Sequence
from contextlib import aclosing, suppress
from dataclasses import dataclass

import structlog

from bindings import words
from bindings.delivery.outlet import Sentences, Throttled, Unreachable, Upload
from bindings.delivery.progress import progress
from bindings.files import ReadFile
from bindings.toil.job_files import Form, JobFiles, Part, Plan, TooManyRows
from bindings.toil.job_run import Run
from bindings.toil.reply import Send, block
from core.contract import Attachment, Done, Engine, Event, Json, Language, Status, Text
from core.errors import BadRequest, SchemaRefused, StorageError
from core.rag.context import quote_documents
from core.toil.batch.answers import ModelGone
from core.toil.batch.job import ColumnUnknown, Placeholder, parse_template
from core.toil.batch.journal import BatchProgress
from core.toil.batch.row_input import Survey
from core.toil.batch.rows import Row

log = structlog.get_logger()

GAP = re.compile(r"\{[^{}\n]+\}")
FILE = "answers.jsonl"
MEDIA_TYPE = "application/x-ndjson"
SHOWN_LIMIT_CHARS = 6000  # where files cannot be sent
SHOWN_CODES = 5
MODEL_PAUSE_S = 30.0  # before a model that was gone is asked for again
STORAGE_PAUSE_S = 30.0  # before a disk or a platform is tried again


class JobRefused(BadRequest):
    """For a reason that has words of its own."""

    def __init__(self, sentence: Sentences, **values: object) -> None:
        super().__init__(sentence["en"].format(**values))
        self._sentence = sentence
        self._values = values

    def told(self, language: Language) -> str:
        return self._sentence[language].format(**self._values)


@dataclass(frozen=True, slots=True)
class Errand:
    """What a person asked for. `prompt` may name columns; otherwise each row is given whole."""

    personality: str
    schema: Mapping[str, Json]
    prompt: str
    rows: ReadFile
    attachments: tuple[Attachment, ...]
    user: str
    language: Language


class Jobs:
    """`at_once`: rows of one job. `clock` gives seconds, for the rate."""

    def __init__(
        self,
        engine: Engine,
        files: JobFiles,
        row_limit: int,
        at_once: int,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._engine = engine
        self._files = files
        self._row_limit = row_limit
        self._at_once = at_once
        self._clock = clock

    async def planned(self, answer: str) -> Plan | None:
        """The job that a process which is gone had begun."""
        return await asyncio.to_thread(self._files.plan, answer)

    async def plan(self, answer: str, errand: Errand) -> Plan:
        """Durable when it returns. Raises BadRequest where something has to be put right before it begins."""
        form: Form = "csv" if errand.rows.shape == "csv" else "jsonl"
        await asyncio.to_thread(self._files.keep_rows, answer, errand.rows.text)
        found = await self._survey(answer, form)
        plan = Plan(errand.personality, errand.schema, parts_of(errand, found), form, found.rows, errand.user)
        if isinstance(found.first, Row):
            try_out(plan, found.first)
        await self._check(errand.schema)
        await asyncio.to_thread(self._files.keep_plan, answer, plan)
        log.info("job_planned", answer=answer, rows=plan.total)
        return plan

    async def _survey(self, answer: str, form: Form) -> Survey:
        try:
            found = await asyncio.to_thread(self._files.survey, answer, form, self._row_limit)
        except TooManyRows as exc:
            raise JobRefused(words.TOO_MANY_ROWS, limit=self._row_limit) from exc
        if found.first is None:
            raise JobRefused(words.NO_ROWS)
        return found

    async def _check(self, schema: Mapping[str, Json]) -> None:
        for note in await self._engine.check_schema(dict(schema)):
            if note.outcome == "refused":
                raise SchemaRefused(f"{note.path}: {note.why}")

    async def events(
        self, answer: str, plan: Plan, send: Send, stop: asyncio.Event, language: Language, model: str
    ) -> AsyncGenerator[Event, None]:
        """Progress, then what came of it. `stop` ends it with the rows that are done.

        A disk that is full and a platform that takes no file are waited for. Raises what they raise once it is stopped.
        """
        run = Run(self._engine, plan, self._files, answer, self._at_once, self._clock)
        yield progress(words.ROWS_BEGIN[language].format(total=plan.total))
        while not run.finished and not stop.is_set():
            try:
                async with aclosing(run.go_on(stop)) as tallies:
                    async for tally in tallies:
                        yield progress(progress_line(tally, language))
            except ModelGone as exc:
                log.warning("job_waits_for_model", answer=answer, problem=exc.message)
                yield Status("reconnecting")
                await wait_for(stop, MODEL_PAUSE_S)
            except StorageError as exc:
                if stop.is_set():
                    raise
                log.warning("job_waits_for_storage", answer=answer, problem=exc.message)
                await wait_for(stop, STORAGE_PAUSE_S)
        yield Text(await self._told(answer, run, plan, send, stop, language))
        yield Done("stop", model, run.usage)

    async def _told(
        self, answer: str, run: Run, plan: Plan, send: Send, stop: asyncio.Event, language: Language
    ) -> str:
        while True:
            try:
                return await self._result(answer, run.tally, plan, send, language, stopped=not run.finished)
            except (StorageError, Throttled, Unreachable) as exc:
                if stop.is_set():
                    raise
                log.warning("job_waits_to_tell", answer=answer, problem=exc.message)
                await wait_for(stop, STORAGE_PAUSE_S)

    async def _result(
        self, answer: str, tally: BatchProgress, plan: Plan, send: Send, language: Language, *, stopped: bool
    ) -> str:
        written = await asyncio.to_thread(self._files.answers, answer)
        # What was being written when it was stopped is in the file, and not in the tally.
        stopped_at = written.count(b"\n") if stopped else None
        said = summary(tally, plan.total, language, stopped_at)
        if not written:
            return said
        if await send(Upload(FILE, MEDIA_TYPE, written)):
            return f"{said} {words.ROWS_IN_FILE[language].format(name=FILE)}"
        return "\n\n".join([said, *in_words(written.decode("utf-8", "replace"), language)])

    async def remove(self, answer: str) -> None:
        await asyncio.to_thread(self._files.remove, answer)

    async def sweep(self, keep: Collection[str]) -> None:
        await asyncio.to_thread(self._files.sweep, keep)


def parts_of(errand: Errand, found: Survey) -> tuple[Part, ...]:
    """The prompt of each row: what came along, what the person wrote, and what it names, or all, of the row.

    Raises BadRequest for a gap that is none.
    """
    material = quote_documents(errand.attachments, errand.language)
    before: tuple[Part, ...] = (("text", f"{material}\n\n"),) if material else ()
    if GAP.search(errand.prompt):
        return (*before, *(part_of(part) for part in parse_template(errand.prompt).parts))
    names = tuple(found.first.fields) if isinstance(found.first, Row) else ()
    said = errand.prompt.strip() or words.FILL_IN[errand.language]
    return (*before, ("text", f"{said}\n"), *(part for name in names for part in column(name)))


def part_of(part: str | Placeholder) -> Part:
    return ("column", part.name) if isinstance(part, Placeholder) else ("text", part)


def column(name: str) -> tuple[Part, Part]:
    return ("text", f"\n{name}: "), ("column", name)


def try_out(plan: Plan, first: Row) -> None:
    """What would go wrong in every row is found in the first. Raises ColumnUnknown."""
    try:
        plan.job().build_task(first)
    except ColumnUnknown:
        raise
    except BadRequest:
        return  # of this row alone, which will say so itself


def progress_line(tally: BatchProgress, language: Language) -> str:
    if tally.left_s is None or tally.total is None:
        return words.ROWS_BEGIN[language].format(total=tally.total)
    return words.ROWS_UNDER_WAY[language].format(
        done=tally.done,
        total=tally.total,
        failed=tally.failed,
        rate=tally.rate,
        left=words.duration(tally.left_s),
    )


def summary(tally: BatchProgress, total: int, language: Language, stopped_at: int | None) -> str:
    if stopped_at is not None:
        return words.ROWS_STOPPED[language].format(done=stopped_at, total=total)
    if not tally.failed:
        return words.ROWS_DONE[language].format(done=tally.done)
    codes = ", ".join(f"{code} {count}" for code, count in tally.failures.most_common(SHOWN_CODES))
    return words.ROWS_SOME_FAILED[language].format(done=tally.done, failed=tally.failed, codes=codes)


def in_words(written: str, language: Language) -> list[str]:
    """The answers themselves, as many as a person can be expected to read in a message."""
    lines = written.splitlines()
    shown = lines[: lines_within(lines, SHOWN_LIMIT_CHARS)]
    cut = [words.ROWS_CUT[language].format(shown=len(shown))] if len(shown) < len(lines) else []
    return [*cut, block("\n".join(shown), "")]


def lines_within(lines: Sequence[str], limit_chars: int) -> int:
    """How many of the first lines fit; at least one."""
    sizes = itertools.accumulate(len(line) + 1 for line in lines)
    return max(1, sum(1 for size in sizes if size <= limit_chars))


async def wait_for(event: asyncio.Event, limit_s: float) -> None:
    with suppress(TimeoutError):
        async with asyncio.timeout(limit_s):
            await event.wait()
