"""Loads model files, sizes their context, transcodes them, and reports the capabilities of the llama.cpp build."""

from __future__ import annotations

import ctypes
import os
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import llama_cpp.llama_cpp as llama
import structlog

from core.errors import ConfigError, ModelError
from core.model.hardware.memory import read_memory
from core.model.hardware.model_shape import KvType, ModelShape, check_cache_size, check_kv_type
from core.model.hardware.placement import UBATCH_TOKENS, Placement, PlacementOptions, Room, choose_placements
from core.model.hardware.sizing import WINDOW_LIMIT_TOKENS, choose_window
from core.model.library.gguf_header import InvalidGguf
from core.model.library.gguf_shape import read_shape
from core.model.worker.llama.devices import list_devices
from core.model.worker.llama.runner import BATCH_TOKENS, LlamaRunner
from core.model.worker.llama.state_settings import state_settings
from core.model.worker.options import SEQUENCE_LIMIT

log = structlog.get_logger()

MEMORY_WORDS = ("alloc", "memory")  # in llama.cpp's last error
GGML_TYPES: dict[KvType, int] = {
    "f16": llama.GGML_TYPE_F16,
    "q8_0": llama.GGML_TYPE_Q8_0,
    "q4_0": llama.GGML_TYPE_Q4_0,
}
FLASH_ATTENTION = {
    None: llama.LLAMA_FLASH_ATTN_TYPE_AUTO,
    True: llama.LLAMA_FLASH_ATTN_TYPE_ENABLED,
    False: llama.LLAMA_FLASH_ATTN_TYPE_DISABLED,
}
LOG_LEVEL_ERROR = 4  # GGML_LOG_LEVEL_ERROR
NO_REASON = "failed to load model"  # what llama.cpp logs after the error that has the reason


@dataclass(frozen=True, slots=True)
class RunnerConfig:
    """The share of the machine that the model may use. A value of None is chosen by what machine and model allow."""

    window: int | None  # tokens of one conversation; None: the trained window, up to WINDOW_LIMIT_TOKENS
    cache_tokens: int | None  # KV cells for all sequences together
    sequences: int  # slots in the KV cache, at most 256
    threads: int
    idle_sequences: int = 0  # further slots, where a slot takes no memory
    threads_batch: int | None = None  # for prompts; None: as many as for answers
    gpu_layers: int | None = None  # -1: all
    ubatch: int = UBATCH_TOKENS  # tokens that are computed at once, at most BATCH_TOKENS
    kv_type: KvType | None = None
    flash_attention: bool | None = None
    memory_bytes: int | None = None  # of the machine's memory, at most; None: what is free


class PlacementRefused(ConfigError):
    """The weights or the KV cache found no room where they should lie."""


def load(path: Path, config: RunnerConfig) -> LlamaRunner:
    """Loads a GGUF file. Raises ConfigError if it cannot run here; the message says what to do."""
    assert 0 < config.sequences <= SEQUENCE_LIMIT
    silence_log()
    llama.llama_backend_init()
    shape = find_shape(path)
    check_kv_type(config.kv_type, config.flash_attention, shape)
    room = find_room(config.memory_bytes)
    if config.gpu_layers and not room.gpu_bytes:
        log.warning("gpu_layers_ignored", gpu_layers=config.gpu_layers, reason="the engine finds no GPU")
    refusals: list[PlacementRefused] = []
    for placement in find_placements(shape, config, room):
        try:
            return load_placed(path, placement, config)
        except PlacementRefused as exc:
            log.warning("placement_refused", **describe_placement(placement), reason=exc.message)
            refusals.append(exc)
    raise refusals[0]


def plan_placement(path: Path, config: RunnerConfig) -> tuple[Placement, ModelShape | None]:
    """Returns how the file would be loaded now, without loading it. Raises ConfigError."""
    silence_log()
    shape = find_shape(path)
    check_kv_type(config.kv_type, config.flash_attention, shape)
    return next(find_placements(shape, config, find_room(config.memory_bytes))), shape


