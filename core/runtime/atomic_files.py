"""Writes a file whole or not at all. Readers never see a part of it, even after a kill or a full disk."""

from __future__ import annotations

import os
from pathlib import Path

PART_SUFFIX = ".part"


def write_atomically(
    path: Path, data: bytes, *, durable: bool = False, mode: int = 0o600, part_suffix: str = PART_SUFFIX
) -> None:
    """Writes `data` beside `path`, then renames the file; makes the folder, for this account alone, if needed.

    `durable` syncs file and folder to disk first. `mode` is reduced by the umask. Several processes that write the same
    path need different values of `part_suffix`. Raises OSError.
    """
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    part = path.with_name(path.name + part_suffix)
    try:
        with open(part, "wb", opener=lambda name, flags: os.open(name, flags, mode)) as file:
            file.write(data)
            if durable:
                file.flush()
                os.fsync(file.fileno())
        part.replace(path)
    except BaseException:
        part.unlink(missing_ok=True)
        raise
    if durable:
        sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Syncs the names in a folder to disk: a new file is durable only with its name."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
