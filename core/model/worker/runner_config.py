"""Combines settings, measured values and the machine into the configuration of a runner, and loads it."""

from __future__ import annotations

from pathlib import Path

from core.model.hardware import tuning
from core.model.hardware.machine import inspect_machine
from core.model.hardware.placement import UBATCH_TOKENS
from core.model.hardware.processor import choose_threads
from core.model.hardware.tuning import TunedValues, machine_key, model_key
from core.model.worker.llama.loading import RunnerConfig, load
from core.model.worker.llama.runner import LlamaRunner
from core.model.worker.options import WorkerOptions


def load_runner(options: WorkerOptions) -> LlamaRunner:
    """Loads the weights, by the settings and by what `csps-llm tune` found. Blocks. Raises ConfigError."""
    return load(options.file.path, runner_config(options, find_tuned(options)))


def find_tuned(options: WorkerOptions) -> TunedValues:
    """Returns the measured values for this file on this machine; empty ones if it was not tuned."""
    folder = Path(options.data_folder)
    if not (folder / tuning.FILE).exists() or not options.file.path.is_file():
        return TunedValues()
    record = tuning.find_record(folder, model_key(options.file.path), machine_key(inspect_machine()))
    return record.values if record else TunedValues()


def runner_config(options: WorkerOptions, tuned: TunedValues) -> RunnerConfig:
    """Combines them: a setting wins over a measured value. A tuned KV type needs the tuned flash attention."""
    flash_attention = tuned.flash_attention if options.flash_attention is None else options.flash_attention
    tuned_kv_type = tuned.kv_type if flash_attention is not False else None
    return RunnerConfig(
        window=options.context_window,
        cache_tokens=options.cache_tokens,
        sequences=options.sequences,
        idle_sequences=options.idle_sequences,
        threads=options.threads or tuned.threads or choose_threads(),
        threads_batch=options.threads or tuned.threads_batch or tuned.threads,
        gpu_layers=tuned.gpu_layers if options.gpu_layers is None else options.gpu_layers,
        ubatch=tuned.ubatch or UBATCH_TOKENS,
        kv_type=options.kv_type or tuned_kv_type,
        flash_attention=flash_attention if options.kv_type in (None, "f16") else options.flash_attention,
        memory_bytes=options.memory_bytes,
    )
