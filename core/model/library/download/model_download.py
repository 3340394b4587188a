"""Downloads the files of one model, reports progress, and moves the files to their place when all of them are right."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import os
import shutil
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import httpx
import structlog

from core.model.library.download.checksum import Checksum, parse_sha256
from core.model.library.download.failures import DiskUnusable, DownloadFailed
from core.model.library.download.hub import FileLocation, RemoteFile
from core.model.library.download.partial_file import READ_BYTES, PartialFile
from core.model.library.download.patience import as_failure
from core.model.library.download.progress import DownloadProgress, DownloadState, OnProgress, part_bytes, write_progress
from core.model.library.download.repository_files import download_folder, repo_folder
from core.model.library.download.transfer import (
    FileTransfer,
    RangesIgnored,
    SourceChanged,
    TransferContext,
    WrongBytes,
    first_error,
)
from core.model.library.specs import HubFile
from core.runtime.atomic_files import sync_folder

log = structlog.get_logger()

GGUF_MAGIC = b"GGUF"
DISK_FULL = {errno.ENOSPC, errno.EDQUOT}


class ModelDownload:
    """The caller holds the lock of the download. Raises DownloadFailed, OSError, SourceChanged."""

    def __init__(
        self,
        context: TransferContext,
        source: HubFile,
        models: Path,
        files: Sequence[RemoteFile],
        on_progress: OnProgress,
    ) -> None:
        self._context, self._source, self._files = context, source, files
        self._on_progress = on_progress
        self._folder = download_folder(models, source.repo, files[0].name)
        self._place = repo_folder(models, source.repo)
        self._sizes = [file.size_bytes or 0 for file in files]  # 0: stated with the file's address only
        self._finished_bytes = 0  # of files before the current one
        self._partial: PartialFile | None = None

    async def run(self) -> None:
        try:
            async with asyncio.TaskGroup() as group:
                reporting = group.create_task(self._report_regularly())
                await self._fetch_all()
                reporting.cancel()
        except ExceptionGroup as failures:
            error = first_error(failures)
            failure = self._disk_failure(error) if isinstance(error, OSError) else error
            if isinstance(failure, DownloadFailed):
                await self._report(failure)
            raise failure from failures

    async def _fetch_all(self) -> None:
        self._check_pins()
        await self._context.threads.run(self._check_space)
        parts = [await self._fetch_file(number, file) for number, file in enumerate(self._files)]
        for part, file in zip(parts, self._files, strict=True):
            if part is not None:
                await self._context.threads.run(move_durably, part, self._place / file.name)

    @property
    def _total_bytes(self) -> int:
        return sum(self._sizes)

    @property
    def _done_bytes(self) -> int:
        return self._finished_bytes + (self._partial.done_bytes if self._partial else 0)

    # --- one file

    async def _fetch_file(self, number: int, file: RemoteFile) -> Path | None:
        """Returns the complete and checked file in the folder of the download; None if it is at its place already."""
        location = await self._locate(file)
        checksum, size_bytes = self._expect(number, file, location)
        self._sizes[number] = size_bytes
        part = self._folder / f"{number + 1}.part"
        if await self._is_in_place(part, self._place / file.name, checksum, size_bytes):
            self._finished_bytes += size_bytes
            return None
        self._partial = partial = await self._context.threads.run(
            PartialFile,
            part,
            f"{checksum.digest} {location.etag}",
            size_bytes,
            self._context.policy.segment_bytes(size_bytes),
        )
        with contextlib.closing(partial):
            await self._complete(file, location, partial, checksum)
            await self._check_format(partial, file)
            await self._context.threads.run(partial.sync)
        self._finished_bytes, self._partial = self._finished_bytes + size_bytes, None
        return part

    async def _complete(
        self, file: RemoteFile, location: FileLocation, partial: PartialFile, checksum: Checksum
    ) -> None:
        """Fetches until the checksum is right. After wrong bytes nobody knows which: all of them are fetched anew."""
        ranges, wrong = True, 0
        while True:
            try:
                return await FileTransfer(self._context, file.name, location, partial).run(checksum, ranges=ranges)
            except RangesIgnored:
                ranges = False
            except WrongBytes:
                wrong += 1
                log.warning("model_download_restarted", repo=self._source.repo, file=file.name, reason="wrong_bytes")
                await self._context.threads.run(partial.restart)
            if wrong == self._context.policy.attempts:
                await self._context.threads.run(partial.remove)
                raise DownloadFailed("corrupt", name=file.name, host=self._context.hub.host)
            location = await self._locate(file)

    async def _check_format(self, partial: PartialFile, file: RemoteFile) -> None:
        if await self._context.threads.run(partial.first_bytes, len(GGUF_MAGIC)) != GGUF_MAGIC:
            await self._context.threads.run(partial.remove)
            raise DownloadFailed("not_gguf", repo=self._source.repo, name=file.name)

    async def _locate(self, file: RemoteFile) -> FileLocation:
        failures = 0
        while True:
            try:
                return await self._context.locate(file.name)
            except (httpx.RequestError, DownloadFailed) as exc:
                problem = as_failure(exc)
                if not problem.transient:
                    raise
            failures += 1
            await self._context.patience.pause(problem, failures)

    async def _is_in_place(self, part: Path, target: Path, checksum: Checksum, size_bytes: int) -> bool:
        """Tells whether an earlier attempt was killed after it had moved this part of a split model."""
        run, hasher = self._context.threads.run, checksum.hasher(size_bytes)
        if await run(part.exists) or not await run(has_size, target, size_bytes):
            return False
        with await run(target.open, "rb") as file:
            while block := await run(file.read, READ_BYTES):
                await run(hasher.update, block)
        return hasher.hexdigest() == checksum.digest

    # --- what is expected

    def _check_pins(self) -> None:
        """Raises DownloadFailed if the hub lists other files than the catalogue states."""
        pins = self._source.sha256s
        for pin, file in zip(pins, self._files, strict=False):
            stated = file.checksum
            if stated and stated.algorithm == "sha256" and stated.digest != pin:
                raise DownloadFailed("changed", repo=self._source.repo, name=file.name)
        if pins and len(pins) != len(self._files):
            raise DownloadFailed("changed", repo=self._source.repo, name=self._files[0].name)

    def _expect(self, number: int, file: RemoteFile, location: FileLocation) -> tuple[Checksum, int]:
        """Returns checksum and size of a file: the catalogue's, the listed ones, or those with its address.

        Raises SourceChanged if the list and the address differ.
        """
        pin = parse_sha256(self._source.sha256s[number]) if self._source.sha256s else None
        checksum = pin or file.checksum or location.checksum
        size_bytes = location.size_bytes if file.size_bytes is None else file.size_bytes
        if checksum is None:
            raise DownloadFailed("unchecked", name=file.name, host=self._context.hub.host)
        if size_bytes is None:
            raise DownloadFailed("protocol", host=self._context.hub.host)
        located = location.checksum
        if located and located.algorithm == checksum.algorithm and located != checksum:
            raise SourceChanged
        if location.size_bytes not in (None, size_bytes):
            raise SourceChanged
        return checksum, size_bytes

    def _check_space(self) -> None:
        """Raises DownloadFailed if the disk has no room for what is still to come."""
        if missing_bytes := self._missing_room_bytes():
            raise DownloadFailed("disk", folder=str(self._place), size=self._total_bytes, missing=missing_bytes)

    def _missing_room_bytes(self) -> int:
        there = max(part_bytes(self._folder), self._done_bytes)  # some file systems count blocks late
        free = shutil.disk_usage(self._folder).free - self._context.policy.disk_reserve_bytes
        return max(0, self._total_bytes - there - free)

    def _disk_failure(self, error: OSError) -> DownloadFailed:
        if error.errno in DISK_FULL:
            missing_bytes = max(1, self._missing_room_bytes())
            return DownloadFailed("disk", folder=str(self._place), size=self._total_bytes, missing=missing_bytes)
        return DiskUnusable(error, self._place)

    # --- progress

    async def _report_regularly(self) -> None:
        while True:
            await self._report()
            await asyncio.sleep(self._context.policy.report_s)
            await self._context.threads.run(self._check_space)  # others may fill the disk meanwhile

    async def _report(self, failure: DownloadFailed | None = None) -> None:
        progress = self._progress(failure)
        self._on_progress(progress)
        names = tuple(file.name for file in self._files)
        with contextlib.suppress(OSError):  # a full disk ends the download by its own error
            await self._context.threads.run(write_progress, self._folder, progress, names)

    def _progress(self, failure: DownloadFailed | None) -> DownloadProgress:
        done_bytes = self._done_bytes
        rate = self._context.meter.bytes_per_s()
        problem = failure or self._context.patience.problem
        state: DownloadState = "downloading"
        if failure:
            state = "failed"
        elif 0 < self._total_bytes <= done_bytes:
            state = "checking"
        elif problem and not rate:
            state = "waiting"
        progress = DownloadProgress(state, done_bytes, self._total_bytes)
        if state == "downloading" and rate:
            return replace(progress, bytes_per_s=rate, expected_s=(self._total_bytes - done_bytes) / rate)
        if problem and state in ("failed", "waiting"):
            english, french = problem.explain("en"), problem.explain("fr")
            return replace(progress, fault=problem.reason, problem=english, problem_in_french=french)
        return progress


def has_size(path: Path, size_bytes: int) -> bool:
    return path.is_file() and path.stat().st_size == size_bytes


def move_durably(part: Path, target: Path) -> None:
    """Gives a file, whose bytes are on disk, its final name. Readers see it whole or not at all."""
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        part.replace(target)
    except OSError as exc:
        if exc.errno != errno.EXDEV:
            raise
        copy_durably(part, target)  # a link leads one of the two to another disk
    sync_folder(target.parent)


def copy_durably(part: Path, target: Path) -> None:
    """Copies a file to another disk, under a hidden name until it is whole there."""
    copy = target.with_name(f".{target.name}.part")
    shutil.copyfile(part, copy)
    with copy.open("rb") as file:
        os.fsync(file.fileno())
    copy.replace(target)
    part.unlink()
