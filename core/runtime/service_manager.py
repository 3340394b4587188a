"""Tells systemd that the event loop turns (WatchdogSec=), so that a process that hangs is restarted.

The protocol is a datagram to the socket that NOTIFY_SOCKET names: sd_notify(3). Without it nothing is sent.
"""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress

ALIVE = b"WATCHDOG=1"
REPORTS = 3  # within the time that systemd allows


@asynccontextmanager
async def reporting_alive(environ: Mapping[str, str] = os.environ) -> AsyncIterator[None]:
    """Reports while the block runs, if the service manager asks this process for it."""
    address, interval_s = environ.get("NOTIFY_SOCKET"), watchdog_s(environ, os.getpid())
    if not address or interval_s is None:
        yield
        return
    reporting = asyncio.create_task(report(address, interval_s / REPORTS))
    try:
        yield
    finally:
        reporting.cancel()
        await asyncio.wait([reporting])


def watchdog_s(environ: Mapping[str, str], pid: int) -> float | None:
    """The seconds within which a report is due. None: no report is due from this process."""
    limit_us, addressee = environ.get("WATCHDOG_USEC", ""), environ.get("WATCHDOG_PID", str(pid))
    return int(limit_us) / 1e6 if limit_us.isdecimal() and int(limit_us) and addressee == str(pid) else None


async def report(address: str, every_s: float) -> None:
    abstract = f"\0{address[1:]}" if address.startswith("@") else address
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.setblocking(False)
        while True:
            with suppress(BlockingIOError):  # earlier reports still wait there
                manager.sendto(ALIVE, abstract)
            await asyncio.sleep(every_s)
