"""No way to internal hosts: by URL, redirect, DNS answer or certificate."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any

import httpcore
import httpx
import pytest

from benchmarks.canary import AGENT, Canary, RedirectingNetwork, ScriptedDns, attack, listen, public_site
from benchmarks.hostile_urls import PUBLIC, HostileUrl, cases, redirect_url
from core.errors import ConfigError, FetchFailed, FetchRefused
from core.rag.fetching.connection import SystemResolver
from core.rag.fetching.fetch import Fetcher
from tests.core.rag.fetching.support_websites import website
from tests.support.certificates import certify

TLS = httpx.create_ssl_context()


@pytest.fixture
async def wires() -> AsyncIterator[RedirectingNetwork]:
    """Public addresses lead to an outside site, others to the canary."""
    async with listen(public_site) as open_port, listen(Canary()) as canary_port:
        yield RedirectingNetwork(open_port, canary_port)


def fetcher(wires: Any, names: Any, allow: Sequence[str] = ()) -> Fetcher:
    return Fetcher(None, allow, user_agent=AGENT, tls=TLS, resolve=names, network=wires)


async def test_no_hostile_url_reaches_the_canary() -> None:
    """250 hostile URLs, redirects and DNS answers: none connects inside, none gets an answer."""
    outcomes = await attack(cases())

    assert len(outcomes) >= 250
    assert [] == [outcome.case for outcome in outcomes if outcome.connections or not outcome.refused]


async def test_ordinary_pages_are_reached() -> None:
    """They use the same network, so the network is not the reason for the canary's silence."""
    pages = [
        "http://outside.example.org/",
        "http://93.184.215.14/",
        "http://outside.example.org:443/",
        redirect_url("a.b", "/c", 302),
    ]
    outcomes = await attack([HostileUrl("ordinary", url, robots=robots) for url in pages for robots in (True, False)])

    assert [None] * 8 == [outcome.error for outcome in outcomes]


async def test_an_allowed_host_reaches_the_canary(wires: RedirectingNetwork) -> None:
    """The operator's `allow` opens any address and port."""
    async with fetcher(wires, ScriptedDns({"inside.lan": [["127.0.0.1"]]}), ["inside.lan:8080"]) as own:
        fetched = await own.fetch("http://inside.lan:8080/", robots=False)

    assert b"secret" == fetched.body
    assert [("127.0.0.1", 8080)] == wires.connected


async def test_a_name_is_resolved_once(wires: RedirectingNetwork) -> None:
    """The checked address is the connected one, and no search list completes the name."""
    names = ScriptedDns({"turns.example.org": [[PUBLIC[0]], ["127.0.0.1"]]})
    async with fetcher(wires, names) as own:
        await own.fetch("http://turns.example.org/", robots=False)

    assert ["turns.example.org."] == names.queries
    assert [(PUBLIC[0], 80)] == wires.connected


async def test_each_fetch_resolves_afresh(wires: RedirectingNetwork) -> None:
    """A connection is not reused."""
    names = ScriptedDns({"turns.example.org": [[PUBLIC[0]], ["127.0.0.1"]]})
    async with fetcher(wires, names) as own:
        await own.fetch("http://turns.example.org/a", robots=False)
        with pytest.raises(FetchRefused):
            await own.fetch("http://turns.example.org/b", robots=False)

    assert [(PUBLIC[0], 80)] == wires.connected


async def test_an_address_is_connected_to_without_a_resolver(monkeypatch: pytest.MonkeyPatch) -> None:
    """The network gets the address unchanged, and the resolver is not called."""

    def resolve(*_: Any, **__: Any) -> Any:
        raise AssertionError("a second resolution")

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    async with website() as site:
        site.page("/", "Hello")
        host, port = "pages.example.org", site.origin.rpartition(":")[2]
        names = ScriptedDns({host: [["127.0.0.1"]]})
        async with fetcher(None, names, [f"{host}:{port}"]) as own:
            assert b"Hello" == (await own.fetch(f"http://{host}:{port}/", robots=False)).body


async def test_the_second_address_is_tried() -> None:
    """A host whose first address does not answer is reached."""

    class FirstAddressFails(RedirectingNetwork):
        async def connect_tcp(self, host: str, port: int, *rest: Any, **more: Any) -> httpcore.AsyncNetworkStream:
            stream = await super().connect_tcp(host, port, *rest, **more)
            if host == PUBLIC[1]:
                await stream.aclose()
                raise httpcore.ConnectError("unreachable")
            return stream

    async with listen(public_site) as port:
        broken = FirstAddressFails(port, port)
        async with fetcher(broken, ScriptedDns({"a.example.org": [[PUBLIC[1], PUBLIC[0]]]})) as own:
            assert b"A page." == (await own.fetch("http://a.example.org/", robots=False)).body

    assert [PUBLIC[1], PUBLIC[0]] == [host for host, _ in broken.connected]


