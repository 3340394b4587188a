"""/v1/responses with OpenAI's own client, and without it for requests that the client would not send."""

from __future__ import annotations

import asyncio
import base64
import json
from typing import Any

import openai
import pytest
from openai import AsyncOpenAI, OpenAI
from pydantic import BaseModel

from core.configuration.settings import Settings
from core.contract import Attachment, ConformingText, Source, Status, Text, TextDiscarded, Turn
from core.errors import ModelUnavailable, Overloaded, PromptTooLong, UnreadableDocument
from tests.support.fake_engine import FakeEngine
from tests.support.strict_openai import parse_event, parse_response
from tests.web.support_site import Site, site
from tests.web.v1.support_openai import DONE, build_client
from web.service import WebLimits

CITING = (Source(1, "Pool", "https://x.example/pool"), Text("Green [1]."), DONE)


FILE = {
    "type": "input_file",
    "filename": "C:\\notes\n.txt",
    "file_data": f"data:text/plain;charset=utf-8;base64,{base64.b64encode(b'Eighteen months.').decode()}",
}


SCHEMA = {"type": "object", "properties": {"answer": {"type": "integer"}}}


class Answer(BaseModel):
    answer: int


async def post(running: Site, **fields: Any) -> Any:
    """The parsed body of an answer."""
    async with running.http.post("/v1/responses", json={"model": "whisper", "input": "Hi", **fields}) as response:
        return await response.json()


async def test_answer_is_a_response(whisper: Site, client: AsyncOpenAI) -> None:
    """A model is a personality; the object passes OpenAI's models strictly."""
    response = await client.responses.create(model="whisper", input="Hi")

    assert (response.output_text, response.status, response.model) == ("Hello world.", "completed", "whisper")
    assert response.usage is not None
    assert (response.usage.input_tokens, response.usage.output_tokens, response.usage.total_tokens) == (7, 3, 10)
    parse_response(await post(whisper))


async def test_stream_has_named_events(whisper: Site) -> None:
    """Each server-sent event bears the name of its type and passes OpenAI's models; there is no `[DONE]`."""
    body = {"model": "whisper", "input": "Hi", "stream": True}
    async with whisper.http.post("/v1/responses", json=body) as response:
        sent = (await response.text()).strip().split("\n\n")

    assert response.content_type == "text/event-stream"
    named = [dict(line.split(": ", 1) for line in event.split("\n")) for event in sent]
    events = [json.loads(each["data"]) for each in named]
    assert [each["event"] for each in named] == [event["type"] for event in events]
    for event in events:
        parse_event(event)
    assert (events[0]["type"], events[-1]["type"]) == ("response.created", "response.completed")


async def test_streaming_helper_builds_the_response(client: AsyncOpenAI) -> None:
    """OpenAI's client follows the deltas and returns the whole response."""
    async with client.responses.stream(model="whisper", input="Hi") as stream:
        snapshots = [event.snapshot async for event in stream if event.type == "response.output_text.delta"]
        response = await stream.get_final_response()

    assert snapshots == ["Hello", "Hello world."]
    assert (response.output_text, response.status) == ("Hello world.", "completed")


async def test_structured_answers_are_parsed(whisper: Site, client: AsyncOpenAI) -> None:
    """`parse` and the streaming helper send a Pydantic model's schema, which toil answers."""
    parsed = await client.responses.parse(model="whisper", input="Hi", text_format=Answer)
    async with client.responses.stream(model="whisper", input="Hi", text_format=Answer) as stream:
        streamed = await stream.get_final_response()

    assert (parsed.output_parsed, streamed.output_parsed) == (Answer(answer=42), Answer(answer=42))
    assert [task.schema["title"] for task in whisper.engine.tasks if isinstance(task.schema, dict)] == ["Answer"] * 2


async def test_synchronous_client(whisper: Site) -> None:
    """Create, stream and parse from a thread."""

    def ask() -> list[Any]:
        with OpenAI(base_url=f"{whisper.url}v1", api_key="none", max_retries=0) as client:
            text = client.responses.create(model="whisper", input="Hi").output_text
            parsed = client.responses.parse(model="whisper", input="Hi", text_format=Answer).output_parsed
            with client.responses.stream(model="whisper", input="Hi") as stream:
                return [text, parsed, stream.get_final_response().output_text]

    assert await asyncio.to_thread(ask) == ["Hello world.", Answer(answer=42), "Hello world."]


@pytest.mark.parametrize(
    ("form", "schema"),
    [
        ({"type": "json_object"}, None),
        ({"type": "json_schema", "name": "n", "schema": SCHEMA, "strict": False}, SCHEMA),
    ],
)
async def test_text_format_is_answered_by_toil(whisper: Site, form: Any, schema: Any) -> None:
    """The text of the message is the validated value."""
    response = parse_response(await post(whisper, text={"format": form}))

    assert json.loads(response.output_text) == {"answer": 42}
    [task] = whisper.engine.tasks
    assert schema == task.schema


