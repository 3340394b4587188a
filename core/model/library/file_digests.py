"""The SHA-256 of model files: each is computed once, and kept in the data folder by path, size and time of change."""

from __future__ import annotations

import asyncio
import hashlib
import json
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import structlog

from core.model.library.model_parts import parts_on_disk
from core.runtime.atomic_files import write_atomically
from core.runtime.background_tasks import BackgroundTasks

log = structlog.get_logger()

FILE = "model-digests.json"
CHUNK_BYTES = 16 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class KnownDigest:
    size_bytes: int
    changed_ns: int  # since 1970, of the newest part
    sha256: str


class FileDigests:
    """Computes one digest at a time, beside the answers. `folder`: the data folder."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / FILE
        self._known = load_digests(folder)
        self._running: set[str] = set()
        self._tasks = BackgroundTasks(concurrency=1)

    def find(self, path: Path, size_bytes: int, changed_ns: int) -> str | None:
        """The digest of a model's file, or of its parts. None: it is computed now; call again later."""
        name = str(path)
        known = self._known.get(name)
        if known and (known.size_bytes, known.changed_ns) == (size_bytes, changed_ns):
            return known.sha256
        if name not in self._running:
            self._running.add(name)
            self._tasks.start(self._compute(path, size_bytes, changed_ns))
        return None

    async def close(self) -> None:
        await self._tasks.close()

    async def _compute(self, path: Path, size_bytes: int, changed_ns: int) -> None:
        try:
            sha256 = await digest_parts(await asyncio.to_thread(parts_on_disk, path))
            self._known[str(path)] = KnownDigest(size_bytes, changed_ns, sha256)
            content = json.dumps({name: asdict(each) for name, each in self._known.items()})
            await asyncio.to_thread(write_atomically, self._path, content.encode())
        except OSError as exc:  # the file vanished, or the disk is full: receipts go without
            log.warning("model_digest_failed", file=path.name, problem=exc.strerror)
        finally:
            self._running.discard(str(path))


async def digest_parts(parts: Sequence[Path]) -> str:
    """The SHA-256 of a file; of several, that of their digests in order. Leaves half of one core's time to others."""
    digests = [await digest_file(part) for part in parts]
    return digests[0] if len(digests) == 1 else hashlib.sha256("".join(digests).encode()).hexdigest()


async def digest_file(path: Path) -> str:
    hasher = hashlib.sha256()
    with path.open("rb") as file:
        while True:
            began_s = time.monotonic()
            chunk = await asyncio.to_thread(file.read, CHUNK_BYTES)
            if not chunk:
                return hasher.hexdigest()
            await asyncio.to_thread(hasher.update, chunk)
            await asyncio.sleep(time.monotonic() - began_s)


def load_digests(folder: Path) -> dict[str, KnownDigest]:
    """The digests that are known, by path; none if the file is damaged: they are computed again."""
    try:
        stored = json.loads((folder / FILE).read_bytes())
        return {name: KnownDigest(**each) for name, each in stored.items()}
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, TypeError, AttributeError) as exc:
        log.warning("model_digests_unreadable", problem=type(exc).__name__)
        return {}


def find_known(folder: Path, name: str, size_bytes: int, changed_ns: int) -> str | None:
    """The digest of a file of this name, size and time of change, if it was computed since."""
    for path, known in load_digests(folder).items():
        if (Path(path).name, known.size_bytes, known.changed_ns) == (name, size_bytes, changed_ns):
            return known.sha256
    return None