def find_shape(path: Path) -> ModelShape | None:
    """Returns the sizes that the file's header tells; llama.cpp itself reports what is wrong with a damaged one."""
    try:
        return read_shape(path)
    except (InvalidGguf, OSError):
        return None


def find_room(most_bytes: int | None = None) -> Room:
    """Returns the free memory, up to `most_bytes` of the machine's: other models may be loaded beside this one."""
    memory = read_memory()
    available = memory.available_bytes if memory else 0
    available = available if most_bytes is None else min(available, most_bytes)
    devices = list_devices()
    unified = any(device.unified for device in devices)
    free = (min(device.free_bytes, available) if device.unified else device.free_bytes for device in devices)
    total = (memory.usable_bytes if memory else 0) + sum(device.total_bytes for device in devices)
    return Room(available, tuple(free), unified, total)


def find_placements(shape: ModelShape | None, config: RunnerConfig, room: Room) -> Iterator[Placement]:
    """Yields the placements to try. Without a shape, llama.cpp's own defaults are tried once."""
    window = choose_window(config.window, (shape.context_length if shape else 0) or WINDOW_LIMIT_TOKENS)
    if shape is None:
        layers = config.gpu_layers if config.gpu_layers is not None else -1
        cells = config.cache_tokens or 2 * window
        yield Placement(cells, config.kv_type or "f16", config.flash_attention, layers, ubatch=config.ubatch)
        return
    if config.cache_tokens:
        check_cache_size(config.cache_tokens, shape, config.kv_type or "f16", room.most_bytes)
    options = PlacementOptions(
        cells=config.cache_tokens,
        kv_type=config.kv_type,
        flash_attention=config.flash_attention,
        gpu_layers=config.gpu_layers,
        ubatch=config.ubatch,
        sequences=config.sequences,
    )
    yield from choose_placements(shape, window, options, room)


def load_placed(path: Path, placement: Placement, config: RunnerConfig) -> LlamaRunner:
    """Loads the weights and makes the context. Raises PlacementRefused if another placement may succeed."""
    model = load_weights(path, placement)
    try:
        window = choose_window(config.window, int(llama.llama_model_n_ctx_train(model)))
        placement = replace(placement, cells=max(placement.cells, window))
        settings = state_settings(model, context_parameters(config, placement))
        runner = LlamaRunner(model, make_context(model, placement, config), path, window, settings)
    except ConfigError as exc:
        llama.llama_model_free(model)
        raise type(exc)(f"{path}: {exc.message}") from exc
    log.info(
        "model_placed",
        **describe_placement(placement),
        layers=int(llama.llama_model_n_layer(model)),
        threads=config.threads,
        threads_batch=config.threads_batch or config.threads,
    )
    return runner


def describe_placement(placement: Placement) -> dict[str, object]:
    """Returns the fields of a log line."""
    flash = {None: "auto", True: "on", False: "off"}[placement.flash_attention]
    return {
        "gpu_layers": placement.gpu_layers,
        "cells": placement.cells,
        "kv_type": placement.kv_type,
        "flash_attention": flash,
        "ubatch": placement.ubatch,
    }


def load_weights(path: Path, placement: Placement) -> Any:
    """Loads the weights, by mapping the file where the device allows it. Raises ConfigError."""
    _last_error.clear()
    parameters = llama.llama_model_default_params()
    parameters.n_gpu_layers = placement.gpu_layers
    split = (ctypes.c_float * max(int(llama.llama_max_devices()), len(placement.split)))(*placement.split)
    if placement.split:
        parameters.tensor_split = split
    model = llama.llama_model_load_from_file(os.fsencode(path), parameters)
    if model:
        return model
    reason = _last_error.get("text", "none")
    if placement.gpu_layers and any(word in reason for word in MEMORY_WORDS):
        raise PlacementRefused(f"{path}: no memory for the weights. llama.cpp's last error: {reason}")
    raise ConfigError(
        f"{path}: llama.cpp could not load this model: the file is cut, corrupt, or of an architecture newer than "
        f"the installed llama.cpp. Its last error: {reason}"
    )


