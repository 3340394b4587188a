"""Compares the model process with llama-server and with one `Llama` behind a lock, workload by workload.

All serve the same file over the same HTTP API to the same client. They take turns within each round, so that a noisy
machine disturbs all alike; ratios are formed within a round. Each llama-server is tried with one KV cache for all slots
and with one for each, and the faster setting is measured.

    .venv/bin/python -m benchmarks.serving [--only chat,conversations] [--clients 1,4,8,16,32] [--rounds 4]
    .venv/bin/python -m benchmarks.serving --only conversations --baseline /path/to/checkout/.venv/bin/python

`--baseline` runs the model process of another checkout too. `benchmarks/results/` gets one JSON file for each workload.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import aiohttp

from benchmarks.measured_model import find_model
from benchmarks.peers.build_llama_server import BuildFailed, find_or_build
from benchmarks.serving import report
from benchmarks.serving.machine import describe_machine, describe_versions
from benchmarks.serving.random_model import FORMATS
from benchmarks.serving.rounds import Workload, WorkloadRun
from benchmarks.serving.servers import (
    BEFORE,
    LOCKED,
    OURS,
    SAME_SOURCE,
    THEIRS,
    ServerCommand,
    ServerDidNotStart,
    baseline_command,
    llama_server_commands,
    locked_command,
    our_command,
)
from benchmarks.serving.workloads.arrivals import ArrivalsWorkload
from benchmarks.serving.workloads.chat import ChatWorkload
from benchmarks.serving.workloads.conversations import ConversationsWorkload
from benchmarks.serving.workloads.memory import MemoryWorkload
from benchmarks.serving.workloads.memory_bound import MemoryBoundWorkload
from benchmarks.serving.workloads.options import WorkloadOptions
from benchmarks.serving.workloads.returning import ReturningWorkload
from benchmarks.serving.workloads.roofline import RooflineWorkload
from core.configuration import settings
from core.errors import CspsError

WORKLOADS: dict[str, Callable[[WorkloadOptions], Workload]] = {
    each.name: each
    for each in (
        *(ChatWorkload, ConversationsWorkload, ArrivalsWorkload, ReturningWorkload),
        *(MemoryBoundWorkload, RooflineWorkload, MemoryWorkload),
    )
}
KV_SETTINGS = {"best": ("kv-unified", "no-kv-unified"), "unified": ("kv-unified",), "streams": ("no-kv-unified",)}


def candidates(workload: Workload, options: argparse.Namespace) -> list[list[ServerCommand]]:
    """Returns the commands of each server; more than one where a setting is to be chosen."""
    model, capacity = workload.model, workload.capacity
    known = {
        OURS: lambda: [our_command(model, capacity)],
        BEFORE: lambda: [baseline_command(model, capacity, options.baseline)] if options.baseline else [],
        THEIRS: lambda: llama_server_commands(model, capacity),
        SAME_SOURCE: lambda: same_source_commands(workload),
        LOCKED: lambda: [locked_command(model)],
    }
    wanted = [name for name in known if name in workload.servers() and name not in options.without]
    groups = [[command for command in known[name]() if keeps(command, options.kv)] for name in wanted]
    return [group for group in groups if group]


def same_source_commands(workload: Workload) -> list[ServerCommand]:
    try:
        return llama_server_commands(workload.model, workload.capacity, find_or_build())
    except BuildFailed as exc:
        print(f"without {SAME_SOURCE}: {exc}")
        return []


def keeps(command: ServerCommand, kv: str) -> bool:
    return not command.setting or command.setting in KV_SETTINGS[kv]


async def measure(workload: Workload, options: argparse.Namespace) -> None:
    groups = candidates(workload, options)
    before = next((command.folder for group in groups for command in group if command.name == BEFORE), None)
    machine, versions = describe_machine(), describe_versions(before)

    def save(run: WorkloadRun) -> Path:
        return report.write(report.to_json(run, machine, versions), options.results)

    run = WorkloadRun(workload)
    await run.run(groups, options.rounds, save)
    report.print_run(run)
    print(f"written: {save(run)}")


def words(text: str) -> list[str]:
    return [part.strip() for part in text.split(",") if part.strip()]


def parse(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", type=words, default=list(WORKLOADS), help=f"of {', '.join(WORKLOADS)}")
    parser.add_argument("--clients", type=lambda text: tuple(map(int, words(text))), default=(1, 4, 8, 16, 32))
    parser.add_argument("--rounds", type=int, default=4)
    parser.add_argument("--tokens", type=int, default=64, help="of an answer")
    parser.add_argument("--prompt-tokens", type=int, default=1500, help="of a conversation or a long prompt")
    parser.add_argument("--conversations", type=int, help="fewer than the targets ask for")
    parser.add_argument("--interval", type=float, default=12.0, help="seconds between two arrivals, on average")
    parser.add_argument("--requests", type=int, default=2000, help="of the workload memory")
    parser.add_argument("--random-format", choices=FORMATS, default="q8_0", help="of the memory-bound model")
    parser.add_argument("--model", type=Path, help="a GGUF file; without it, LLM_MODEL_FILE or the starter")
    parser.add_argument("--kv", choices=KV_SETTINGS, default="best", help="the KV cache of llama-server")
    parser.add_argument("--without", type=words, default=[], help="servers to leave out, such as 'Llama + lock'")
    parser.add_argument("--baseline", metavar="PYTHON", help="the Python of another checkout, measured as 'before'")
    parser.add_argument("--results", type=Path, default=report.RESULTS)
    options = parser.parse_args(arguments)
    if unknown := set(options.only) - set(WORKLOADS):
        parser.error(f"unknown workload: {', '.join(sorted(unknown))}")
    return options


def main() -> int:
    options = parse()
    model = options.model or find_model(settings.load()).path
    sizes = WorkloadOptions(
        model=model,
        clients=options.clients,
        tokens=options.tokens,
        prompt_tokens=options.prompt_tokens,
        interval_s=options.interval,
        requests=options.requests,
        random_format=options.random_format,
        conversations=options.conversations,
    )
    failed = False
    for name in options.only:
        try:
            asyncio.run(measure(WORKLOADS[name](sizes), options))
        except (ServerDidNotStart, aiohttp.ClientError, CspsError) as exc:  # the other workloads can still be measured
            failed = True
            print(f"{name}: {type(exc).__name__}: {exc}", flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
