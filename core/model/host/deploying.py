"""Makes the deployment of a model's file: its worker's options, and its memory as the file's header has it.

The cache is planned as the worker plans it (core/model/hardware/placement.py), with the same bound on the memory.
"""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache
from pathlib import Path

from core.configuration.settings import Settings
from core.model.hardware.model_shape import STATE_BYTES, ModelShape
from core.model.hardware.placement import PlacementOptions, Room, choose_placement
from core.model.hardware.sizing import WINDOW_LIMIT_TOKENS
from core.model.host.deployment import Deployment, FileIdentity, FilePart, MemoryUse
from core.model.library.gguf_file import ModelFile
from core.model.library.gguf_header import InvalidGguf
from core.model.library.gguf_shape import read_shape
from core.model.library.model_parts import parts_on_disk
from core.model.library.specs import ModelSpec, Starter
from core.model.worker.options import WorkerOptions

# Measured on the starter: 80 MB without a model, 60 MB of compute buffers. Those grow with the model.
FIXED_BYTES = 140 * 1024 * 1024
BUFFER_SHARE = 0.05  # of the file
KV_BYTES_GUESS = 128 * 1024  # of a token in a cache of two windows, if the header does not tell
SHAPES_KEPT = 64


def deploy(spec: ModelSpec, path: Path, settings: Settings, room: Room, *, is_default: bool = True) -> Deployment:
    """Raises OSError if the file is away. A damaged file is deployed: its worker says what is wrong with it.

    LLM_CONTEXT_WINDOW is for the default model. Others, such as the starter that answers meanwhile, take what they can.
    """
    options = WorkerOptions.from_settings(settings, ModelFile(path, spec.title, isinstance(spec.source, Starter)))
    options = replace(
        options,
        model_id=spec.id,
        context_window=spec.context_window or options.context_window,
        gpu_layers=options.gpu_layers if spec.gpu_layers is None else spec.gpu_layers,
        memory_bytes=room.host_bytes,
    )
    file = identify(path)
    shape = shape_of(path, file)
    if shape and shape.context_length and options.context_window and spec.context_window is None and not is_default:
        options = replace(options, context_window=min(options.context_window, shape.context_length))
    window = options.context_window or min(shape.context_length if shape else 0, WINDOW_LIMIT_TOKENS)
    return Deployment(options, estimate_memory(file, shape, window, options, room), file, window or None)


def identify(path: Path) -> FileIdentity:
    """Returns what changes when a file is replaced, of all parts of a split model. Raises OSError."""
    stats = [each.stat() for each in parts_on_disk(path)]
    return tuple(FilePart(stat.st_dev, stat.st_ino, stat.st_size, stat.st_mtime_ns) for stat in stats)


def estimate_memory(
    file: FileIdentity, shape: ModelShape | None, window: int, options: WorkerOptions, room: Room
) -> MemoryUse:
    """`window`: 0 if it is unknown."""
    size = sum(part.size_bytes for part in file)
    window = window or WINDOW_LIMIT_TOKENS
    if shape:
        cache = cache_bytes(shape, window, options, room)
    else:
        cache = (options.cache_tokens or 2 * window) * KV_BYTES_GUESS
    return MemoryUse(file, size, FIXED_BYTES + int(BUFFER_SHARE * size) + cache)


def cache_bytes(shape: ModelShape, window: int, options: WorkerOptions, room: Room) -> int:
    """Returns the bytes of the KV cache and the recurrent states that the worker will allocate at most."""
    chosen = PlacementOptions(
        cells=options.cache_tokens,
        kv_type=options.kv_type,
        flash_attention=options.flash_attention,
        gpu_layers=options.gpu_layers,
        sequences=options.sequences,
    )
    placement = choose_placement(shape, window, chosen, room)
    states = options.sequences * STATE_BYTES * sum(layer.state_values for layer in shape.layers)
    return int(placement.cells * shape.kv_bytes_per_token(placement.kv_type)) + states


@lru_cache(SHAPES_KEPT)
def shape_of(path: Path, _file: FileIdentity) -> ModelShape | None:
    """Returns None for a damaged header. `_file` tells versions of the file apart."""
    try:
        return read_shape(path)
    except InvalidGguf:
        return None
