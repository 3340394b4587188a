"""The reason of a failed fetch, which the user sees."""

from __future__ import annotations

import socket
import ssl
from collections.abc import AsyncIterator, Sequence

import pytest

from core.errors import FetchFailed, FetchFault, FetchRefused
from core.rag.fetching.fetch import Fetcher
from core.rag.fetching.site import FetchLimits, translate_errors
from tests.core.rag.fetching.support_websites import AGENT, Website, fetcher, website


@pytest.fixture
async def site() -> AsyncIterator[Website]:
    async with website() as running:
        yield running


async def failure_reason(own: Fetcher, url: str, *, robots: bool = False) -> FetchFault | None:
    async with own:
        try:
            await own.fetch(url, robots=robots)
        except (FetchFailed, FetchRefused) as exc:
            return exc.reason
    pytest.fail("it was fetched")


@pytest.mark.parametrize(
    ("status", "reason"),
    [(404, "missing"), (410, "missing"), (401, "login"), (403, "login"), (429, "busy"), (503, "busy"), (500, "status")],
)
async def test_statuses(site: Website, status: int, reason: FetchFault) -> None:
    """The reason tells whether to check the URL, paste the text, or wait."""
    site.page("/page", "An error", status=status)

    assert reason == await failure_reason(fetcher(site), site.url("/page"))


@pytest.mark.parametrize(
    ("media_type", "reason"),
    [("image/png", "picture"), ("video/mp4", "recording"), ("audio/mpeg", "recording"), ("application/zip", "kind")],
)
async def test_kinds(site: Website, media_type: str, reason: FetchFault) -> None:
    """The reason names pictures and recordings."""
    site.page("/page", "bytes", Content_Type=media_type)

    assert reason == await failure_reason(fetcher(site), site.url("/page"))


async def test_a_page_that_is_too_large_has_its_reason(site: Website) -> None:
    """The site answered, with too much."""
    site.page("/page", "x" * 100)

    assert "large" == await failure_reason(fetcher(site, limits=FetchLimits(body_bytes=99)), site.url("/page"))


async def test_a_robots_refusal_has_its_reason(site: Website) -> None:
    """It is the site's wish."""
    site.page("/robots.txt", "User-agent: *\nDisallow: /")

    assert "robots" == await failure_reason(fetcher(site), site.url("/page"), robots=True)


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (socket.gaierror(socket.EAI_NONAME, "Name or service not known"), "unknown"),
        (socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution"), "offline"),
    ],
)
@pytest.mark.parametrize("robots", [True, False])
async def test_an_unknown_name_differs_from_no_dns(error: OSError, reason: FetchFault, robots: bool) -> None:
    """The user can correct an unknown name; the operator repairs the network."""

    async def resolve(_name: str) -> Sequence[str]:
        raise error

    own = Fetcher(None, user_agent=AGENT, resolve=resolve)
    assert reason == await failure_reason(own, "https://www.example.ca/page", robots=robots)


async def test_internal_addresses_have_their_reason() -> None:
    """Hosts are internal by name, by address, or by DNS."""

    async def resolve(_name: str) -> Sequence[str]:
        return ["10.0.0.1"]

    for url in ("http://intranet/", "http://10.0.0.1/", "http://www.example.ca/"):
        assert "private" == await failure_reason(Fetcher(None, user_agent=AGENT, resolve=resolve), url)
    assert "form" == await failure_reason(Fetcher(None, user_agent=AGENT, resolve=resolve), "http://a:b@example.ca/")


async def test_a_closed_port_has_its_reason() -> None:
    """The address is public, but nothing listens."""
    with socket.create_server(("127.0.0.1", 0)) as closed:
        origin = f"127.0.0.1:{closed.getsockname()[1]}"

    assert "silent" == await failure_reason(Fetcher(None, (origin,), user_agent=AGENT), f"http://{origin}/")


def test_a_late_tls_error_is_translated() -> None:
    """A site may ask for our certificate after the handshake, and httpcore passes that error on."""
    with pytest.raises(FetchFailed, match="encrypted") as failure, translate_errors("site.example"):
        raise ssl.SSLError("TLSV13_ALERT_CERTIFICATE_REQUIRED")
    assert failure.value.reason == "broken"
