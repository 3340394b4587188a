"""The model client: streams in any chunks, errors, and request bodies."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import Sequence
from contextlib import aclosing
from itertools import pairwise
from pathlib import Path

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.configuration.settings import Settings, load
from core.contract import Sampling, Usage
from core.errors import (
    CspsError,
    EngineFailed,
    ModelRefused,
    ModelUnavailable,
    Overloaded,
    PromptTooLong,
    SchemaRefused,
)
from core.model.client import ModelClient, local_url, responses
from core.model.client.engine_connection import EngineConnection
from core.model.library.engine_entry import strip_version
from core.openai.chat_protocol import (
    QueuePosition,
    StreamFinished,
    TextDelta,
    error_from_object,
)
from core.openai.stream_reader import LINE_LIMIT_BYTES, StreamReader
from tests.core.support_asking import HI, connected, pieces
from tests.support.fake_model import Comment, Die, Fail, FakeModel, Finish, Raw, Step, choice, sse


async def test_an_answer_comes_in_pieces(own_settings: Settings) -> None:
    """The events are the queue position, the text, and the end with reason and usage."""
    answer = (Comment("queued position=3 wait_s=2.5"), Comment("alive"), "Hel", "lo", Finish("length"))
    async with connected(own_settings, answer) as (client, _):
        assert await pieces(client) == [
            QueuePosition(3, 2.5),
            TextDelta("Hel"),
            TextDelta("lo"),
            StreamFinished("length", Usage(2, 1, 0), "fake-model"),
        ]


async def test_only_fields_that_are_set_are_sent(own_settings: Settings) -> None:
    """An engine sees an optional field only if the caller sets it."""
    async with connected(own_settings) as (client, model):
        await pieces(client)
        await pieces(client, Sampling(temperature=0, top_k=4, stop=("x",)), user="u", continue_last=True)

    plain, chosen = model.requests
    assert set(plain) == {"messages", "stream", "stream_options"}
    assert chosen["temperature"] == 0
    assert chosen["top_k"] == 4
    assert chosen["stop"] == ["x"]
    assert chosen["user"] == "u"
    assert chosen["continue_final_message"] is True
    assert chosen["add_generation_prompt"] is False
    assert "min_p" not in chosen


TEXT = st.text(st.characters(exclude_categories=["Cs"]), min_size=1)


@given(texts=st.lists(TEXT, min_size=1, max_size=5), cuts=st.lists(st.integers(0, 2000)), crlf=st.booleans())
def test_text_survives_any_cut(texts: list[str], cuts: list[int], crlf: bool) -> None:
    """The text is the same and complete if the network cuts the bytes anywhere, also inside a character."""
    body = b"".join(raw_event(text) for text in texts) + sse({"choices": [choice(None, "stop")]})
    body = body.replace(b"\n", b"\r\n") if crlf else body
    borders = sorted({0, *(cut % (len(body) + 1) for cut in cuts), len(body)})
    reader = StreamReader(is_continuation=True)
    found = [piece for a, b in pairwise(borders) for piece in reader.feed(body[a:b])]

    assert "".join(piece.text for piece in found if isinstance(piece, TextDelta)) == "".join(texts)
    assert list(reader.end()) == [StreamFinished("stop", Usage())]


def raw_event(text: str) -> bytes:
    return b"data: " + json.dumps({"choices": [choice(text)]}, ensure_ascii=False).encode() + b"\n\n"


@given(TEXT)
def test_halves_of_characters_are_joined(text: str) -> None:
    r"""An engine that escapes may cut between the two \u escapes of one character."""
    reader = StreamReader(is_continuation=True)
    halves = text.encode("utf-16-le", "surrogatepass")
    units = [halves[i : i + 2].decode("utf-16-le", "surrogatepass") for i in range(0, len(halves), 2)]
    found = [piece for unit in units for piece in reader.feed(sse({"choices": [choice(unit)]}))]

    assert "".join(piece.text for piece in found if isinstance(piece, TextDelta)) == text
    assert all(piece.text.encode() for piece in found if isinstance(piece, TextDelta))


@pytest.mark.parametrize(
    ("step", "error"),
    [
        (Fail(429, "rate_limit", retry_after_s=7), Overloaded),
        (Fail(503, "overloaded", retry_after_s=7), Overloaded),
        (Fail(503, "model_unavailable", retry_after_s=7), ModelUnavailable),
        (Fail(400, "context_length_exceeded"), PromptTooLong),
        (Fail(400, "bad", "This model's maximum context length is 4096 tokens"), PromptTooLong),
        (Fail(422, "schema_refused", "at /x: not"), SchemaRefused),
        (Fail(400, "other"), ModelRefused),
        (Fail(500), EngineFailed),
        (Fail(502, "model_failed"), EngineFailed),
        (Fail(502, "bad_gateway"), ModelUnavailable),
        (Die(), ModelUnavailable),
    ],
)
async def test_refusals_are_our_errors(own_settings: Settings, step: Step, error: type[CspsError]) -> None:
    """OpenAI's code decides first, then the status; Retry-After is kept."""
    async with connected(own_settings, (step,)) as (client, _):
        with pytest.raises(error) as caught:
            await pieces(client)

    assert type(caught.value) is error
    if isinstance(step, Fail) and step.retry_after_s:
        assert caught.value.retry_after_s == 7


