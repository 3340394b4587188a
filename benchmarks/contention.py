"""Measures a decode step while other processes use the cores, by the spin count of llama.cpp's threads.

    .venv/bin/python -m benchmarks.contention [--burners 2] [--rounds 3]

Each setting runs in its own process, alone and beside `burners` busy loops. The table shows medians over the rounds, in
milliseconds for a step of eight sequences.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import time

from rich.console import Console
from rich.table import Table

SETTINGS = ("infinite", "30000", "3000", "300")  # the first is libgomp's default if there are as many threads as cores
SEQUENCES = 8
STEPS = 20


def measure(burners: int) -> dict[str, float]:
    """Returns the median milliseconds of a step, alone and under load. Runs in a child process."""
    from benchmarks.measured_model import find_model
    from core.configuration import settings
    from core.model.hardware.processor import choose_threads
    from core.model.worker.llama.loading import RunnerConfig, load
    from core.model.worker.llama.runner import BatchRow

    path = find_model(settings.load()).path
    runner = load(path, RunnerConfig(window=1024, cache_tokens=2048, sequences=16, threads=choose_threads()))

    def step_ms() -> float:
        runner.clear()
        runner.decode([BatchRow(s, 0, list(range(100, 120)), True) for s in range(SEQUENCES)])
        times = []
        for position in range(20, 20 + STEPS):
            started = time.perf_counter()
            runner.logits(runner.decode([BatchRow(s, position, [300 + s], True) for s in range(SEQUENCES)])[0])
            times.append(time.perf_counter() - started)
        return statistics.median(times) * 1000

    alone = step_ms()
    loops = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(burners)]
    try:
        time.sleep(0.5)
        return {"alone": alone, "loaded": step_ms()}
    finally:
        for loop in loops:
            loop.kill()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--burners", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--child", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        print(json.dumps(measure(options.burners)))
        return
    results: dict[str, list[dict[str, float]]] = {setting: [] for setting in SETTINGS}
    for _ in range(options.rounds):
        for setting in SETTINGS:
            command = [sys.executable, "-m", "benchmarks.contention", "--child", "--burners", str(options.burners)]
            child = subprocess.run(
                command, env={**os.environ, "GOMP_SPINCOUNT": setting}, capture_output=True, check=True
            )
            results[setting].append(json.loads(child.stdout.splitlines()[-1]))
    table = Table("spin count", "alone, ms per step", f"beside {options.burners} busy loops", "worst round")
    for setting, runs in results.items():
        loaded = [run["loaded"] for run in runs]
        alone = statistics.median(run["alone"] for run in runs)
        table.add_row(setting, f"{alone:.0f}", f"{statistics.median(loaded):.0f}", f"{max(loaded):.0f}")
    Console().print(table)


if __name__ == "__main__":
    main()
