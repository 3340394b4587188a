"""Measures how fast a model computes prompts and answers under given settings. `csps-llm tune` and benchmarks use it.

The weights stay loaded from one measurement to the next; a context is made for each combination of settings that needs
one of its own. Tokens are arbitrary: the time of a step does not depend on them.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import llama_cpp.llama_cpp as llama

from core.errors import ConfigError, ModelError
from core.model.hardware.placement import Placement
from core.model.hardware.tuning_space import PARTS, SHARED_SEQUENCES, Part, Timing, Trial
from core.model.worker.llama.loading import (
    PlacementRefused,
    RunnerConfig,
    find_room,
    load_weights,
    make_context,
    silence_log,
)
from core.model.worker.llama.runner import BatchRow, DecodeBatch

TARGET_S = 0.35  # of one part of a measurement: many short ones tell more than a few long ones
PROMPT_LIMITS = (32, 512)  # tokens
STEP_LIMITS = (3, 24)
CALIBRATIONS = 3
CELLS = sum(PROMPT_LIMITS) + (SHARED_SEQUENCES + 1) * (STEP_LIMITS[1] + 1)
CONTEXTS_KEPT = 4
FIRST_TOKEN, TOKEN_RANGE = 100, 400  # ordinary tokens in every vocabulary


class SpeedMeter:
    """One model file. The first measurement decides how many tokens the others compute."""

    def __init__(self, path: Path) -> None:
        silence_log()
        llama.llama_backend_init()
        self._path = path
        self._split = tuple(float(each) for each in find_room().gpu_bytes)
        self._loaded: tuple[int, Any] | None = None
        self._contexts: dict[tuple[object, ...], Any] = {}
        self._batch = DecodeBatch(PROMPT_LIMITS[1])
        self._prompt_tokens = PROMPT_LIMITS[0]
        self._steps = dict.fromkeys((1, SHARED_SEQUENCES), STEP_LIMITS[0])  # by the number of answers
        self._calibrated = False

    def measure(self, trial: Trial, parts: Sequence[Part] = PARTS) -> Timing | None:
        """Returns None if llama.cpp refuses the settings. Raises ConfigError if the model cannot be loaded."""
        try:
            context = self._context(trial)
        except PlacementRefused:
            return None
        llama.llama_set_n_threads(context, trial.threads, trial.threads_batch)
        if not self._calibrated:
            self._calibrate(context)
        return Timing(
            prompt_s=self._measure_prompt(context) if "prompt" in parts else 0.0,
            answer_s=self._measure_steps(context, 1) if "answer" in parts else 0.0,
            shared_s=self._measure_steps(context, SHARED_SEQUENCES) if "shared" in parts else 0.0,
        )

    def close(self) -> None:
        self._free_contexts()
        if self._loaded:
            llama.llama_model_free(self._loaded[1])
            self._loaded = None

    def _calibrate(self, context: Any) -> None:
        """Chooses sizes that take about TARGET_S, so that a slow model is measured in time too."""
        tokens = int(TARGET_S / min(self._measure_prompt(context) for _ in range(CALIBRATIONS)))
        self._prompt_tokens = min(max(tokens, PROMPT_LIMITS[0]), PROMPT_LIMITS[1])
        for sequences in self._steps:
            steps = int(TARGET_S / min(self._measure_steps(context, sequences) for _ in range(CALIBRATIONS)))
            self._steps[sequences] = min(max(steps, STEP_LIMITS[0]), STEP_LIMITS[1])
        self._calibrated = True

    def _measure_prompt(self, context: Any) -> float:
        """Returns the seconds of one token of a prompt, in a sequence that is dropped afterwards."""
        started = time.perf_counter()
        self._decode(context, [BatchRow(SHARED_SEQUENCES, 0, self._tokens(self._prompt_tokens), True)])
        took_s = time.perf_counter() - started
        llama.llama_memory_seq_rm(llama.llama_get_memory(context), SHARED_SEQUENCES, 0, -1)
        return took_s / self._prompt_tokens

    def _measure_steps(self, context: Any, sequences: int) -> float:
        """Returns the seconds of a step with so many answers, each after the same prompt."""
        self._step(context, sequences, PROMPT_LIMITS[0])  # the first one makes llama.cpp prepare its graph
        started = time.perf_counter()
        for number in range(1, self._steps[sequences] + 1):
            self._step(context, sequences, PROMPT_LIMITS[0] + number)
        took_s = time.perf_counter() - started
        for sequence in range(sequences):
            llama.llama_memory_seq_rm(llama.llama_get_memory(context), sequence, PROMPT_LIMITS[0], -1)
        return took_s / self._steps[sequences]

    def _step(self, context: Any, sequences: int, position: int) -> None:
        self._decode(context, [BatchRow(each, position, self._tokens(1), True) for each in range(sequences)])

    def _decode(self, context: Any, rows: Sequence[BatchRow]) -> None:
        last = self._batch.fill(rows)[-1]
        if llama.llama_decode(context, self._batch.raw) != 0:
            raise ModelError("llama_decode failed during a measurement")
        llama.llama_get_logits_ith(context, last)  # waits for a GPU

    def _tokens(self, count: int) -> list[int]:
        return [FIRST_TOKEN + number % TOKEN_RANGE for number in range(count)]

    def _context(self, trial: Trial) -> Any:
        key = (trial.gpu_layers, trial.ubatch, trial.flash_attention, trial.kv_type)
        if key not in self._contexts:
            model = self._model(trial)
            if len(self._contexts) >= CONTEXTS_KEPT:
                llama.llama_free(self._contexts.pop(next(iter(self._contexts))))
            self._contexts[key] = self._make_context(model, trial)
        self._contexts[key] = self._contexts.pop(key)  # the latest is the last to go
        return self._contexts[key]

    def _make_context(self, model: Any, trial: Trial) -> Any:
        config = RunnerConfig(
            window=None,
            cache_tokens=CELLS,
            sequences=SHARED_SEQUENCES + 1,
            threads=trial.threads,
            threads_batch=trial.threads_batch,
        )
        context = make_context(model, self._placement(trial), config)
        if not llama.llama_get_memory(context):
            llama.llama_free(context)
            raise ConfigError("this model writes no answers: only models for chats are measured")
        self._fill_prompt(context)
        return context

    def _fill_prompt(self, context: Any) -> None:
        """Computes the prompt that all answers continue. Pages are touched here, outside the measurements."""
        start = PROMPT_LIMITS[0]
        self._decode(context, [BatchRow(0, 0, self._tokens(start), True)])
        for sequence in range(1, SHARED_SEQUENCES):
            llama.llama_memory_seq_cp(llama.llama_get_memory(context), 0, sequence, 0, start)

    def _model(self, trial: Trial) -> Any:
        """Returns the weights, loaded again if another number of layers belongs on GPUs."""
        if self._loaded and self._loaded[0] == trial.gpu_layers:
            return self._loaded[1]
        self.close()
        self._loaded = (trial.gpu_layers, load_weights(self._path, self._placement(trial)))
        return self._loaded[1]

    def _placement(self, trial: Trial) -> Placement:
        return Placement(CELLS, trial.kv_type, trial.flash_attention, trial.gpu_layers, self._split, trial.ubatch)

    def _free_contexts(self) -> None:
        for context in self._contexts.values():
            llama.llama_free(context)
        self._contexts.clear()
