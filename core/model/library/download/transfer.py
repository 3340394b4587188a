"""Fetches the bytes of one file by several requests at once, and checks them against its checksum.

The checksum follows the bytes through the file, in a thread, so that little is left to read when the last byte arrives.
Bytes of an earlier attempt are hashed while the others arrive.
"""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import httpx

from core.model.library.download.checksum import Checksum, Hasher, normalize_etag
from core.model.library.download.disk_threads import DiskThreads
from core.model.library.download.failures import DownloadFailed
from core.model.library.download.hub import FileLocation, Hub
from core.model.library.download.partial_file import PartialFile
from core.model.library.download.patience import Patience, as_failure
from core.model.library.download.policy import TransferPolicy
from core.model.library.download.progress import RateMeter

CONTENT_RANGE = re.compile(r"bytes ([0-9]{1,15})-[0-9]{1,15}/([0-9]{1,15}|\*)")
EXPIRED = {401, 403, 404, 410}  # of a signed URL


class RangesIgnored(Exception):
    """The server sends the whole file, whatever part is asked for."""


class SourceChanged(Exception):
    """The hub has other bytes under this name than it listed, or none: then `failure` says so."""

    def __init__(self, failure: DownloadFailed | None = None) -> None:
        self.failure = failure
        super().__init__()


class WrongBytes(Exception):
    """The file is complete, and its checksum is wrong."""


class UrlExpired(Exception):
    """The file server refuses a signed URL. The hub gives another one."""


@dataclass(frozen=True, slots=True)
class TransferContext:
    """The parts that the transfers of one model share."""

    hub: Hub
    repo: str
    policy: TransferPolicy
    patience: Patience
    meter: RateMeter
    threads: DiskThreads

    async def locate(self, name: str) -> FileLocation:
        """Raises SourceChanged if the hub no longer has a file that it listed: it may have another name now."""
        try:
            return await self.hub.locate(self.repo, name)
        except DownloadFailed as exc:
            if exc.reason == "file":
                raise SourceChanged(exc) from exc
            raise


class StallGuard:
    """Raises httpx.ReadTimeout for a connection that sends less than a few bytes a second."""

    def __init__(self, policy: TransferPolicy, request: httpx.Request) -> None:
        self._policy, self._request = policy, request
        self._since, self._count = time.monotonic(), 0

    def note(self, count: int) -> None:
        now, self._count = time.monotonic(), self._count + count
        if now - self._since < self._policy.stall_s:
            return
        if self._count < self._policy.stall_floor_bytes:
            raise httpx.ReadTimeout("the connection stalled", request=self._request)
        self._since, self._count = now, 0


