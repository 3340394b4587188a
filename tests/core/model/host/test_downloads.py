"""The host's downloads: one after the other, the most urgent first, tried again after failures."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from structlog.testing import capture_logs

from core.model.host.downloads import Downloads
from core.model.library.download.failures import DownloadFailed
from core.model.library.download.progress import DownloadProgress, OnProgress
from core.model.library.specs import HubFile
from tests.core.model.host.support_workers import FakeClock, settle

FIRST, SECOND = HubFile("owner/first", "first.gguf"), HubFile("owner/second", "second.gguf")
HALF = DownloadProgress("downloading", 5, 10)


class FakeHub:
    """Fetches nothing until a test ends the fetch."""

    def __init__(self) -> None:
        self.begun: list[HubFile] = []
        self.cancelled: list[HubFile] = []
        self.finished = 0
        self.clock = FakeClock()
        self.downloads = Downloads(Path("/models"), self._fetch, self._count, self.clock)
        self._ends: dict[HubFile, asyncio.Future[Path]] = {}

    def _count(self) -> None:
        self.finished += 1

    async def _fetch(self, source: HubFile, models: Path, on_progress: OnProgress) -> Path:
        self.begun.append(source)
        self._ends[source] = asyncio.get_running_loop().create_future()
        on_progress(HALF)
        try:
            return await self._ends[source]
        except asyncio.CancelledError:
            self.cancelled.append(source)
            raise

    async def end(self, source: HubFile, failure: Exception | None = None) -> None:
        if failure:
            self._ends[source].set_exception(failure)
        else:
            self._ends[source].set_result(Path("/models/file"))
        await settle()

    @asynccontextmanager
    async def running(self, *wanted: HubFile) -> AsyncIterator[None]:
        task = asyncio.create_task(self.downloads.run())
        self.downloads.want(wanted)
        await settle()
        try:
            yield
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)


async def test_models_are_downloaded_one_after_the_other() -> None:
    """Two at once would share the connection, and both would come later. Each end is reported."""
    hub = FakeHub()
    async with hub.running(FIRST, SECOND):
        assert ([FIRST], HALF) == (hub.begun, hub.downloads.progress(FIRST))
        await hub.end(FIRST)
        assert ([FIRST, SECOND], 1) == (hub.begun, hub.finished)
        assert hub.downloads.progress(FIRST) is None


async def test_a_download_that_nobody_wants_any_more_stops() -> None:
    """The next one begins."""
    hub = FakeHub()
    async with hub.running(FIRST):
        hub.downloads.want([SECOND])
        await settle()

        assert ([FIRST, SECOND], [FIRST]) == (hub.begun, hub.cancelled)


async def test_a_failed_download_lets_the_next_one_go_on_and_comes_again() -> None:
    """Its progress keeps what has arrived, and the reason."""
    hub = FakeHub()
    async with hub.running(FIRST, SECOND):
        await hub.end(FIRST, DownloadFailed("busy", host="hub.example", status="503"))
        failed = hub.downloads.progress(FIRST)
        assert failed is not None
        assert ("failed", 5, 10, "busy") == (failed.state, failed.done_bytes, failed.total_bytes, failed.fault)
        await hub.end(SECOND)
        hub.downloads.want([FIRST])
        await settle()
        assert [FIRST, SECOND] == hub.begun
        hub.clock.now += 60
        hub.downloads.want([FIRST])
        await settle()

        assert [FIRST, SECOND, FIRST] == hub.begun


async def test_an_unexpected_error_does_not_repeat_at_once() -> None:
    """It is logged with its traceback, shown as a failure, and tried again later."""
    hub = FakeHub()
    async with hub.running(FIRST):
        with capture_logs() as logs:
            await hub.end(FIRST, RuntimeError("a mistake"))
        failed = hub.downloads.progress(FIRST)

        assert failed is not None
        assert ("failed", "crashed") == (failed.state, failed.fault)
        assert [FIRST] == hub.begun
        assert {"model_download_crashed", "model_download_failed"} == {entry["event"] for entry in logs}


async def test_a_download_that_nobody_wants_has_no_progress() -> None:
    hub = FakeHub()
    async with hub.running(FIRST):
        hub.downloads.want([SECOND])
        await settle()

        assert hub.downloads.progress(FIRST) is None


async def test_a_refusal_is_not_tried_again_soon() -> None:
    """Somebody must accept the model's terms first."""
    hub = FakeHub()
    async with hub.running(FIRST):
        await hub.end(FIRST, DownloadFailed("gated", repo="owner/first", url="https://hub.example"))
        hub.clock.now += 900
        hub.downloads.want([FIRST])
        await settle()

        assert [FIRST] == hub.begun


async def test_the_end_of_the_host_stops_the_download() -> None:
    """The next start continues it."""
    hub = FakeHub()
    async with hub.running(FIRST):
        pass

    await settle()
    assert [FIRST] == hub.cancelled
