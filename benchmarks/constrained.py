"""Compares JSON under a schema and free text, of the model process and of a llama-server (`json_schema`).

Three ordinary schemas (`ordinary_schemas`), one that differs in each request, and free text, at 8 and 16 requests at a
time: tokens/s, the CPU time of a token and of a complete document, and the share of documents that are complete within
their budget. Both servers load the same file, get the same
messages, schemas and limits, and count tokens in the same way, by `usage`: those that the grammar dictates count. They
take turns within each round; the table shows medians over the rounds, and the median of the rounds' ratios. The CPU
time is that of all processes and threads of a server. It says something on a busy machine, too, best with
`--threads 1`, because threads that wait for another one count.

    .venv/bin/python -m benchmarks.constrained [--clients 8,16] [--rounds 3] [--threads N]
        [--only ticket,invoice,summary,once,free]
"""

from __future__ import annotations

import argparse
import asyncio
import json
import math
import re
import statistics
import sys
import time
from collections.abc import Iterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from typing import Any

import httpx
import jsonschema_rs
import psutil
from rich.console import Console
from rich.table import Table

from benchmarks.measured_model import find_model
from benchmarks.ordinary_schemas import FREE, TASKS, OrdinaryTask
from benchmarks.serving.servers import KEY, Server, ServerCommand, commands
from core.configuration import settings

TARGET_RATIO = 1.2
TURNS = 1  # documents that each client asks for, one after the other
OURS, THEIRS = "csps-llm", "llama-server"
QUANTILE = 0.5


@dataclass(frozen=True)
class Answer:
    tokens: int
    complete: bool  # a document that conforms; free text is always complete


@dataclass(frozen=True)
class Measured:
    tokens_per_s: float
    cpu_ms_per_token: float
    cpu_ms_per_document: float  # for each complete one; infinite if there is none
    complete: float


Results = dict[tuple[str, str, int], list[Measured]]  # by task, server and number of clients


async def ask(client: httpx.AsyncClient, server: Server, task: OrdinaryTask, number: int) -> Answer:
    body: dict[str, Any] = {
        "messages": task.messages(number),
        "max_tokens": task.max_tokens,
        "temperature": 0.7,
        "seed": number,
    }
    schema = task.schema_of(number)
    if schema is not None:
        body["response_format"] = {"type": "json_schema", "json_schema": {"name": task.name, "schema": schema}}
    response = await client.post(f"{server.url}/v1/chat/completions", json=body)
    response.raise_for_status()
    answer = response.json()
    text = answer["choices"][0]["message"]["content"]
    return Answer(int(answer["usage"]["completion_tokens"]), schema is None or conforms(text, schema))


def conforms(text: str, schema: dict[str, Any]) -> bool:
    try:
        return jsonschema_rs.is_valid(schema, json.loads(text))
    except ValueError:
        return False


async def measure(
    client: httpx.AsyncClient, server: Server, task: OrdinaryTask, clients: int, numbers: Iterator[int]
) -> Measured:
    """Lets `clients` requests run at a time until TURNS documents for each are written."""
    waiting = [next(numbers) for _ in range(TURNS * clients)]
    answers: list[Answer] = []

    async def work() -> None:
        while waiting:
            answers.append(await ask(client, server, task, waiting.pop()))

    cpu_s, started = cpu_seconds(server.pid), time.perf_counter()
    await asyncio.gather(*(work() for _ in range(clients)))
    took_s, cpu_s = time.perf_counter() - started, cpu_seconds(server.pid) - cpu_s
    tokens = sum(answer.tokens for answer in answers)
    complete = sum(answer.complete for answer in answers)
    cpu_ms = 1000 * cpu_s
    return Measured(
        tokens_per_s=tokens / took_s,
        cpu_ms_per_token=cpu_ms / tokens,
        cpu_ms_per_document=cpu_ms / complete if complete else math.inf,
        complete=complete / len(answers),
    )


def cpu_seconds(pid: int) -> float:
    """Returns the CPU time of a process and its children until now."""
    process = psutil.Process(pid)
    times = [each.cpu_times() for each in (process, *process.children(recursive=True))]
    return float(sum(each.user + each.system for each in times))


def with_threads(command: ServerCommand, threads: int | None) -> ServerCommand:
    """Returns the command with this number of threads; None: as many as the servers get by default."""
    if threads is None:
        return command
    arguments = list(command.arguments)
    if "--threads" in arguments:
        arguments[arguments.index("--threads") + 1] = str(threads)
    return replace(command, arguments=arguments, environment=command.environment | {"LLM_CPU_THREADS": str(threads)})


