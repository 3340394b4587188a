"""/v1/responses with OpenAI's own client, and without it for requests that the client would not send."""

from __future__ import annotations

import asyncio
import base64
import json
from typing import Any

import openai
import pytest
from openai import AsyncOpenAI, OpenAI
from openai.types.responses.response_create_params import ResponseCreateParamsBase
from pydantic import BaseModel

from core.configuration.settings import Settings
from core.contract import Attachment, ConformingText, Sampling, Source, Status, Text, TextDiscarded, Turn
from core.errors import ModelUnavailable, Overloaded, PromptTooLong, UnreadableDocument
from core.openai.public import parameters
from core.openai.public.responses.requests import REFUSED, WITHOUT_EFFECT, PublicResponseRequest
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


async def test_unknown_parameters_are_named(whisper: Site) -> None:
    """Whole and streamed, in a header; the answer is as ever."""
    for stream in (False, True):
        body = {"model": "whisper", "input": "Hi", "stream": stream, "mood": "good"}
        async with whisper.http.post("/v1/responses", json=body) as response:
            assert (response.status, response.headers["X-Ignored-Parameters"]) == (200, "mood")


def test_every_parameter_of_openai_is_decided() -> None:
    """Served, without effect, or refused with a reason; none of the installed package is unknown."""
    known = {
        *PublicResponseRequest.model_fields,
        *REFUSED,
        *WITHOUT_EFFECT,
        *parameters.WITHOUT_EFFECT,
        *parameters.CHANGING,
    }
    assert set(ResponseCreateParamsBase.__annotations__) - known == set()


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


async def test_sampling_reaches_the_engine(whisper: Site, client: AsyncOpenAI) -> None:
    """OpenAI's parameters and the extra ones."""
    await client.responses.create(
        model="whisper",
        input="Hi",
        temperature=0,
        top_p=0.5,
        max_output_tokens=9,
        extra_body={"top_k": 5, "min_p": 0.1, "repeat_penalty": 1.1, "seed": -3, "stop": "a", "presence_penalty": 1},
    )

    assert Sampling(0, 0.5, 5, 0.1, 1.1, 9, -3, ("a",), presence_penalty=1) == whisper.engine.prompts[0].sampling


async def test_other_ways_to_write_sampling(whisper: Site) -> None:
    """The same ones as in chat requests: -1 is no limit. The answer repeats what was sent."""
    response = await post(whisper, max_output_tokens=-1, top_k=-1, top_p=0, repetition_penalty=1.2)

    assert Sampling(top_p=1e-6, repeat_penalty=1.2) == whisper.engine.prompts[0].sampling
    assert response["top_p"] == 0


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"input": [{"role": "robot", "content": "x"}]}, "input.0.role"),
        ({"input": [{"role": "user", "content": 5}]}, "input.0.content"),
        ({"input": [{"type": "function_call", "name": "f"}]}, "input.0"),
        ({"input": [{"type": "function_call_output", "call_id": "a", "output": 5}]}, "input.0.output"),
        ({"input": [{"type": "function_call_output", "output": "x"}]}, "input.0.call_id"),
        ({"text": {"format": {"type": "json_schema", "schema": True}}}, "text.format.schema"),
    ],
)
async def test_errors_have_the_place_in_the_request(whisper: Site, fields: dict[str, Any], param: str) -> None:
    """Without the names of our own classes."""
    error = (await post(whisper, **fields))["error"]

    assert param == error["param"]
    assert "instance of" not in error["message"]


@pytest.mark.parametrize("name", ["user", "safety_identifier"])
async def test_users_of_a_trusted_program_are_distinguished(own_settings: Settings, name: str) -> None:
    """Both of OpenAI's names for a user count for fairness."""
    async with site(own_settings, trusted=("127.0.0.1",)) as running:
        for user in ("ann", "ann", "bob"):
            await post(running, **{name: user})
        ann, again, bob = (prompt.user for prompt in running.engine.prompts)

    assert ann == again
    assert ann != bob


@pytest.mark.parametrize(
    "fields",
    [
        {"reasoning": {"effort": "low", "summary": "auto"}, "include": ["reasoning.encrypted_content"]},
        {"store": True, "service_tier": "auto", "prompt_cache_key": "k", "max_tool_calls": 3},
        {"background": False, "tools": [], "tool_choice": "auto", "parallel_tool_calls": True, "top_logprobs": 0},
        {"stream_options": {"include_obfuscation": False}, "context_management": []},
        dict.fromkeys(
            (
                *("reasoning", "include", "tools", "tool_choice", "previous_response_id", "conversation", "background"),
                *("prompt", "instructions", "text", "max_output_tokens", "metadata", "truncation", "user", "stream"),
                *("temperature", "top_p", "store", "service_tier", "n", "max_tokens", "unknown"),
            )
        ),
        {"text": {"format": None, "verbosity": None}},
    ],
)
async def test_parameters_without_effect_are_accepted(whisper: Site, fields: dict[str, Any]) -> None:
    """Clients send them with every request."""
    assert parse_response(await post(whisper, **fields)).output_text == "Hello world."


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


