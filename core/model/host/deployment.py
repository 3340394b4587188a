"""A model with all that a worker needs to load it, and the memory that it takes."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from core.model.worker.options import WorkerOptions


class FilePart(NamedTuple):
    """One file of a model, as the disk has it now. Another file under the same name differs."""

    device: int
    inode: int
    size_bytes: int
    changed_ns: int  # since 1970


FileIdentity = tuple[FilePart, ...]


@dataclass(frozen=True, slots=True)
class MemoryUse:
    """The bytes of one loaded model. Workers of the same file share the pages of its weights."""

    file: FileIdentity
    file_bytes: int
    private_bytes: int  # KV cache, buffers, the process itself


@dataclass(frozen=True, slots=True)
class Deployment:
    """Equal for two requests that one worker can answer. Another version of the file is another deployment."""

    options: WorkerOptions
    memory: MemoryUse = field(compare=False)  # estimated
    file: FileIdentity = ()
    window: int | None = field(default=None, compare=False)  # tokens, as the file's header and the options have it

    @property
    def model_id(self) -> str:
        return self.options.model_id

    @property
    def path(self) -> Path:
        return Path(self.options.path)

    @property
    def is_starter(self) -> bool:
        return self.options.starter


def total_bytes(uses: Iterable[MemoryUse]) -> int:
    """Returns the bytes of several loaded models together."""
    files: dict[FileIdentity, int] = {}
    private_bytes = 0
    for use in uses:
        files[use.file] = use.file_bytes
        private_bytes += use.private_bytes
    return sum(files.values()) + private_bytes
