"""The resident memory of one process, in bytes, as Linux counts it."""

from __future__ import annotations

import re
from pathlib import Path

PRIVATE = re.compile(r"^(?:RssAnon|RssShmem):\s+(\d+) kB$", re.MULTILINE)


def private_bytes(pid: int) -> int | None:
    """Returns the resident bytes that are no pages of files; None where the system does not tell."""
    try:
        status = Path(f"/proc/{pid}/status").read_text(encoding="ascii", errors="replace")
    except OSError:
        return None
    return 1024 * sum(map(int, PRIVATE.findall(status))) or None
