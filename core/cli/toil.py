"""`csps-llm toil run`: sends each row of a file to the model, and writes one line of JSON for each.

Exit status 0: every row has its value. 3: some rows failed; their lines say why. 2: refused before the start; something
must be corrected. 1: interrupted by the model or the disk. 130: stopped by Ctrl+C. After 1, 130 and `kill -9` the same
command continues where it was.
"""

from __future__ import annotations

import asyncio
import signal
import time
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, aclosing, asynccontextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from core import bootstrap
from core.cli.chat import DEFAULT_PERSONALITIES
from core.cli.localization import locale_language
from core.cli.toil_plan import BatchOptions, BatchPlan, build_plan
from core.configuration import settings as settings_module
from core.configuration.settings import Settings
from core.contract import Engine, Language
from core.errors import CspsError, ModelError, PersonalityUnknown, SchemaRefused
from core.model.client import ModelClient
from core.runtime import log
from core.texts import describe_omissions, text
from core.toil.batch.answers import Outcome
from core.toil.batch.journal import BatchProgress, JobMismatch, Journal, OutputLocked
from core.toil.batch.pipeline import BoundedPipeline
from core.toil.batch.row_input import ThreadedIterator, read_chunks
from core.toil.batch.rows import AnyRow

SOME_FAILED = 3
REFUSED = 2
INTERRUPTED = 1
STOPPED = 130
CODES_LIMIT = 8  # error codes in the summary
LINE_INTERVAL_S = 5.0

OpenEngine = Callable[[Settings], AbstractAsyncContextManager[Engine]]


def default_personality(environ: Mapping[str, str]) -> str:
    return DEFAULT_PERSONALITIES[locale_language(environ)]


def start(options: BatchOptions, environ: Mapping[str, str]) -> int:
    """Returns the exit status. Raises ConfigError."""
    settings = settings_module.load(environ)
    log.configure(settings.log.model_copy(update={"level": "error"}), "toil")  # the command prints its own messages
    return run(options, settings, locale_language(environ))


@asynccontextmanager
async def open_answering_engine(settings: Settings) -> AsyncGenerator[Engine, None]:
    """Raises ModelError at once if no model answers: an engine would first start, and then have to end, its tasks."""
    client = ModelClient.from_settings(settings)
    try:
        await client.ready()
    finally:
        await client.close()
    async with bootstrap.run_engine(settings) as engine:
        yield engine


def run(
    options: BatchOptions, settings: Settings, language: Language, open_engine: OpenEngine = open_answering_engine
) -> int:
    """Returns the exit status. Raises ConfigError."""
    messages = Messages(Console(stderr=True), language)
    try:
        plan = build_plan(options, language)
    except CspsError as exc:
        return messages.refuse(exc.message)
    if plan.omissions:
        read = describe_omissions(plan.omissions, language)
        messages.print(messages.text("source-partly-read", name=str(options.rows), read=read))
    batch = BatchRun(plan, settings, messages)
    try:
        return asyncio.run(batch.run(open_engine))
    except ModelError as exc:
        return messages.refuse(messages.text("cli-toil-no-model", problem=exc.message))
    except (KeyboardInterrupt, asyncio.CancelledError):
        messages.print(messages.text("cli-toil-stopped", done=batch.done, output=str(options.output)))
        return STOPPED


class Messages:
    """Prints messages for people to stderr."""

    def __init__(self, console: Console, language: Language) -> None:
        self.console = console
        self.language = language

    def text(self, key: str, /, **values: object) -> str:
        return text(key, self.language, **values)

    def print(self, message: str) -> None:
        self.console.print(message, highlight=False, markup=False, soft_wrap=True)

    def refuse(self, message: str) -> int:
        self.print(message)
        return REFUSED


