"""Tries hostile URLs, and counts the connections that reach an internal canary.

The network is replaced at its lowest layer. A connection to a public address reaches a site on loopback that redirects
as its path says. A connection to any other address or port reaches the canary.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

import httpcore
import httpx

from benchmarks.hostile_urls import DENIED, PUBLIC, HostileUrl
from core.errors import CspsError
from core.rag.fetching.fetch import Fetcher

AGENT = "csps-llm/1 (+https://example.org)"


@dataclass(frozen=True)
class AttackOutcome:
    case: HostileUrl
    error: str | None  # name of our error class; None: the fetch succeeded
    connections: int  # to the canary

    @property
    def refused(self) -> bool:
        return self.error is not None


class ScriptedDns:
    """Answers DNS queries by a script."""

    def __init__(self, script: Mapping[str, Sequence[Sequence[str]]]) -> None:
        self._script = {name: list(answers) for name, answers in script.items()}
        self.queries: list[str] = []

    async def __call__(self, name: str) -> Sequence[str]:
        self.queries.append(name)
        answers = self._script.get(name.removesuffix("."), [PUBLIC])
        return answers.pop(0) if len(answers) > 1 else answers[0]


class RedirectingNetwork(httpcore.AsyncNetworkBackend):
    """Connects public addresses to the loopback port `outside`, and all others to the port `canary`."""

    def __init__(self, outside: int, canary: int) -> None:
        self._real = httpcore.AnyIOBackend()
        self._outside = outside
        self._canary = canary
        self.connected: list[tuple[str, int]] = []

    async def connect_tcp(self, host: str, port: int, *rest: Any, **more: Any) -> httpcore.AsyncNetworkStream:
        self.connected.append((host, port))
        is_public = host in PUBLIC and port in (80, 443)
        return await self._real.connect_tcp("127.0.0.1", self._outside if is_public else self._canary, *rest, **more)


class Canary:
    """Counts connections and answers as a site would; no connection may arrive."""

    def __init__(self) -> None:
        self.connections = 0

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 6\r\n\r\nsecret")
        writer.close()


async def public_site(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Redirects by `/<status>/<location>`, any characters included; answers other paths with a page."""
    head = await reader.readuntil(b"\r\n\r\n")
    path = head.split(b" ")[1].decode()
    status, _, location = path.removeprefix("/").partition("/")
    if status.isdecimal():
        target = unquote(location, errors="surrogatepass").encode("utf-8", "surrogatepass")
        writer.write(f"HTTP/1.1 {status} Moved\r\n".encode() + b"Location: " + target + b"\r\n")
        writer.write(b"Content-Length: 0\r\n\r\n")
    else:
        page = b"" if path == "/robots.txt" else b"A page."
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n")
        writer.write(b"Content-Length: %d\r\n\r\n" % len(page) + page)
    writer.close()


@asynccontextmanager
async def listen(handler: Any) -> AsyncIterator[int]:
    """Serves `handler` on a loopback port and yields the port."""
    server = await asyncio.start_server(handler, "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1]


async def attack(attempts: Iterable[HostileUrl]) -> list[AttackOutcome]:
    """Tries the cases one after another, each with its own fetcher and DNS."""
    canary, tls = Canary(), httpx.create_ssl_context()  # made once, because reading all certificates is slow
    outcomes = []
    async with listen(public_site) as open_port, listen(canary) as canary_port:
        for case in attempts:
            before = canary.connections
            network = RedirectingNetwork(open_port, canary_port)
            dns = ScriptedDns(case.names)
            fetcher = Fetcher(None, user_agent=AGENT, deny=DENIED, tls=tls, resolve=dns, network=network)
            async with fetcher:
                error = await attempt(fetcher, case)
            outcomes.append(AttackOutcome(case, error, canary.connections - before))
    return outcomes


async def attempt(fetcher: Fetcher, case: HostileUrl) -> str | None:
    try:
        await fetcher.fetch(case.url, robots=case.robots)
    except CspsError as exc:
        return type(exc).__name__
    return None
