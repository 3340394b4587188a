"""Downloads the wanted models that are not here, one after the other, and tries again after failures."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Protocol

import structlog

from core.model.library.download.failures import DownloadFailed
from core.model.library.download.progress import DownloadProgress, OnProgress
from core.model.library.specs import HubFile
from core.runtime.backoff import Backoff

log = structlog.get_logger()

BACKOFF = Backoff(first_s=30.0, limit_s=900.0)
REFUSED_AGAIN_S = 3600.0  # somebody must act, perhaps accept the model's terms


class Fetch(Protocol):
    """`core.model.library.download.fetching.fetch`."""

    def __call__(self, source: HubFile, models: Path, on_progress: OnProgress) -> Awaitable[Path]: ...


class Downloads:
    """One per host. `finished` is called after each download."""

    def __init__(
        self,
        models: Path,
        fetch: Fetch,
        finished: Callable[[], None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._models = models
        self._fetch = fetch
        self._finished = finished
        self._clock = clock
        self._wanted: tuple[HubFile, ...] = ()
        self._progress: dict[HubFile, DownloadProgress] = {}
        self._failures: dict[HubFile, int] = {}
        self._not_before: dict[HubFile, float] = {}
        self._changed = asyncio.Event()
        self._current: tuple[HubFile, asyncio.Task[None]] | None = None

    def want(self, sources: Sequence[HubFile]) -> None:
        """Replaces what is wanted, the most urgent first. A download that nobody wants any more stops."""
        self._wanted = tuple(dict.fromkeys(sources))
        if self._current and self._current[0] not in self._wanted:
            self._current[1].cancel()
        self._changed.set()

    def progress(self, source: HubFile) -> DownloadProgress | None:
        """None before the download begins."""
        return self._progress.get(source)

    async def run(self) -> None:
        """Runs until cancelled."""
        while True:
            self._changed.clear()
            source, pause_s = self._next()
            if source is None:
                await self._wait(pause_s)
                continue
            task = asyncio.ensure_future(self._download(source))
            self._current = (source, task)
            try:
                await asyncio.wait({task})
            finally:
                task.cancel()
                self._current = None

    def _next(self) -> tuple[HubFile | None, float | None]:
        """Returns what to download now; else the seconds until something is due, None if nothing is."""
        now = self._clock()
        due = {source: self._not_before.get(source, 0.0) for source in self._wanted}
        for source, not_before in due.items():
            if not_before <= now:
                return source, None
        return None, min(due.values()) - now if due else None

    async def _wait(self, pause_s: float | None) -> None:
        try:
            async with asyncio.timeout(pause_s):
                await self._changed.wait()
        except TimeoutError:
            return

    async def _download(self, source: HubFile) -> None:
        try:
            await self._fetch(source, self._models, lambda progress: self._report(source, progress))
        except asyncio.CancelledError:
            self._progress.pop(source, None)
            raise
        except DownloadFailed as exc:
            self._fail(source, exc)
        except Exception:
            log.exception("model_download_crashed", repo=source.repo)
            self._fail(source, DownloadFailed("crashed", repo=source.repo))
        else:
            self._wanted = tuple(each for each in self._wanted if each != source)
            self._progress.pop(source, None)
            self._failures.pop(source, None)
            self._finished()

    def _report(self, source: HubFile, progress: DownloadProgress) -> None:
        self._progress[source] = progress

    def _fail(self, source: HubFile, failure: DownloadFailed) -> None:
        failures = self._failures[source] = self._failures.get(source, 0) + 1
        pause_s = BACKOFF.pause_s(failures) if failure.transient else REFUSED_AGAIN_S
        self._not_before[source] = self._clock() + pause_s
        before = self._progress.get(source)
        self._progress[source] = DownloadProgress(
            "failed",
            before.done_bytes if before else 0,
            before.total_bytes if before else 0,
            problem=failure.message,
            fault=failure.reason,
            problem_in_french=failure.explain("fr"),
        )
        log.warning("model_download_failed", repo=source.repo, problem=failure.message, again_in_s=round(pause_s))
