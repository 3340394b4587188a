"""The answers that ours must equal: those of a plain loop over the library, and those of a real llama-server."""

from __future__ import annotations

import asyncio
import os
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

from core import PROJECT_ROOT
from core.model.worker.llama.runner import BatchRow, LlamaRunner

PEER = PROJECT_ROOT / "benchmarks" / "peers" / "llama_server.py"
START_DEADLINE_S = 60.0


def plain_answer(runner: LlamaRunner, prompt: list[int], count: int) -> list[int]:
    """Returns the most likely tokens after the prompt, alone in an empty KV cache."""
    runner.clear()
    answer: list[int] = []
    tokens = list(prompt)
    while len(answer) < count:
        index = 0
        for start in range(len(prompt) + len(answer) - len(tokens), len(prompt) + len(answer), runner.batch_tokens):
            part, tokens = tokens[: runner.batch_tokens], tokens[runner.batch_tokens :]
            index = runner.decode([BatchRow(0, start, part, True)])[0]
        tokens = [int(runner.logits(index).argmax())]
        if tokens[0] in runner.vocabulary.end:
            break
        answer += tokens
    return answer


@dataclass(frozen=True)
class LlamaServer:
    """llama.cpp's own server, from the xllamacpp wheel."""

    http: httpx.AsyncClient

    async def complete(self, prompt: list[int], count: int) -> str:
        """Returns the greedy text after these tokens."""
        body = {"prompt": prompt, "n_predict": count, "temperature": 0, "cache_prompt": False}
        response = await self.http.post("/completion", json=body)
        assert response.status_code == 200, response.text
        return str(response.json()["content"])


@asynccontextmanager
async def llama_server(path: Path) -> AsyncIterator[LlamaServer]:
    """Runs a llama-server on a model file."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, str(PEER), "--model", str(path), "--port", str(port), "--parallel", "8"),
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
        env={**os.environ, "GOMP_SPINCOUNT": "3000"},  # as ours: beside other processes endless spinning takes minutes
    )
    try:
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=60) as client:
            async with asyncio.timeout(START_DEADLINE_S):
                while not await is_healthy(client):
                    assert process.returncode is None, "llama-server did not start"
                    await asyncio.sleep(0.05)
            yield LlamaServer(client)
    finally:
        if process.returncode is None:
            process.terminate()
        await process.wait()


async def is_healthy(client: httpx.AsyncClient) -> bool:
    try:
        return (await client.get("/health")).status_code == 200
    except httpx.HTTPError:
        return False
