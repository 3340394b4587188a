"""/gpt: one prompt in, plain text out."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from urllib.parse import quote, urlencode

import pytest
from aiohttp import ClientPayloadError
from hypothesis import given
from hypothesis import strategies as st

from core.configuration.settings import Settings
from core.contract import Done, Prompt, Text, Usage
from core.errors import (
    BadRequest,
    CspsError,
    FetchFailed,
    FetchRefused,
    ModelUnavailable,
    PromptTooLong,
    UnreadableDocument,
)
from core.texts import error_text
from tests.support.fake_engine import FakeEngine
from tests.web.support_site import Site, site
from web.request_body import parse_form_field

DONE = Done("stop", "fake-model", Usage(7, 3, 2))


async def test_get_and_post_give_the_same_answer(whisper: Site) -> None:
    """A URL-encoded `prompt` in the query or the body; text/plain in UTF-8, which no browser takes for HTML."""
    async with whisper.http.get("/gpt/whisper", params={"prompt": "Où ça & là?"}) as got:
        assert (got.status, await got.text()) == (200, "Hello world.")
    async with whisper.http.post("/gpt/whisper", data={"prompt": "Où ça & là?"}) as posted:
        assert (posted.status, await posted.text()) == (200, "Hello world.")

    for response in (got, posted):
        assert response.headers["Content-Type"] == "text/plain; charset=utf-8"
        assert response.headers["X-Content-Type-Options"] == "nosniff"
    assert [prompt.text for prompt in whisper.engine.prompts] == ["Où ça & là?"] * 2
    receipts = [prompt.receipt for prompt in whisper.engine.prompts]
    assert [response.headers["X-Receipt"] for response in (got, posted)] == receipts


async def test_each_call_is_a_separate_conversation(whisper: Site) -> None:
    """Nothing is stored; the engine gets |CONTEXT| unchanged, as at the start of each session."""
    text = "|CONTEXT|The sky is green.|/CONTEXT| What colour is it?"
    async with whisper.http.get("/gpt/whisper", params={"prompt": text}):
        pass

    [prompt] = whisper.engine.prompts
    assert (None, (), text) == (prompt.conversation, prompt.history, prompt.text)
    assert whisper.engine.sessions == {}


async def test_text_is_streamed(own_settings: Settings) -> None:
    """The first words arrive while the rest is being written."""
    gate = asyncio.Event()
    async with (
        site(own_settings, FakeEngine([Text("a"), gate, Text("é"), DONE])) as running,
        running.http.get("/gpt/whisper?prompt=Hi") as response,
    ):
        assert await response.content.readany() == b"a"
        gate.set()
        assert (await response.content.read()).decode() == "é"


async def test_empty_answer_is_complete(own_settings: Settings) -> None:
    """A model that writes nothing is not an error."""
    async with (
        site(own_settings, FakeEngine([DONE])) as running,
        running.http.get("/gpt/whisper?prompt=Hi") as response,
    ):
        assert (response.status, await response.text()) == (200, "")


async def test_failure_before_text_has_a_status_and_a_message(own_settings: Settings) -> None:
    """The message is in the personality's language; Retry-After is set."""
    failure = ModelUnavailable("no model at /secret/path", retry_after_s=2.5)
    async with site(own_settings, FakeEngine([failure])) as running:
        async with running.http.get("/gpt/chuchotte?prompt=Hi") as response:
            assert (response.status, response.headers["Retry-After"]) == (503, "3")
            assert f"{error_text(failure, 'fr')}\n" == await response.text()
            assert response.headers["Content-Type"] == "text/plain; charset=utf-8"
        assert running.metric("csps_web_errors_total", code="model_unavailable") == 1


async def test_too_long_prompt_is_413(own_settings: Settings) -> None:
    """The message holds the length and the limit."""
    failure = PromptTooLong("too long", tokens=9000, limit=4000)
    async with (
        site(own_settings, FakeEngine([failure])) as running,
        running.http.get("/gpt/whisper?prompt=Hi") as response,
    ):
        assert response.status == 413
        assert await response.text() == f"{error_text(failure, 'en')}\n"


@pytest.mark.parametrize(
    "failure",
    [FetchFailed("status 404", "missing"), FetchRefused("10.0.0.1", "private"), UnreadableDocument("no text", "empty")],
)
async def test_address_errors_are_in_the_language_of_the_personality(
    own_settings: Settings, failure: CspsError
) -> None:
    """The person wrote the address, so the message is for them, whatever the status."""
    async with (
        site(own_settings, FakeEngine([failure])) as running,
        running.http.get("/gpt/chuchotte?prompt=Hi") as response,
    ):
        assert (response.status, await response.text()) == (failure.status, f"{error_text(failure, 'fr')}\n")


@pytest.mark.parametrize("failure", [ModelUnavailable("gone"), ValueError("a defect")])
async def test_failure_after_text_aborts_the_connection(own_settings: Settings, failure: Exception) -> None:
    """An incomplete answer never looks complete: the body has no end."""
    async with (
        site(own_settings, FakeEngine([Text("Half of"), failure])) as running,
        running.http.get("/gpt/whisper?prompt=Hi") as response,
    ):
        assert response.status == 200
        with pytest.raises(ClientPayloadError):
            await response.text()


