"""`python -m core.cli.facts_refresh PARENT_PID` synchronises the collections that are due, in a process of its own.

The web process starts it with the lowest priority (`core.rag.facts.schedule`), so answers are not slower while it reads
and embeds. It ends with its parent. Exit codes are those of `core.runtime.process`.
"""

from __future__ import annotations

import asyncio
import sys

from core import bootstrap
from core.configuration.settings import Settings
from core.rag.facts.collections import FILE, FactCollections
from core.runtime import process
from core.runtime.die_with_parent import end_with_parent

ENCODER_THREADS = 1


async def refresh_due(settings: Settings) -> None:
    """Synchronises what is due, until SIGTERM. Raises ConfigError, StorageError."""
    working = asyncio.create_task(refresh_all(settings))
    stopping = asyncio.create_task(process.stop_event().wait())
    await asyncio.wait({working, stopping}, return_when=asyncio.FIRST_COMPLETED)
    for task in (working, stopping):
        task.cancel()
    await asyncio.wait({working, stopping})
    if not working.cancelled():
        working.result()


async def refresh_all(settings: Settings) -> None:
    collections = FactCollections(settings.config_file(FILE))
    collections.load()
    async with bootstrap.open_facts_writer(settings, collections, ENCODER_THREADS) as writer:
        for collection in collections.by_name.values():
            await writer.refresher.refresh(collection, only_due=True)


def main() -> int:
    end_with_parent(int(sys.argv[1]))
    return process.main("facts", refresh_due)


if __name__ == "__main__":
    sys.exit(main())
