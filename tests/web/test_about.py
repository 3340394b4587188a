"""/about: the public papers as pages."""

from __future__ import annotations

import pytest

from tests.web.support_site import Site


@pytest.mark.parametrize("paper", ["accessibility", "privacy"])
@pytest.mark.parametrize(("language", "other"), [("en", "fr"), ("fr", "en")])
async def test_a_paper_is_a_page_in_both_languages(whisper: Site, paper: str, language: str, other: str) -> None:
    """It names its language and leads to the other one; another site may link to it."""
    headers = {"Sec-Fetch-Site": "cross-site"}
    async with whisper.http.get(f"/about/{language}/{paper}", headers=headers) as response:
        page = await response.text()
        assert (response.status, response.content_type) == (200, "text/html")
    assert f'<html lang="{language}">' in page
    assert f'href="../../about/{other}/{paper}" lang="{other}" hreflang="{other}"' in page
    assert page.count("<h1>") == page.count("<title>") == 1
    assert "<script" not in page
    assert page.count("<table>") == page.count('tabindex="0"')


@pytest.mark.parametrize(("accepted", "words"), [("fr-CA, en", "Avis de confidentialité"), ("en", "Privacy notice")])
async def test_the_address_without_a_language_follows_the_browser(whisper: Site, accepted: str, words: str) -> None:
    """Its links and styles work from its own depth."""
    async with whisper.http.get("/about/privacy", headers={"Accept-Language": accepted}) as response:
        page = await response.text()
    assert f"<h1>{words}</h1>" in page
    style = page.split('rel="stylesheet" href="..')[1].split('"')[0]
    async with whisper.http.get(style) as response:
        assert (response.status, response.content_type) == (200, "text/css")


@pytest.mark.parametrize("path", ["/about/x", "/about/de/privacy", "/about/en/system-card", "/about/en/x", "/about/"])
async def test_other_papers_are_not_public(whisper: Site, path: str) -> None:
    """The operator's papers are not served, nor anything else."""
    async with whisper.http.get(path) as response:
        assert response.status == 404
