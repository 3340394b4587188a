"""Fetching any response ends in a bounded body or in one of our errors."""

from __future__ import annotations

import asyncio
import gzip
import zlib
from collections.abc import AsyncIterator

import httpx
import pytest

from benchmarks import hostile_bodies
from benchmarks.hostile_bodies import SITES, serve
from core.errors import FetchFailed, FetchRefused
from core.rag.fetching.fetch import Fetcher
from core.rag.fetching.response import Inflater, parse_charset, parse_file_name, parse_media_type, read_body
from core.rag.fetching.site import FetchLimits
from tests.core.rag.fetching.support_websites import AGENT

LIMIT_BYTES = 10_000
# These end well: only a short page was read of them.
HARMLESS = {
    "many cookies": b"x",
    "a content type to parse for long": b"x",
    "as many headers as are read": b"x",
    "less announced than sent": b"x",
    "length and chunks": b"x",
}


@pytest.mark.parametrize("name", SITES)
async def test_hostile_bodies_end_within_limits(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """They end in a known error, within the deadline; no body is longer than the limit."""
    monkeypatch.setattr(hostile_bodies, "BOMB_BYTES", 2**24)
    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        limits = FetchLimits(deadline_s=10 if name in HARMLESS else 0.2, body_bytes=LIMIT_BYTES)
        async with Fetcher(None, [f"127.0.0.1:{port}"], user_agent=AGENT, limits=limits) as own:
            url = str(httpx.URL(f"http://127.0.0.1:{port}/{name}"))
            if name in HARMLESS:
                assert HARMLESS[name] == (await own.fetch(url, robots=False)).body
                return
            with pytest.raises((FetchFailed, FetchRefused)):
                await own.fetch(url, robots=False)


async def pieces(*parts: bytes) -> AsyncIterator[bytes]:
    for part in parts:
        yield part


def raw_deflate(data: bytes) -> bytes:
    packing = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return packing.compress(data) + packing.flush()


@pytest.mark.parametrize(
    ("coding", "packed"),
    [
        ("", b"Hello " * 1000),
        ("identity", b"Hello " * 1000),
        ("gzip", gzip.compress(b"Hello " * 1000)),
        ("X-GZIP", gzip.compress(b"Hello " * 1000)),
        ("gzip", gzip.compress(b"Hello " * 400) + gzip.compress(b"") + gzip.compress(b"Hello " * 600)),
        ("deflate", zlib.compress(b"Hello " * 1000)),
        ("deflate", raw_deflate(b"Hello " * 1000)),
    ],
)
@pytest.mark.parametrize("size", [1, 7, 10_000])
async def test_bodies_are_unpacked(coding: str, packed: bytes, size: int) -> None:
    """Servers may compress unasked, and split the body anywhere."""
    cut = pieces(*(packed[start : start + size] for start in range(0, len(packed), size)))

    assert b"Hello " * 1000 == await read_body(httpx.Headers({"Content-Encoding": coding}), cut, 6000)


@pytest.mark.parametrize("coding", ["", "gzip"])
async def test_a_body_of_exactly_the_limit_is_read(coding: str) -> None:
    """One byte more is refused, unless the body may be cut."""
    headers = httpx.Headers({"Content-Encoding": coding})
    body = gzip.compress(b"x" * 1000) if coding else b"x" * 1000

    assert 1000 == len(await read_body(headers, pieces(body), 1000))
    assert b"x" * 999 == await read_body(headers, pieces(body), 999, cut=True)
    with pytest.raises(FetchFailed, match="999 bytes"):
        await read_body(headers, pieces(body), 999)


def test_a_bomb_is_unpacked_only_as_far_as_read() -> None:
    """Unpacking stops with its reader, part by part."""
    parts = Inflater(zlib.MAX_WBITS | 16).feed(gzip.compress(bytes(2**24)))

    assert 2**16 == len(next(parts))
    assert 2**24 - 2**16 == sum(map(len, parts))


@pytest.mark.parametrize(
    ("header", "path", "expected"),
    [
        ("text/html; charset=utf-8", "/", "text/html"),
        ("Text/HTML", "/", "text/html"),
        ("application/rss+xml", "/feed", "application/rss+xml"),
        ("application/vnd.geo+json", "/", "application/vnd.geo+json"),
        ("application/pdf", "/a.html", "application/pdf"),
        ("text/tab-separated-values; charset=utf-8", "/rates", "text/tab-separated-values"),
        ("application/octet-stream", "/data/table.CSV", "text/csv"),
        ("text/x-python; charset=utf-8", "/", "text/x-python"),
        ("application/yaml", "/", "application/yaml"),
        ("image/svg+xml", "/", "image/svg+xml"),
        ("", "/a/report.docx", "application/vnd.openxmlformats-officedocument.wordprocessingml.document"),
    ],
)
def test_readable_types(header: str, path: str, expected: str) -> None:
    """The header decides; the path's suffix does only without one."""
    assert expected == parse_media_type(httpx.Headers({"Content-Type": header} if header else {}), path)


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ('attachment; filename="Fees 2026.xlsx"', "Fees 2026.xlsx"),
        ("attachment; filename*=UTF-8''Frais%20d%E2%80%99%C3%A9t%C3%A9.csv", "Frais d’été.csv"),
        ("inline", ""),
        ("", ""),
        ("attachment; filename*=bogus''%ff.csv", "ÿ.csv"),
    ],
)
def test_the_name_of_a_file(header: str, expected: str) -> None:
    """It is the one under which browsers save the file."""
    assert expected == parse_file_name(httpx.Headers({"Content-Disposition": header}))


def test_the_name_of_a_file_tells_its_type() -> None:
    """File stores send an unspecific type, at an address without a suffix."""
    headers = {"Content-Type": "application/octet-stream", "Content-Disposition": 'attachment; filename="Fees.csv"'}
    assert "text/csv" == parse_media_type(httpx.Headers(headers), "/download")


@pytest.mark.parametrize(
    "header", ["image/png", "video/mp4", "application/x-msdownload", "application/zip", "", "x", "text/html, a/b"]
)
def test_types_that_are_not_read(header: str) -> None:
    """They are refused before their body is read."""
    with pytest.raises(FetchFailed, match="type of content"):
        parse_media_type(httpx.Headers({"Content-Type": header}), "/page")


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("text/html; charset=UTF-8", "utf-8"),
        ('text/html; charset="iso-8859-1"', "iso8859-1"),
        ("text/html; charset=windows-1252", "cp1252"),
        ("text/html; a=b; charset=Shift_JIS", "shift_jis"),
        ("text/html", None),
        ("text/html; charset=", None),
        ("text/html; charset=klingon", None),
        ("text/html; charset=punycode", None),
        ("text/html; charset=zip", None),
        ("text/html; charset=unicode_escape", None),
        ("text/html; charset=../../etc", None),
        ("text/html; charset*=utf-8''utf-8", None),
    ],
)
def test_charsets(header: str, expected: str | None) -> None:
    """Charsets of texts are accepted, not every codec of Python."""
    assert expected == parse_charset(httpx.Headers({"Content-Type": header}))
