"""Reports to systemd: sent while the event loop turns, to the process that was asked for them."""

from __future__ import annotations

import asyncio
import os
import socket
from pathlib import Path

import pytest

from core.runtime.service_manager import reporting_alive, watchdog_s


async def test_reports_are_sent_while_the_loop_turns(tmp_path: Path) -> None:
    """The first comes at once, the next ones before they are due."""
    address = str(tmp_path / "notify")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(address)
        manager.setblocking(False)
        async with reporting_alive({"NOTIFY_SOCKET": address, "WATCHDOG_USEC": "30000"}):
            loop = asyncio.get_running_loop()
            reports = [await loop.sock_recv(manager, 100) for _ in range(2)]

    assert [b"WATCHDOG=1"] * 2 == reports


async def test_nothing_is_sent_without_a_service_manager() -> None:
    """The block runs all the same."""
    ran = False
    async with reporting_alive({}):
        ran = True

    assert ran


@pytest.mark.parametrize(
    ("environ", "seconds"),
    [
        ({"WATCHDOG_USEC": "60000000"}, 60.0),
        ({"WATCHDOG_USEC": "60000000", "WATCHDOG_PID": str(os.getpid())}, 60.0),
        ({"WATCHDOG_USEC": "60000000", "WATCHDOG_PID": "1"}, None),
        ({"WATCHDOG_USEC": "0"}, None),
        ({}, None),
    ],
)
def test_reports_are_due_by_the_managers_variables(environ: dict[str, str], seconds: float | None) -> None:
    """A child inherits the variables, and is not the process that they name."""
    assert seconds == watchdog_s(environ, os.getpid())
