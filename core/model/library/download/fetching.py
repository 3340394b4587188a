"""Fetches one model: finds its files in the repository, downloads and checks them, moves them into the models folder.

One process downloads a model; others that want it watch its progress. A file in the models folder is always whole and
checked. Everything else is in `.downloads`, in one folder for each model, which is removed at the end.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import structlog

from core.model.library.download.disk_threads import disk_threads
from core.model.library.download.failures import DiskUnusable, DownloadFailed
from core.model.library.download.http_access import HubHttp, create_client, is_offline, read_access
from core.model.library.download.hub import Hub, RemoteFile
from core.model.library.download.leftovers import continue_renamed, remove_leftovers
from core.model.library.download.model_download import ModelDownload
from core.model.library.download.patience import Patience, as_failure
from core.model.library.download.policy import TransferPolicy
from core.model.library.download.progress import (
    LOCK_FILE,
    DownloadProgress,
    OnProgress,
    RateMeter,
    is_locked,
    read_folder,
)
from core.model.library.download.repository_files import check_repo, choose_model, download_folder, find_downloaded
from core.model.library.download.transfer import SourceChanged, TransferContext
from core.model.library.specs import HubFile
from core.runtime.lock_file import AlreadyLocked, hold_lock

log = structlog.get_logger()


def ignore_progress(_progress: DownloadProgress) -> None:
    """For callers that show none."""


async def fetch(
    source: HubFile,
    models: Path,
    on_progress: OnProgress = ignore_progress,
    policy: TransferPolicy | None = None,
    environ: Mapping[str, str] = os.environ,
) -> Path:
    """Returns the model's file in the folder `models`, or the first part of a split one, after a download if needed.

    Reaches the hub only if the file is not there. `on_progress` is called about once a second, on the event loop. After
    a failure, a kill or a cancellation, the next call continues. Raises DownloadFailed.
    """
    check_repo(source.repo)
    policy = policy or TransferPolicy()
    try:
        await asyncio.to_thread(remove_leftovers, models, [source])
        if found := await asyncio.to_thread(find_downloaded, models, source):
            return found
        if is_offline(environ):
            raise DownloadFailed("offline", repo=source.repo)
        async with open_hub(policy, environ) as hub:
            return await download(hub, source, models, on_progress, policy)
    except OSError as exc:
        raise DiskUnusable(exc, models) from exc


@asynccontextmanager
async def open_hub(policy: TransferPolicy, environ: Mapping[str, str]) -> AsyncIterator[Hub]:
    access = await asyncio.to_thread(read_access, environ)
    client = await asyncio.to_thread(create_client, policy)
    async with client:
        yield Hub(HubHttp(client, access, policy))


async def download(hub: Hub, source: HubFile, models: Path, on_progress: OnProgress, policy: TransferPolicy) -> Path:
    """Downloads the model, or watches the process that does."""
    changes = 0
    while True:
        files = await list_model(hub, source, policy)
        folder = download_folder(models, source.repo, files[0].name)
        await asyncio.to_thread(continue_renamed, models, source, folder)
        try:
            with hold_lock(folder / LOCK_FILE):
                if not (found := await asyncio.to_thread(find_downloaded, models, source)):
                    await run_download(hub, source, models, files, on_progress, policy)
                await asyncio.to_thread(remove_folder, folder)
        except AlreadyLocked:
            await watch(folder, source, on_progress, policy)
        except SourceChanged as exc:
            changes += 1
            log.info("model_download_restarted", repo=source.repo, reason="changed")
            if changes >= policy.attempts:
                raise exc.failure or DownloadFailed("protocol", host=hub.host) from None
        if found := await asyncio.to_thread(find_downloaded, models, source):
            return found


async def list_model(hub: Hub, source: HubFile, policy: TransferPolicy) -> list[RemoteFile]:
    """Returns the files of the model, in order. Tries again if the hub is busy, but not if there is no connection."""
    for failures in range(1, policy.attempts + 1):
        try:
            files = {file.name: file for file in await hub.list_files(source.repo)}
            return [files[name] for name in choose_model(files, source)]
        except (httpx.RequestError, DownloadFailed) as exc:
            problem = as_failure(exc)
            if not problem.transient or isinstance(exc, httpx.ConnectError) or failures == policy.attempts:
                raise problem from problem.__cause__
            await Patience(policy).pause(problem, failures)
    raise AssertionError("unreachable")


async def run_download(
    hub: Hub, source: HubFile, models: Path, files: list[RemoteFile], on_progress: OnProgress, policy: TransferPolicy
) -> None:
    started = time.monotonic()
    size_bytes = sum(file.size_bytes or 0 for file in files)
    log.info("model_download_started", repo=source.repo, file=files[0].name, files=len(files), size_bytes=size_bytes)
    async with disk_threads() as threads:
        context = TransferContext(hub, source.repo, policy, Patience(policy), RateMeter(time.monotonic), threads)
        await ModelDownload(context, source, models, files, on_progress).run()
    log.info("model_download_finished", repo=source.repo, duration_s=round(time.monotonic() - started, 1))


async def watch(folder: Path, source: HubFile, on_progress: OnProgress, policy: TransferPolicy) -> None:
    """Reports the progress of the process that downloads, until it ends."""
    while await asyncio.to_thread(is_locked, folder):
        if progress := await asyncio.to_thread(read_folder, folder, source):
            on_progress(progress)
        await asyncio.sleep(policy.report_s)


def remove_folder(folder: Path) -> None:
    """Removes the folder of a finished download, and the folders above it if they are empty now."""
    shutil.rmtree(folder, ignore_errors=True)
    for parent in (folder.parent, folder.parent.parent):
        try:
            parent.rmdir()
        except OSError:
            return
