"""Connections to public hosts: resolves a name once, checks every address, and connects to one of them.

Owns the border to httpcore. Knows no redirects, no caching, no content. Addresses are checked where the socket is
opened, so no connection can avoid the check. httpx's client is not used: it keeps cookies, and unpacks a body of a few
bytes into gigabytes. Its transport, requests and responses are.
"""

from __future__ import annotations

import asyncio
import contextlib
import math
import socket
import ssl
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import httpcore
import httpx

from core.errors import FetchFailed, FetchRefused
from core.rag.fetching.url_policy import Network, host_and_port, is_public, parse_address

# Resolves a name to addresses; raises OSError if there are none. A final dot keeps search lists from completing it.
Resolve = Callable[[str], Awaitable[Sequence[str]]]

RESOLVER_THREADS = 16
HEAD_LIMIT_BYTES = 2**14  # of all that comes before a body, interim answers included
HEAD_LIMIT_LINES = 1000  # some lines of the body are among them
# One read is parsed without a pause, so a head of tiny pieces must come in small reads.
HEAD_READ_BYTES, BODY_READ_BYTES = 2**10, 2**14
ADDRESSES_LIMIT = 3  # of one host
# getaddrinfo's codes for a name without existence or address. macOS has the second one, Linux maybe.
UNKNOWN_NAME_ERRORS = {socket.EAI_NONAME, getattr(socket, "EAI_NODATA", socket.EAI_NONAME)}


class SystemResolver:
    """The operating system's resolver, in threads of its own. Raises OSError if a name has no address.

    A name whose servers never answer blocks its thread for half a minute. That must neither take a thread from the
    database's pool nor delay the end of the process.
    """

    def __init__(self, at_once: int = RESOLVER_THREADS) -> None:
        self._free = asyncio.Semaphore(at_once)

    async def __call__(self, name: str) -> Sequence[str]:
        await self._free.acquire()
        answer: asyncio.Future[Sequence[str]] = asyncio.get_running_loop().create_future()
        threading.Thread(target=self._look_up, args=(name, answer), name="resolver", daemon=True).start()
        return await answer

    def _look_up(self, name: str, answer: asyncio.Future[Sequence[str]]) -> None:
        result: Sequence[str] | OSError
        try:
            # Bytes, so that Python does not encode the name once more.
            records = socket.getaddrinfo(name.encode("ascii"), None, type=socket.SOCK_STREAM)
            result = [str(record[4][0]) for record in records]
        except OSError as exc:
            result = exc
        with contextlib.suppress(RuntimeError):  # the loop is closed: nobody waits any more
            answer.get_loop().call_soon_threadsafe(self._hand_over, answer, result)

    def _hand_over(self, answer: asyncio.Future[Sequence[str]], result: Sequence[str] | OSError) -> None:
        self._free.release()  # only now: an abandoned thread still counts
        if answer.cancelled():
            return
        if isinstance(result, OSError):
            answer.set_exception(result)
        else:
            answer.set_result(result)


@dataclass(frozen=True, slots=True)
class AddressGuard:
    """Checks the addresses of a host. `allow`: "host:port" without checks."""

    resolve: Resolve
    allow: frozenset[str] = frozenset()
    deny: tuple[Network, ...] = ()

    async def addresses(self, host: str, port: int) -> Sequence[str]:
        """Returns addresses, all public. Raises FetchRefused if one is not, FetchFailed if there is none."""
        allowed = host_and_port(host, port) in self.allow
        answers = await self._answers(host, absolute=not allowed)
        if not allowed and not all(self._is_public(answer) for answer in answers):
            raise FetchRefused(f"{host} has an address that is not of the public Internet", "private")
        return answers

    async def _answers(self, host: str, *, absolute: bool) -> Sequence[str]:
        if parse_address(host) is not None:
            return (host,)
        try:
            answers = await self.resolve(f"{host}." if absolute else host)
        except OSError as exc:
            raise resolution_failure(host, exc) from exc
        if not answers:
            raise FetchFailed(f"{host} has no address", "unknown")
        return answers

    def _is_public(self, answer: str) -> bool:
        address = parse_address(answer)
        return address is not None and is_public(address, self.deny)


