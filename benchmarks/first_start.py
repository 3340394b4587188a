"""Starts `csps-llm up` on an installed machine without its model: the starter answers while the model is downloaded.

A stand-in of the hub serves the starter, padded to 300 MB, as the model of LLM_HUGGINGFACE_REPO. It takes 30 seconds,
redirects to a file server on another port, and cuts connections. Measured are

  the first answer    the seconds from the start of the command to the first word from the starter, and the CPU time of
                      all processes until then: on a busy machine, that tells what an idle one would need
  the takeover        answers of 20 readers that were cut, while the new model takes over under them

    .venv/bin/python -m benchmarks.first_start [--megabytes 300] [--readers 20] [--rounds 1] [--transfer-s 30]

It exits with 1 if a target is missed.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
import tempfile
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
from rich.console import Console

from benchmarks.downloads import MEGABYTE, NAME, SlowHub
from benchmarks.measured_model import find_model
from benchmarks.serving.servers import free_port
from core.configuration import settings
from tests.support.fake_hub import REPO

FIRST_ANSWER_TARGET_S = 3.0
START_LIMIT_S = 120.0
TAKEOVER_LIMIT_S = 300.0
PERSONALITY = "whisper"
QUESTION = "Tell me a long story about a river and the people who live beside it."
ANSWER_TOKENS = 80
TITLE = NAME.removesuffix(".gguf")


@dataclass
class Takeover:
    """The answers that the readers got. One is whole if its stream ends with [DONE]."""

    readers: int
    answers: int = 0
    cut: Counter[str] = field(default_factory=Counter)
    began_before: int = 0  # and ended after the new model was there: the takeover happened under them
    after: int = 0  # answers that began on the new model
    taken_over_s: float | None = None  # since the start of the service
    models: list[str] = field(default_factory=list)  # the model that answers, at each change


def padded(starter: Path, size: int) -> bytes:
    """Returns a GGUF file of this size: llama.cpp reads only as far as its header says."""
    data = starter.read_bytes()
    return data + os.urandom(max(0, size - len(data)))


@asynccontextmanager
async def running_service(data: Path, hub: SlowHub, port: int) -> AsyncIterator[int]:
    """Yields the id of the process of `csps-llm up`."""
    variables = {name: value for name, value in os.environ.items() if not name.startswith(("LLM_", "CSPS_LLM_"))}
    variables |= {
        "CSPS_LLM_DATA": str(data),
        "PORT": str(port),
        "HF_ENDPOINT": hub.url,
        "HF_HUB_DISABLE_IMPLICIT_TOKEN": "1",
        "LLM_HUGGINGFACE_REPO": REPO,
        "LLM_HUGGINGFACE_FILE": NAME,
        "LLM_SLOTS": "32",
        "LOG_FORMAT": "json",
    }
    command = Path(sys.executable).with_name("csps-llm")
    with (data / "up.log").open("wb") as log:
        process = await asyncio.create_subprocess_exec(command, "up", env=variables, stdout=log, stderr=log)
        try:
            yield process.pid
        finally:
            process.terminate()
            await process.wait()


def request_body(number: int) -> dict[str, Any]:
    message = {"role": "user", "content": f"{QUESTION} ({number})"}
    return {"model": PERSONALITY, "messages": [message], "stream": True, "max_tokens": ANSWER_TOKENS}


async def first_answer(client: httpx.AsyncClient) -> float:
    """Asks until an answer begins. Returns the time of its first word."""
    deadline = time.monotonic() + START_LIMIT_S
    while time.monotonic() < deadline:
        try:
            async with client.stream("POST", "/v1/chat/completions", json=request_body(0)) as response:
                async for line in response.aiter_lines():
                    if '"content":' in line and '"content": ""' not in line:
                        return time.monotonic()
        except httpx.TransportError:
            await asyncio.sleep(0.02)
    raise TimeoutError("no answer")


async def read_answer(client: httpx.AsyncClient, number: int) -> str | None:
    """Returns None if the answer is whole, else what happened instead."""
    try:
        async with client.stream("POST", "/v1/chat/completions", json=request_body(number)) as response:
            if response.status_code != 200:
                return f"status {response.status_code}: {(await response.aread())[:200]!r}"
            lines = [line async for line in response.aiter_lines() if line]
    except httpx.TransportError as exc:
        return type(exc).__name__
    return None if lines and lines[-1] == "data: [DONE]" else f"ended with {lines[-1:]}"


async def read_on(client: httpx.AsyncClient, number: int, found: Takeover, stop: asyncio.Event) -> None:
    while not stop.is_set():
        before = found.taken_over_s
        problem = await read_answer(client, number)
        found.answers += 1
        if problem:
            found.cut[problem] += 1
        if before is not None:
            found.after += 1
            if found.after >= found.readers:
                stop.set()
        elif found.taken_over_s is not None:
            found.began_before += 1


async def watch_model(client: httpx.AsyncClient, started: float, found: Takeover) -> None:
    """Returns when the new model answers."""
    while time.monotonic() - started < TAKEOVER_LIMIT_S:
        description = (await client.get(f"/describe/{PERSONALITY}")).json()
        if not found.models or found.models[-1] != description["model"]:
            found.models.append(description["model"])
        if description["starter"] is False:
            found.taken_over_s = time.monotonic() - started
            return
        await asyncio.sleep(0.05)


async def take_over(client: httpx.AsyncClient, started: float, readers: int) -> Takeover:
    found, stop = Takeover(readers), asyncio.Event()
    async with asyncio.TaskGroup() as group:
        for number in range(readers):
            group.create_task(read_on(client, number, found, stop))
        await watch_model(client, started, found)
        if found.taken_over_s is None:
            stop.set()
    return found


def cpu_seconds(pid: int) -> float:
    """Returns the CPU time of a process and of all below it."""
    fields = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            fields[int(stat.parent.name)] = stat.read_text().rpartition(")")[2].split()
    family, ticks = {pid}, os.sysconf("SC_CLK_TCK")
    while more := {each for each, values in fields.items() if int(values[1]) in family} - family:
        family |= more
    return sum(int(value) for each in family & fields.keys() for value in fields[each][11:15]) / ticks


async def measure(options: argparse.Namespace, model: bytes, starter: Path) -> tuple[float, float, bool, Takeover]:
    """Returns the time and CPU time until the first answer, whether the download was under way, and the takeover."""
    port = free_port()
    with tempfile.TemporaryDirectory() as folder, SlowHub(model, seed=0, seconds=options.transfer_s) as hub:
        data = Path(folder)
        (data / "models").mkdir()
        (data / "models" / starter.name).symlink_to(starter)
        started = time.monotonic()
        limits = httpx.Limits(max_connections=None)
        timeout = httpx.Timeout(TAKEOVER_LIMIT_S)
        base = f"http://127.0.0.1:{port}"
        async with (
            running_service(data, hub, port) as pid,
            httpx.AsyncClient(base_url=base, limits=limits, timeout=timeout, trust_env=False) as client,
        ):
            first_s = await first_answer(client) - started
            cpu_s, downloading = cpu_seconds(pid), hub.sent_bytes < len(model)
            takeover = await take_over(client, started, options.readers)
        if options.log:
            print((data / "up.log").read_text(errors="replace"))
        return first_s, cpu_s, downloading, takeover


def report(first_s: float, cpu_s: float, downloading: bool, found: Takeover, console: Console) -> bool:
    console.print(
        f"first answer of the starter after {first_s:.1f} s; the download was {'' if downloading else 'NOT '}under way"
    )
    console.print(f"CPU time of all processes until then: {cpu_s:.1f} s")
    console.print(f"models, in order: {' → '.join(found.models)}; taken over after {found.taken_over_s or 0:.1f} s")
    console.print(f"{found.answers} answers, {found.began_before} of them while the new model took over")
    for problem, count in found.cut.items():
        console.print(f"  {count} × {problem}", markup=False)
    targets = {
        f"first answer ≤{FIRST_ANSWER_TARGET_S:.0f} s, while the model downloads": first_s <= FIRST_ANSWER_TARGET_S
        and downloading,
        "the new model took over": found.models[-1:] == [TITLE] and found.began_before > 0,
        f"0 answers cut ({found.cut.total()})": not found.cut,
    }
    for target, reached in targets.items():
        console.print(f"{'reached' if reached else 'MISSED'}: {target}")
    return all(targets.values())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--megabytes", type=int, default=300)
    parser.add_argument("--readers", type=int, default=20)
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--transfer-s", type=float, default=30.0)
    parser.add_argument("--log", action="store_true", help="print the log of the service")
    options = parser.parse_args()
    starter = find_model(settings.load({})).path
    model, console = padded(starter, options.megabytes * MEGABYTE), Console()
    reached = [report(*asyncio.run(measure(options, model, starter)), console) for _ in range(options.rounds)]
    sys.exit(not all(reached))


if __name__ == "__main__":
    main()
