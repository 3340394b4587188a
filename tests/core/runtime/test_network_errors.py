"""The explanations of failed requests, with real sockets."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest

from core.runtime.network_errors import explain
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
    return explain(caught.value, language)  # type: ignore[arg-type]


async def hang_up(_reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
    """Closes without an answer."""


async def babble(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(b"SSH-2.0-OpenSSH_9.6\r\n\r\n")
    await writer.drain()


async def test_each_failure_has_its_explanation() -> None:
    """The clause names the cause, in English and in French."""
    assert await reason("http://127.0.0.1:1/") == "nothing listens there"
    assert await reason("http://localhost:1/", "fr") == "aucun programme n’écoute à cette adresse"
    assert await reason("http://no-such-engine.invalid/v1") == "no-such-engine.invalid is not known to the DNS"
    assert "http://" in await reason("localhost:9999")
    async with serving(hang_up) as port:
        assert "closed without an answer" in await reason(f"http://127.0.0.1:{port}/")
    async with serving(babble) as port:
        assert "does not speak HTTP" in await reason(f"http://127.0.0.1:{port}/")
        assert "no TLS" in await reason(f"https://127.0.0.1:{port}/")


async def test_a_timeout_names_its_seconds() -> None:
    """The explanation shows the timeout that the caller set."""
    over = asyncio.Event()

    async def wait(_reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
        await over.wait()

    async with serving(wait) as port:
        url = f"http://127.0.0.1:{port}/"
        assert await reason(url, timeout=httpx.Timeout(9, read=0.25)) == "it did not answer within 0.25 s"
        over.set()


async def test_an_untrusted_certificate(tmp_path: Path) -> None:
    """An engine may have a self-signed certificate."""
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(certify("localhost", tmp_path))
    async with serving(hang_up, tls) as port:
        explanation = await reason(f"https://localhost:{port}/")
    assert explanation == "localhost has no certificate that can be trusted"


async def test_a_missing_unix_socket(tmp_path: Path) -> None:
    """The model process does not listen yet."""
    transport = httpx.AsyncHTTPTransport(uds=str(tmp_path / "model.sock"))
    assert "nothing listens there yet" in await reason("http://model/health", transport=transport)


def test_an_error_without_a_request_is_explained() -> None:
    assert explain(httpx.ReadError("")) == "the connection was closed without an answer"
