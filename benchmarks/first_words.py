"""Measures the time that the processes between a person and the model add to first words.

A stand-in for the worker answers at once with the times at which the request arrived and the text left; the rest is
real: the host's proxy, and a web process with its database. Requests take turns: to the worker's socket, to the host,
to the web process (`/v1` and the page's socket). The time added is that of the request on its way to the worker, and of
the first text on its way back. On a busy machine the least time and the CPU time, which is that of the whole answer
with its record in the database, say more than the median.

    .venv/bin/python -m benchmarks.first_words [--rounds 200]
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import aiohttp
import psutil
from rich.console import Console
from rich.table import Table

from benchmarks.peers.stamping_worker import PATH
from core.configuration import settings
from web.socket_frames import SUBPROTOCOL

TARGET_MS = 5.0
PERSONALITY = "whisper"
QUESTION = "Please say hello."
START_LIMIT_S = 60.0
WORKER, HOST, V1, PAGE = "worker's socket", "host's socket", "web process, /v1", "web process, the page's socket"
Ask = Callable[[], Awaitable[float]]


def added_ms(asked_ns: int, text: str) -> float:
    """Returns the milliseconds that the request and the first text took on their ways. `text`: of the stand-in."""
    arrived_ns, left_ns = map(int, text.split()[:2])
    return (arrived_ns - asked_ns + time.monotonic_ns() - left_ns) / 1e6


async def ask_chat(http: aiohttp.ClientSession, model: str | None) -> float:
    """Asks by OpenAI's protocol, and reads the answer to its end."""
    body = {"messages": [{"role": "user", "content": QUESTION}], "stream": True, **({"model": model} if model else {})}
    asked_ns, added = time.monotonic_ns(), 0.0
    async with http.post(PATH, json=body) as response:
        response.raise_for_status()
        async for line in response.content:
            if not added and line.startswith(b"data: {"):
                choices = json.loads(line[len(b"data: ") :])["choices"]
                if choices and (text := choices[0]["delta"].get("content")):
                    added = added_ms(asked_ns, text)
    return added


async def ask_page(http: aiohttp.ClientSession) -> float:
    """Asks the first question of a conversation, over a socket that is open already."""
    async with http.ws_connect(f"/gpt-socket/{PERSONALITY}", protocols=[SUBPROTOCOL]) as page:
        asked_ns, added = time.monotonic_ns(), 0.0
        await page.send_json({"type": "prompt", "text": QUESTION})
        while (frame := await page.receive_json())["type"] != "done":
            if frame["type"] == "error":
                raise RuntimeError(frame["message"])
            if frame["type"] == "text" and not added:
                added = added_ms(asked_ns, frame["text"])
        return added


@asynccontextmanager
async def running(*arguments: str, environ: dict[str, str] | None = None) -> AsyncIterator[psutil.Process]:
    inherited = {name: value for name, value in os.environ.items() if name in ("PATH", "HOME")}
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", *arguments), env={**inherited, **(environ or {})}, stderr=subprocess.DEVNULL
    )
    try:
        yield psutil.Process(process.pid)
    finally:
        process.terminate()
        await process.wait()


async def until_healthy(http: aiohttp.ClientSession, path: str) -> None:
    async with asyncio.timeout(START_LIMIT_S):
        while True:
            try:
                async with http.get(path) as response:
                    if response.status == 200:
                        return
            except aiohttp.ClientError:
                pass
            await asyncio.sleep(0.1)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


async def measure(rounds: int) -> tuple[dict[str, list[float]], dict[str, float]]:
    """Returns the milliseconds of each way, and the web process's CPU time for an answer, in milliseconds."""
    async with AsyncExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory())
        port = free_port()
        environ = {"CSPS_LLM_DATA": folder, "LLM_AUTO": "off", "PORT": str(port), "LOG_LEVEL": "error"}
        host_socket, worker_socket = settings.load(environ).model_socket, Path(folder) / "worker.sock"
        host_socket.parent.mkdir(parents=True, exist_ok=True)
        await stack.enter_async_context(
            running("benchmarks.peers.stamping_worker", str(host_socket), str(worker_socket))
        )

        async def connect(base: str, unix: Path | None = None) -> aiohttp.ClientSession:
            connector = aiohttp.UnixConnector(str(unix)) if unix else None
            return await stack.enter_async_context(aiohttp.ClientSession(base, connector=connector))

        worker, host = await connect("http://model", worker_socket), await connect("http://model", host_socket)
        await until_healthy(host, "/health")
        web_process = await stack.enter_async_context(running("web", environ=environ))
        service = await connect(f"http://127.0.0.1:{port}")
        await until_healthy(service, "/readyz")
        ways: dict[str, Ask] = {
            WORKER: lambda: ask_chat(worker, None),
            HOST: lambda: ask_chat(host, None),
            V1: lambda: ask_chat(service, PERSONALITY),
            PAGE: lambda: ask_page(service),
        }
        times, cpu_ms = defaultdict(list), defaultdict(float)
        for turn in range(-3, rounds):  # the first rounds open connections and fill caches
            for name, ask in ways.items():
                cpu_s = sum(web_process.cpu_times()[:2])
                added = await ask()
                if turn >= 0:
                    times[name].append(added)
                    cpu_ms[name] += 1000 * (sum(web_process.cpu_times()[:2]) - cpu_s) / rounds
        return times, cpu_ms


def show(times: dict[str, list[float]], cpu_ms: dict[str, float]) -> bool:
    """Prints the table and the verdict; True if the target is reached."""
    table = Table("added to first words, by", "least, ms", "median, ms", "p90, ms", "CPU of the web process, ms")
    for name, values in times.items():
        ordered = sorted(values)
        figures = (ordered[0], statistics.median(ordered), ordered[int(0.9 * len(ordered))])
        table.add_row(name, *(f"{value:.2f}" for value in (*figures, cpu_ms[name])))
    Console(width=120).print(table)
    medians = {name: statistics.median(values) for name, values in times.items()}
    reached = medians[PAGE] <= TARGET_MS
    print(
        f"medians: {medians[WORKER]:.2f} ms by the worker's socket, {medians[HOST] - medians[WORKER]:+.2f} ms by the "
        f"host, {medians[PAGE] - medians[HOST]:+.2f} ms by the web process"
    )
    print(f"target, {TARGET_MS:g} ms from the page to the worker and back: {'reached' if reached else 'missed'}")
    return reached


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=200)
    return 0 if show(*asyncio.run(measure(parser.parse_args().rounds))) else 1


if __name__ == "__main__":
    sys.exit(main())