def make_context(model: Any, placement: Placement, config: RunnerConfig) -> Any:
    if llama.llama_model_has_encoder(model) and llama.llama_model_has_decoder(model):
        raise ConfigError("this is an encoder-decoder model; the service runs decoder-only models and embedders")
    parameters = context_parameters(config, placement)
    sequences = config.sequences + (0 if has_recurrent_states(model) else config.idle_sequences)
    has_twins = llama.llama_model_n_swa(model) > 0  # each sequence has one (sliding_window.py)
    parameters.n_seq_max = min(2 * sequences if has_twins else sequences, SEQUENCE_LIMIT)
    context = llama.llama_init_from_model(model, parameters)
    if not context:
        raise PlacementRefused(
            f"no memory for a KV cache of {placement.cells} tokens; set a smaller LLM_CONTEXT_WINDOW or "
            f"LLM_CACHE_TOKENS. llama.cpp's last error: {_last_error.get('text', 'none')}"
        )
    return context


def has_recurrent_states(model: Any) -> bool:
    """True if each sequence has states of its own in memory, whether it is used or not."""
    return bool(llama.llama_model_is_recurrent(model) or llama.llama_model_is_hybrid(model))


def context_parameters(config: RunnerConfig, placement: Placement) -> Any:
    parameters = llama.llama_context_default_params()
    parameters.n_ctx = placement.cells
    parameters.n_batch = BATCH_TOKENS
    parameters.n_ubatch = min(placement.ubatch, BATCH_TOKENS)
    parameters.n_threads = config.threads
    parameters.n_threads_batch = config.threads_batch or config.threads
    parameters.type_k = parameters.type_v = GGML_TYPES[placement.kv_type]
    parameters.flash_attn_type = FLASH_ATTENTION[placement.flash_attention]
    parameters.kv_unified = True  # only the unified cache can copy a part of a sequence
    parameters.swa_full = True  # a sliding-window cache would lose the shared prefix
    parameters.no_perf = True
    return parameters


def transcode(source: Path, target: Path, threads: int, file_type: int = llama.LLAMA_FTYPE_MOSTLY_Q8_0) -> None:
    """Requantises `source`; to Q8_0, which has fast matrix kernels on every CPU, by default. Raises ModelError."""
    silence_log()
    parameters = llama.llama_model_quantize_default_params()
    parameters.ftype = file_type
    parameters.allow_requantize = True
    parameters.nthread = threads
    if llama.llama_model_quantize(os.fsencode(source), os.fsencode(target), ctypes.byref(parameters)) != 0:
        raise ModelError(f"{source}: transcoding failed: {_last_error.get('text', 'llama.cpp gave no reason')}")


def probe() -> dict[str, Any]:
    """Reports the parts of this machine that the installed llama.cpp can use."""
    silence_log()
    return {
        "gpu_offload": bool(llama.llama_supports_gpu_offload()),
        "devices": [asdict(device) for device in list_devices()],
        "system": llama.llama_print_system_info().decode("utf-8", "replace"),
    }


_last_error: dict[str, str] = {}


@llama.llama_log_callback  # type: ignore[untyped-decorator]
def _record_error(level: int, text: bytes, _user: Any) -> None:
    """Keeps llama.cpp's last error for our own message, instead of its hundreds of lines on stderr."""
    message = text.decode("utf-8", "replace").strip()
    if level == LOG_LEVEL_ERROR and not message.endswith(NO_REASON):
        _last_error["text"] = message


def silence_log() -> None:
    llama.llama_log_set(_record_error, None)
