"""The page for an address without one: for browsers alone, with links that work at every depth and prefix."""

from __future__ import annotations

import re

import pytest

from core.configuration.settings import Settings
from tests.web.support_site import Site, site

BROWSER = {"Accept": "text/html,application/xhtml+xml;q=0.9", "Accept-Language": "fr-CA"}


async def test_a_browser_gets_a_page_in_its_language(whisper: Site) -> None:
    """Its links lead to the chat and to the form, however deep the address is."""
    for path in ("/elsewhere", "/of/yesterday", "/v1/of/yesterday/"):
        async with whisper.http.get(path, headers=BROWSER) as response:
            html = await response.text()
            assert (404, "text/html") == (response.status, response.content_type)
        assert '<html lang="fr">' in html
        for link in re.findall(r'href="([^"]+)"', html):
            async with whisper.http.get(response.url.join(type(response.url)(link))) as linked:
                assert linked.status == 200, link


async def test_a_program_gets_the_error_of_the_route(whisper: Site) -> None:
    """A script that requests an unknown path has no use for a page."""
    async with whisper.http.get("/elsewhere") as response:
        assert (404, "text/plain") == (response.status, response.content_type)
    async with whisper.http.post("/elsewhere", headers=BROWSER) as response:
        assert response.content_type != "text/html"


@pytest.mark.parametrize("path", ["/chat/of/yesterday", "/of/yesterday"])
async def test_the_links_have_the_prefix(own_settings: Settings, path: str) -> None:
    """Also where the proxy removes it from requests."""
    async with site(own_settings, prefix="/chat") as running, running.http.get(path, headers=BROWSER) as response:
        links = re.findall(r'href="([^"]+)"', await response.text())

    assert links
    assert all(link.startswith("/chat/") for link in links)
