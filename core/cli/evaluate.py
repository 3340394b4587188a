"""`csps-llm evaluate`: asks questions to which experts know the answers, and reports how good the answers are.

The output file is a journal: the same command continues a run that was stopped, and a finished one is only reported.
Exit status: 0 all questions answered, 3 some failed, 2 refused before the start, 1 interrupted, 130 stopped.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
import sys
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import aclosing, asynccontextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

import typer
from rich.console import Console
from rich.table import Table

from core import bootstrap
from core.cli.localization import locale_language
from core.cli.toil import INTERRUPTED, SOME_FAILED, STOPPED, Messages, open_answering_engine, open_display
from core.configuration import settings as settings_module
from core.configuration.settings import Settings
from core.contract import Engine, Json, Language
from core.errors import BadRequest, ConfigError, CspsError
from core.evaluation.judge import Judge
from core.evaluation.questions import parse_question
from core.evaluation.report import Report, build_report, notes, table_rows, to_markdown
from core.evaluation.rows import EvaluatedRows, Evaluation
from core.evaluation.subjects import Asker, EngineAsker, ServiceAsker, Subject, parse_subject
from core.runtime import log
from core.runtime.atomic_files import write_atomically
from core.toil.batch.answers import Outcome
from core.toil.batch.journal import BatchProgress, Journal, open_journal, toil_code, toil_number
from core.toil.batch.pipeline import BoundedPipeline
from core.toil.batch.row_input import read_chunks
from core.toil.batch.rows import AnyRow, Row, csv_rows, json_rows

KEY_VARIABLE = "CSPS_LLM_API_KEY"  # of the service at --url
WIDE = 200


@dataclass(frozen=True, slots=True)
class EvaluateOptions:
    questions: Path
    output: Path
    personality: str
    model: str | None = None
    against: str | None = None
    judge: str | None = None
    url: str | None = None
    report: Path | None = None
    as_json: bool = False
    force_new: bool = False


def evaluate(options: EvaluateOptions) -> int:
    """Returns the exit status. Raises ConfigError."""
    settings, language = settings_module.load(os.environ), locale_language(os.environ)
    log.configure(settings.log.model_copy(update={"level": "error"}), "evaluate")
    messages = Messages(Console(stderr=True), language)
    try:
        rows = read_questions(options.questions)
    except CspsError as exc:
        return messages.refuse(exc.message)
    run = EvaluationRun(options, settings, messages, rows)
    try:
        return asyncio.run(run.run())
    except (KeyboardInterrupt, asyncio.CancelledError):
        messages.print(messages.text("cli-evaluate-stopped", output=str(options.output)))
        return STOPPED


def read_questions(path: Path) -> tuple[AnyRow, ...]:
    """All rows of a CSV or JSON Lines file. Raises BadRequest with the place of the first wrong one."""
    parse = csv_rows if path.suffix.lower() == ".csv" else json_rows
    rows = tuple(parse(read_chunks(path)))
    if not rows:
        raise BadRequest(f"{path}: there are no questions")
    for row in rows:
        try:
            if not isinstance(row, Row):
                raise row.error
            parse_question(row)
        except CspsError as exc:
            raise BadRequest(f"{path}, row {row.number}: {exc.message}") from exc
    return rows


class EvaluationRun:
    """One run over the rows of a file."""

    def __init__(
        self, options: EvaluateOptions, settings: Settings, messages: Messages, rows: Sequence[AnyRow]
    ) -> None:
        self._options = options
        self._settings = settings
        self._messages = messages
        self._rows = rows

    async def run(self) -> int:
        """Returns the exit status."""
        async with self._open() as (engine, asker):
            try:
                subjects, judge = choose_subjects(self._options, engine.personalities())
                job = describe_job(self._options, self._rows, subjects, judge)
                journal = await asyncio.to_thread(
                    open_journal, self._options.output, job, toil_number, toil_code, anew=self._options.force_new
                )
            except CspsError as exc:
                return self._messages.refuse(exc.message)
            try:
                status = await self._answer(engine, asker, subjects, judge, journal)
            finally:
                await asyncio.to_thread(journal.close)
        report = build_report(subjects, read_lines(self._options.output))
        self._print(report)
        return status or (SOME_FAILED if report.failed else 0)

    @asynccontextmanager
    async def _open(self) -> AsyncIterator[tuple[Engine, Asker]]:
        """The engine of this process, which also measures; the running service answers if its address is given."""
        if self._options.url is None:
            async with open_answering_engine(self._settings) as engine:
                yield engine, EngineAsker(engine)
            return
        service = ServiceAsker(self._options.url, os.environ.get(KEY_VARIABLE))
        try:
            async with bootstrap.run_engine(self._settings) as engine:
                yield engine, service
        finally:
            await service.close()

    async def _answer(
        self, engine: Engine, asker: Asker, subjects: tuple[Subject, ...], judge: Subject | None, journal: Journal
    ) -> int:
        progress = BatchProgress(journal.recovered, len(self._rows))
        if progress.done:
            self._messages.print(self._messages.text("cli-toil-resumed", done=progress.done))
        display = open_display(progress, self._messages)

        async def deliver(outcomes: Sequence[Outcome]) -> None:
            await asyncio.to_thread(journal.record, outcomes)
            progress.add(outcomes)
            display.show()

        encoder = bootstrap.build_own_embedder(self._settings)
        opinion = Judge(asker, judge, self._messages.language) if judge else None
        answers = EvaluatedRows(engine, Evaluation(subjects, asker, encoder, opinion))
        pipeline = BoundedPipeline(answers.answer, deliver, self._settings.model.slots, in_order=True)
        try:
            async with aclosing(self._unanswered(journal)) as rows:
                await pipeline.run(rows)
        except CspsError as exc:
            display.end()
            self._messages.print(self._messages.text("cli-evaluate-interrupted", problem=exc.message))
            return INTERRUPTED
        finally:
            display.end()
            await encoder.close()
        return 0

    async def _unanswered(self, journal: Journal) -> AsyncGenerator[AnyRow, None]:
        for row in self._rows:
            if row.number not in journal.recovered.done:
                yield row

    def _print(self, report: Report) -> None:
        language = self._messages.language
        if self._options.as_json:
            typer.echo(json.dumps(report.to_json(), ensure_ascii=False, indent=2))
        else:
            print_report(report, language)
        if self._options.report:
            save_report(self._options.report, report, language)


def choose_subjects(
    options: EvaluateOptions, personalities: Sequence[str]
) -> tuple[tuple[Subject, ...], Subject | None]:
    """The subjects, and the judge. Raises BadRequest for an unknown personality, or a model over HTTP."""
    if options.url is None and options.personality not in personalities:
        raise BadRequest(f"no personality named {options.personality!r}; there are: {', '.join(personalities)}")
    first = Subject(options.personality, options.model)
    names = {*personalities, options.personality}
    found = [parse_subject(words, first, names) if words else None for words in (options.against, options.judge)]
    subjects = (first, found[0]) if found[0] else (first,)
    if options.url and any(each and each.model for each in (*subjects, found[1])):
        raise BadRequest(
            "a service answers with the models of its personalities: name personalities, or leave --url out"
        )
    if len(set(subjects)) < len(subjects):
        raise BadRequest("--against names what is evaluated already; name another personality or model")
    return subjects, found[1]


def describe_job(
    options: EvaluateOptions, rows: Sequence[AnyRow], subjects: Sequence[Subject], judge: Subject | None
) -> dict[str, Json]:
    """What a run must have in common with an earlier one that it continues."""
    digest = hashlib.sha256("\n".join(row.digest for row in rows).encode()).hexdigest()
    described: list[Json] = [asdict(each) for each in subjects]
    judging: Json = asdict(judge) if judge else None
    return {"questions": digest, "subjects": described, "judge": judging, "url": options.url}


def read_lines(output: Path) -> list[dict[str, Json]]:
    with output.open("rb") as file:
        return [json.loads(line) for line in file]


def print_report(report: Report, language: Language) -> None:
    header, *rows = table_rows(report, language)
    table = Table(*header)
    for row in rows:
        table.add_row(*row)
    (Console() if sys.stdout.isatty() else Console(width=WIDE)).print(table)
    for note in notes(report, language):
        typer.echo(log.escape_control(note))


def save_report(path: Path, report: Report, language: Language) -> None:
    """Writes JSON or Markdown, by the ending of the file's name. Raises ConfigError."""
    form: Literal["json", "markdown"] = "json" if path.suffix.lower() == ".json" else "markdown"
    content = (
        json.dumps(report.to_json(), ensure_ascii=False, indent=2) if form == "json" else to_markdown(report, language)
    )
    try:
        write_atomically(path, content.encode("utf-8", "replace"))
    except OSError as exc:
        raise ConfigError(f"{path}: {exc.strerror}") from exc