class BatchRun:
    """One run of a plan."""

    def __init__(self, plan: BatchPlan, settings: Settings, messages: Messages) -> None:
        self._plan = plan
        self._settings = settings
        self._messages = messages
        self._output = str(plan.options.output)
        self.done = 0

    async def run(self, open_engine: OpenEngine) -> int:
        """Returns the exit status. After a cancellation the output holds all finished rows."""
        task = asyncio.current_task()
        assert task is not None
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
        async with open_engine(self._settings) as engine:
            try:
                await self._check(engine)
                journal = await asyncio.to_thread(self._plan.open_journal)
            except CspsError as exc:
                return self._messages.refuse(self._refusal(exc))
            try:
                return await self._answer_rows(engine, journal)
            finally:
                await asyncio.to_thread(journal.close)

    async def _check(self, engine: Engine) -> None:
        """Raises ModelError if no model answers, PersonalityUnknown, SchemaRefused."""
        options, schema = self._plan.options, self._plan.job.schema
        if not options.openai and options.personality not in engine.personalities():
            names = ", ".join(engine.personalities())
            unknown = self._messages.text("cli-toil-personality-unknown", name=options.personality, names=names)
            raise PersonalityUnknown(unknown)
        await engine.ready()
        if schema is None:
            return
        for note in await engine.check_schema(dict(schema) if isinstance(schema, Mapping) else schema):
            if note.outcome == "refused":
                raise SchemaRefused(f"{options.schema}: {note.why}")

    def _refusal(self, error: CspsError) -> str:
        match error:
            case ModelError():
                return self._messages.text("cli-toil-no-model", problem=error.message)
            case JobMismatch():
                return self._messages.text("cli-toil-other-job", problem=error.message)
            case OutputLocked():
                return self._messages.text("cli-toil-output-locked", output=self._output)
        return error.message

    async def _answer_rows(self, engine: Engine, journal: Journal) -> int:
        progress = BatchProgress(journal.recovered, self._plan.total)
        self.done = progress.done
        if progress.done:
            self._messages.print(self._messages.text("cli-toil-resumed", done=progress.done))
        display = open_display(progress, self._messages)

        async def deliver(outcomes: Sequence[Outcome]) -> None:
            await asyncio.to_thread(journal.record, outcomes)
            progress.add(outcomes)
            self.done = progress.done
            display.show()

        options = self._plan.options
        concurrency = options.concurrency or self._settings.model.slots
        answer = self._plan.build_answers(engine).answer
        pipeline = BoundedPipeline(answer, deliver, concurrency, in_order=options.in_order)
        try:
            async with aclosing(self._rows(journal)) as rows:
                await pipeline.run(rows)
        except CspsError as exc:
            display.end()
            values = {"problem": exc.message, "done": self.done, "output": self._output}
            self._messages.print(self._messages.text("cli-toil-interrupted", **values))
            return INTERRUPTED
        finally:
            display.end()
        return self._summarize(progress)

    async def _rows(self, journal: Journal) -> AsyncGenerator[AnyRow, None]:
        """Yields the rows that no earlier run answered."""
        path = self._plan.options.rows
        async for row in ThreadedIterator(self._plan.read(read_chunks(path))).items():
            if path is None:
                journal.check(row.number, row.digest)
            if row.number not in journal.recovered.done:
                yield row

    def _summarize(self, progress: BatchProgress) -> int:
        values = {"done": progress.done, "output": self._output}
        if not progress.failed:
            self._messages.print(self._messages.text("cli-toil-all-answered", **values))
            return 0
        codes = ", ".join(f"{code} {count}" for code, count in progress.failures.most_common(CODES_LIMIT))
        self._messages.print(self._messages.text("cli-toil-some-failed", failed=progress.failed, codes=codes, **values))
        return SOME_FAILED


# ---------------------------------------------------------------- progress


class ProgressDisplay:
    """A progress bar in a terminal."""

    def __init__(self, progress: BatchProgress, messages: Messages) -> None:
        self._progress = progress
        self._messages = messages
        self.bar = Progress(
            TextColumn(messages.text("cli-toil-rows")),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[rate]}"),
            TimeRemainingColumn(),
            TextColumn("{task.fields[failures]}"),
            console=messages.console,
        )
        self._task = self.bar.add_task("", total=progress.total, rate="", failures="")
        self.show()
        self.bar.start()

    def show(self) -> None:
        rate = self._messages.text("cli-toil-rate", rate=self._progress.rate)
        failures = self._messages.text("cli-toil-failures", failed=self._progress.failed)
        self.bar.update(self._task, completed=self._progress.done, rate=rate, failures=failures)

    def end(self) -> None:
        self.bar.stop()


class ProgressLines:
    """A line every 5 s, in a log or a pipe."""

    def __init__(
        self, progress: BatchProgress, messages: Messages, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._progress = progress
        self._messages = messages
        self._clock = clock
        self._printed_at = clock()

    def show(self) -> None:
        if self._clock() - self._printed_at >= LINE_INTERVAL_S:
            self._printed_at = self._clock()
            self._messages.print(self.line())

    def end(self) -> None:
        """Does nothing: the summary follows."""

    def line(self) -> str:
        progress = self._progress
        values = {"done": progress.done, "rate": progress.rate, "failed": progress.failed}
        if progress.left_s is None:
            return self._messages.text("cli-toil-progress-endless", **values)
        return self._messages.text("cli-toil-progress", total=progress.total, seconds=progress.left_s, **values)


def open_display(progress: BatchProgress, messages: Messages) -> ProgressDisplay | ProgressLines:
    return (ProgressDisplay if messages.console.is_terminal else ProgressLines)(progress, messages)
