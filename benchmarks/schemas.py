"""Compares toil to a llama-server's `json_schema` on real-world schemas. One validator counts the results of both.

The data is a folder of *.jsonl with one {"id", "schema"} a line, such as JSONSchemaBench (Geng et al., 2025).
Toil runs in full: the engine, its plan and validation, and a model process of its own. A server that dies
or hangs is restarted. Its running cases are then repeated one by one, to find the one that ended it.

    .venv/bin/python -m benchmarks.schemas --data FOLDER [--sample 100 | --all] [--peers csps-llm,llama-server]
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import random
import sys
import tempfile
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import structlog
from rich.console import Console
from rich.table import Table

from benchmarks.measured_model import find_model
from benchmarks.serving.servers import KEY, Server, ServerCommand, commands, free_port, running_server
from core import bootstrap, strict_json
from core.configuration import settings
from core.contract import Sampling, Task
from core.engine import ChatEngine
from core.errors import BadRequest, CspsError, ModelUnavailable, SchemaRefused
from core.toil.validator_pool import ValidatorPool

OURS, THEIRS = "csps-llm", "llama-server"
AT_ONCE = 8
SILENCE_S = 120  # a server that writes no token for this long hangs
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
    """Counts of outcomes, and the cases of the bad ones."""

    outcomes: Counter[str] = field(default_factory=Counter)
    cases: dict[str, list[str]] = field(default_factory=dict)
    took_s: float = 0.0

    def add(self, outcome: str, case: Case) -> None:
        self.outcomes[outcome] += 1
        self.cases.setdefault(outcome, []).append(case.id)


Ask = Callable[[Case], Awaitable[str]]


def read_cases(folder: Path) -> list[Case]:
    lines = [line for file in sorted(folder.glob("*.jsonl")) for line in file.read_text(encoding="utf-8").splitlines()]
    return [Case(row["id"], row["schema"]) for row in map(json.loads, lines)]


async def judge_answer(validators: ValidatorPool, text: str, schema: Any) -> str:
    """Validates the text of a response with status 200."""
    try:
        violations = await validators.validate(schema, strict_json.parse(text))
    except BadRequest as exc:
        return "200 not validated" if isinstance(exc, SchemaRefused) else "200 INVALID (not JSON)"
    return "200 INVALID" if violations else "200 valid"


def build_our_ask(engine: ChatEngine, validators: ValidatorPool, tokens: int) -> Ask:
    async def ask(case: Case) -> str:
        task = Task("whisper", case.prompt, case.schema, sampling=Sampling(max_tokens=tokens, seed=1))
        try:
            result = await engine.toil(task)
        except ModelUnavailable:
            return DIED
        except CspsError as exc:
            return f"{exc.status} {exc.code}"
        # Validates the bytes that leave the service, not the value.
        return await judge_answer(validators, strict_json.dump(result.value).decode(), case.schema)

    return ask


def build_their_ask(client: httpx.AsyncClient, at: Server, validators: ValidatorPool, tokens: int) -> Ask:
    async def ask(case: Case) -> str:
        body = {
            "messages": [{"role": "user", "content": case.prompt}],
            "response_format": {"type": "json_schema", "json_schema": {"name": "answer", "schema": case.schema}},
            "max_tokens": tokens,
            "seed": 1,
            "stream": True,  # so that silence distinguishes a hanging server from one that writes
        }
        try:
            async with client.stream("POST", f"{at.url}/v1/chat/completions", json=body) as response:
                if response.status_code != 200:
                    return f"{response.status_code}"
                text, reason = await collect(response)
        except httpx.TimeoutException:
            return HUNG
        except httpx.TransportError:
            return DIED
        return "200 CUT OFF" if reason == "length" else await judge_answer(validators, text, case.schema)

    return ask


async def collect(response: httpx.Response) -> tuple[str, str | None]:
    """The text of a chat.completion.chunk stream and its finish reason. An `error` event makes the text invalid."""
    text, reason = "", None
    async for line in response.aiter_lines():
        if not line.startswith("data: {"):
            continue
        for choice in json.loads(line.removeprefix("data: ")).get("choices", ()):
            text += choice["delta"].get("content") or ""
            reason = choice["finish_reason"] or reason
    return text, reason


@dataclass
class ServerRound:
    """The cases for one server, until all are answered or it is lost. `suspects`: those that ran when it was lost."""

    waiting: list[Case]
    suspects: list[Case] = field(default_factory=list)
    lost: bool = False

    async def run(self, ask: Ask, tally: Tally, at_once: int) -> None:
        async with asyncio.TaskGroup() as workers:
            for _ in range(at_once):
                workers.create_task(self._work(ask, tally, alone=at_once == 1))

    async def _work(self, ask: Ask, tally: Tally, *, alone: bool) -> None:
        while self.waiting and not self.lost:
            case = self.waiting.pop(0)
            outcome = await ask(case)
            self.lost = self.lost or outcome in (DIED, HUNG)
            if outcome in (DIED, HUNG) and not alone:
                self.suspects.append(case)
                continue
            tally.add(outcome, case)
            print(".", end="", flush=True, file=sys.stderr)


@contextlib.asynccontextmanager
async def our_server(model: Path, validators: ValidatorPool, tokens: int) -> AsyncIterator[Ask]:
    port = free_port()
    filled = command_of(OURS, model).at(port)
    async with running_server(OURS, filled.arguments, port, filled.environment):
        with tempfile.TemporaryDirectory() as data:
            chosen = settings.load({**filled.environment, "CSPS_LLM_DATA": data, "LLM_WAIT_S": "5"})
            async with bootstrap.run_engine(chosen) as engine:
                yield build_our_ask(engine, validators, tokens)


@contextlib.asynccontextmanager
async def their_server(model: Path, validators: ValidatorPool, tokens: int) -> AsyncIterator[Ask]:
    async with command_of(THEIRS, model).running() as at, httpx.AsyncClient(timeout=SILENCE_S) as client:
        client.headers["Authorization"] = f"Bearer {KEY}"
        yield build_their_ask(client, at, validators, tokens)


def command_of(name: str, model: Path) -> ServerCommand:
    return next(command for command in commands(model, AT_ONCE) if command.name == name)


async def count(model: Path, cases: list[Case], name: str, tokens: int) -> Tally:
    tally, validators, started = Tally(), ValidatorPool(), time.monotonic()
    server = our_server if name == OURS else their_server
    many, alone = list(cases), list[Case]()
    try:
        while many or alone:
            turn = ServerRound(many or alone)
            async with server(model, validators, tokens) as ask:
                await turn.run(ask, tally, AT_ONCE if many else 1)
            alone += turn.suspects
    finally:
        await validators.close()
    tally.took_s = time.monotonic() - started
    return tally


def show(tallies: dict[str, Tally], total: int) -> None:
    table = Table("outcome", *tallies)
    for outcome in sorted({outcome for tally in tallies.values() for outcome in tally.outcomes}):
        table.add_row(outcome, *(str(tally.outcomes[outcome]) for tally in tallies.values()))
    table.add_row("seconds", *(f"{tally.took_s:.0f}" for tally in tallies.values()))
    Console(width=120).print(table)
    print(f"{total} schemas; goals of csps-llm: 97 % 200 valid; no 200 INVALID, 200 CUT OFF, 5xx or died")
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
    parser.add_argument("--verbose", action="store_true", help="also print log events")
    options = parser.parse_args()
    if not options.verbose:
        structlog.configure(logger_factory=structlog.ReturnLoggerFactory())
    cases = read_cases(options.data)
    if not options.all:
        cases = random.Random(0).sample(cases, min(options.sample, len(cases)))
    model = find_model(settings.load()).path
    names = options.peers.split(",")
    show({name: asyncio.run(count(model, cases, name, options.tokens)) for name in names}, len(cases))


if __name__ == "__main__":
    main()
