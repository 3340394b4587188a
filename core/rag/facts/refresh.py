"""Synchronises the collections of config/facts.toml with their origins, one at a time.

An origin that fails does not keep the others from being synchronised. Documents of origins that the file names no
longer are removed; those that people or `facts add` added belong to other origins, and stay.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field

import structlog

from core.errors import CspsError, StorageError
from core.rag.facts.collections import ConfiguredCollection
from core.rag.facts.origins import Origins
from core.rag.facts.refresh_ledger import RENEWAL_S, RefreshClaim, RefreshLedger
from core.rag.facts.store import FactStore
from core.rag.facts.sync import SyncCounts, sync

log = structlog.get_logger()

Report = Callable[[str, SyncCounts], None]  # the origin's name in the file, and what was done for it


@dataclass
class RefreshResult:
    """The result of one synchronisation. `problems`: of origins that failed, by their names in the file."""

    counts: dict[str, SyncCounts] = field(default_factory=dict)
    problems: dict[str, str] = field(default_factory=dict)
    dropped: int = 0  # documents of origins that the file names no longer

    def add(self, origin: str, counts: SyncCounts) -> None:
        """An origin of which nothing could be read failed: its site is down, or its settings are wrong."""
        if counts.failed and len(counts.failed) == counts.done:
            problem = next(iter(counts.failed.values()))
            others = "" if counts.done == 1 else f"none of {counts.done:,} documents could be read; the first: "
            self.problems[origin] = f"{others}{problem}"
        self.counts[origin] = counts

    @property
    def unread(self) -> dict[str, str]:
        return {key: problem for counts in self.counts.values() for key, problem in counts.failed.items()}

    def total(self, what: str) -> int:
        return sum(getattr(counts, what) for counts in self.counts.values())

    def summary(self) -> str | None:
        """The first problem and the number of others, for the operator. None: there is none."""
        if self.problems:
            origin, problem = next(iter(self.problems.items()))
            return f"{origin}: {problem}{and_others(len(self.problems))}"
        if self.unread:
            total = sum(counts.done for counts in self.counts.values())
            first = next(iter(self.unread.values()))
            return f"{len(self.unread)} of {total} documents could not be read; the first: {first}"
        return None


def and_others(problems: int) -> str:
    return f" (and {problems - 1} more)" if problems > 1 else ""


class CollectionRefresher:
    def __init__(self, store: FactStore, origins: Origins, ledger: RefreshLedger) -> None:
        self._store = store
        self._origins = origins
        self._ledger = ledger

    async def refresh(
        self, collection: ConfiguredCollection, *, only_due: bool, report: Report = lambda origin, counts: None
    ) -> RefreshResult | None:
        """Returns None if another process has the collection or, with `only_due`, if it is not due."""
        origins = map(self._origins.name_of, collection.origins.values())
        claim = await self._ledger.claim(collection.name, collection.interval_s, only_due=only_due, origins=origins)
        if claim is None:
            return None
        try:
            result = await self._while_held(claim, collection, report)
        except CspsError as exc:
            await self._ledger.fail(claim, exc.message)
            log.warning("collection_refresh_failed", collection=collection.name, problem=exc.message)
            return RefreshResult(problems={collection.name: exc.message})
        except BaseException:
            with suppress(StorageError):
                await asyncio.shield(self._ledger.give_back(claim))
            raise
        await self._record(claim, collection, result)
        return result

    async def _record(self, claim: RefreshClaim, collection: ConfiguredCollection, result: RefreshResult) -> None:
        summary = result.summary()
        if result.problems:
            await self._ledger.fail(claim, summary or "")
            log.warning("collection_refresh_failed", collection=collection.name, problem=summary)
            return
        await self._ledger.succeed(claim, map(self._origins.name_of, collection.origins.values()), summary)
        numbers = {key: result.total(key) for key in ("added", "changed", "unchanged", "removed", "passages")}
        log.info("collection_refreshed", collection=collection.name, **numbers, unread=len(result.unread))

    async def _while_held(self, claim: RefreshClaim, collection: ConfiguredCollection, report: Report) -> RefreshResult:
        """Synchronises while the claim is renewed. Raises StorageError if another process took over."""
        renewing = asyncio.create_task(self._keep(claim))
        working = asyncio.create_task(self._synchronise(claim, collection, report))
        try:
            await asyncio.wait({renewing, working}, return_when=asyncio.FIRST_COMPLETED)
            if working.done():
                return working.result()
            raise StorageError("another process synchronises the collection now, because this one was paused")
        finally:
            for task in (renewing, working):
                task.cancel()
            await asyncio.wait({renewing, working})

    async def _keep(self, claim: RefreshClaim) -> None:
        """Renews the claim until another process has it."""
        while True:
            await asyncio.sleep(RENEWAL_S)
            with suppress(StorageError):  # a database that is busy now may answer next time
                if not await self._ledger.renew(claim):
                    return

    async def _synchronise(
        self, claim: RefreshClaim, collection: ConfiguredCollection, report: Report
    ) -> RefreshResult:
        result = RefreshResult()
        await self._store.embed_again(collection.name)
        for name, connector in collection.origins.items():
            try:
                origin = await self._origins.list(connector)
                counts = await sync(
                    self._store,
                    collection.name,
                    origin,
                    lambda counts, name=name: report(name, counts),  # type: ignore[misc]
                )
                result.add(name, counts)
            except StorageError:
                raise
            except CspsError as exc:
                result.problems[name] = exc.message
        configured = set(map(self._origins.name_of, collection.origins.values()))
        for origin_name in set(claim.before.origins) - configured:
            result.dropped += await self._store.remove_missing(collection.name, origin_name, frozenset())
        return result
