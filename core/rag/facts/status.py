"""The state of all collections, for people, programs and metrics: sizes, schedules, successes and failures."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from core.contract import Language
from core.rag.facts.collections import ConfiguredCollection, FactCollections, Refresh
from core.rag.facts.document_rows import CollectionSize
from core.rag.facts.refresh_ledger import RefreshLedger, RefreshState
from core.rag.facts.store import FactStore


@dataclass(frozen=True, slots=True)
class CollectionStatus:
    """Times are seconds since 1970. `problem`: of the latest synchronisation, also if it succeeded in part."""

    name: str
    documents: int
    passages: int
    origins: tuple[str, ...]
    refresh: Refresh = "never"
    title: Mapping[Language, str] | None = None
    succeeded_at: float | None = None
    failed_at: float | None = None
    failures: int = 0  # in a row
    problem: str | None = None
    next_at: float | None = None
    is_running: bool = False
    is_overdue: bool = False


async def list_collections(
    store: FactStore, ledger: RefreshLedger, collections: FactCollections
) -> list[CollectionStatus]:
    """Returns the collections of the database and of config/facts.toml, by name. Raises StorageError."""
    sizes = {size.name: size for size in await store.collections()}
    states, now = await ledger.states()
    configured = collections.by_name
    return [
        build_status(sizes.get(name, CollectionSize(name, 0, 0, ())), states.get(name), configured.get(name), now)
        for name in sorted({*sizes, *configured})
    ]


def build_status(
    size: CollectionSize, state: RefreshState | None, configured: ConfiguredCollection | None, now: float
) -> CollectionStatus:
    fields = (size.name, size.documents, size.passages, size.origins)
    if configured is None:
        return CollectionStatus(*fields)
    state = state or RefreshState(size.name)
    interval_s = configured.interval_s
    due_at, is_running = state.due_at(interval_s, now), state.is_running(now)
    title = configured.section.title
    return CollectionStatus(
        *fields,
        refresh="never" if interval_s is None else configured.section.refresh,
        title={"en": title.en, "fr": title.fr},
        succeeded_at=state.succeeded_at,
        failed_at=state.failed_at,
        failures=0 if is_running else state.failures,
        problem=None if is_running else state.problem,
        next_at=None if due_at is None else max(due_at, now),
        is_running=is_running,
        is_overdue=state.is_overdue(interval_s, now),
    )
