"""/gpt in a browser: the form without JavaScript."""

from __future__ import annotations

import asyncio

import pytest

from core.configuration.settings import Settings
from core.contract import Done, Source, Text, Usage
from core.errors import ModelUnavailable
from tests.support.fake_engine import FakeEngine
from tests.web.support_site import Site, site

DONE = Done("stop", "fake-model", Usage(7, 3, 2))


@pytest.mark.parametrize("accepted", ["fr-CA, en", "en"])
async def test_the_form_is_in_the_persons_language(whisper: Site, accepted: str) -> None:
    """It offers the other one, and an assistant of the language. Another site may link to it."""
    french = accepted.startswith("fr")
    headers = {"Accept-Language": accepted, "Sec-Fetch-Site": "cross-site"}
    async with whisper.http.get("/gpt/?x=1", headers=headers) as response:
        page = await response.text()
        assert (200, "/gpt", "text/html") == (response.status, response.url.path, response.content_type)
        assert response.headers["Referrer-Policy"] == "same-origin"
        assert "script" not in page
    assert f'<html lang="{"fr" if french else "en"}">' in page
    assert ("Votre question" in page) is french
    assert f'value="{"chuchotte" if french else "whisper"}" lang="{"fr" if french else "en"}" selected' in page


async def test_an_answer_is_streamed_into_the_page_with_its_sources(own_settings: Settings) -> None:
    """Words of people and models stay text. Only web addresses become links."""
    gate = asyncio.Event()
    steps = [
        Text("<b>a"),
        gate,
        Text("</b>"),
        Source(1, "A & B", "https://a.example/x"),
        Source(2, "<i>", "javascript:1"),
    ]
    async with (
        site(own_settings, FakeEngine([*steps, DONE])) as running,
        running.http.post(
            "/gpt", data={"personality": "chuchotte", "prompt": "<script>", "language": "en"}
        ) as response,
    ):
        beginning = b""
        while b"&lt;b&gt;a" not in beginning:
            beginning += await response.content.readany()
        assert b"&lt;script&gt;" in beginning
        gate.set()
        page = (beginning + await response.content.read()).decode()
    assert page.endswith("</html>\n")
    assert '<p class="body" lang="fr">&lt;b&gt;a&lt;/b&gt;</p>' in page
    assert (
        '<li value="1"><a href="https://a.example/x" rel="noopener noreferrer nofollow">A &amp; B</a> (a.example)'
        in page
    )
    assert '<li value="2"><span>&lt;i&gt;</span></li>' in page
    assert "<script" not in page
    [prompt] = running.engine.prompts
    assert ("chuchotte", "<script>", None, "en") == (
        prompt.personality,
        prompt.text,
        prompt.conversation,
        prompt.language,
    )


@pytest.mark.parametrize(
    ("steps", "data", "status", "words"),
    [
        ([DONE], {"prompt": " "}, 400, "Please write a question."),
        ([DONE], {"prompt": "Hi", "personality": "nobody"}, 404, "There is no such personality here."),
        ([ModelUnavailable("x")], {"prompt": "Hi"}, 503, "The model is not available at the moment."),
        ([Text("Half"), ModelUnavailable("x")], {"prompt": "Hi"}, 200, "The model is not available at the moment."),
    ],
)
async def test_a_failure_leaves_the_question_in_the_form(
    own_settings: Settings, steps: list[Text], data: dict[str, str], status: int, words: str
) -> None:
    """The page says what was wrong. Its status does too, unless the answer had begun."""
    async with (
        site(own_settings, FakeEngine(steps)) as running,
        running.http.post("/gpt", data=data) as response,
    ):
        page = await response.text()
    assert status == response.status
    assert words in page
    assert f"\n{data['prompt']}</textarea>" in page


async def test_another_site_cannot_send_the_form(whisper: Site) -> None:
    """A form is a request that any page could make a browser send."""
    for headers in ({"Origin": "https://evil.example"}, {"Origin": "null"}, {"Sec-Fetch-Site": "cross-site"}):
        async with whisper.http.post("/gpt", data={"prompt": "Hi"}, headers=headers) as response:
            assert response.status == 403
    assert whisper.engine.prompts == []
