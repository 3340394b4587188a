"""Why nothing came back, with real sockets: an operator reads what to do, and no name of a Python class."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest

from core.runtime.network_errors import WORDS, why
from tests.support.certificates import certify

Talk = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def serving(talk: Talk, tls: ssl.SSLContext | None = None) -> AsyncIterator[int]:
    async def once(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await talk(reader, writer)
        finally:
            writer.close()

    server = await asyncio.start_server(once, "127.0.0.1", 0, ssl=tls)
    async with server:
        yield server.sockets[0].getsockname()[1]


async def reason(url: str, language: str = "en", **options: object) -> str:
    async with httpx.AsyncClient(trust_env=False, **options) as http:  # type: ignore[arg-type]
        with pytest.raises(httpx.RequestError) as caught:
            await http.get(url)
    return why(caught.value, language)  # type: ignore[arg-type]


async def hang_up(_reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
    """Says nothing."""


async def babble(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(b"SSH-2.0-OpenSSH_9.6\r\n\r\n")
    await writer.drain()


async def test_what_stands_in_the_way() -> None:
    """Each way not to be reached is told apart, in either language."""
    assert await reason("http://127.0.0.1:1/") == "nothing listens there"
    assert await reason("http://localhost:1/", "fr") == "rien n'y écoute"
    assert await reason("http://no-such-engine.invalid/v1") == "no-such-engine.invalid is not known to the DNS"
    assert "http://" in await reason("localhost:9999")
    async with serving(hang_up) as port:
        assert "closed without an answer" in await reason(f"http://127.0.0.1:{port}/")
    async with serving(babble) as port:
        assert "does not speak HTTP" in await reason(f"http://127.0.0.1:{port}/")
        assert "no TLS" in await reason(f"https://127.0.0.1:{port}/")


async def test_how_long_it_was_waited_for() -> None:
    """The deadline that the caller had set is told: there may be another to set."""
    over = asyncio.Event()

    async def wait(_reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
        await over.wait()

    async with serving(wait) as port:
        url = f"http://127.0.0.1:{port}/"
        assert await reason(url, timeout=httpx.Timeout(9, read=0.25)) == "it did not answer within 0.25 s"
        over.set()


async def test_a_certificate_that_nobody_vouches_for(tmp_path: Path) -> None:
    """An engine behind a certificate of its own."""
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(certify("localhost", tmp_path))
    async with serving(hang_up, tls) as port:
        said = await reason(f"https://localhost:{port}/")
    assert said == "localhost has no certificate that can be trusted"


async def test_a_socket_that_is_not_there(tmp_path: Path) -> None:
    """The model process has not begun to listen."""
    transport = httpx.AsyncHTTPTransport(uds=str(tmp_path / "model.sock"))
    assert "nothing listens there yet" in await reason("http://model/health", transport=transport)


def test_every_reason_exists_in_both_languages() -> None:
    """And an error that no request belongs to is no second error."""
    assert all(english and french and english != french for english, french in WORDS.values())
    assert why(httpx.ReadError("")) == "the connection was closed without an answer"
