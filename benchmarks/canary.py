"""Tries hostile URLs, and counts who reaches the canary inside.

The network is a stand-in at the lowest border: connections to a public address reach a site on loopback that redirects
as it is told; connections to anything else, on whatever port, reach the canary.
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
class Outcome:
    case: HostileUrl
    error: str | None  # the class of ours that was raised; None: something was fetched
    connections: int  # to the canary

    @property
    def refused(self) -> bool:
        return self.error is not None


class Names:
    """A DNS by script."""

    def __init__(self, script: Mapping[str, Sequence[Sequence[str]]]) -> None:
        self._script = {name: list(found) for name, found in script.items()}
        self.asked: list[str] = []

    async def __call__(self, name: str) -> Sequence[str]:
        self.asked.append(name)
        found = self._script.get(name.removesuffix("."), [PUBLIC])
        return found.pop(0) if len(found) > 1 else found[0]


class Wires(httpcore.AsyncNetworkBackend):
    """Connects to `outside`, a port of loopback, instead of to public addresses; to `canary` instead of to others."""

    def __init__(self, outside: int, canary: int) -> None:
        self._real = httpcore.AnyIOBackend()
        self._outside = outside
        self._canary = canary
        self.connected: list[tuple[str, int]] = []

    async def connect_tcp(self, host: str, port: int, *rest: Any, **more: Any) -> httpcore.AsyncNetworkStream:
        self.connected.append((host, port))
        usual = host in PUBLIC and port in (80, 443)
        return await self._real.connect_tcp("127.0.0.1", self._outside if usual else self._canary, *rest, **more)


class Canary:
    """Counts who connects, and answers as a site would: nobody may get that far."""

    def __init__(self) -> None:
        self.connections = 0

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 6\r\n\r\nsecret")
        writer.close()


async def outside(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """A site that redirects by `/<status>/<location>`, signs and all; and has a page elsewhere."""
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
async def listening(handler: Any) -> AsyncIterator[int]:
    """The port of loopback on which `handler` answers."""
    server = await asyncio.start_server(handler, "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1]


async def attack(attempts: Iterable[HostileUrl]) -> list[Outcome]:
    """One after another, each with a fetcher and a DNS of its own."""
    canary, tls = Canary(), httpx.create_ssl_context()  # made once: reading all certificates takes a while
    outcomes = []
    async with listening(outside) as open_port, listening(canary) as canary_port:
        for case in attempts:
            before = canary.connections
            wires = Wires(open_port, canary_port)
            fetcher = Fetcher(None, user_agent=AGENT, deny=DENIED, tls=tls, resolve=Names(case.names), network=wires)
            async with fetcher:
                error = await attempt(fetcher, case)
            outcomes.append(Outcome(case, error, canary.connections - before))
    return outcomes


async def attempt(fetcher: Fetcher, case: HostileUrl) -> str | None:
    try:
        await fetcher.fetch(case.url, robots=case.robots)
    except CspsError as exc:
        return type(exc).__name__
    return None
