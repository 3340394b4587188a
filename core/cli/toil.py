"""`csps-llm toil run`: a file of rows through the model, one line of JSON for each.

Exit status 0: every row has its value; 3: some rows failed, and their lines say why; 2: it was not begun, because
something has to be put right first; 1: it was broken off, by the model or the disk; 130: stopped by Ctrl-C. After 1 and
130, and after `kill -9`, the same command goes on where it was.
"""

from __future__ import annotations

import asyncio
import signal
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, aclosing, asynccontextmanager

from rich.console import Console

from core import bootstrap
from core.cli.chat import WHO
from core.cli.toil_plan import Options, Plan, plan_of
from core.cli.toil_progress import progress
from core.cli.words import Table, Words, language_of
from core.configuration import settings as settings_module
from core.configuration.settings import Settings
from core.contract import Engine
from core.errors import CspsError, ModelError, PersonalityUnknown, SchemaRefused
from core.model.client import ModelClient
from core.runtime import log
from core.toil.batch.answers import Outcome
from core.toil.batch.journal import BatchProgress, JobMismatch, Journal, OutputLocked
from core.toil.batch.pipeline import BoundedPipeline
from core.toil.batch.row_input import ThreadedIterator, read_chunks
from core.toil.batch.rows import AnyRow

SOME_FAILED = 3
REFUSED = 2
BROKEN_OFF = 1
INTERRUPTED = 130
SHOWN_CODES = 8

WORDS: Table = {
    "no_model": (
        "No model answers ({problem}). Start one with `csps-llm up`, in another terminal, or name one by LLM_URL.",
        "Aucun modèle ne répond ({problem}). Lancez-en un avec `csps-llm up`, dans un autre terminal, ou nommez-en un"
        " par LLM_URL.",
    ),
    "other_job": (
        "{problem}.\nName another output, or throw this one away with --force-new.",
        "{problem}.\nNommez une autre sortie, ou jetez celle-ci avec --force-new.",
    ),
    "in_use": ("Another run is writing {output}.", "Une autre exécution écrit {output}."),
    "nobody": (
        "There is no personality named {name}; there are: {names}",
        "Pas de personnalité {name}; il y a : {names}",
    ),
    "going_on": ("{done} rows are done already; going on.", "{done} lignes sont déjà faites; on continue."),
    "all_good": ("{done} rows, all answered: {output}", "{done} lignes, toutes répondues : {output}"),
    "some_failed": (
        "{done} rows, {failed} of them failed ({codes}): {output}",
        "{done} lignes, dont {failed} en échec ({codes}) : {output}",
    ),
    "interrupted": (
        "Stopped. {done} rows are kept in {output}; the same command goes on from there.",
        "Arrêté. {done} lignes sont gardées dans {output}; la même commande continue à partir de là.",
    ),
    "broken_off": (
        "UnreadableRow off: {problem}. {done} rows are kept in {output}; the same command goes on from there.",
        "Interrompu : {problem}. {done} lignes sont gardées dans {output}; la même commande continue à partir de là.",
    ),
}

OpenEngine = Callable[[Settings], AbstractAsyncContextManager[Engine]]


def whom(environ: Mapping[str, str]) -> str:
    """The personality that answers where none is named."""
    return WHO[language_of(environ)]


def start(options: Options, environ: Mapping[str, str]) -> int:
    """The exit status. Raises ConfigError."""
    settings = settings_module.load(environ)
    log.configure(settings.log.model_copy(update={"level": "error"}), "toil")  # what people read is said here
    return run(options, settings, Words(WORDS, language_of(environ)))


@asynccontextmanager
async def answering_engine(settings: Settings) -> AsyncGenerator[Engine, None]:
    """Raises ModelError at once if no model answers: an engine would begin with what it does for one, and have to end
    that first."""
    client = ModelClient.from_settings(settings)
    try:
        await client.ready()
    finally:
        await client.close()
    async with bootstrap.run_engine(settings) as engine:
        yield engine


