"""Explains why the operating system refuses a file: each cause in its own words, with what the operator can do."""

from __future__ import annotations

import errno
import os
import tempfile
from collections.abc import Mapping
from pathlib import Path

from core.contract import Language
from core.texts import text

PROBE_BYTES = 64 * 1024
KEYS: Mapping[int, str] = {
    errno.ENOSPC: "full",
    errno.EDQUOT: "quota",
    errno.EROFS: "read_only",
    errno.EACCES: "refused",
    errno.EPERM: "refused",
    errno.ENAMETOOLONG: "long",
    errno.EFBIG: "large",
    errno.EIO: "broken",
    errno.EMFILE: "open_files",
    errno.ENFILE: "open_files",
    errno.ENOENT: "missing",
    errno.ENOTDIR: "not_a_folder",
    errno.EEXIST: "not_a_folder",
    errno.ELOOP: "links",
    errno.ESTALE: "away",
    errno.ENODEV: "away",
    errno.ENXIO: "away",
}


def explain_disk_fault(exc: OSError, language: Language = "en") -> str:
    """Returns the cause as the end of a sentence, without its full stop: "the disk is full; free some space"."""
    key = KEYS.get(exc.errno or 0)
    return text(f"error-disk-{key}", language) if key else exc.strerror or type(exc).__name__


def find_disk_fault(folder: Path) -> OSError | None:
    """Writes and deletes a small file in `folder`. Returns the error, for a library that tells its own but no cause."""
    try:
        with tempfile.NamedTemporaryFile(dir=folder, prefix=".probe-") as file:
            file.write(bytes(PROBE_BYTES))
            file.flush()
            os.fsync(file.fileno())
    except OSError as exc:
        return exc
    return None