async def test_items_become_history_and_text(whisper: Site, client: AsyncOpenAI) -> None:
    """Instructions go with the question and never replace the personality; thinking of other models is left out."""
    items: list[Any] = [
        {"role": "system", "content": "Be kind."},
        {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "One"}]},
        {"type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": "x"},
        {"role": "assistant", "content": "Un"},
        {"role": "user", "content": [{"type": "input_text", "text": "Two"}, {"type": "input_text", "text": "!"}]},
        {"role": "developer", "content": "Briefly."},
    ]
    await client.responses.create(model="whisper", input=items, instructions="Answer in French.")

    [prompt] = whisper.engine.prompts
    assert (Turn("user", "One"), Turn("assistant", "Un")) == prompt.history
    assert prompt.text == "Answer in French.\n\nBe kind.\n\nBriefly.\n\nTwo!"
    assert (prompt.personality, prompt.conversation) == ("whisper", None)


async def test_files_are_read_as_attachments(whisper: Site, client: AsyncOpenAI) -> None:
    """Of every message, for free and structured answers; their names are cleaned, and their words are data."""
    items: list[Any] = [
        {"role": "user", "content": [FILE, {"type": "input_text", "text": "How long?"}]},
        {"role": "assistant", "content": "Long."},
        {"role": "user", "content": "Exactly?"},
    ]
    await client.responses.create(model="whisper", input=items)
    await client.responses.create(model="whisper", input=items, text={"format": {"type": "json_object"}})

    [prompt], [task] = whisper.engine.prompts, whisper.engine.tasks
    assert prompt.attachments == task.attachments == (Attachment("notes.txt", "Eighteen months."),)
    assert prompt.history[0] == Turn("user", "How long?")


async def test_an_unreadable_file_is_refused(own_settings: Settings) -> None:
    """With the reason, before the model is asked."""

    class Unreading(FakeEngine):
        async def read(self, name: str, body: bytes, media_type: str) -> Attachment:
            raise UnreadableDocument(f"`{name}` is a picture ({media_type})", "picture")

    async with site(own_settings, Unreading()) as running, build_client(running) as client:
        with pytest.raises(openai.BadRequestError, match="picture \\(text/plain\\)") as failure:
            await client.responses.create(
                model="whisper", input=[{"role": "user", "content": [FILE, {"type": "input_text", "text": "Hi"}]}]
            )  # type: ignore[list-item, arg-type]

    assert failure.value.code == "unreadable"
    assert running.engine.prompts == []


async def test_files_of_all_messages_are_limited(whisper: Site, client: AsyncOpenAI) -> None:
    """The limit holds for the request, not for each message; none is read."""
    items: list[Any] = [{"role": "user", "content": [FILE, FILE, {"type": "input_text", "text": "Hi"}]}] * 9
    with pytest.raises(openai.BadRequestError, match="18 files; the limit is 16"):
        await client.responses.create(model="whisper", input=items)

    assert whisper.engine.prompts == []


async def test_our_own_output_can_be_sent_back(own_settings: Settings) -> None:
    """Items with ids, states, annotations and log probabilities are the conversation, in the order they came."""
    async with site(own_settings, FakeEngine(CITING)) as running, build_client(running) as client:
        first = await client.responses.create(model="whisper", input="Is the pool open?")
        items: list[Any] = [{"role": "user", "content": "Is the pool open?"}, *first.output]
        await client.responses.create(model="whisper", input=[*items, {"role": "user", "content": "When?"}])

    history = running.engine.prompts[1].history
    assert (Turn("user", "Is the pool open?"), Turn("assistant", first.output_text)) == history


async def test_annotations_hold_the_citations(own_settings: Settings) -> None:
    """Whole and streamed alike, with places in the text."""
    async with site(own_settings, FakeEngine(CITING)) as running, build_client(running) as client:
        whole = await client.responses.create(model="whisper", input="Hi")
        async with client.responses.stream(model="whisper", input="Hi") as stream:
            streamed = await stream.get_final_response()

    for response in (whole, streamed):
        [content] = response.output[0].content  # type: ignore[union-attr, misc]
        places = [content.text[each.start_index : each.end_index] for each in content.annotations]  # type: ignore[union-attr]
        assert places == ["[1]", "[1] Pool – https://x.example/pool"]


async def test_error_before_the_stream_has_a_status(own_settings: Settings) -> None:
    """The error is in OpenAI's format, with Retry-After."""
    async with (
        site(own_settings, FakeEngine([Overloaded("full", retry_after_s=4)])) as running,
        build_client(running) as client,
    ):
        for stream in (False, True):
            with pytest.raises(openai.InternalServerError) as failure:
                await client.responses.create(model="whisper", input="Hi", stream=stream)
            assert (failure.value.status_code, failure.value.code) == (503, "overloaded")
            assert failure.value.response.headers["Retry-After"] == "4"