@pytest.mark.parametrize(
    ("steps", "error"),
    [
        (("Hel", Die()), ModelUnavailable),
        (("Hel", Fail(500, "stopping")), ModelUnavailable),
        (("Hel", Fail(500, "exploded")), EngineFailed),
        (("Hel", Raw(b"data: {nonsense\n\n")), EngineFailed),
        (("Hel", Raw(b"data: [1]\n\n")), EngineFailed),
        (("Hel", Raw(b"data: " + b"[" * 100_000 + b"\n\n")), EngineFailed),
        (("Hel", Raw(b"data: " + b"x" * LINE_LIMIT_BYTES)), EngineFailed),
    ],
)
async def test_a_stream_that_breaks_is_an_error(
    own_settings: Settings, steps: Sequence[Step], error: type[CspsError]
) -> None:
    """The text before the break is yielded, then the error is raised; there is no `StreamFinished`."""
    found: list[str] = []
    async with connected(own_settings, steps) as (client, _):
        with pytest.raises(error):
            await take(client, found)

    assert found == ["Hel"]


async def take(client: ModelClient, found: list[str]) -> None:
    async with aclosing(client.stream(HI, Sampling())) as stream:
        async for piece in stream:
            assert isinstance(piece, TextDelta)
            found.append(piece.text)


WHOLE = Raw(sse({"choices": [choice("whole.")]}) + sse({"choices": [choice(None, "stop")]}))
LAST = Raw(b"data: [DONE]\n\n")


@pytest.mark.parametrize(
    "end", [(LAST, Die()), (Die(),), (LAST, asyncio.Event())], ids=["cut", "cut early", "left open"]
)
async def test_a_whole_answer_is_not_treated_as_a_death(
    own_settings: Settings, monkeypatch: pytest.MonkeyPatch, end: tuple[Step, ...]
) -> None:
    """The connection's end does not matter: a continued whole answer would get text after its last word."""
    monkeypatch.setattr(responses, "DRAIN_S", 0.05)
    async with connected(own_settings, (WHOLE, *end)) as (client, _):
        async with asyncio.timeout(10):
            assert [TextDelta("whole."), StreamFinished("stop", Usage())] == await pieces(client)


async def test_a_connection_is_used_again(own_settings: Settings) -> None:
    """The client reads the response to its end, so the connection is free again."""
    async with connected(own_settings) as (client, model):
        for _ in range(3):
            await pieces(client)
        assert 1 == len(model.connections)


@pytest.mark.parametrize(
    ("reason", "error"), [("abort", ModelUnavailable), ("error", ModelUnavailable), ("content_filter", ModelRefused)]
)
async def test_half_an_answer_is_not_whole(own_settings: Settings, reason: str, error: type[CspsError]) -> None:
    """It counts as cut off even if the engine sends a finish reason."""
    found: list[str] = []
    async with connected(own_settings, ("Hel", Finish(reason))) as (client, _):
        with pytest.raises(error):
            await take(client, found)

    assert found == ["Hel"]


async def test_an_end_without_a_finish_is_a_death(own_settings: Settings) -> None:
    """A proxy may close the connection cleanly in the middle of an answer."""
    reader = StreamReader(is_continuation=True)
    assert list(reader.feed(raw_event("Hel"))) == [TextDelta("Hel")]

    with pytest.raises(ModelUnavailable):
        list(reader.end())


def test_our_errors_do_not_repeat_the_engines_messages() -> None:
    """Some engines quote the prompt in their errors, and our errors are logged."""
    error = error_from_object({"code": "invalid", "message": "your secret is bad"}, 400)

    assert "secret" not in error.message


async def test_closing_the_stream_closes_the_connection(own_settings: Settings) -> None:
    """The engine notices and frees the slot."""
    async with connected(own_settings, ("Hel", asyncio.Event())) as (client, model):
        async with aclosing(client.stream(HI, Sampling())) as stream:
            assert await anext(stream) == TextDelta("Hel")
        await model.closed.wait()


