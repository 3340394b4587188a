"""Makes a collection equal to its origin: reads what is new or changed, removes what is gone.

Documents are stored in several transactions, and removed last. After a crash, every document is in the collection
whole, old or new; the next run finds the remaining work by the digests.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from core.errors import CspsError, FetchFailed, ParameterRefused
from core.rag.facts.connectors.protocol import Origin, OriginEntry
from core.rag.facts.document_rows import NewDocument, StoredVersion
from core.rag.facts.store import FactStore

BATCH_ENTRIES = 128  # opened before any of them is stored
TRANSACTION_PASSAGES = 2000  # half a second; a longer document still goes into one transaction
COLLECTION_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")
CONCURRENT_READS = 4  # fetched or read


@dataclass
class SyncCounts:
    """The progress of a sync, and at its end the result."""

    total: int = 0
    added: int = 0
    changed: int = 0
    unchanged: int = 0
    removed: int = 0
    passages: int = 0  # of added and changed documents
    failed: dict[str, str] = field(default_factory=dict)  # problem by key

    @property
    def done(self) -> int:
        return self.added + self.changed + self.unchanged + len(self.failed)


async def sync(
    store: FactStore, collection: str, origin: Origin, report: Callable[[SyncCounts], None] = lambda counts: None
) -> SyncCounts:
    """Makes the collection's documents of this origin equal to the origin. Calls `report` after each batch.

    A document that cannot be read counts as failed. Its stored version stays, unless the site says that it is gone.
    Raises ParameterRefused, ModelError, StorageError; documents stored before that stay.
    """
    require_collection_name(collection)
    await refuse_emptied_origin(store, collection, origin)
    versions = await store.stored_versions(collection)
    counts = SyncCounts(total=len(origin.entries))
    entries = unique_entries(origin.entries, counts)
    missing: set[str] = set()
    turn = asyncio.Semaphore(CONCURRENT_READS)
    for at in range(0, len(entries), BATCH_ENTRIES):
        batch = EntryBatch(store.embedder, versions, counts)
        async with asyncio.TaskGroup() as tasks:
            for entry in entries[at : at + BATCH_ENTRIES]:
                tasks.create_task(batch.open_entry(entry, turn))
        for some in split_transactions(batch.fresh):
            counts.passages += await store.replace(collection, origin.name, some, {})
        await store.replace(collection, origin.name, (), batch.unchanged)
        missing |= batch.missing
        counts.total -= len(batch.missing)
        batch.count()
        report(counts)
    present = {entry.key for entry in entries} - missing
    if missing and not present and origin.retention is None:
        raise ParameterRefused(emptied_message(collection, origin.name, len(missing)))
    counts.removed = await store.remove_missing(collection, origin.name, present, origin.retention)
    await store.index(collection)
    if origin.left_out:
        counts.failed[origin.name] = origin.left_out
    return counts


def unique_entries(entries: Sequence[OriginEntry], counts: SyncCounts) -> list[OriginEntry]:
    """Returns the first entry of each key; counts others as failed."""
    first: dict[str, OriginEntry] = {}
    for number, entry in enumerate(entries, 1):
        if first.setdefault(entry.key, entry) is not entry:
            counts.failed[f"{entry.key} (number {number})"] = "there is another one of this name; rename one of them"
    return list(first.values())


def split_transactions(fresh: Sequence[NewDocument]) -> Iterator[list[NewDocument]]:
    """Splits the documents: during a transaction, no other process can write to the database."""
    portion: list[NewDocument] = []
    passages = 0
    for each in fresh:
        if portion and passages + len(each.document.passages) > TRANSACTION_PASSAGES:
            yield portion
            portion, passages = [], 0
        portion.append(each)
        passages += len(each.document.passages)
    if portion:
        yield portion


async def refuse_emptied_origin(store: FactStore, collection: str, origin: Origin) -> None:
    """Refuses an origin that is suddenly empty: it is more often broken than meant to be empty. A feed may be."""
    if not origin.entries and not origin.retention and (stored := await store.count(collection, origin.name)):
        raise ParameterRefused(emptied_message(collection, origin.name, stored))


def emptied_message(collection: str, origin: str, stored: int) -> str:
    return (
        f"{origin} has no document any more, while {stored} from it are stored; nothing was removed. To remove them:"
        f" csps-llm facts remove {collection} {origin}"
    )


def require_collection_name(collection: str) -> None:
    """Raises ParameterRefused for a name that personalities cannot use."""
    if not COLLECTION_NAME.fullmatch(collection):
        raise ParameterRefused(
            f"{collection!r} cannot name a collection: up to 64 small letters, digits, - and _", param="collection"
        )


class EntryBatch:
    """Entries that are opened together, and the results."""

    def __init__(self, embedder: str, versions: Mapping[str, StoredVersion], counts: SyncCounts) -> None:
        self._embedder = embedder
        self._versions = versions
        self._counts = counts
        self.fresh: list[NewDocument] = []
        self.unchanged: dict[str, datetime] = {}
        self.missing: set[str] = set()  # stored, and gone from the origin

    async def open_entry(self, entry: OriginEntry, turn: asyncio.Semaphore) -> None:
        try:
            async with turn:
                content = await entry.open()
                if self._versions.get(entry.key) == StoredVersion(content.digest, self._embedder):
                    self.unchanged[entry.key] = content.fetched_at
                    return
                document = await content.read()
        except CspsError as exc:
            if entry.key in self._versions and isinstance(exc, FetchFailed) and exc.reason == "missing":
                self.missing.add(entry.key)
            else:
                self._counts.failed[entry.key] = exc.message
        else:
            self.fresh.append(NewDocument(entry.key, content.digest, content.fetched_at, document))

    def count(self) -> None:
        """Counts stored documents, after they were stored."""
        again = sum(each.key in self._versions for each in self.fresh)
        self._counts.changed += again
        self._counts.added += len(self.fresh) - again
        self._counts.unchanged += len(self.unchanged)