async def test_nothing_is_stored(client: AsyncOpenAI) -> None:
    """Every operation on a stored response is 404 and says why."""
    for call in (
        client.responses.retrieve("resp_1"),
        client.responses.delete("resp_1"),
        client.responses.cancel("resp_1"),
        client.responses.input_items.list("resp_1"),
    ):
        with pytest.raises(openai.NotFoundError, match="stores none"):
            await call
    with pytest.raises(openai.NotFoundError, match="usage"):
        await client.responses.input_tokens.count(model="whisper", input="Hi")
    with pytest.raises(openai.NotFoundError, match="compacted"):
        await client.responses.compact(model="whisper", input="Hi")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("changes", "param", "remedy"),
    [
        ({"previous_response_id": "resp_1"}, "previous_response_id", "earlier items in `input`"),
        ({"conversation": "conv_1"}, "conversation", "earlier items in `input`"),
        ({"background": True}, "background", "without `background`"),
        ({"prompt": {"id": "pmpt_1"}}, "prompt", "`instructions`"),
        ({"max_tokens": 5}, "max_tokens", "max_output_tokens"),
        ({"max_completion_tokens": 5}, "max_completion_tokens", "max_output_tokens"),
        ({"include": ["message.output_text.logprobs"]}, "include", "logprobs"),
        ({"top_logprobs": 3}, "top_logprobs", ""),
        ({"context_management": [{"type": "compaction"}]}, "context_management", ""),
        ({"n": 2}, "n", "one answer"),
        ({"best_of": 2}, "best_of", ""),
        ({"response_format": {"type": "json_object"}}, "response_format", "`text.format`"),
        ({"messages": []}, "messages", "`input`"),
        ({"text": {"format": {"type": "xml"}}}, "text", ""),
        ({"text": {"format": {"type": "json_schema"}}}, "text", "needs `schema`"),
        ({"text": {"format": {"type": "json_schema", "name": "n"}}}, "text", "needs `schema`"),
        ({"text": {"format": {"type": "json_schema", "name": "n", "schema": "x"}}}, "text", ""),
        ({"temperature": 3}, "temperature", ""),
        ({"max_output_tokens": 0}, "max_output_tokens", ""),
        ({"metadata": {"a": 1}}, "metadata", ""),
        ({"truncation": "middle"}, "truncation", ""),
        ({"instructions": 1}, "instructions", ""),
        ({"stream": "yes"}, "stream", ""),
        ({"model": None}, "model", ""),
        ({"input": None}, "input", ""),
        ({"input": 5}, "input", ""),
        ({"input": ""}, "input", "has no text"),
        ({"input": []}, "input", ""),
        ({"input": ["Hi"]}, "input", "`role` and `content`"),
        ({"input": [{"role": "user"}]}, "input", ""),
        ({"input": [{"role": "tool", "content": "x"}]}, "input", ""),
        ({"input": [{"role": "assistant", "content": "x"}]}, "input", "message of the user"),
        ({"input": [{"type": "reasoning", "id": "rs_1", "summary": []}]}, "input", "no text"),
        ({"input": [{"id": "msg_1"}]}, "input", "the item itself"),
        ({"input": [{"type": "item_reference", "id": "msg_1"}]}, "input", "the item itself"),
        ({"input": [{"type": "web_search_call", "id": "ws_1", "status": "completed"}]}, "input", "web_search_call"),
        ({"input": [{"type": ["message"]}]}, "input", ""),
        ({"input": [{"role": "user", "content": [{"type": "input_image", "image_url": "x"}]}]}, "input", "image"),
        ({"input": [{"role": "user", "content": [{"type": "input_file", "file_id": "x"}]}]}, "input", "`file_data`"),
        ({"input": [{"role": "user", "content": [{"type": "input_file", "file_url": "x"}]}]}, "input", "`file_data`"),
        ({"input": [{"role": "user", "content": [{"type": "input_file"}]}]}, "input", "`file_data`"),
        ({"input": [{"role": "user", "content": [{"type": "input_file", "file_data": "é"}]}]}, "input", "data URL"),
        ({"input": [{"role": "user", "content": [FILE] * 17}]}, "input", "16"),
        ({"input": [{"role": "user", "content": [{"type": "input_text"}]}]}, "input", ""),
    ],
)
async def test_unsupported_parameter_is_named(whisper: Site, changes: dict[str, Any], param: str, remedy: str) -> None:
    """400 in OpenAI's format with the parameter and a remedy; the engine is not called."""
    body = {"model": "whisper", "input": "Hi", **changes}
    async with whisper.http.post("/v1/responses", json=body) as response:
        error = (await response.json())["error"]

    assert (response.status, error["type"]) == (400, "invalid_request_error")
    assert param == error["param"].split(".")[0]
    assert param in error["message"]
    assert remedy in error["message"]
    assert whisper.engine.prompts == []