async def compare(
    clients: list[int], rounds: int, tasks: list[OrdinaryTask], threads: int | None
) -> tuple[Results, float]:
    results: Results = {}
    model = find_model(settings.load()).path
    async with AsyncExitStack() as stack:
        chosen = [with_threads(command, threads) for command in commands(model, max(clients))[:2]]
        servers = [await stack.enter_async_context(command.running()) for command in chosen]
        headers = {"Authorization": f"Bearer {KEY}"}
        limits = httpx.Limits(max_connections=max(clients))
        client = await stack.enter_async_context(httpx.AsyncClient(headers=headers, limits=limits, timeout=600))
        for server in servers:
            for task in tasks:
                await ask(client, server, task, 0)  # the first request of a process is slower and not measured
        number = 1
        for turn in range(rounds):
            for task in tasks:
                for count in clients:
                    for server in servers[:: 1 if turn % 2 else -1]:
                        run = await measure(client, server, task, count, iter(range(number, number + TURNS * count)))
                        results.setdefault((task.name, server.name, count), []).append(run)
                        print(f"{task.name} at {count}, {server.name}: {run}", file=sys.stderr)
                    number += TURNS * count
        return results, median_cost_ms((await client.get(f"{servers[0].url}/metrics")).text)


def median_cost_ms(exposition: str) -> float:
    """Returns the upper edge of the histogram bucket that holds the median, in milliseconds."""
    pattern = r'csps_model_constrained_choice_seconds_bucket\{le="([^"]+)",model="[^"]*"\} ([0-9.]+)'
    buckets = [(float(edge), float(count)) for edge, count in re.findall(pattern, exposition)]
    total = buckets[-1][1]
    return 1000 * next(edge for edge, count in buckets if count >= QUANTILE * total)


def show(results: Results, clients: list[int], tasks: list[OrdinaryTask]) -> bool:
    """Prints the table and the verdict; True if the target is reached."""
    table = Table("task", "at a time", *(f"{name}, tokens/s" for name in (OURS, THEIRS)), "ratio", "CPU ms/token")
    for title in ("CPU ratio", "CPU ms/document", "complete"):
        table.add_column(title)
    ratios = {}
    for task in tasks:
        for count in clients:
            ours, theirs = results[task.name, OURS, count], results[task.name, THEIRS, count]
            ratio = statistics.median(a.tokens_per_s / b.tokens_per_s for a, b in zip(ours, theirs, strict=True))
            if task is not FREE:
                ratios[task.name, count] = ratio
            table.add_row(task.name, str(count), *figures(ours, theirs, ratio))
    Console(width=140).print(table)
    print(
        "two values: csps-llm / llama-server; ratios above 1: csps-llm writes more tokens in a second, or of CPU time"
    )
    reached = bool(ratios) and min(ratios.values()) >= TARGET_RATIO
    if ratios:
        lowest = min(ratios, key=lambda each: ratios[each])
        verdict = "reached" if reached else "missed"
        print(
            f"target, {TARGET_RATIO} × llama-server's tokens/s under each schema: {verdict} "
            f"(lowest: {ratios[lowest]:.2f}, {lowest[0]} at {lowest[1]})"
        )
    return reached


def figures(ours: list[Measured], theirs: list[Measured], ratio: float) -> list[str]:
    """Returns the cells of a row after its task and its number of clients."""
    both = (ours, theirs)
    cpu_ratio = statistics.median(b.cpu_ms_per_token / a.cpu_ms_per_token for a, b in zip(ours, theirs, strict=True))
    return [
        *(f"{statistics.median(each.tokens_per_s for each in runs):.0f}" for runs in both),
        f"{ratio:.2f}",
        " / ".join(f"{statistics.median(each.cpu_ms_per_token for each in runs):.1f}" for runs in both),
        f"{cpu_ratio:.2f}",
        " / ".join(f"{statistics.median(each.cpu_ms_per_document for each in runs):.0f}" for runs in both),
        " / ".join(f"{statistics.mean(each.complete for each in runs):.0%}" for runs in both),
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--clients", default="8,16")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--threads", type=int)
    parser.add_argument("--only", default=",".join(task.name for task in TASKS))
    options = parser.parse_args()
    clients = [int(part) for part in options.clients.split(",")]
    tasks = [task for task in TASKS if task.name in options.only.split(",")]
    started = time.monotonic()
    results, cost_ms = asyncio.run(compare(clients, options.rounds, tasks, options.threads))
    show(results, clients, tasks)
    print(f"csps-llm chooses a token under a schema within {cost_ms:g} ms at the median")
    print(f"took {time.monotonic() - started:.0f} s")


if __name__ == "__main__":
    main()
