"""Collections that stay fresh: when they are due, who synchronises them, and what becomes of failures."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from structlog.testing import capture_logs

from core.errors import StorageError, UnreadableDocument
from core.rag.documents import Document
from core.rag.facts.collections import FactCollections
from core.rag.facts.document_rows import NewDocument
from core.rag.facts.glossary import Glossary
from core.rag.facts.origins import Origins
from core.rag.facts.refresh import CollectionRefresher
from core.rag.facts.refresh_ledger import CLAIM_S, RETRY, RefreshLedger, RefreshState
from core.rag.facts.schedule import RefreshSchedule
from core.rag.facts.status import CollectionStatus, list_collections
from core.rag.facts.store import FactStore
from core.storage.database import Database
from tests.core.rag.facts.support_fakes import WHEN, FakeFetcher, FakeReader, WordEmbedder, document

FACTS = """
[leave]
title = { en = "Leave", fr = "Congés" }
refresh = "hourly"
[leave.origins]
handbook = { kind = "folder", path = "handbook" }
page = { kind = "page", url = "https://a.example/p" }
"""
HOUR_S = 3600.0


class Installation:
    """A database, a configuration folder and a clock, which several processes share."""

    def __init__(self, folder: Path, database: Database) -> None:
        self.folder = folder
        self.now = 1_000_000.0
        self.pages = {"https://a.example/p": b"Pages are read."}
        self.database = database
        self.collections = FactCollections(folder / "facts.toml")
        self.configure(FACTS)
        (folder / "handbook").mkdir()
        self.write("one.md", "Leave is a right.")

    def configure(self, text: str) -> None:
        self.collections.file.write_text(text, encoding="utf-8")
        self.collections.load()

    def write(self, name: str, text: str) -> None:
        (self.folder / "handbook" / name).write_text(text)

    def ledger(self) -> RefreshLedger:
        return RefreshLedger(self.database, lambda _db: self.now)

    def store(self, embedder: str = "words") -> FactStore:
        return FactStore(self.database, WordEmbedder(embedder), Glossary(), lambda: self.now)

    def refresher(self, reader: FakeReader | None = None) -> CollectionRefresher:
        origins = Origins(FakeFetcher(self.pages), reader or FakeReader(), self.folder)
        return CollectionRefresher(self.store(), origins, self.ledger())

    async def refresh(self, *, only_due: bool = True) -> int | None:
        """Returns how many documents were added or changed; None if nothing was done."""
        result = await self.refresher().refresh(self.collections.get("leave"), only_due=only_due)
        return None if result is None else result.total("added") + result.total("changed")

    async def status(self) -> CollectionStatus:
        return (await list_collections(self.store(), self.ledger(), self.collections))[0]

    async def keys(self) -> list[str]:
        return [Path(each.key).name async for each in self.store().export("leave")]


@pytest_asyncio.fixture
async def installation(tmp_path: Path) -> AsyncIterator[Installation]:
    database = Database(f"sqlite:///{tmp_path / 'facts.db'}")
    await database.upgrade()
    yield Installation(tmp_path, database)
    await database.close()


async def test_a_collection_is_synchronised_when_it_is_due(installation: Installation) -> None:
    """First at once, then an interval after each success. A request by hand needs no schedule."""
    assert 2 == await installation.refresh()
    installation.write("two.md", "Two.")

    assert await installation.refresh() is None
    assert 1 == await installation.refresh(only_due=False)
    installation.write("three.md", "Three.")
    installation.now += HOUR_S
    assert 1 == await installation.refresh()
    status = await installation.status()
    assert (4, 0, None) == (status.documents, status.failures, status.problem)
    assert (installation.now, installation.now + HOUR_S) == (status.succeeded_at, status.next_at)


async def test_an_origin_that_fails_does_not_stop_the_others(installation: Installation) -> None:
    """The failure is recorded with its reason and one log line, and tried again after a pause that grows."""
    installation.pages.clear()

    with capture_logs() as logs:
        await installation.refresh()
        first = await installation.status()
        installation.now += 2 * RETRY.first_s
        await installation.refresh()

    second = await installation.status()
    assert ["one.md"] == await installation.keys()
    assert (1, 2, None) == (first.failures, second.failures, second.succeeded_at)
    assert "page: status 404" == second.problem
    assert first.next_at is not None and second.next_at is not None  # noqa: PT018
    assert second.next_at - installation.now > 2 * RETRY.first_s
    failures = [each for each in logs if each["event"] == "collection_refresh_failed"]
    assert [("leave", "page: status 404", "warning")] * 2 == [
        (each["collection"], each["problem"], each["log_level"]) for each in failures
    ]


async def test_a_success_after_failures_is_whole(installation: Installation) -> None:
    """It has one log line too."""
    page = installation.pages.pop("https://a.example/p")
    await installation.refresh()
    installation.pages["https://a.example/p"] = page
    installation.now += HOUR_S

    with capture_logs() as logs:
        await installation.refresh()

    status = await installation.status()
    assert (0, None, False) == (status.failures, status.problem, status.is_overdue)
    assert [1] == [each["added"] for each in logs if each["event"] == "collection_refreshed"]


async def test_unread_documents_are_no_failure(installation: Installation) -> None:
    """The rest is up to date. The status says what is missing."""
    installation.write("bad.md", "Damaged.")
    result = await installation.refresher(FailingReader()).refresh(installation.collections.get("leave"), only_due=True)

    status = await installation.status()
    assert result is not None
    assert (1, 0) == (len(result.unread), status.failures)
    assert "1 of 3 documents could not be read; the first: damaged" == status.problem


async def test_an_origin_without_one_readable_document_failed(installation: Installation) -> None:
    """A site that is down behind its sitemap is tried again, and no success is recorded."""
    installation.write("one.md", "Damaged.")
    installation.write("two.md", "Damaged.")

    await installation.refresher(FailingReader()).refresh(installation.collections.get("leave"), only_due=True)

    status = await installation.status()
    assert (1, None, 1) == (status.failures, status.succeeded_at, status.documents)
    assert "handbook: none of 2 documents could be read; the first: damaged" == status.problem


class FailingReader(FakeReader):
    """Fails at documents that are said to be damaged."""

    async def read(self, body: bytes, media_type: str, **about: object) -> Document:  # type: ignore[override]
        if body == b"Damaged.":
            raise UnreadableDocument("damaged")
        return await super().read(body, media_type, **about)  # type: ignore[arg-type]


async def test_one_process_at_a_time(installation: Installation) -> None:
    """A second process leaves the collection alone while the first renews its claim."""
    ledger = installation.ledger()
    claim = await ledger.claim("leave", HOUR_S, only_due=True)

    assert claim is not None
    assert await installation.refresh() is None
    assert await installation.refresh(only_due=False) is None
    assert (await installation.status()).is_running
    installation.now += CLAIM_S - 1
    assert await ledger.renew(claim)
    installation.now += CLAIM_S - 1
    assert await installation.refresh(only_due=False) is None


async def test_concurrent_claims_have_one_winner(database_url: str) -> None:
    """On every database."""
    databases = [Database(database_url) for _ in range(4)]
    await databases[0].upgrade()

    claims = await asyncio.gather(*(RefreshLedger(each).claim("hr", HOUR_S, only_due=True) for each in databases))

    assert 1 == sum(claim is not None for claim in claims)
    for each in databases:
        await each.close()


async def test_a_process_that_died_is_followed_by_another(installation: Installation) -> None:
    """After its claim ended; and after a pause, as the death may be due to the collection. Then it may not finish."""
    ledger = installation.ledger()
    dead = await ledger.claim("leave", HOUR_S, only_due=True)
    installation.now += CLAIM_S + 1
    assert await installation.refresh() is None

    status = await installation.status()
    assert (1, False) == (status.failures, status.is_running)
    assert "interrupted" in (status.problem or "")
    installation.now += 2 * RETRY.first_s
    assert 2 == await installation.refresh()
    assert dead is not None
    assert not await ledger.fail(dead, "late")
    assert not await ledger.renew(dead)
    assert 0 == (await installation.status()).failures


async def test_a_process_that_is_stopped_counts_no_failure(installation: Installation) -> None:
    """The next process begins at once."""
    started = asyncio.Event()

    class HoldingReader(FakeReader):
        async def read(self, body: bytes, media_type: str, **about: object) -> Document:  # type: ignore[override]
            started.set()
            await asyncio.Event().wait()
            raise AssertionError

    refresher = installation.refresher(HoldingReader())
    running = asyncio.create_task(refresher.refresh(installation.collections.get("leave"), only_due=True))
    await started.wait()
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running

    assert 0 == (await installation.status()).failures
    assert 2 == await installation.refresh()


async def test_origins_that_left_the_file_lose_their_documents(installation: Installation) -> None:
    """What `facts add` and people added stays, because it has other origins."""
    await installation.refresh()
    added = NewDocument("added:slack:a.md", "1", WHEN, document("A", "Added by a person."), "who")
    await installation.store().replace("leave", "added:slack", [added], {})
    await installation.store().replace("leave", "/elsewhere", [NewDocument("b.md", "1", WHEN, document("B", "b"))], {})
    installation.configure(FACTS.replace("page = ", "# page = "))
    installation.now += HOUR_S

    await installation.refresh()

    assert {"added:slack:a.md", "b.md", "one.md"} == set(await installation.keys())


async def test_an_origin_that_leaves_before_the_first_success_loses_its_documents(installation: Installation) -> None:
    """Another origin failed all the time."""
    del installation.pages["https://a.example/p"]
    await installation.refresh()
    assert ["one.md"] == await installation.keys()
    installation.configure(FACTS.replace("handbook = ", "# handbook = "))
    installation.now += HOUR_S

    await installation.refresh()

    assert [] == await installation.keys()


async def test_a_clock_that_was_wrong_delays_nothing(installation: Installation) -> None:
    """Neither a success nor a claim from the year 2100 keeps a collection from being synchronised."""
    right = installation.now
    installation.now = right + 75 * 365 * 24 * HOUR_S
    await installation.refresh()
    await installation.ledger().claim("leave", HOUR_S, only_due=False)
    installation.now = right
    installation.write("two.md", "Two.")

    assert not (await installation.status()).is_running
    assert 1 == await installation.refresh()
    assert right == (await installation.status()).succeeded_at


async def test_added_documents_follow_a_new_embedder(installation: Installation) -> None:
    """Their files are gone, so their passages are embedded again; the person stays recorded."""
    added = NewDocument("added:slack:a.md", "1", WHEN, document("Parking", "Permits are given by lot."), "who")
    await installation.store("old").replace("leave", "added:slack", [added], {})

    await installation.refresh()

    matches = await installation.store().search(["leave"], "parking permits", 1)
    assert "Parking" == matches[0].title
    assert ["who"] == [each.added_by async for each in installation.store().export("leave") if each.added_by]


@pytest.mark.parametrize(
    ("state", "due_at"),
    [
        (RefreshState("a"), 0.0),
        (RefreshState("a", succeeded_at=100.0), 100.0 + HOUR_S),
        (RefreshState("a", succeeded_at=100.0, failures=1, failed_at=500.0, retry_at=900.0), 900.0),
        (RefreshState("a", failures=9, failed_at=500.0, retry_at=20_000.0), 500.0 + HOUR_S),
        (RefreshState("a", succeeded_at=5000.0), 0.0),
        (RefreshState("a", failures=1, failed_at=5000.0, retry_at=5300.0), 0.0),
    ],
)
def test_the_next_time(state: RefreshState, due_at: float) -> None:
    """After failures a pause, at most the interval; at once after a time in the future. Never without a schedule."""
    assert due_at == state.due_at(HOUR_S, 1000.0)
    assert state.due_at(None, 1000.0) is None


def test_overdue_means_two_missed_intervals() -> None:
    assert not RefreshState("a", succeeded_at=0.0).is_overdue(HOUR_S, 2 * HOUR_S)
    assert RefreshState("a", succeeded_at=0.0).is_overdue(HOUR_S, 2 * HOUR_S + 1)
    assert RefreshState("a").is_overdue(HOUR_S, 0.0)
    assert not RefreshState("a").is_overdue(None, 0.0)


# ---------------------------------------------------------------- the schedule of the web process


async def run_schedule(installation: Installation, codes: list[int], children: int) -> RefreshSchedule:
    """Runs the schedule until it started `children` children, which synchronise nothing and end with `codes`."""
    started: asyncio.Queue[int] = asyncio.Queue()

    async def run_child() -> int:
        started.put_nowait(1)
        if codes[0] == 0:
            await installation.refresh()
        return codes.pop(0)

    schedule = RefreshSchedule(installation.store(), installation.ledger(), installation.collections, run_child)
    running = asyncio.create_task(schedule.run())
    for _ in range(children):
        await started.get()
        schedule.changed.set()
    await asyncio.sleep(0)
    while codes:
        await asyncio.sleep(0)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    return schedule


async def test_a_child_runs_while_something_is_due(installation: Installation) -> None:
    """Afterwards the schedule knows the new state, which becomes metrics."""
    await run_schedule(installation, [0], 1)

    assert installation.now == (await installation.status()).succeeded_at


async def test_a_child_that_cannot_start_is_tried_again(installation: Installation) -> None:
    """The collection stays due."""
    schedule = await run_schedule(installation, [2, 0], 2)

    assert installation.now == (await installation.status()).succeeded_at
    assert "leave" == schedule.statuses[0].name


async def test_a_database_that_refuses_does_not_end_the_schedule(
    installation: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is logged, and looked at again."""
    looked = asyncio.Event()
    schedule = RefreshSchedule(installation.store(), installation.ledger(), installation.collections)

    async def refuse(*_: object) -> list[CollectionStatus]:
        looked.set()
        raise StorageError("locked")

    monkeypatch.setattr("core.rag.facts.schedule.list_collections", refuse)
    running = asyncio.create_task(schedule.run())
    with capture_logs() as logs:
        await looked.wait()
        await asyncio.sleep(0)

    assert not running.done()
    assert ["refresh_states_unread"] == [each["event"] for each in logs]
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