async def test_error_in_the_stream_fails_the_response(own_settings: Settings) -> None:
    """OpenAI's client sees `response.failed`, then raises an exception."""
    types: list[str] = []

    async def follow(stream: Any) -> None:
        async for event in stream:
            types.append(event.type)  # noqa: PERF401 - the list is read after an exception

    async with (
        site(own_settings, FakeEngine([Text("Half"), ModelUnavailable("gone")])) as running,
        build_client(running) as client,
    ):
        stream = await client.responses.create(model="whisper", input="Hi", stream=True)
        with pytest.raises(openai.APIError, match="gone"):
            await follow(stream)

    assert types[-1] == "response.failed"
    assert running.metric("csps_web_errors_total", code="model_unavailable") == 1


async def test_silent_streams_have_heartbeats(own_settings: Settings) -> None:
    """The stream begins although the model is still silent; comments keep the connection, and clients skip them."""
    heard = asyncio.Event()
    engine = FakeEngine([heard, Text("Hi"), DONE])
    limits = WebLimits(stream_heartbeat_s=0.001)
    body = {"model": "whisper", "input": "Hi", "stream": True}
    async with site(own_settings, engine, limits) as running, build_client(running) as client:
        async with running.http.post("/v1/responses", json=body) as response:
            while not (await response.content.readline()).startswith(b": "):
                pass
            heard.set()
            assert b"response.completed" in await response.read()
        heard.clear()
        stream = await client.responses.create(model="whisper", input="Hi", stream=True)
        assert (await anext(stream)).type == "response.created"
        heard.set()
        assert [event.type async for event in stream][-1] == "response.completed"


async def test_closed_stream_cancels_the_answer(own_settings: Settings) -> None:
    """A client that closes its stream frees its slot."""
    async with (
        site(own_settings, FakeEngine([Text("a"), asyncio.Event(), DONE])) as running,
        build_client(running) as client,
    ):
        async with await client.responses.create(model="whisper", input="Hi", stream=True) as stream:
            await anext(stream)
        await running.engine.cancelled.wait()


async def test_too_long_prompt_has_openai_code(own_settings: Settings) -> None:
    """The status and code that OpenAI's clients look for."""
    async with site(own_settings, FakeEngine([PromptTooLong("too long")])) as running, build_client(running) as client:
        with pytest.raises(openai.BadRequestError) as failure:
            await client.responses.create(model="whisper", input="Hi")

    assert failure.value.code == "context_length_exceeded"


@pytest.mark.parametrize("form", ["text", "json_object"])
@pytest.mark.parametrize(("truncation", "status"), [("auto", 200), (None, 200), ("disabled", 400)])
async def test_truncation_is_the_callers_choice(
    own_settings: Settings, truncation: str | None, status: int, form: str
) -> None:
    """The oldest exchanges are left out of a full window, unless the caller forbids it."""
    trimmed = Status("trimmed", turns_dropped=2)
    engine = FakeEngine([trimmed, Text("Hi"), DONE])
    engine.toil_steps = [trimmed]
    body = {"model": "whisper", "input": "Hi", "truncation": truncation, "text": {"format": {"type": form}}}
    async with (
        site(own_settings, engine) as running,
        running.http.post("/v1/responses", json=body) as response,
    ):
        answer = await response.json()

    assert response.status == status
    if status == 200:
        assert answer["truncation"] == "auto"
    else:
        assert answer["error"]["code"] == "context_length_exceeded"


async def test_json_is_streamed_as_it_is_written(own_settings: Settings) -> None:
    """Text that can only become a conforming value is sent in pieces; if it is void after all, the response fails."""
    engine = FakeEngine()
    engine.toil_steps = [ConformingText('{"answer": '), ConformingText("42}")]
    async with site(own_settings, engine) as running, build_client(running) as client:
        async with client.responses.stream(model="whisper", input="Hi", text_format=Answer) as stream:
            deltas = [event.delta async for event in stream if event.type == "response.output_text.delta"]
            assert (await stream.get_final_response()).output_parsed == Answer(answer=42)
        engine.toil_steps = [ConformingText('{"an'), TextDiscarded()]
        with pytest.raises(openai.APIError, match="begin again"):
            async with client.responses.stream(model="whisper", input="Hi", text_format=Answer) as stream:
                await stream.until_done()

    assert deltas == ['{"answer": ', "42}"]


async def test_unknown_model_is_404(client: AsyncOpenAI) -> None:
    """The error is `model_not_found` and lists the existing models."""
    with pytest.raises(openai.NotFoundError, match="whisper, chuchotte") as failure:
        await client.responses.create(model="gpt-5", input="Hi")

    assert failure.value.code == "model_not_found"
