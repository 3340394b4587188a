"""Compares `csps-llm tune` with an exhaustive search over the same settings.

    .venv/bin/python -m benchmarks.tuning [--model FILE] [--budget 90] [--rounds 5] [--finalists 2] [--pairs 40]

Tunes the model, then measures every combination of the same values, in turns, `rounds` times each: prompts, answers and
shared steps apart, because each setting acts on some of them only. The exhaustive search has noise too, and of many
combinations a lucky one looks best. So its finalists meet the tuned settings again, in fresh pairs that are measured
one right after the other. The target: a typical request takes at most 10 % longer with the tuned settings than with
the best finalist. More pairs are measured until the error no longer reaches across the target, `--pairs` at most.
"""

from __future__ import annotations

import argparse
import itertools
import math
import statistics
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from rich.console import Console
from rich.table import Table

from core.cli.measuring_process import MeasuringProcess
from core.cli.tune import BUDGET_S, plan_trials
from core.configuration import settings as settings_module
from core.model.hardware.machine import inspect_machine
from core.model.hardware.processor import choose_threads
from core.model.hardware.tuning_search import STANDARD_ERRORS, TuningSearch, error_of_median
from core.model.hardware.tuning_space import PARTS, Dimension, Part, Timing, Trial
from core.model.library.starter import find_starter
from core.model.worker.llama.loading import transcode

TARGET_RATIO = 1.10
TARGET_S = 120.0
FEWEST_PAIRS = 9
OPEN = "open: the noise is too large; run it again while the machine is idle"

Ratio = tuple[float, float]  # the tuned settings' time divided by a rival's, and the standard error of its logarithm


def all_trials(default: Trial, space: Sequence[Dimension]) -> list[Trial]:
    """Returns every combination of the dimensions' values."""
    trials = []
    for values in itertools.product(*(dimension.values for dimension in space)):
        trial = default
        for value in values:
            trial = replace(trial, **value)
        trials.append(trial)
    return list(dict.fromkeys(trials))


class ExhaustiveSearch:
    """Measures each part of a request once a round for each combination of the settings on which it depends."""

    def __init__(self, process: MeasuringProcess, default: Trial, space: Sequence[Dimension]) -> None:
        self._process = process
        self._default = default
        self._space = space
        self._samples: dict[tuple[Part, Trial], list[Timing]] = {}

    def run(self, trials: Sequence[Trial], rounds: int) -> dict[Trial, float]:
        """Returns the median seconds of a typical request; refused trials are left out."""
        jobs = list(dict.fromkeys((part, self._reduced(trial, part)) for trial in trials for part in PARTS))
        jobs.sort(key=lambda job: (job[1].gpu_layers, str(job[1])))  # weights are loaded again as seldom as possible
        for number in range(rounds):
            print(f"exhaustive: round {number + 1} of {rounds}, {len(jobs)} measurements", file=sys.stderr)
            for part, trial in jobs:
                if timing := self._process.measure(trial, (part,)):
                    self._samples.setdefault((part, trial), []).append(timing)
        return {trial: sum(costs) for trial in trials if len(costs := list(self._costs(trial))) == len(PARTS)}

    def _costs(self, trial: Trial) -> Iterator[float]:
        for part in PARTS:
            if samples := self._samples.get((part, self._reduced(trial, part))):
                yield statistics.median(timing.cost_s for timing in samples)

    def _reduced(self, trial: Trial, part: Part) -> Trial:
        """Returns the trial with the default's values where the part does not depend on them."""
        values = {
            name: getattr(self._default, name)
            for dimension in self._space
            if part not in dimension.parts
            for name in dimension.values[0]
        }
        return replace(trial, **values)


def compare(process: MeasuringProcess, tuned: Trial, rival: Trial, pairs: int) -> Ratio:
    """Returns the ratio of their times, in fresh pairs whose order alternates: as few as suffice for a verdict."""
    logs: list[float] = []
    ratio = (1.0, math.inf)
    for number in range(pairs):
        costs = {}
        for trial in (tuned, rival) if number % 2 else (rival, tuned):
            timing = process.measure(trial, PARTS)
            assert timing  # it was measured before
            costs[trial] = timing.cost_s
        logs.append(math.log(costs[tuned] / costs[rival]))
        ratio = math.exp(statistics.median(logs)), error_of_median(logs)
        if len(logs) >= FEWEST_PAIRS and judge(ratio) != OPEN:
            break
    return ratio


def judge(ratio: Ratio) -> str:
    middle, error = ratio
    if abs(math.log(TARGET_RATIO / middle)) < STANDARD_ERRORS * error:
        return OPEN
    return "reached" if middle <= TARGET_RATIO else "missed"


def print_costs(costs: dict[Trial, float], ratios: dict[Trial, Ratio], tuned: Trial, default: Trial) -> None:
    table = Table("threads", "batch", "ubatch", "flash", "KV", "GPU layers", "s a request", "tuned / this", "")
    for trial in dict.fromkeys((*ratios, tuned, default)):
        marks = ", ".join(name for name, each in (("tuned", tuned), ("automatic", default)) if each == trial)
        values = (str(value) for value in trial.to_dict().values())
        fresh = "{:.3f} ± {:.3f}".format(*ratios[trial]) if trial in ratios else ""
        table.add_row(*values, f"{costs[trial]:.2f}" if trial in costs else "", fresh, marks)
    Console(width=120).print(table)


def main() -> None:
    options = parse_options()
    settings = settings_module.load({})
    path = options.model or find_starter(settings.data_folder / "models", prepare).path
    started = time.monotonic()
    with MeasuringProcess(path) as process:
        default, space = plan_trials(settings, inspect_machine(), process.facts)
        tuned = TuningSearch(process.measure, time.monotonic, options.budget).run(default, space, print)
        took_s = time.monotonic() - started
        costs = ExhaustiveSearch(process, default, space).run(all_trials(default, space), options.rounds)
        finalists = sorted(costs, key=lambda trial: costs[trial])[: options.finalists]
        rivals = [trial for trial in dict.fromkeys((*finalists, default)) if trial != tuned.best]
        ratios = {rival: compare(process, tuned.best, rival, options.pairs) for rival in rivals}
    print_costs(costs, ratios, tuned.best, default)
    worst = max(ratios.values(), default=(1.0, 0.0))
    verdict = judge(worst) if took_s <= TARGET_S else "missed: tuning took too long"
    print(f"combinations: {len(costs)}; tuned in {took_s:.0f} s with {tuned.measurements} measurements")
    print(f"tuned / best of the others, in fresh pairs: {worst[0]:.3f} ± {worst[1]:.3f} (standard error)")
    print(f"target (at most {TARGET_RATIO}, in {TARGET_S:.0f} s): {verdict}")
    sys.exit(verdict != "reached")


def parse_options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", type=Path, help="a GGUF file; without it, the starter")
    parser.add_argument("--budget", type=float, default=BUDGET_S, help="seconds for tuning")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--finalists", type=int, default=2)
    parser.add_argument("--pairs", type=int, default=40)
    return parser.parse_args()


def prepare(source: Path, target: Path) -> None:
    transcode(source, target, choose_threads())


if __name__ == "__main__":
    main()
