"""Makes the deployment of a model's file: its worker's options, and its memory as the file's header has it."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache
from pathlib import Path

from core.configuration.settings import Settings
from core.model.hardware.sizing import WINDOW_LIMIT_TOKENS
from core.model.host.deployment import Deployment, FileIdentity, FilePart, MemoryUse
from core.model.library.gguf_file import ModelFile
from core.model.library.gguf_header import GgufHeader, InvalidGguf, read_header
from core.model.library.model_parts import parts_on_disk
from core.model.library.specs import ModelSpec, Starter
from core.model.worker.options import WorkerOptions

# Measured on the starter: 80 MB without a model, 60 MB of compute buffers. Those grow with the model.
FIXED_BYTES = 140 * 1024 * 1024
BUFFER_SHARE = 0.05  # of the file
WINDOWS_IN_CACHE = 2  # as `core.model.hardware.sizing` has it if memory is not short
KV_BYTES_GUESS = 128 * 1024  # of a token, if the header does not tell
HEADERS_KEPT = 64


def deploy(spec: ModelSpec, path: Path, settings: Settings) -> Deployment:
    """Raises OSError if the file is away. A damaged file is deployed: its worker says what is wrong with it."""
    options = WorkerOptions.from_settings(settings, ModelFile(path, spec.title, isinstance(spec.source, Starter)))
    options = replace(
        options,
        model_id=spec.id,
        context_window=spec.context_window or options.context_window,
        gpu_layers=options.gpu_layers if spec.gpu_layers is None else spec.gpu_layers,
    )
    file = identify(path)
    header = header_of(path, file)
    window = options.context_window or min((header and header.context_length) or 0, WINDOW_LIMIT_TOKENS)
    return Deployment(options, estimate_memory(file, header, window, options), file, window or None)


def identify(path: Path) -> FileIdentity:
    """Returns what changes when a file is replaced, of all parts of a split model. Raises OSError."""
    stats = [each.stat() for each in parts_on_disk(path)]
    return tuple(FilePart(stat.st_dev, stat.st_ino, stat.st_size, stat.st_mtime_ns) for stat in stats)


def estimate_memory(file: FileIdentity, header: GgufHeader | None, window: int, options: WorkerOptions) -> MemoryUse:
    """`window`: 0 if it is unknown."""
    size = sum(part.size_bytes for part in file)
    cells = options.cache_tokens or WINDOWS_IN_CACHE * (window or WINDOW_LIMIT_TOKENS)
    kv_bytes = (header and header.kv_bytes_per_token) or KV_BYTES_GUESS
    return MemoryUse(file, size, FIXED_BYTES + int(BUFFER_SHARE * size) + cells * kv_bytes)


@lru_cache(HEADERS_KEPT)
def header_of(path: Path, _file: FileIdentity) -> GgufHeader | None:
    """Returns None for a damaged header. `_file` tells versions of the file apart."""
    try:
        return read_header(path)
    except InvalidGguf:
        return None
