"""`csps-llm feedback list | export`: people's verdicts on answers, of all channels."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from core.cli.localization import locale_language
from core.cli.receipts import load_settings
from core.cli.records.session import RecordsSession, run
from core.contract import Language
from core.errors import ConfigError
from core.feedback.entries import FeedbackEntry, load_feedback
from core.feedback.filters import ChannelName, ExportFormat, FeedbackFilter, VerdictName, parse_since
from core.feedback.formats import to_json, write_feedback
from core.local_time import local_clock
from core.runtime import log
from core.runtime.atomic_files import write_atomically
from core.texts import text

COLUMNS = ("at", "channel", "verdict", "personality", "model", "comment", "receipt")
WIDE = 200  # a file or pipe has no width to cut lines to


def build_filter(
    channel: ChannelName | None,
    verdict: VerdictName | None,
    personality: str | None,
    model: str | None,
    since: str | None,
) -> FeedbackFilter:
    """Raises BadRequest for a `since` that is no date, ConfigError."""
    now = local_clock(load_settings("feedback").time.zone)()
    return FeedbackFilter(channel, verdict, personality, model, parse_since(since, now) if since else None)


def show(chosen: FeedbackFilter, limit: int, *, as_json: bool) -> None:
    """Prints the newest verdicts. Raises StorageError, ConfigError."""
    language = locale_language(os.environ)
    entries = read_feedback(chosen, "list")
    shown = entries[:limit]
    if as_json:
        typer.echo(json.dumps([to_json(each) for each in shown], ensure_ascii=False, indent=2))
        return
    if not entries:
        typer.echo(text("cli-feedback-none", language))
        return
    (Console() if sys.stdout.isatty() else Console(width=WIDE)).print(build_table(shown, language))
    good = sum(each.verdict == "good" for each in entries)
    typer.echo(text("cli-feedback-counts", language, count=len(entries), good=good, shown=len(shown)))


def export(chosen: FeedbackFilter, form: ExportFormat, output: Path | None) -> None:
    """Writes all verdicts to a file, or to standard output. Raises StorageError, ConfigError."""
    content = write_feedback(read_feedback(chosen, "export"), form)
    if output is None:
        sys.stdout.write(content)
        return
    try:
        write_atomically(output, content.encode("utf-8", "replace"))
    except OSError as exc:
        raise ConfigError(f"{output}: {exc.strerror}") from exc


def read_feedback(chosen: FeedbackFilter, action: str) -> Sequence[FeedbackEntry]:
    """Reads them once the access is in the log. `action`: "list" or "export"."""

    async def read(session: RecordsSession) -> Sequence[FeedbackEntry]:
        await session.enter(action, "feedback")
        return await load_feedback(session.database, chosen)

    return run(read)


def build_table(entries: Sequence[FeedbackEntry], language: Language) -> Table:
    table = Table(*(text(f"cli-feedback-column-{column}", language) for column in COLUMNS))
    for entry in entries:
        cells = {**to_json(entry), "at": entry.at.astimezone().strftime("%Y-%m-%d %H:%M")}
        cells["verdict"] = text(f"cli-feedback-verdict-{entry.verdict}", language)
        table.add_row(*(Text(log.escape_control(str(cells[column] or ""))) for column in COLUMNS))
    return table
