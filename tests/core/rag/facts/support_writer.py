"""`python -m tests.core.rag.facts.support_writer URL GENERATION`: syncs documents until killed; prints each step."""

from __future__ import annotations

import asyncio
import sys

from core.rag.documents import Document
from core.rag.facts import sync as syncing
from core.rag.facts.connectors.protocol import Origin
from core.rag.facts.glossary import Glossary
from core.rag.facts.store import FactStore
from core.rag.facts.sync import SyncCounts, sync
from core.storage.database import Database
from tests.core.rag.facts.support_fakes import WordEmbedder, document, origin

DOCUMENTS = 240
PASSAGES = 4


def text(generation: int, number: int) -> Document:
    """A third of the documents are the same in every generation."""
    version = generation if number % 3 else 0
    return document(f"Title {number}", *(f"generation{version} document{number} part{at}" for at in range(PASSAGES)))


def generation_origin(generation: int) -> Origin:
    """Each generation lacks other documents."""
    return origin("folder", {str(at): text(generation, at) for at in range(DOCUMENTS) if at % 7 != generation % 7})


def print_progress(counts: SyncCounts) -> None:
    print(counts.done, flush=True)


async def main(url: str, generation: int) -> None:
    syncing.BATCH_ENTRIES = 10
    database = Database(url)
    await database.upgrade()
    store = FactStore(database, WordEmbedder(), Glossary())
    await store.detect_vector_backend()
    print("ready", flush=True)
    await sync(store, "hr", generation_origin(generation), print_progress)
    await asyncio.Event().wait()  # until the kill, however late it comes


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], int(sys.argv[2])))
