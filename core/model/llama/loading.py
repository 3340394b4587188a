"""Loads a model file and sizes its context; transcodes files; tells what this build of llama.cpp can use."""

from __future__ import annotations

import ctypes
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import llama_cpp.llama_cpp as llama

from core.errors import ConfigError, ModelError
from core.model.llama.runner import BATCH_TOKENS, SEQUENCE_LIMIT, LlamaRunner
from core.model.sizing import choose_cache_tokens, choose_window, kv_bytes_per_token

LOG_LEVEL_ERROR = 4  # GGML_LOG_LEVEL_ERROR


@dataclass(frozen=True, slots=True)
class RunnerConfig:
    """How much of the machine the model may use."""

    window: int | None  # tokens one conversation may take; None: what the model was trained for, up to WINDOW_LIMIT
    cache_tokens: int | None  # KV cells, shared by all sequences; None: by window and free memory
    sequences: int  # ids that may hold cells at once, ≤ 256
    threads: int
    gpu_layers: int | None = None  # None: all if there is a GPU


def load(path: Path, config: RunnerConfig) -> LlamaRunner:
    """Load a GGUF file. Raises ConfigError if it is not one that we can run, saying what to do."""
    assert 0 < config.sequences <= SEQUENCE_LIMIT
    quiet()
    llama.llama_backend_init()
    parameters = llama.llama_model_default_params()
    parameters.n_gpu_layers = gpu_layers(config.gpu_layers)
    model = llama.llama_model_load_from_file(os.fsencode(path), parameters)
    if not model:
        raise ConfigError(
            f"{path}: llama.cpp could not load this model: the file is cut, corrupt, or of an architecture newer than "
            f"the installed llama.cpp. Last it said: {_last_words.get('error', 'nothing')}"
        )
    try:
        window = choose_window(config.window, int(llama.llama_model_n_ctx_train(model)))
        cells = config.cache_tokens or choose_cache_tokens(window, kv_bytes_of(model), free_memory_bytes())
        return LlamaRunner(model, make_context(model, max(cells, window), config), path, window)
    except ConfigError as exc:
        llama.llama_model_free(model)
        raise ConfigError(f"{path}: {exc.message}") from exc


def kv_bytes_of(model: Any) -> int:
    """What one token takes in the KV cache."""
    heads = max(int(llama.llama_model_n_head(model)), 1)
    cached_heads = int(llama.llama_model_n_layer(model)) * int(llama.llama_model_n_head_kv(model))
    return kv_bytes_per_token(cached_heads, int(llama.llama_model_n_embd(model)) // heads)


def free_memory_bytes() -> int:
    return os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")


def make_context(model: Any, cells: int, config: RunnerConfig) -> Any:
    if llama.llama_model_has_encoder(model) and llama.llama_model_has_decoder(model):
        raise ConfigError("an encoder-decoder model; this service runs decoder-only models and embedders")
    context = llama.llama_init_from_model(model, context_parameters(config, cells))
    if not context:
        raise ConfigError(
            f"no memory for a KV cache of {cells} tokens; set a smaller LLM_CONTEXT_WINDOW or LLM_CACHE_TOKENS. "
            f"Last llama.cpp said: {_last_words.get('error', 'nothing')}"
        )
    return context


def context_parameters(config: RunnerConfig, cells: int) -> Any:
    parameters = llama.llama_context_default_params()
    parameters.n_ctx = cells
    parameters.n_batch = parameters.n_ubatch = BATCH_TOKENS
    parameters.n_seq_max = config.sequences
    parameters.n_threads = parameters.n_threads_batch = config.threads
    parameters.kv_unified = True  # partial copies between sequences exist only in the unified cache
    parameters.swa_full = True  # a sliding-window cache would forget the prefix that we share
    parameters.no_perf = True
    return parameters


def gpu_layers(wanted: int | None) -> int:
    if wanted is None:
        return -1 if llama.llama_supports_gpu_offload() else 0
    return wanted


def transcode(source: Path, target: Path, threads: int) -> None:
    """Write `source` again as Q8_0, whose matrix kernels are fast on every CPU. Raises ModelError."""
    quiet()
    parameters = llama.llama_model_quantize_default_params()
    parameters.ftype = llama.LLAMA_FTYPE_MOSTLY_Q8_0
    parameters.allow_requantize = True
    parameters.nthread = threads
    if llama.llama_model_quantize(os.fsencode(source), os.fsencode(target), ctypes.byref(parameters)) != 0:
        raise ModelError(f"{source}: transcoding failed: {_last_words.get('error', 'no reason given')}")


def probe() -> dict[str, Any]:
    """What the installed llama.cpp can use of this machine."""
    quiet()
    return {
        "gpu_offload": bool(llama.llama_supports_gpu_offload()),
        "system": llama.llama_print_system_info().decode("utf-8", "replace"),
    }


_last_words: dict[str, str] = {}


@llama.llama_log_callback  # type: ignore[untyped-decorator]
def _hear(level: int, text: bytes, _user: Any) -> None:
    """llama.cpp logs to stderr, hundreds of lines; we keep its last error, for our own message."""
    if level == LOG_LEVEL_ERROR:
        _last_words["error"] = text.decode("utf-8", "replace").strip()


def quiet() -> None:
    llama.llama_log_set(_hear, None)