async def test_a_name_without_address_fails(wires: RedirectingNetwork) -> None:
    """It is a failure, no refusal: the URL is well formed."""

    async def nobody(name: str) -> Sequence[str]:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    async def nothing(name: str) -> Sequence[str]:
        return ()

    for names in (nobody, nothing):
        async with fetcher(wires, names) as own:
            with pytest.raises(FetchFailed, match=r"missing\.example\.org"):
                await own.fetch("http://missing.example.org/", robots=False)
    assert [] == wires.connected


async def test_proxies_of_the_environment_are_not_used(
    wires: RedirectingNetwork, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A proxy would resolve names itself, unchecked."""
    for variable in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        monkeypatch.setenv(variable, "http://127.0.0.1:3128")
    async with fetcher(wires, ScriptedDns({})) as own:
        await own.fetch("http://outside.example.org/", robots=False)

    assert [(PUBLIC[0], 80)] == wires.connected


@pytest.mark.parametrize("entry", ["localhost", "http://localhost:80", "localhost:", "a b:80", "user@host:80"])
def test_allow_takes_only_host_and_port(entry: str) -> None:
    """Another form would allow nothing, or more than intended."""
    with pytest.raises(ConfigError, match="host:port"):
        Fetcher(None, [entry], user_agent=AGENT, tls=TLS)


async def test_the_system_resolves_names() -> None:
    """An impossible name has no address, and the resolver is free again after both."""
    resolve = SystemResolver(at_once=1)

    assert {"127.0.0.1", "::1"} & set(await resolve("localhost"))
    with pytest.raises(OSError):
        await resolve(f"{'a' * 64}.invalid.")
    assert await resolve("127.0.0.1")


async def test_a_cancelled_lookup_keeps_its_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its slot is free only when the thread ends."""
    looked, may_answer = asyncio.Event(), asyncio.Event()
    loop = asyncio.get_running_loop()

    def slow(*_: Any, **__: Any) -> Any:
        loop.call_soon_threadsafe(looked.set)
        asyncio.run_coroutine_threadsafe(may_answer.wait(), loop).result()
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("192.0.2.1", 0))]

    monkeypatch.setattr(socket, "getaddrinfo", slow)
    resolve = SystemResolver(at_once=1)
    first = asyncio.create_task(resolve("slow.example.org"))
    await looked.wait()
    first.cancel()
    second = asyncio.create_task(resolve("next.example.org"))
    await asyncio.sleep(0)
    assert not second.done()
    may_answer.set()

    assert ["192.0.2.1"] == await second


# ---------------------------------------------------------------- certificates


@pytest.fixture
async def secure(tmp_path: Path) -> AsyncIterator[tuple[RedirectingNetwork, ssl.SSLContext]]:
    """Yields a TLS site named good.example.org, and a context that trusts its certificate."""
    certificate = certify("good.example.org", tmp_path)
    serving = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    serving.load_cert_chain(certificate)
    server = await asyncio.start_server(public_site, "127.0.0.1", 0, ssl=serving)
    async with server:
        port = server.sockets[0].getsockname()[1]
        yield RedirectingNetwork(port, port), ssl.create_default_context(cafile=str(certificate))


async def test_a_certificate_is_for_the_name_not_the_address(secure: tuple[RedirectingNetwork, ssl.SSLContext]) -> None:
    """The certificate must be for the name, although the connection uses an address."""
    wires, trusting = secure
    async with Fetcher(None, user_agent=AGENT, tls=trusting, resolve=ScriptedDns({}), network=wires) as own:
        fetched = await own.fetch("https://good.example.org./", robots=False)
        with pytest.raises(FetchFailed, match="certificate"):
            await own.fetch("https://other.example.org/", robots=False)

    assert b"A page." == fetched.body
    assert [(PUBLIC[0], 443)] * 2 == [*wires.connected]


async def test_https_does_not_fall_back(secure: tuple[RedirectingNetwork, ssl.SSLContext]) -> None:
    """A redirect from https to http is refused, even to an allowed host."""
    wires, trusting = secure
    url = redirect_url("good.example.org", "http://good.example.org/", 302).replace("http:", "https:", 1)
    allow = ["good.example.org:80"]
    async with Fetcher(None, allow, user_agent=AGENT, tls=trusting, resolve=ScriptedDns({}), network=wires) as own:
        with pytest.raises(FetchRefused, match="https to http"):
            await own.fetch(url, robots=False)
