"""The upgrade of a database of revision 0007 with 100,000 turns, on SQLite and PostgreSQL.

Measures its rehearsal, its time, and how long others wait meanwhile, who read and write every few milliseconds.

    .venv/bin/python -m benchmarks.migrations [--turns 100000] [--only sqlite]
"""

from __future__ import annotations

import argparse
import asyncio
import tempfile
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path

import sqlalchemy as sa
from rich.console import Console
from rich.table import Table

from core.errors import StorageError
from core.storage.database import Database, rehearse
from tests.support.databases import DRIVER, create_database, start_server
from tests.support.old_databases import create_at, fill

OLD = "0007"
PAUSE_S = 0.005
WAIT_S = 0.5  # that others work before and after


async def measure(url: str, turns: int) -> dict[str, str]:
    create_at(url, OLD)
    await asyncio.to_thread(fill, url, turns)
    began = time.monotonic()
    await asyncio.to_thread(rehearse, url)
    rehearsed_s = time.monotonic() - began
    database, waits = Database(url), {"read": [0.0], "write": [0.0]}
    read = lambda: database.read(lambda db: db.execute(sa.text("SELECT used_at FROM conversations WHERE id = 1")).all())  # noqa: E731
    touch = "UPDATE conversations SET used_at = used_at + 1 WHERE id = 1"
    write = lambda: database.write(lambda db: db.execute(sa.text(touch)))  # noqa: E731
    others = [asyncio.create_task(repeat(work, waits[name])) for name, work in (("read", read), ("write", write))]
    await asyncio.sleep(WAIT_S)
    began = time.monotonic()
    await database.upgrade()
    took_s = time.monotonic() - began
    await asyncio.sleep(WAIT_S)
    for each in others:
        each.cancel()
    await asyncio.gather(*others, return_exceptions=True)
    await database.close()
    return {
        "rehearsal, s": f"{rehearsed_s:.2f}",
        "upgrade, s": f"{took_s:.2f}",
        "longest wait of a reader, s": f"{max(waits['read']):.2f}",
        "longest wait of a writer, s": f"{max(waits['write']):.2f}",
    }


async def repeat(work: Callable[[], Awaitable[object]], waits: list[float]) -> None:
    """Works again and again, and notes how long each time took."""
    while True:
        began = time.monotonic()
        with suppress(StorageError):
            await work()
        waits.append(time.monotonic() - began)
        await asyncio.sleep(PAUSE_S)


def show(name: str, turns: int, rows: dict[str, str]) -> None:
    table = Table(f"{name}, {turns} turns", "")
    for label, value in rows.items():
        table.add_row(label, value)
    Console(width=100).print(table)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--turns", type=int, default=100_000)
    parser.add_argument("--only", choices=("sqlite", "postgresql"))
    options = parser.parse_args()
    if options.only != "postgresql":
        with tempfile.TemporaryDirectory() as folder:
            url = f"sqlite:///{Path(folder) / 'old.db'}"
            show("SQLite", options.turns, asyncio.run(measure(url, options.turns)))
    if options.only != "sqlite":
        with start_server() as server:
            url = create_database(server.get_uri(driver=DRIVER))
            show("PostgreSQL", options.turns, asyncio.run(measure(url, options.turns)))


if __name__ == "__main__":
    main()