def run(options: Options, settings: Settings, words: Words, open_engine: OpenEngine = answering_engine) -> int:
    """The exit status. Raises ConfigError."""
    console = Console(stderr=True)
    try:
        batch = Batch(plan_of(options), settings, words, console)
    except CspsError as exc:
        return batch_refused(console, exc.message)
    try:
        return asyncio.run(batch.run(open_engine))
    except ModelError as exc:
        return batch_refused(console, words("no_model", problem=exc.message))
    except (KeyboardInterrupt, asyncio.CancelledError):
        say(console, words("interrupted", done=batch.done, output=options.output))
        return INTERRUPTED


def batch_refused(console: Console, message: str) -> int:
    say(console, message)
    return REFUSED


def say(console: Console, message: str) -> None:
    console.print(message, highlight=False, markup=False, soft_wrap=True)


class Batch:
    """One run of a plan."""

    def __init__(self, plan: Plan, settings: Settings, words: Words, console: Console) -> None:
        self._plan = plan
        self._settings = settings
        self._words = words
        self._console = console
        self.done = 0

    async def run(self, open_engine: OpenEngine) -> int:
        """The exit status. A cancelled run has kept what was finished."""
        task = asyncio.current_task()
        assert task is not None
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
        async with open_engine(self._settings) as engine:
            try:
                await self._check(engine)
                journal = await asyncio.to_thread(self._plan.journal)
            except CspsError as exc:
                return batch_refused(self._console, self._refusal(exc))
            try:
                return await self._run(engine, journal)
            finally:
                await asyncio.to_thread(journal.close)

    async def _check(self, engine: Engine) -> None:
        """Raises ModelError if no model answers, PersonalityUnknown, SchemaRefused."""
        name = self._plan.options.personality
        if not self._plan.options.openai and name not in engine.personalities():
            names = ", ".join(engine.personalities())
            raise PersonalityUnknown(self._words("nobody", name=name, names=names))
        await engine.ready()
        schema = self._plan.job.schema
        notes = (
            () if schema is None else await engine.check_schema(dict(schema) if isinstance(schema, Mapping) else schema)
        )
        for note in notes:
            if note.outcome == "refused":
                raise SchemaRefused(f"{self._plan.options.schema}: {note.why}")

    def _refusal(self, error: CspsError) -> str:
        if isinstance(error, ModelError):
            return self._words("no_model", problem=error.message)
        if isinstance(error, JobMismatch):
            return self._words("other_job", problem=error.message)
        if isinstance(error, OutputLocked):
            return self._words("in_use", output=self._plan.options.output)
        return error.message

    async def _run(self, engine: Engine, journal: Journal) -> int:
        tally = BatchProgress(journal.recovered, self._plan.total)
        self.done = tally.done
        if tally.done:
            say(self._console, self._words("going_on", done=tally.done))
        shown = progress(tally, self._console, self._words)

        async def deliver(outcomes: Sequence[Outcome]) -> None:
            await asyncio.to_thread(journal.record, outcomes)
            tally.add(outcomes)
            self.done = tally.done
            shown.show()

        concurrency = self._plan.options.concurrency or self._settings.model.slots
        pipeline = BoundedPipeline(
            self._plan.answers(engine).answer, deliver, concurrency, in_order=self._plan.options.in_order
        )
        try:
            async with aclosing(self._rows(journal)) as rows:
                await pipeline.run(rows)
        except CspsError as exc:
            shown.end()
            return self._broken_off(exc)
        finally:
            shown.end()
        return self._summary(tally)

    async def _rows(self, journal: Journal) -> AsyncGenerator[AnyRow, None]:
        """Those that are not done yet."""
        path = self._plan.options.rows
        async for row in ThreadedIterator(self._plan.read(read_chunks(path))).items():
            if path is None:
                journal.check(row.number, row.digest)
            if row.number not in journal.recovered.done:
                yield row

    def _broken_off(self, error: CspsError) -> int:
        say(
            self._console,
            self._words("broken_off", problem=error.message, done=self.done, output=self._plan.options.output),
        )
        return BROKEN_OFF

    def _summary(self, tally: BatchProgress) -> int:
        values = {"done": tally.done, "output": self._plan.options.output}
        if not tally.failed:
            say(self._console, self._words("all_good", **values))
            return 0
        codes = ", ".join(f"{code} {count}" for code, count in tally.failures.most_common(SHOWN_CODES))
        say(self._console, self._words("some_failed", failed=tally.failed, codes=codes, **values))
        return SOME_FAILED
