"""Deletes expired data once a day."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import structlog

from core.errors import StorageError

log = structlog.get_logger()

PURGE_INTERVAL_S = 24 * 60 * 60


async def purge_daily(data: str, purge: Callable[[], Awaitable[int]]) -> None:
    """Calls `purge`, which returns the number of deleted entries, at once and then daily. Runs until cancelled."""
    while True:
        try:
            count = await purge()
        except StorageError as exc:
            log.warning("data_not_purged", data=data, problem=exc.message)
        else:
            log.info("data_purged", data=data, count=count)
        await asyncio.sleep(PURGE_INTERVAL_S)
