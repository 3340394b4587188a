"""Prints a workload's table and targets, and writes them with all samples as JSON."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from benchmarks.serving.measures import Measurement, Sample
from benchmarks.serving.rounds import WorkloadRun
from benchmarks.serving.servers import OURS

RESULTS = Path(__file__).parents[1] / "results"


def print_run(run: WorkloadRun) -> None:
    """Prints the medians of all rounds, and in brackets ours divided by theirs."""
    measurement = run.measurement
    headings = [metric.replace("_", " ") for metric in run.workload.metrics]
    table = Table(run.workload.case_name, "server", *headings)
    for case in measurement.cases:
        for server in measurement.servers:
            setting = run.settings.get(server, "")
            label = f"{server} ({setting})" if setting else server
            table.add_row(case, label, *(cell(measurement, server, case, each) for each in run.workload.metrics))
    Console(width=160).print(table)
    print("in brackets: ours divided by theirs, median of the rounds (lowest–highest)")
    for target in run.workload.targets:
        verdict = measurement.judge(OURS, target)
        if verdict.reached is not None:
            print(verdict)


def cell(measurement: Measurement, server: str, case: str, metric: str) -> str:
    value = measurement.median(server, case, metric)
    if value is None:
        return ""
    ratio = measurement.ratio(OURS, server, case, metric) if server != OURS else None
    return f"{value:.3g}" + (f"  {ratio}" if ratio else "")


def to_json(run: WorkloadRun, machine: dict[str, object], versions: dict[str, str]) -> dict[str, Any]:
    """Returns all that a table or a plot needs."""
    verdicts = [run.measurement.judge(OURS, target) for target in run.workload.targets]
    return {
        "workload": run.workload.name,
        "case_name": run.workload.case_name,
        "metrics": list(run.workload.metrics),
        "measured_at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "machine": machine,
        "versions": versions,
        "settings": run.settings,
        "load_before_rounds": [asdict(load) for load in run.loads],
        "targets": [
            {
                "target": str(verdict.target),
                "reached": verdict.reached,
                "server": verdict.server,
                **(asdict(verdict.found) if verdict.found else {}),
            }
            for verdict in verdicts
        ],
        "samples": [asdict(sample) for sample in run.measurement.samples],
    }


def write(content: dict[str, Any], folder: Path = RESULTS) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{content['workload']}.json"
    path.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
    return path


def read_samples(content: Mapping[str, Any]) -> Measurement:
    return Measurement([Sample(**sample) for sample in content["samples"]])
