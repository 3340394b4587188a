"""Loads model files, sizes their context, transcodes them, and reports the capabilities of the llama.cpp build."""

from __future__ import annotations

import ctypes
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import llama_cpp.llama_cpp as llama

from core.errors import ConfigError, ModelError
from core.model.hardware.sizing import choose_cache_tokens, choose_window, kv_bytes_per_token
from core.model.worker.llama.runner import BATCH_TOKENS, SEQUENCE_LIMIT, LlamaRunner

LOG_LEVEL_ERROR = 4  # GGML_LOG_LEVEL_ERROR
NO_REASON = "failed to load model"  # what llama.cpp logs after the error that has the reason


@dataclass(frozen=True, slots=True)
class RunnerConfig:
    """The share of the machine that the model may use."""

    window: int | None  # tokens of one conversation; None: the trained window, up to WINDOW_LIMIT_TOKENS
    cache_tokens: int | None  # KV cells for all sequences together; None: from window and free memory
    sequences: int  # slots in the KV cache, at most 256
    threads: int
    gpu_layers: int | None = None  # None: all if there is a GPU


def load(path: Path, config: RunnerConfig) -> LlamaRunner:
    """Loads a GGUF file. Raises ConfigError if it cannot run here; the message says what to do."""
    assert 0 < config.sequences <= SEQUENCE_LIMIT
    silence_log()
    llama.llama_backend_init()
    parameters = llama.llama_model_default_params()
    parameters.n_gpu_layers = gpu_layers(config.gpu_layers)
    model = llama.llama_model_load_from_file(os.fsencode(path), parameters)
    if not model:
        raise ConfigError(
            f"{path}: llama.cpp could not load this model: the file is cut, corrupt, or of an architecture newer than "
            f"the installed llama.cpp. Its last error: {_last_error.get('text', 'none')}"
        )
    try:
        window = choose_window(config.window, int(llama.llama_model_n_ctx_train(model)))
        cells = config.cache_tokens or choose_cache_tokens(window, kv_bytes_of(model), free_memory_bytes())
        cells = max(cells, window)
        settings = state_settings(model, context_parameters(config, cells))
        return LlamaRunner(model, make_context(model, cells, config), path, window, settings)
    except ConfigError as exc:
        llama.llama_model_free(model)
        raise ConfigError(f"{path}: {exc.message}") from exc


def kv_bytes_of(model: Any) -> int:
    """Returns the KV cache bytes of one token."""
    heads = max(int(llama.llama_model_n_head(model)), 1)
    cached_heads = int(llama.llama_model_n_layer(model)) * int(llama.llama_model_n_head_kv(model))
    return kv_bytes_per_token(cached_heads, int(llama.llama_model_n_embd(model)) // heads)


def free_memory_bytes() -> int:
    return os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")


def make_context(model: Any, cells: int, config: RunnerConfig) -> Any:
    if llama.llama_model_has_encoder(model) and llama.llama_model_has_decoder(model):
        raise ConfigError("this is an encoder-decoder model; the service runs decoder-only models and embedders")
    context = llama.llama_init_from_model(model, context_parameters(config, cells))
    if not context:
        raise ConfigError(
            f"no memory for a KV cache of {cells} tokens; set a smaller LLM_CONTEXT_WINDOW or LLM_CACHE_TOKENS. "
            f"llama.cpp's last error: {_last_error.get('text', 'none')}"
        )
    return context


def context_parameters(config: RunnerConfig, cells: int) -> Any:
    parameters = llama.llama_context_default_params()
    parameters.n_ctx = cells
    parameters.n_batch = parameters.n_ubatch = BATCH_TOKENS
    parameters.n_seq_max = config.sequences
    parameters.n_threads = parameters.n_threads_batch = config.threads
    parameters.kv_unified = True  # only the unified cache can copy a part of a sequence
    parameters.swa_full = True  # a sliding-window cache would lose the shared prefix
    parameters.no_perf = True
    return parameters


def state_settings(model: Any, parameters: Any) -> str:
    """Describes the settings that a sequence's state depends on."""
    names = (
        "type_k",
        "type_v",
        "flash_attn_type",
        "swa_full",
        "rope_scaling_type",
        "rope_freq_base",
        "rope_freq_scale",
    )
    values = {name: getattr(parameters, name) for name in names}
    if scales_by_context(model):
        values["n_ctx"] = parameters.n_ctx
    return str(values)


def scales_by_context(model: Any) -> bool:
    """Tells whether positions are computed differently in a larger context, as Phi-3 does beyond its first 4,096."""
    architecture = metadata(model, "general.architecture")
    return bool(metadata(model, f"{architecture}.rope.scaling.original_context_length"))


def metadata(model: Any, key: str) -> str:
    """Returns a value of the model file's metadata as text; empty if there is none."""
    buffer = ctypes.create_string_buffer(256)
    byte_count = llama.llama_model_meta_val_str(model, key.encode(), buffer, len(buffer))
    return buffer.value.decode("utf-8", "replace") if byte_count >= 0 else ""


def gpu_layers(setting: int | None) -> int:
    if setting is None:
        return -1 if llama.llama_supports_gpu_offload() else 0
    return setting


def transcode(source: Path, target: Path, threads: int) -> None:
    """Requantises `source` to Q8_0, which has fast matrix kernels on every CPU. Raises ModelError."""
    silence_log()
    parameters = llama.llama_model_quantize_default_params()
    parameters.ftype = llama.LLAMA_FTYPE_MOSTLY_Q8_0
    parameters.allow_requantize = True
    parameters.nthread = threads
    if llama.llama_model_quantize(os.fsencode(source), os.fsencode(target), ctypes.byref(parameters)) != 0:
        raise ModelError(f"{source}: transcoding failed: {_last_error.get('text', 'llama.cpp gave no reason')}")


def probe() -> dict[str, Any]:
    """Reports the parts of this machine that the installed llama.cpp can use."""
    silence_log()
    return {
        "gpu_offload": bool(llama.llama_supports_gpu_offload()),
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
