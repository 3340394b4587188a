"""`csps-llm records accesses`: who read or changed whose records. Exit status 1: the log was tampered with."""

from __future__ import annotations

import json
from dataclasses import asdict
from datetime import UTC, datetime

import typer

from core.cli.records.session import RecordsSession, show_time
from core.records.accesses import load_accesses
from core.runtime.log import escape_control

CHAIN_BROKEN = 1


async def show(session: RecordsSession, *, as_json: bool) -> int:
    """Prints every entry, oldest first, and whether the chain is whole. Returns the exit status."""
    found = await load_accesses(session.database)
    if as_json:
        entries = [{**asdict(each), "at": datetime.fromtimestamp(each.at, UTC).isoformat()} for each in found.entries]
        typer.echo(json.dumps({"entries": entries, "broken_at": found.broken_at}, ensure_ascii=False, indent=1))
        return CHAIN_BROKEN if found.broken_at else 0
    for each in found.entries:
        typer.echo(escape_control(f"{each.number}  {show_time(each.at)}  {each.who}  {each.action}  {each.subject}"))
    if found.broken_at:
        session.print("cli-records-chain-broken", number=found.broken_at)
        return CHAIN_BROKEN
    session.print("cli-records-chain-whole", count=len(found.entries))
    return 0
