"""The servers and clients behind the drawings of benchmarks/toil_quality.py."""

from __future__ import annotations

import argparse
import os
import tempfile
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

from benchmarks.serving.servers import KEY, commands, free_port, running_server
from core.configuration import settings
from core.configuration.personalities import Personalities
from core.configuration.settings import Settings
from core.model.client import ModelClient
from core.runtime.background_tasks import run_beside
from core.toil.toiler import Instruct, Toiler
from core.toil.validator_pool import ValidatorPool

PEER = "llama-server"
TIMEOUT_S = 600


@dataclass(frozen=True, slots=True)
class Engines:
    """`peer`: the engine whose own grammar is compared. `tokenizer`: our model process; None for an engine at a URL."""

    stack: AsyncExitStack
    client: ModelClient
    personalities: Personalities
    validators: ValidatorPool
    tokenizer: httpx.AsyncClient | None
    peer: httpx.AsyncClient | None
    peer_model: str

    def toiler(self, instruct: Instruct | None = None) -> Toiler:
        toiler = Toiler(self.client, TIMEOUT_S, instruct)
        self.stack.push_async_callback(toiler.close)
        return toiler


@asynccontextmanager
async def open_engines(model: Path | None, options: argparse.Namespace) -> AsyncIterator[Engines]:
    """Starts servers for a model file; without one, the engine of `options.url` answers."""
    async with AsyncExitStack() as stack:
        variables = {"CSPS_LLM_DATA": stack.enter_context(tempfile.TemporaryDirectory())}
        tokenizer = peer = None
        if model is None:
            variables |= {"LLM_URL": options.url} | ({"LLM_MODEL": options.model} if options.model else {})
            peer = await stack.enter_async_context(http_client(api_url(options.url), os.environ.get("LLM_API_KEY", "")))
        else:
            variables = await stack.enter_async_context(our_process(model, options.at_once)) | variables
            tokenizer = await stack.enter_async_context(http_client(f"http://{variables['LLM_LISTEN']}", KEY))
            if PEER in getattr(options, "drawings", ""):  # other benchmarks have none
                url = await stack.enter_async_context(llama_server(model, options.at_once))
                peer = await stack.enter_async_context(http_client(url, ""))
        loaded = settings.load({**os.environ, **variables})
        client = await stack.enter_async_context(connected(loaded))
        personalities, validators = Personalities(loaded.config / "personalities"), ValidatorPool()
        personalities.load()
        stack.push_async_callback(validators.close)
        name = "" if tokenizer else (await client.info()).name  # most engines refuse a request that names no model
        yield Engines(stack, client, personalities, validators, tokenizer, peer, name)


@asynccontextmanager
async def our_process(model: Path, slots: int) -> AsyncIterator[dict[str, str]]:
    """Runs our model process; yields the settings under which a client reaches it."""
    port = free_port()
    filled = commands(model, slots)[0].at(port)
    async with running_server(filled.name, filled.arguments, port, filled.environment):
        yield filled.environment


@asynccontextmanager
async def llama_server(model: Path, slots: int) -> AsyncIterator[str]:
    """Runs a llama-server; yields its URL."""
    command = next(command for command in commands(model, slots) if command.name == PEER)
    async with command.running() as server:
        yield server.url


@asynccontextmanager
async def connected(loaded: Settings) -> AsyncIterator[ModelClient]:
    client = ModelClient.from_settings(loaded)
    try:
        async with run_beside(client.run()):  # finds out what a remote engine can do
            await client.wait_ready(TIMEOUT_S)
            yield client
    finally:
        await client.close()


def api_url(url: str) -> str:
    """The base of an engine's addresses, for a URL with or without /v1, as LLM_URL takes both."""
    return f"{url.rstrip('/').removesuffix('/v1')}/v1/"


def http_client(url: str, key: str) -> httpx.AsyncClient:
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    return httpx.AsyncClient(base_url=url, headers=headers, timeout=TIMEOUT_S)