async def test_text_before_a_failure_arrives(own_settings: Settings) -> None:
    """The last bytes are the text, not the chunk that would end the body."""
    async with site(own_settings, FakeEngine([Text("Half of"), ModelUnavailable("gone")])) as running:
        reader, writer = await asyncio.open_connection("127.0.0.1", running.port)
        writer.write(b"GET /gpt/whisper?prompt=Hi HTTP/1.1\r\nHost: localhost\r\n\r\n")
        received = await reader.read()
        writer.close()

    assert received.endswith(b"Half of\r\n")


async def test_failure_resets_an_http_1_0_connection(own_settings: Settings) -> None:
    """Without chunks, an ordinary end would look complete."""
    gate = asyncio.Event()
    async with site(own_settings, FakeEngine([Text("Half of"), gate, ModelUnavailable("gone")])) as running:
        reader, writer = await asyncio.open_connection("127.0.0.1", running.port)
        writer.write(b"GET /gpt/whisper?prompt=Hi HTTP/1.0\r\nHost: localhost\r\n\r\n")
        await reader.readuntil(b"Half of")
        gate.set()
        with pytest.raises(ConnectionResetError):
            await reader.read()
        writer.close()


async def test_disconnection_cancels_the_answer(own_settings: Settings) -> None:
    """A disconnected HTTP client frees its slot."""
    async with site(own_settings, FakeEngine([Text("a"), asyncio.Event(), DONE])) as running:
        async with running.http.get("/gpt/whisper?prompt=Hi") as response:
            await response.content.readany()
            response.close()
        await running.engine.cancelled.wait()


async def test_disconnection_before_text_cancels_the_answer(own_settings: Settings) -> None:
    """This also holds before any byte of the response."""
    async with site(own_settings, FakeEngine([asyncio.Event(), DONE])) as running:
        _reader, writer = await asyncio.open_connection("127.0.0.1", running.port)
        writer.write(b"GET /gpt/whisper?prompt=Hi HTTP/1.1\r\nHost: localhost\r\n\r\n")
        await running.engine.started.wait()
        writer.close()
        await running.engine.cancelled.wait()


@pytest.mark.parametrize(
    ("target", "status", "fragment"),
    [
        ("/gpt/whisper", 400, "`prompt`"),
        ("/gpt/whisper?prompt=", 400, "`prompt`"),
        ("/gpt/whisper?prompt=+%0A", 400, "`prompt`"),
        ("/gpt/whisper?Prompt=Hi", 400, "`prompt`"),
        ("/gpt/whisper?prompt=a&prompt=b", 400, "more than once"),
        ("/gpt/whisper?prompt=%FF", 400, "UTF-8"),
        ("/gpt/whisper?prompt=%ED%A0%80", 400, "UTF-8"),
        ("/gpt/whisper?" + "&".join(f"a{n}=1" for n in range(100)), 400, "parameters"),
        ("/gpt/nobody?prompt=Hi", 404, "whisper"),
        ("/gpt/whisper/?prompt=Hi", 404, "nothing"),
        ("/gpt/?prompt=Hi", 404, "nothing"),
        ("/gpt/whisper?prompt=" + "x" * 20_000, 414, "POST"),
    ],
)
async def test_invalid_gets_are_refused(whisper: Site, target: str, status: int, fragment: str) -> None:
    """Each gets a text with the remedy, and the engine is not called."""
    async with whisper.http.get(target) as response:
        assert status == response.status
        assert fragment in await response.text()
    assert whisper.engine.prompts == []


@pytest.mark.parametrize("method", ["HEAD", "PUT", "DELETE", "PATCH", "OPTIONS"])
async def test_other_methods_are_405(whisper: Site, method: str) -> None:
    """The response lists the allowed methods."""
    async with whisper.http.request(method, "/gpt/whisper?prompt=Hi") as response:
        assert (response.status, response.headers["Allow"]) == (405, "GET, POST")


@given(st.text())
def test_prompt_survives_url_encoding(prompt: str) -> None:
    """The engine gets exactly the encoded prompt."""
    assert prompt == parse_form_field(urlencode({"prompt": prompt}), "prompt")
    assert prompt == parse_form_field(f"prompt={quote(prompt)}", "prompt")


@given(st.text(alphabet=st.characters(), max_size=200))
def test_any_query_is_parsed_or_refused(encoded: str) -> None:
    """No query raises anything but BadRequest."""
    with suppress(BadRequest):
        assert isinstance(parse_form_field(encoded, "prompt"), str)


async def test_metrics_count_an_answer(own_settings: Settings) -> None:
    """/metrics shows running answers, tokens and the time to the first words."""
    gate = asyncio.Event()

    def steps(_prompt: Prompt) -> list[Text | asyncio.Event | Done]:
        return [Text("a"), gate, Text("b"), DONE]

    async with site(own_settings, FakeEngine(steps)) as running:
        async with running.http.get("/gpt/whisper?prompt=Hi") as response:
            await response.content.readany()
            assert running.metric("csps_web_replies_running") == 1
            gate.set()
            await response.read()
        assert running.metric("csps_web_replies_running") == 0
        assert tuple(running.metric("csps_web_tokens_total", kind=kind) for kind in ("prompt", "completion")) == (7, 3)
        assert running.metric("csps_web_first_words_seconds_count") == 1
