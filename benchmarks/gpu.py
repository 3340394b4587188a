"""Measures a model on the processor and on the GPUs: no layer, half of the layers that fit, and all of them.

    .venv/bin/python -m benchmarks.gpu [--model FILE] [--rounds 5]

Prints the tokens a second of prompts, of one answer, and of eight answers together: medians of rounds in which the
placements take turns. Without a GPU that the engine can use it says so, and exits with 1.
"""

from __future__ import annotations

import argparse
import statistics
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from rich.console import Console
from rich.table import Table

from benchmarks.tuning import prepare
from core.cli.measuring_process import MeasuringProcess
from core.cli.tune import plan_trials, rates
from core.configuration import settings as settings_module
from core.model.hardware.machine import inspect_machine
from core.model.hardware.tuning_search import median_timing
from core.model.hardware.tuning_space import PARTS, SHARED_SEQUENCES, Timing, Trial
from core.model.library.starter import find_starter


def measure(process: MeasuringProcess, trials: Sequence[Trial], rounds: int) -> dict[Trial, list[Timing]]:
    """Returns the timings of each trial; a refused one has none."""
    samples: dict[Trial, list[Timing]] = {trial: [] for trial in trials}
    for _ in range(rounds):
        for trial in trials:
            if timing := process.measure(trial, PARTS):
                samples[trial].append(timing)
    return samples


def print_rates(samples: dict[Trial, list[Timing]]) -> None:
    table = Table("GPU layers", "prompt tokens/s", "answer tokens/s", f"{SHARED_SEQUENCES} answers tokens/s", "gain")
    first = next((median_timing(each).cost_s for each in samples.values() if each), 0.0)
    for trial, timings in samples.items():
        if not timings:
            table.add_row(str(trial.gpu_layers), "refused")
            continue
        median = median_timing(timings)
        speeds = (f"{rates(median)[part]:.0f}" for part in PARTS)
        spread = statistics.pstdev(timing.cost_s for timing in timings) / median.cost_s
        table.add_row(str(trial.gpu_layers), *speeds, f"{first / median.cost_s:.2f} ± {spread:.2f}")
    Console(width=100).print(table)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", type=Path, help="a GGUF file; without it, the starter")
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    settings = settings_module.load({})
    machine = inspect_machine()
    path = options.model or find_starter(settings.data_folder / "models", prepare).path
    print("GPUs:", ", ".join(f"{gpu.name} ({gpu.kind})" for gpu in machine.gpus) or "none")
    print("engine compiled for:", ", ".join(sorted(machine.engine_backends)) or "the processor only")
    with MeasuringProcess(path) as process:
        default, _ = plan_trials(settings, machine, process.facts)
        layers = int(process.facts["gpu_layers"])
        if not layers:
            print("no usable GPU: nothing was measured")
            sys.exit(1)
        placements = [replace(default, gpu_layers=each) for each in dict.fromkeys((0, layers // 2, layers))]
        print_rates(measure(process, placements, options.rounds))


if __name__ == "__main__":
    main()
