"""The service under a path of a proxy's host (WEB_PREFIX)."""

from __future__ import annotations

import re

import pytest

from core.configuration.settings import Settings, load
from core.errors import ConfigError
from tests.support.fake_engine import FakeEngine
from tests.web.support_site import site
from web.app import create_app


async def test_everything_is_served_with_and_without_the_prefix(own_settings: Settings) -> None:
    """The proxy may remove the prefix or leave it, and the service's own port keeps working."""
    async with site(own_settings, prefix="/chat") as running:
        for prefix in ("/chat", ""):
            for path in ("/?personality=x", "/gpt", "/describe", "/healthz", "/static/page.js", "/v1/models"):
                async with running.http.get(prefix + path) as response:
                    assert response.status == 200, prefix + path
            async with running.http.get(f"{prefix}/gpt/whisper?prompt=Hi") as response:
                assert await response.text() == "Hello world."
            async with running.http.ws_connect(f"{prefix}/gpt-socket/whisper") as socket:
                await socket.send_str("Hi")
                assert await socket.receive_str() == "Hello"
            for path in ("/gpt/", "/static/index.html"):
                async with running.http.get(f"{prefix}{path}?personality=x") as response:
                    assert response.url.path.startswith(f"{prefix}/")
                    assert (200, "personality=x") == (response.status, response.url.query_string)
        assert running.metric("csps_web_requests_total", route="/gpt/{personality}", method="GET", status="200") == 2


async def test_the_page_names_the_prefix(own_settings: Settings) -> None:
    """Its files and endpoints are right even if a proxy turns /chat into /."""
    async with site(own_settings, prefix="/chat") as running:
        async with running.http.get("/") as response:
            page = await response.text()
        assert '<meta name="service" content="/chat/">' in page
        assert all(each.startswith("/chat/") for each in re.findall(r'(?:src|href)="([^"]+)"', page) if each[0] != "#")
        async with running.http.get("/chat?personality=x") as response:
            assert ("/chat/", "personality=x") == (response.url.path, response.url.query_string)
        async with running.http.get("/conversations") as response:
            assert response.cookies["csps_visitor"]["path"] == "/chat/"


async def test_the_prefix_changes_no_rule(own_settings: Settings) -> None:
    """Other sites are refused, and errors have the form of their path."""
    async with site(own_settings, prefix="/chat") as running:
        async with running.http.get("/chat/describe", headers={"Origin": "https://evil.example"}) as response:
            assert (403, "application/problem+json") == (response.status, response.content_type)
        async with running.http.get("/chatty/describe") as response:
            assert response.status == 404


@pytest.mark.parametrize(("written", "prefix"), [("chat", "/chat"), ("/a/b/", "/a/b"), ("/", ""), ("", "")])
def test_a_prefix_is_read_with_and_without_slashes(written: str, prefix: str) -> None:
    assert prefix == load({"WEB_PREFIX": written}).web.prefix


@pytest.mark.parametrize("written", ["/a b", "https://a.example/chat", "/../x", "/a//b", "/é"])
def test_a_prefix_that_is_no_path_is_refused(written: str) -> None:
    with pytest.raises(ConfigError, match="WEB_PREFIX"):
        load({"WEB_PREFIX": written})


def test_a_prefix_cannot_be_a_path_of_the_service(own_settings: Settings) -> None:
    """One address would have two meanings."""
    web = own_settings.web.model_copy(update={"prefix": "/gpt"})
    with pytest.raises(ConfigError, match="/gpt is a path of the service"):
        create_app(FakeEngine(), own_settings.model_copy(update={"web": web}))
