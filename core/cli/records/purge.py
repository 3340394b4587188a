"""`csps-llm records purge`: deletes now what is older than its kind is kept. Exit status 1: refused."""

from __future__ import annotations

import time
from collections.abc import Callable

from core.cli.records.session import RecordsSession
from core.records.clock import ClockReading, read_clock
from core.records.purge import RecordsPurge

REFUSED = 1


async def purge(
    session: RecordsSession, *, confirms_clock: bool, clock: Callable[[], ClockReading] = read_clock
) -> int:
    """`confirms_clock`: an operator says that the clock is right. Returns the exit status."""
    records = RecordsPurge(session.database, session.settings.retention, session.settings.data_folder)
    now = clock()
    await session.enter("confirm clock and purge" if confirms_clock else "purge", "expired records")
    if confirms_clock:
        await records.confirm_clock(now)
    elif (leap_s := await records.find_leap_s(now)) is not None:
        today = time.strftime("%Y-%m-%d %H:%M", time.localtime(now.wall_s))
        session.print("cli-records-clock-refused", days=round(leap_s / 86_400, 1), today=today)
        return REFUSED
    counts = await records.purge(now)
    session.print("cli-records-purged", count=sum(counts.values()))
    for table, count in counts.items():
        session.print("cli-records-count", table=table, count=count)
    return 0
