"""`csps-llm records hold | holds | release`: keeps records from being deleted."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from dataclasses import asdict

import typer

from core.cli.records.session import RecordsSession, show_time
from core.contract import Language
from core.records import holding
from core.records.holding import Hold
from core.records.subjects import Subject, count_stored
from core.runtime.log import escape_control
from core.texts import text


async def hold(session: RecordsSession, subject: Subject, reason: str, from_at: float | None) -> None:
    await session.enter("hold", subject.label)
    number = await session.database.write(
        lambda db: holding.place(db, subject, session.who, reason, from_at or 0.0, time.time())
    )
    session.print("cli-records-held", number=number, subject=subject.label)
    session.print("cli-records-held-now", **await session.database.read(lambda db: count_stored(db, subject)))


async def show(session: RecordsSession, *, as_json: bool) -> None:
    await session.enter("list holds", "holds")
    found = await session.database.read(holding.find)
    if as_json:
        typer.echo(json.dumps([asdict(each) for each in found], ensure_ascii=False, indent=1))
        return
    if not found:
        session.print("cli-records-no-holds")
    for each in found:
        typer.echo(escape_control("  ".join(hold_cells(each, session.language))))


def hold_cells(hold: Hold, language: Language) -> Iterator[str]:
    yield from (str(hold.id), show_time(hold.placed_at), hold.subject, f"{hold.who}: {hold.reason}")
    if hold.from_at:
        yield text("cli-records-hold-since", language, at=show_time(hold.from_at))
    if hold.released_at:
        yield text("cli-records-hold-released", language, at=show_time(hold.released_at))


async def release(session: RecordsSession, number: int) -> None:
    """Raises NotFound."""
    await session.enter("release hold", f"hold {number}")
    released, copies = await session.database.erase(lambda db: holding.release(db, number, session.who, time.time()))
    session.print("cli-records-released", number=number, subject=escape_control(released.subject), copies=copies)
