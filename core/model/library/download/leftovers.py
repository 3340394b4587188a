"""Removes files that belong to nothing any more: of older versions, of huggingface_hub, of models that nobody wants."""

from __future__ import annotations

import contextlib
import shutil
import time
from collections.abc import Collection
from pathlib import Path

import structlog

from core.model.library.download.progress import LOCK_FILE, download_folders, read_names
from core.model.library.download.repository_files import (
    PARTIALS,
    find_downloaded,
    matching,
    partials_folder,
    repo_folder,
)
from core.model.library.model_parts import parts_on_disk
from core.model.library.specs import HubFile
from core.runtime.lock_file import AlreadyLocked, hold_lock

log = structlog.get_logger()

UNCHECKED = ".unchecked"  # where version 0.1 had huggingface_hub put its downloads
ABANDONED_S = 14 * 86_400.0  # since the last byte of a download that nobody continued
HUB_CACHE = ".cache"  # where huggingface_hub keeps records and partial files of a folder that it fills


def remove_leftovers(models: Path, wanted: Collection[HubFile] = ()) -> None:
    """Removes what other programs and older versions left in the models folder, and abandoned downloads. Blocking.

    Those of `wanted` are about to be continued, however old they are.
    """
    for folder in (models / UNCHECKED, *models.glob(f"*/{HUB_CACHE}")):
        if folder.is_dir() and not folder.is_symlink():
            log.info("download_leftover_removed", folder=str(folder))
            shutil.rmtree(folder, ignore_errors=True)
    needed = {folder for source in wanted for folder in begun_downloads(models, source)}
    for folder in (models / PARTIALS).glob("*/*"):
        if folder not in needed and time.time() - last_write(folder) > ABANDONED_S:
            remove_download(folder)


def continue_renamed(models: Path, source: HubFile, current: Path) -> None:
    """Gives a begun download the name that its file has in the repository now, and removes any other. Blocking.

    Bytes of another file are dropped later: the record has the checksum.
    """
    for folder in begun_downloads(models, source):
        if folder != current and not current.exists():
            with contextlib.suppress(AlreadyLocked, OSError), hold_lock(folder / LOCK_FILE):
                folder.rename(current)
        elif folder != current:
            remove_download(folder)


def begun_downloads(models: Path, source: HubFile) -> list[Path]:
    """Returns the folders of downloads of the files that the source names, or named before its repository changed."""
    folders = download_folders(partials_folder(models, source.repo))
    return [folder for folder in folders if matching(read_names(folder), source.pattern)]


def last_write(folder: Path) -> float:
    """Returns the time of the last change in a folder, in seconds since 1970; the present for one that is gone."""
    try:
        return max(path.stat().st_mtime for path in (folder, *folder.iterdir()))
    except OSError:
        return time.time()


def remove_model(models: Path, source: HubFile) -> None:
    """Removes a model's files and its download. Blocking. Raises OSError."""
    for folder in begun_downloads(models, source):
        remove_download(folder)
    first = find_downloaded(models, source)
    for part in parts_on_disk(first) if first else ():
        part.unlink(missing_ok=True)
    with contextlib.suppress(OSError):
        repo_folder(models, source.repo).rmdir()


def remove_download(folder: Path) -> None:
    """Removes an unfinished download, unless a process is at it."""
    with contextlib.suppress(AlreadyLocked, OSError), hold_lock(folder / LOCK_FILE):
        log.info("download_leftover_removed", folder=str(folder))
        shutil.rmtree(folder, ignore_errors=True)
    for parent in (folder.parent, folder.parent.parent):
        with contextlib.suppress(OSError):
            parent.rmdir()
