"""The capabilities found of engines, on disk: a restarted process need not probe them again.

One file for all processes of the service. It holds no keys. A file that cannot be read counts as empty.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import structlog
from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError

from core.openai.dialects import EngineCapabilities
from core.runtime.atomic_files import write_atomically

log = structlog.get_logger()

FILE = "engines.json"
MAX_AGE_S = 7 * 24 * 3600.0
ENTRIES_LIMIT = 1000
FILE_LIMIT_BYTES = 2**20


@dataclass(frozen=True, slots=True)
class FoundCapabilities:
    """`fingerprint`: of the program and models that they were found with. `found_at`: seconds since 1970."""

    fingerprint: str
    found_at: float
    capabilities: EngineCapabilities


class StoredEngine(BaseModel):
    """One entry of the file."""

    model_config = ConfigDict(extra="forbid", strict=True)

    engine: str
    model: str
    fingerprint: str
    found_at: float
    capabilities: EngineCapabilities


STORED = TypeAdapter(list[StoredEngine])


class CapabilityStore:
    """`now`: the wall clock, in seconds."""

    def __init__(self, folder: Path, now: Callable[[], float] = time.time) -> None:
        self._path = folder / FILE
        self._now = now

    def find(self, engine: str, model: str) -> FoundCapabilities | None:
        """The capabilities found of this model of this engine; None if that is too long ago."""
        for each in self._read():
            if (each.engine, each.model) == (engine, model) and 0 <= self._now() - each.found_at <= MAX_AGE_S:
                return FoundCapabilities(each.fingerprint, each.found_at, each.capabilities)
        return None

    def save(self, engine: str, model: str, fingerprint: str, capabilities: EngineCapabilities) -> None:
        """A full disk is no failure: it will be tried again."""
        new = StoredEngine(
            engine=engine, model=model, fingerprint=fingerprint, found_at=self._now(), capabilities=capabilities
        )
        others = [each for each in self._read() if (each.engine, each.model) != (engine, model)]
        data = STORED.dump_json([*others[1 - ENTRIES_LIMIT :], new], indent=1)
        try:
            write_atomically(self._path, data, part_suffix=f".{os.getpid()}.part")
        except OSError as exc:
            log.warning("engines_not_stored", problem=exc.strerror)

    def _read(self) -> list[StoredEngine]:
        try:
            if self._path.stat().st_size > FILE_LIMIT_BYTES:
                return []
            return STORED.validate_json(self._path.read_bytes())
        except (OSError, ValidationError):
            return []
