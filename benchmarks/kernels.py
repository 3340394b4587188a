"""Times `llama_decode` alone, with our kernels and without them (as benchmarks.peers.build_llama_server compiles it).

    .venv/bin/python -m benchmarks.kernels [--rounds 3] [--threads 1] [--model FILE]

With one thread the figures are CPU time, so that a busy machine disturbs them little. Both libraries take turns.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table

from benchmarks.measured_model import find_model
from benchmarks.peers.build_llama_server import find_or_build
from core.configuration import settings
from core.model.worker.llama.loading import RunnerConfig, load
from core.model.worker.llama.runner import BatchRow, LlamaRunner

CELLS = 16_384
REPEATS = 5
RNG = np.random.default_rng(0)


def tokens(count: int) -> NDArray[np.int32]:
    return RNG.integers(100, 40_000, count).astype(np.int32)


def clock(threads: int) -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime if threads == 1 else time.perf_counter()


class Meter:
    """Milliseconds of single calls, the least of several."""

    def __init__(self, model: Path, threads: int) -> None:
        self._threads = threads
        config = RunnerConfig(window=4096, cache_tokens=CELLS, sequences=40, threads=threads, gpu_layers=0)
        self._runner: LlamaRunner = load(model, config)

    def call(self, rows: list[BatchRow]) -> float:
        started = clock(self._threads)
        self._runner.decode(rows)
        return 1000 * (clock(self._threads) - started)

    def extend(self, sequence: int, start: int, end: int) -> None:
        for begin in range(start, end, 512):
            self._runner.decode([BatchRow(sequence, begin, tokens(min(512, end - begin)), False)])

    def prompt(self, depth: int) -> float:
        """512 tokens of a prompt after `depth` others."""
        times = []
        for _ in range(2):
            self._runner.clear()
            self.extend(0, 0, depth)
            times.append(self.call([BatchRow(0, depth, tokens(512), True)]))
        return min(times)

    def fill(self, sequences: int, depth: int, shared: int) -> None:
        """Gives each sequence cells of its own, after the first `shared` ones, which are the same for all."""
        self._runner.clear()
        self.extend(0, 0, depth)
        state = self._runner.save(0)
        for sequence in range(1, sequences):
            if shared:
                self._runner.fork(0, sequence, shared)
                self.extend(sequence, shared, depth)
            else:
                self._runner.restore(sequence, [state])

    def step(self, sequences: int, depth: int, shared: int = 0, together: int = 0) -> float:
        """A token for each of so many sequences, each with `depth` tokens before it.

        `together`: so many of them were computed a token of each sequence at a time, as answers are.
        """
        self.fill(sequences, depth - together, shared)
        for n in range(depth - together, depth):
            self._runner.decode([BatchRow(s, n, tokens(1), True) for s in range(sequences)])
        rows = [[BatchRow(s, depth + n, tokens(1), True) for s in range(sequences)] for n in range(REPEATS)]
        return min(self.call(row) for row in rows)


MEASURES: dict[str, Callable[[Meter], float]] = {
    "prompt of 512 tokens": lambda meter: meter.prompt(0),
    "512 tokens after 2,048": lambda meter: meter.prompt(2048),
    "one answer at 350": lambda meter: meter.step(1, 350),
    "4 answers at 350": lambda meter: meter.step(4, 350),
    "16 answers at 0": lambda meter: meter.step(16, 0),
    "16 answers at 350": lambda meter: meter.step(16, 350),
    "16 answers at 350, 250 of them shared": lambda meter: meter.step(16, 350, 250),
    "16 answers at 350, 250 shared, 60 written": lambda meter: meter.step(16, 350, 250, together=60),
    "32 answers at 350, 250 shared, 60 written": lambda meter: meter.step(32, 350, 250, together=60),
    "16 answers at 800": lambda meter: meter.step(16, 800),
}


def measure_here(model: Path, threads: int) -> dict[str, float]:
    meter = Meter(model, threads)
    meter.prompt(0)  # the first calls of a process are slower
    return {name: measure(meter) for name, measure in MEASURES.items()}


def measure_with(library: Path | None, model: Path, threads: int) -> dict[str, float]:
    """Measures in a process of its own, which loads llama.cpp from this folder, or the installed one."""
    environ = {**os.environ, **({"LLAMA_CPP_LIB_PATH": str(library)} if library else {})}
    command = [sys.executable, "-m", "benchmarks.kernels", "--here", "--model", str(model), "--threads", str(threads)]
    done = subprocess.run(command, env=environ, capture_output=True, text=True, check=True)
    return {name: float(ms) for name, ms in json.loads(done.stdout.splitlines()[-1]).items()}


def show(ours: list[dict[str, float]], plain: list[dict[str, float]]) -> None:
    table = Table("a call", "ours, ms", "llama.cpp's own, ms", "times as fast")
    for name in MEASURES:
        ratios = sorted(theirs[name] / mine[name] for mine, theirs in zip(ours, plain, strict=True))
        mine, theirs = (statistics.median(each[name] for each in rounds) for rounds in (ours, plain))
        table.add_row(
            name, f"{mine:.1f}", f"{theirs:.1f}", f"{statistics.median(ratios):.2f} ({ratios[0]:.2f}…{ratios[-1]:.2f})"
        )
    Console(width=120).print(table)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--model", type=Path)
    parser.add_argument("--here", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    model = options.model or find_model(settings.load()).path
    if options.here:
        print(json.dumps(measure_here(model, options.threads)))
        return
    library = find_or_build().parent
    ours, plain = [], []
    for _ in range(options.rounds):
        ours.append(measure_with(None, model, options.threads))
        plain.append(measure_with(library, model, options.threads))
    show(ours, plain)


if __name__ == "__main__":
    main()
