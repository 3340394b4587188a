"""Compares `csps-llm tune` with an exhaustive search over the same settings.

    .venv/bin/python -m benchmarks.tuning [--model FILE] [--budget 100] [--rounds 3] [--finalists 3]

Tunes the model, then measures every combination of the same values, in turns, `rounds` times each. The best of them and
the tuned one take turns again: single measurements of many combinations favour the lucky ones. The target: a typical
request takes at most 10 % longer with the tuned settings than with the best combination.
"""

from __future__ import annotations

import argparse
import itertools
import statistics
import sys
import time
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path

from rich.console import Console
from rich.table import Table

from core.cli.measuring_process import MeasuringProcess
from core.cli.tune import BUDGET_S, plan_trials
from core.configuration import settings as settings_module
from core.model.hardware.machine import inspect_machine
from core.model.hardware.processor import choose_threads
from core.model.hardware.tuning_search import TuningSearch
from core.model.hardware.tuning_space import PARTS, Dimension, Trial
from core.model.library.starter import find_starter
from core.model.worker.llama.loading import transcode

TARGET_RATIO = 1.10
TARGET_S = 120.0
FINAL_ROUNDS = 9

Costs = dict[Trial, list[float]]


def all_trials(default: Trial, space: Sequence[Dimension]) -> list[Trial]:
    """Returns every combination of the dimensions' values."""
    trials = []
    for values in itertools.product(*(dimension.values for dimension in space)):
        trial = default
        for value in values:
            trial = replace(trial, **value)
        trials.append(trial)
    return list(dict.fromkeys(trials))


def measure_in_turns(process: MeasuringProcess, trials: Iterable[Trial], rounds: int, show: str) -> Costs:
    """Returns the costs of each trial, in seconds for a typical request. Refused ones are left out."""
    costs: Costs = {trial: [] for trial in trials}
    for number in range(rounds):
        print(f"{show}: round {number + 1} of {rounds}", file=sys.stderr)
        for trial in list(costs):
            timing = process.measure(trial, PARTS)
            if timing is None:
                del costs[trial]
            else:
                costs[trial].append(timing.cost_s)
    return costs


def print_costs(costs: Costs, tuned: Trial, default: Trial) -> None:
    table = Table("threads", "batch", "ubatch", "flash", "KV", "GPU layers", "s for a request", "")
    for trial, seconds in sorted(costs.items(), key=lambda item: statistics.median(item[1])):
        marks = ", ".join(name for name, each in (("tuned", tuned), ("automatic", default)) if each == trial)
        values = (str(value) for value in trial.to_dict().values())
        table.add_row(*values, f"{statistics.median(seconds):.2f}", marks)
    Console(width=110).print(table)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", type=Path, help="a GGUF file; without it, the starter")
    parser.add_argument("--budget", type=float, default=BUDGET_S, help="seconds for tuning")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--finalists", type=int, default=3)
    options = parser.parse_args()
    settings = settings_module.load({})
    path = options.model or find_starter(settings.data_folder / "models", prepare).path
    started = time.monotonic()
    with MeasuringProcess(path) as process:
        default, space = plan_trials(settings, inspect_machine(), process.facts)
        result = TuningSearch(process.measure, time.monotonic, options.budget).run(default, space, print)
        took_s = time.monotonic() - started
        every = measure_in_turns(process, all_trials(default, space), options.rounds, "exhaustive")
        best = sorted(every, key=lambda trial: statistics.median(every[trial]))[: options.finalists]
        final = measure_in_turns(process, dict.fromkeys([result.best, default, *best]), FINAL_ROUNDS, "final")
    print_costs(final, result.best, default)
    medians = {trial: statistics.median(costs) for trial, costs in final.items()}
    ratio = medians[result.best] / min(medians.values())
    print(f"combinations: {len(every)}; tuned in {took_s:.0f} s with {result.measurements} measurements")
    print(f"tuned / best of all: {ratio:.3f}; automatic / best of all: {medians[default] / min(medians.values()):.3f}")
    reached = ratio <= TARGET_RATIO and took_s <= TARGET_S
    print(f"target (at most {TARGET_RATIO}, in {TARGET_S:.0f} s): {'reached' if reached else 'missed'}")
    sys.exit(not reached)


def prepare(source: Path, target: Path) -> None:
    transcode(source, target, choose_threads())


if __name__ == "__main__":
    main()
