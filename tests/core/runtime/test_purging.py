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
    outcomes = iter([StorageError("locked"), None])
    purged_twice = asyncio.Event()

    async def purge() -> None:
        if outcome := next(outcomes):
            raise outcome
        purged_twice.set()
        await asyncio.Event().wait()

    with capture_logs() as logs:
        purging_task = asyncio.create_task(background_tasks.purge_daily("files", purge))
        await purged_twice.wait()
        purging_task.cancel()

    assert [("purge_failed", "files")] == [(entry["event"], entry["data"]) for entry in logs]