def resolution_failure(host: str, exc: OSError) -> FetchFailed:
    """Tells an unknown name from a DNS that does not answer, as on a machine without a network."""
    if isinstance(exc, socket.gaierror) and exc.errno not in UNKNOWN_NAME_ERRORS:
        return FetchFailed(f"{host} cannot be looked up, because no name server answers ({exc.strerror})", "offline")
    return FetchFailed(f"{host} is not known to the DNS", "unknown")


class GuardedBackend(httpcore.AsyncNetworkBackend):
    """Opens sockets to the addresses of `guard` alone. `network` gets addresses, never names."""

    def __init__(self, guard: AddressGuard, network: httpcore.AsyncNetworkBackend) -> None:
        self._guard = guard
        self._network = network

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109 - httpcore's interface
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> BoundedStream:
        failed: Exception | None = None
        for address in (await self._guard.addresses(host, port))[:ADDRESSES_LIMIT]:
            try:
                stream = await self._network.connect_tcp(address, port, timeout, local_address, socket_options)
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as exc:
                failed = exc
            else:
                return BoundedStream(stream)
        assert failed is not None
        raise failed

    async def sleep(self, seconds: float) -> None:
        await self._network.sleep(seconds)


class BoundedStream(httpcore.AsyncNetworkStream):
    """Reads in small pieces, and no more than a head until a body is granted."""

    def __init__(self, stream: httpcore.AsyncNetworkStream) -> None:
        self._stream = stream
        self._left_bytes = HEAD_LIMIT_BYTES
        self._left_lines: float = HEAD_LIMIT_LINES
        self._read_bytes = HEAD_READ_BYTES

    def grant_body(self, size_bytes: int) -> None:
        """Allows `size_bytes` from now on. Call it when the head is complete."""
        self._left_bytes, self._left_lines, self._read_bytes = size_bytes, math.inf, BODY_READ_BYTES

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:  # noqa: ASYNC109
        if self._left_bytes <= 0:
            raise FetchFailed("the site sends more than the limit for one page", "large")
        # TLS may have unpacked data already, which comes without waiting: let other tasks run.
        await asyncio.sleep(0)
        data = await self._stream.read(min(max_bytes, self._read_bytes, self._left_bytes), timeout)
        self._left_bytes -= len(data)
        self._left_lines -= data.count(b"\n")
        if self._left_lines < 0:
            raise FetchFailed("the site sends too many headers", "broken")
        return data

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:  # noqa: ASYNC109
        await self._stream.write(buffer, timeout)

    async def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,  # noqa: ASYNC109
    ) -> BoundedStream:
        try:
            return BoundedStream(await self._stream.start_tls(ssl_context, server_hostname, timeout))
        except httpcore.ConnectError as exc:
            if isinstance(exc.__cause__, ssl.SSLCertVerificationError):
                raise FetchFailed(f"{server_hostname} has no certificate that can be trusted", "broken") from exc
            raise

    async def aclose(self) -> None:
        await self._stream.aclose()

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)


class GuardedTransport(httpx.AsyncBaseTransport):
    """httpx's transport through a `GuardedBackend`. Raises httpcore's errors.

    A response's `extensions["network_stream"]` is its `BoundedStream`; its body comes as on the wire.
    """

    def __init__(self, backend: GuardedBackend, tls: ssl.SSLContext, connections: int) -> None:
        # Each connection serves one request, so the address of the next page is resolved and checked anew.
        self._pool = httpcore.AsyncConnectionPool(
            ssl_context=tls, max_connections=connections, max_keepalive_connections=0, network_backend=backend
        )

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        url = request.url
        answer = await self._pool.handle_async_request(
            httpcore.Request(
                request.method,
                httpcore.URL(scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=url.raw_path),
                headers=request.headers.raw,
                extensions=request.extensions,
            )
        )
        return httpx.Response(
            answer.status, headers=answer.headers, stream=RawBody(answer.stream), extensions=answer.extensions
        )

    async def aclose(self) -> None:
        await self._pool.aclose()


class RawBody(httpx.AsyncByteStream):
    """A body, piece by piece, as httpcore yields it."""

    def __init__(self, stream: Any) -> None:
        self._stream = stream

    async def __aiter__(self) -> AsyncIterator[bytes]:
        async for piece in self._stream:
            yield piece

    async def aclose(self) -> None:
        await self._stream.aclose()
