"""Toil over real-world schemas, beside a llama-server's `json_schema`: what comes back, counted by the same validator.

The data is a folder of *.jsonl with one {"id", "schema"} a line, such as JSONSchemaBench (Geng et al., 2025).
Ours goes the whole way: the engine, its plan and check, and a model process of its own. A server that dies
or hangs is started again, and that is counted.

    .venv/bin/python -m benchmarks.schemas --data FOLDER [--sample 100 | --all] [--peers csps-llm,llama-server]
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import structlog
from rich.console import Console
from rich.table import Table

from benchmarks.serving import KEY, Peer, commands, free_port, peer
from core import bootstrap, settings, strict_json
from core.conformance import Judge
from core.contract import Sampling, Task
from core.engine import ChatEngine
from core.errors import BadRequest, CspsError, ModelUnavailable, SchemaRefused
from core.model.host import find_model

OURS, THEIRS = "csps-llm", "llama-server"
AT_ONCE = 8
TIMEOUT_S = 180  # 2048 tokens for each of eight take a fraction of it
DIED = "died"
HUNG = "did not answer"


@dataclass(frozen=True)
class Case:
    id: str
    schema: Any

    @property
    def prompt(self) -> str:
        about = self.schema.get("title") or self.schema.get("description") or self.id if self.schema else self.id
        return f"Write one short, realistic example of this kind of JSON document: {str(about)[:300]}"


@dataclass
class Tally:
    """Outcomes by name, and the cases of the bad ones."""

    outcomes: Counter[str] = field(default_factory=Counter)
    cases: dict[str, list[str]] = field(default_factory=dict)
    took_s: float = 0.0

    def add(self, outcome: str, case: Case) -> None:
        self.outcomes[outcome] += 1
        self.cases.setdefault(outcome, []).append(case.id)


Ask = Callable[[Case], Awaitable[str]]


def read(folder: Path) -> list[Case]:
    lines = [line for file in sorted(folder.glob("*.jsonl")) for line in file.read_text(encoding="utf-8").splitlines()]
    return [Case(row["id"], row["schema"]) for row in map(json.loads, lines)]


async def verdict(judge: Judge, text: str, schema: Any) -> str:
    """What a 200 is worth."""
    try:
        problems = await judge.problems(schema, strict_json.parse(text))
    except BadRequest as exc:
        return "200 not judged" if isinstance(exc, SchemaRefused) else "200 INVALID (not JSON)"
    return "200 INVALID" if problems else "200 valid"


def ours(engine: ChatEngine, judge: Judge, tokens: int) -> Ask:
    async def ask(case: Case) -> str:
        task = Task("whisper", case.prompt, case.schema, sampling=Sampling(max_tokens=tokens, seed=1))
        try:
            toiled = await engine.toil(task)
        except ModelUnavailable:
            return DIED
        except CspsError as exc:
            return f"{exc.status} {exc.code}"
        # As it leaves the service: the bytes are judged, not the value.
        return await verdict(judge, strict_json.dump(toiled.value).decode(), case.schema)

    return ask


def theirs(client: httpx.AsyncClient, at: Peer, judge: Judge, tokens: int) -> Ask:
    async def ask(case: Case) -> str:
        body = {
            "messages": [{"role": "user", "content": case.prompt}],
            "response_format": {"type": "json_schema", "json_schema": {"name": "answer", "schema": case.schema}},
            "max_tokens": tokens,
            "seed": 1,
        }
        try:
            response = await client.post(f"{at.url}/v1/chat/completions", json=body)
        except httpx.TimeoutException:
            return HUNG
        except httpx.TransportError:
            return DIED
        if response.status_code != 200:
            return f"{response.status_code}"
        choice = response.json()["choices"][0]
        if choice["finish_reason"] == "length":
            return "200 CUT OFF"
        return await verdict(judge, choice["message"]["content"] or "", case.schema)

    return ask


async def ask_all(cases: Sequence[Case], ask: Ask, tally: Tally) -> list[Case]:
    """Eight at a time, until all are asked or the server dies; those that are then left."""
    waiting = list(reversed(cases))
    died = asyncio.Event()

    async def worker() -> None:
        while waiting and not died.is_set():
            case = waiting.pop()
            outcome = await ask(case)
            lost = outcome in (DIED, HUNG)
            if lost and died.is_set():
                waiting.append(case)  # another one's doing
                continue
            if lost:
                died.set()
            tally.add(outcome, case)
            print(".", end="", flush=True, file=sys.stderr)

    async with asyncio.TaskGroup() as workers:
        for _ in range(AT_ONCE):
            workers.create_task(worker())
    return waiting[::-1]


async def run_ours(model: Path, cases: list[Case], judge: Judge, tokens: int, tally: Tally) -> list[Case]:
    _, command, environment = next(row for row in commands(model, AT_ONCE) if row[0] == OURS)
    port = free_port()
    variables = {name: value.replace("PORT", str(port)) for name, value in environment.items()}
    async with peer(OURS, command, port, variables):
        with tempfile.TemporaryDirectory() as data:
            chosen = settings.load({**variables, "CSPS_LLM_DATA": data, "LLM_WAIT_S": "5"})
            async with bootstrap.engine(chosen) as engine:
                return await ask_all(cases, ours(engine, judge, tokens), tally)


async def run_theirs(model: Path, cases: list[Case], judge: Judge, tokens: int, tally: Tally) -> list[Case]:
    _, command, environment = next(row for row in commands(model, AT_ONCE) if row[0] == THEIRS)
    port = free_port()
    filled = [part.replace("PORT", str(port)) for part in command]
    async with peer(THEIRS, filled, port, environment) as at, httpx.AsyncClient(timeout=TIMEOUT_S) as client:
        client.headers["Authorization"] = f"Bearer {KEY}"
        return await ask_all(cases, theirs(client, at, judge, tokens), tally)


async def count(model: Path, cases: list[Case], names: list[str], tokens: int) -> dict[str, Tally]:
    judge, tallies = Judge(), {name: Tally() for name in names}
    try:
        for name, tally in tallies.items():
            run, left, started = (run_ours if name == OURS else run_theirs), cases, time.monotonic()
            while left:
                left = await run(model, left, judge, tokens, tally)
            tally.took_s = time.monotonic() - started
    finally:
        await judge.close()
    return tallies


def show(tallies: dict[str, Tally], total: int) -> None:
    table = Table("outcome", *tallies)
    for outcome in sorted({outcome for tally in tallies.values() for outcome in tally.outcomes}):
        table.add_row(outcome, *(str(tally.outcomes[outcome]) for tally in tallies.values()))
    table.add_row("seconds", *(f"{tally.took_s:.0f}" for tally in tallies.values()))
    Console(width=120).print(table)
    print(f"{total} schemas; wanted of ours: no 200 INVALID, no 200 CUT OFF, no 5xx, none died, 200 valid for 95 %")
    for name, tally in tallies.items():
        for outcome, cases in sorted(tally.cases.items()):
            if outcome != "200 valid":
                print(f"{name}, {outcome}: {' '.join(sorted(cases))}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--sample", type=int, default=100)
    parser.add_argument("--all", action="store_true")
    parser.add_argument("--tokens", type=int, default=2048)
    parser.add_argument("--peers", default=f"{OURS},{THEIRS}")
    parser.add_argument("--verbose", action="store_true", help="with the events of the log")
    options = parser.parse_args()
    if not options.verbose:
        structlog.configure(logger_factory=structlog.ReturnLoggerFactory())
    cases = read(options.data)
    if not options.all:
        cases = random.Random(0).sample(cases, min(options.sample, len(cases)))
    model = find_model(settings.load()).path
    show(asyncio.run(count(model, cases, options.peers.split(","), options.tokens)), len(cases))


if __name__ == "__main__":
    main()
