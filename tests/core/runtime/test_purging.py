"""The daily purge."""

from __future__ import annotations

import asyncio

import pytest
from structlog.testing import capture_logs

from core.errors import StorageError
from core.runtime import background_tasks


async def test_a_purge_that_fails_is_repeated(monkeypatch: pytest.MonkeyPatch) -> None:
    """A storage error is logged, and the next purge comes after the interval."""
    monkeypatch.setattr(background_tasks, "PURGE_INTERVAL_S", 0)
    outcomes = iter([StorageError("locked"), 3])
    purged_twice = asyncio.Event()

    async def purge() -> int:
        outcome = next(outcomes, None)
        if outcome is None:
            purged_twice.set()
            await asyncio.Event().wait()
        if isinstance(outcome, StorageError):
            raise outcome
        return outcome or 0

    with capture_logs() as logs:
        purging_task = asyncio.create_task(background_tasks.purge_daily("sessions", purge))
        await purged_twice.wait()
        purging_task.cancel()

    assert [(entry["event"], entry["data"]) for entry in logs] == [
        ("purge_failed", "sessions"),
        ("data_purged", "sessions"),
    ]
    assert logs[1]["count"] == 3
