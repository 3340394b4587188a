"""Loads the models of a JSON list in this process, decodes all of them at once, and unloads them one by one.

`python -m benchmarks.peers.loaded_models FILES THREADS [--abort]`. Each line on stdin starts the next part: decode for
that number of seconds, unload the first model, unload the next. Each part prints one JSON line. With `--abort`, a line
is printed for every step of the last model, and the first model makes llama.cpp abort.
"""

from __future__ import annotations

import json
import sys
import threading
import time
from pathlib import Path

import llama_cpp.llama_cpp as llama
import psutil

from core.contract import Sampling
from core.model.worker.llama.loading import RunnerConfig, load
from core.model.worker.llama.runner import BatchRow, LlamaRunner

SEQUENCES = 8
PROMPT_TOKENS = 16
WINDOW = 1024


def pss_mb() -> float:
    return float(psutil.Process().memory_full_info().pss) / 1e6


def report(**values: object) -> None:
    print(json.dumps(values), flush=True)


class Decoder:
    """Eight greedy sequences on one loaded model."""

    def __init__(self, runner: LlamaRunner) -> None:
        self._runner = runner
        self._samplers = [runner.sampler(Sampling(temperature=0.0), 1) for _ in range(SEQUENCES)]
        self.steps_ms: list[float] = []
        self._position = WINDOW

    def run(self, seconds: float, announce: bool = False) -> None:
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if self._position >= WINDOW - 1:
                self._begin()
            started = time.perf_counter()
            self._step()
            self.steps_ms.append(1000 * (time.perf_counter() - started))
            if announce:
                report(step=len(self.steps_ms))

    def abort(self) -> None:
        """Samples from a row without logits, which llama.cpp answers with an abort of the process."""
        llama.llama_sampler_sample(self._samplers[0]._chain, self._runner._context, self._runner.batch_tokens)

    def _begin(self) -> None:
        self._runner.clear()
        rows = [BatchRow(s, 0, list(range(100 + s, 100 + s + PROMPT_TOKENS)), True) for s in range(SEQUENCES)]
        self._last = self._pick(self._runner.decode(rows))
        self._position = PROMPT_TOKENS

    def _step(self) -> None:
        rows = [BatchRow(s, self._position, [token], True) for s, token in enumerate(self._last)]
        self._last = self._pick(self._runner.decode(rows))
        self._position += 1

    def _pick(self, indices: list[int]) -> list[int]:
        pairs = zip(self._samplers, indices, strict=True)
        return [sampler.pick(self._runner.logits(index)) for sampler, index in pairs]


def load_all(files: list[str], threads: int) -> list[LlamaRunner]:
    before_mb = pss_mb()
    runners, seconds = [], []
    for file in files:
        started = time.perf_counter()
        config = RunnerConfig(window=WINDOW, cache_tokens=SEQUENCES * WINDOW, sequences=SEQUENCES, threads=threads)
        runners.append(load(Path(file), config))
        seconds.append(time.perf_counter() - started)
    report(load_s=seconds, empty_mb=before_mb, loaded_mb=pss_mb())
    return runners


def decode_all(decoders: list[Decoder], seconds: float, abort: bool) -> None:
    last = len(decoders) - 1
    threads = [
        threading.Thread(target=decoder.run, args=(seconds, abort and number == last))
        for number, decoder in enumerate(decoders)
        if not (abort and number == 0)
    ]
    for thread in threads:
        thread.start()
    if abort:
        time.sleep(seconds / 2)
        decoders[0].abort()
    for thread in threads:
        thread.join()


def main(files: list[str], threads: int, abort: bool) -> None:
    runners = load_all(files, threads)
    decoders = [Decoder(runner) for runner in runners]
    for decoder in decoders:
        decoder.run(0.2)  # the first steps touch the memory of weights and buffers
        decoder.steps_ms.clear()
    report(ready=True, warm_mb=pss_mb())
    decode_all(decoders, float(sys.stdin.readline()), abort)
    report(steps_ms=[decoder.steps_ms for decoder in decoders], decoded_mb=pss_mb())
    for runner in runners:
        sys.stdin.readline()
        started = time.perf_counter()
        runner.close()
        report(unload_s=time.perf_counter() - started, left_mb=pss_mb())


if __name__ == "__main__":
    main(json.loads(sys.argv[1]), int(sys.argv[2]), sys.argv[3:] == ["--abort"])