class FileTransfer:
    """One attempt at one file, from `location` at first, and from where the hub points when that expires."""

    def __init__(self, context: TransferContext, name: str, location: FileLocation, partial: PartialFile) -> None:
        self._context, self._name, self._partial = context, name, partial
        self._location: FileLocation | None = location
        self._etag = location.etag
        self._locating = asyncio.Lock()
        self._missing: asyncio.PriorityQueue[int] = asyncio.PriorityQueue()
        self._arrived = asyncio.Event()

    async def run(self, checksum: Checksum, *, ranges: bool = True) -> None:
        """Returns when the file is complete and right. Raises DownloadFailed, OSError, and this module's exceptions.

        `ranges=False`: in one stream from the start, for servers that send no parts.
        """
        for index in self._partial.missing:
            self._missing.put_nowait(index)
        work = self._fetch_segments if ranges else self._fetch_whole
        connections = min(self._context.policy.connections, self._missing.qsize()) if ranges else 1
        every_s = self._context.policy.open_every_s
        try:
            async with asyncio.TaskGroup() as group:
                workers = [group.create_task(after(number * every_s, work)) for number in range(max(1, connections))]
                digest = await self._digest(checksum)
                for worker in workers:
                    worker.cancel()
        except ExceptionGroup as failures:
            raise first_error(failures) from failures
        if digest != checksum.digest:
            raise WrongBytes

    # --- requests

    async def _fetch_segments(self) -> None:
        """Completes one missing segment after another, until cancelled."""
        while True:
            index, failures = await self._missing.get(), 0
            while not self._partial.is_complete(index):
                failures = await self._attempt(self._request_segment, index, failures)
            self._arrived.set()

    async def _fetch_whole(self) -> None:
        """Reads the file from its start until no segment is missing, until cancelled."""
        while True:
            index, failures = await self._missing.get(), 0
            while not self._partial.is_complete(index):
                failures = await self._attempt(self._request_whole, index, failures)
            self._arrived.set()

    async def _attempt(self, request: Callable[[int], Awaitable[None]], index: int, failures: int) -> int:
        """Sends one request, and pauses if it breaks off. Returns the number of failures in a row."""
        await self._context.patience.wait_for_turn()
        before = self._partial.done_bytes
        try:
            await request(index)
        except UrlExpired:
            if not failures:
                return 1
            problem = DownloadFailed("protocol", host=self._context.hub.host)
        except (httpx.RequestError, DownloadFailed) as exc:
            problem = as_failure(exc)
            if not problem.transient:
                raise problem from problem.__cause__
        else:
            return 0
        failures = 1 if self._partial.done_bytes > before else failures + 1
        await self._context.patience.pause(problem, failures)
        return failures

    async def _request_segment(self, index: int) -> None:
        """Fetches what a segment lacks. Raises httpx.RequestError if the body ends early."""
        location = await self._locate()
        first, last = self._partial.next_range(index)
        headers = {"Range": f"bytes={first}-{last}"}
        async with self._context.hub.http.stream("GET", location.url, headers) as response:
            self._check_response(response, location)
            self._check_range(response, first)
            guard = StallGuard(self._context.policy, response.request)
            async for block in response.aiter_raw():
                if self._partial.is_complete(index):
                    break  # more than asked for
                guard.note(len(block))
                await self._write(index, block)
        if not self._partial.is_complete(index):
            raise httpx.RemoteProtocolError("the body ended early", request=response.request)

    async def _request_whole(self, _index: int) -> None:
        """Reads the whole file. Bytes that are there already are not written again."""
        location, position = await self._locate(), 0
        async with self._context.hub.http.stream("GET", location.url) as response:
            self._check_response(response, location)
            self._check_whole(response)
            guard = StallGuard(self._context.policy, response.request)
            async for block in response.aiter_raw():
                guard.note(len(block))
                await self._write_at(position, block)
                position += len(block)
                if position >= self._partial.size_bytes:
                    break
        if self._partial.missing:
            raise httpx.RemoteProtocolError("the body ended early", request=response.request)

    async def _write_at(self, position: int, block: bytes) -> None:
        """Writes those bytes of a block at `position` that are the next ones of their segments."""
        end = min(position + len(block), self._partial.size_bytes)
        at = position
        while at < end:
            index = self._partial.segment_at(at)
            first, last = self._partial.next_range(index)
            until = min(last + 1, end)
            if at <= first < until:
                await self._write(index, block[first - position : until - position])
                self._arrived.set()
            at = self._partial.segment_start(index + 1)

    async def _write(self, index: int, block: bytes) -> None:
        await self._context.threads.run(self._partial.write, index, block)
        self._context.meter.add(len(block))
        self._context.patience.note_progress()

    async def _locate(self) -> FileLocation:
        """Returns where the bytes are now. Raises SourceChanged if they are others."""
        async with self._locating:
            if self._location is None:
                location = await self._context.locate(self._name)
                if location.etag != self._etag:
                    raise SourceChanged
                self._location = location
            return self._location

    def _check_response(self, response: httpx.Response, location: FileLocation) -> None:
        status, etag = response.status_code, response.headers.get("ETag")
        if location.signed and status in EXPIRED:
            if self._location is location:
                self._location = None
            raise UrlExpired
        if status == 416 or (not location.signed and etag and normalize_etag(etag) != self._etag):
            raise SourceChanged
        self._context.hub.require_success(response, self._context.repo)
        if response.headers.get("Content-Encoding", "identity") != "identity":
            raise DownloadFailed("protocol", host=response.url.host)

    def _check_range(self, response: httpx.Response, first: int) -> None:
        if response.status_code != 206:
            self._check_whole(response)
            raise RangesIgnored
        found = CONTENT_RANGE.fullmatch(response.headers.get("Content-Range", ""))
        if found is None or int(found[1]) != first:
            raise DownloadFailed("protocol", host=response.url.host)
        if found[2] not in ("*", str(self._partial.size_bytes)):
            raise SourceChanged

    def _check_whole(self, response: httpx.Response) -> None:
        """Refuses a page in place of the file: a proxy or a sign-in page answers with status 200 too."""
        page = response.headers.get("Content-Type", "").startswith("text/html")
        if page or response.headers.get("Content-Length", str(self._partial.size_bytes)) != str(
            self._partial.size_bytes
        ):
            raise DownloadFailed("protocol", host=response.url.host)

    # --- the checksum

    async def _digest(self, checksum: Checksum) -> str:
        """Hashes each segment once it and all before it are complete."""
        hasher = checksum.hasher(self._partial.size_bytes)
        for index in range(self._partial.segments):
            hasher = await self._digest_segment(index, hasher)
        return hasher.hexdigest()

    async def _digest_segment(self, index: int, before: Hasher) -> Hasher:
        """Returns the hasher after this segment. Fetches the segment again if the disk has other bytes than arrived."""
        for _ in range(self._context.policy.attempts):
            while not self._partial.is_complete(index):
                self._arrived.clear()
                await self._arrived.wait()
            hasher = before.copy()
            if await self._hash_segment(index, hasher):
                return hasher
            await self._context.threads.run(self._partial.reset, index)
            self._missing.put_nowait(index)
        raise DownloadFailed("corrupt", name=self._name, host=self._context.hub.host)

    async def _hash_segment(self, index: int, hasher: Hasher) -> bool:
        """Returns False if the bytes on disk are not those that arrived."""
        offset, crc, count = 0, 0, 1
        while count:
            count, crc = await self._context.threads.run(self._partial.hash_block, index, offset, hasher, crc)
            offset += count
        return self._partial.is_right(index, offset, crc)


async def after(pause_s: float, work: Callable[[], Awaitable[None]]) -> None:
    if pause_s:
        await asyncio.sleep(pause_s)
    await work()


def first_error(group: ExceptionGroup[Exception]) -> Exception:
    """Returns the error that ended the others."""
    inner = group.exceptions[0]
    return first_error(inner) if isinstance(inner, ExceptionGroup) else inner