async def test_a_socket_without_a_server_is_unavailable(own_settings: Settings) -> None:
    """A missing socket is too."""
    client = ModelClient.from_settings(own_settings)
    with pytest.raises(ModelUnavailable):
        await client.ready()
    own_settings.model_socket.parent.mkdir(parents=True)
    with socket.socket(socket.AF_UNIX) as stale:
        stale.bind(str(own_settings.model_socket))
    with pytest.raises(ModelUnavailable):
        await pieces(client)


async def test_waiting_ends_when_the_model_is_there(own_settings: Settings) -> None:
    """A loading process is awaited; after the limit comes an error."""
    client = ModelClient.from_settings(own_settings)
    with pytest.raises(ModelUnavailable):
        await client.wait_ready(0.05)
    async with FakeModel().serving(own_settings.model_socket) as model:
        model.healthy = False
        waiting = asyncio.create_task(client.wait_ready(60))
        await model.health_checked.wait()
        assert not waiting.done()
        model.healthy = True
        await waiting


async def test_the_model_list_is_cached(own_settings: Settings) -> None:
    """Name, window and starter are cached."""
    async with connected(own_settings, window=512) as (client, model):
        info = await client.info()
        await client.info()

        assert (info.name, info.window, info.starter) == ("fake-model", 512, True)
        assert model.model_list_calls == 1


async def test_an_engine_behind_a_url_is_asked_for_no_unknown_model(tmp_path: Path) -> None:
    """The client does not silently use another model, and the error lists those that are there."""
    async with FakeModel().serving() as model:
        client = ModelClient.from_settings(load({"CSPS_LLM_DATA": str(tmp_path), "LLM_URL": model.url}))
        with pytest.raises(ModelRefused, match=r"'large'; it serves: fake-model"):
            await pieces(client, model="large")
        await client.close()


async def test_the_default_model_answers_for_one_that_our_process_does_not_know(own_settings: Settings) -> None:
    """It may not have read a changed personality yet. The request names no model, because the default may change."""
    async with connected(own_settings) as (client, model):
        assert (await client.info("large")).name == "fake-model"
        await pieces(client, model="large")

    assert "model" not in model.requests[0]


async def test_a_model_that_just_appeared_is_requested_by_name(own_settings: Settings) -> None:
    """The client asks for the list again instead of waiting for its end."""
    now = 0.0
    async with connected(own_settings) as (client, model):
        client.own.engines["local"]._clock = lambda: now
        await client.info()
        model.listed = [{"id": "fake-model"}, {"id": "large"}]
        now = 1.0
        await pieces(client, model="large")

    assert model.requests[0]["model"] == "large"


async def test_counting(own_settings: Settings) -> None:
    """The engine counts, or the result is None."""
    async with connected(own_settings) as (client, _):
        assert await client.count(HI) == 2
    async with connected(own_settings, tokenizes=False) as (client, _):
        assert await client.count(HI) is None
        assert await client.count(HI) is None


async def test_a_remote_engine_by_url_and_key(tmp_path: Path) -> None:
    """It works over TCP with a key, with or without /v1 at the URL's end."""
    async with FakeModel().serving() as model:
        model.api_key = "k"
        for url in (model.url, f"{model.url}/v1/"):
            settings = load({"CSPS_LLM_DATA": str(tmp_path), "LLM_URL": url, "LLM_API_KEY": "k", "LLM_MODEL": ""})
            client = ModelClient.from_settings(settings)
            assert (await pieces(client))[0] == TextDelta("Hello")
            await client.close()
        wrong = ModelClient.from_settings(
            load({"CSPS_LLM_DATA": str(tmp_path), "LLM_URL": model.url, "LLM_API_KEY": "no"})
        )
        with pytest.raises(ModelRefused, match="401"):
            await pieces(wrong)


async def test_silence_has_a_deadline() -> None:
    """An engine that accepts a connection and stays silent is unavailable after the deadline."""
    transport = httpx.MockTransport(never)
    client = EngineConnection(httpx.AsyncClient(base_url="http://model", transport=transport))

    with pytest.raises(ModelUnavailable, match="within"):
        await client.info()


def never(request: httpx.Request) -> httpx.Response:
    raise httpx.ReadTimeout("nothing came", request=request)


def test_addresses() -> None:
    """The forms of LLM_URL and LLM_LISTEN, and the URLs behind them."""
    assert strip_version("http://h:1/v1/chat/completions") == "http://h:1"
    assert strip_version("http://h:1/v1/") == strip_version("http://h:1") == "http://h:1"
    assert local_url("0.0.0.0:8000") == local_url(":8000") == local_url("127.0.0.1:8000") == "http://127.0.0.1:8000"
    assert local_url("[::]:8000") == local_url("[::1]:8000") == "http://[::1]:8000"
