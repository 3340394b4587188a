"""The lines of JSON by which a worker tells its host, on its standard output, how its start ended."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass


@dataclass(frozen=True, slots=True)
class WorkerReady:
    """The model is loaded, and the worker's socket answers requests."""

    window: int  # tokens
    cache_tokens: int
    embedder: bool
    load_s: float  # seconds from the start of the load


@dataclass(frozen=True, slots=True)
class WorkerFailed:
    """The model cannot be loaded. `permanent`: not before somebody changes the file or a setting."""

    message: str
    permanent: bool


Announcement = WorkerReady | WorkerFailed
KINDS: dict[str, type[WorkerReady] | type[WorkerFailed]] = {"ready": WorkerReady, "failed": WorkerFailed}


def encode_announcement(announcement: Announcement) -> str:
    kind = next(name for name, each in KINDS.items() if isinstance(announcement, each))
    return json.dumps({kind: asdict(announcement)})


def parse_announcement(line: bytes) -> Announcement | None:
    """Returns None for a line that is no announcement: a library may print one."""
    try:
        ((kind, fields),) = json.loads(line).items()
        return KINDS[kind](**fields)
    except (ValueError, AttributeError, KeyError, TypeError, RecursionError):
        return None
