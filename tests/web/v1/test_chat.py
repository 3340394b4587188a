"""/v1 with OpenAI's own client, and without it for requests that the client would not send."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import openai
import pytest
from openai import AsyncOpenAI

from core.configuration.settings import Settings
from core.contract import ConformingText, Source, Status, Text, TextDiscarded, Turn
from core.errors import ModelUnavailable, Overloaded, PromptTooLong, SchemaRefused
from tests.support.fake_engine import HELLO, FakeEngine
from tests.web.support_site import Site, site
from tests.web.v1.support_openai import DONE, HI, build_client
from web.service import WebLimits

CITING = (
    Source(1, "Pool", "https://x.example/pool"),
    Source(2, "Notes"),
    Text("Green [1]"),
    Text(", I noted [2]."),
    DONE,
)
CITED = ["[1]", "[1] Pool – https://x.example/pool"]


async def test_answer_is_a_completion(whisper: Site, client: AsyncOpenAI) -> None:
    """A model is a personality; the usage is the model's."""
    completion = await client.chat.completions.create(model="whisper", messages=HI)

    assert completion.choices[0].message.content == "Hello world."
    assert (completion.choices[0].finish_reason, completion.model) == ("stop", "whisper")
    assert completion.usage is not None
    assert (
        completion.usage.prompt_tokens,
        completion.usage.completion_tokens,
        completion.usage.total_tokens,
    ) == (7, 3, 10)


async def test_ids_contain_the_receipt(whisper: Site, client: AsyncOpenAI) -> None:
    """Also the first chunk of a stream, which is sent before the answer. A second answer has its own receipt."""
    completion = await client.chat.completions.create(model="whisper", messages=HI, n=2)
    stream = await client.chat.completions.create(model="whisper", messages=HI, stream=True)
    chunks = [chunk async for chunk in stream]
    response = await client.responses.create(model="whisper", input="Hi")

    receipts = [prompt.receipt for prompt in whisper.engine.prompts]
    assert receipts[:2] == [completion.id.removeprefix("chatcmpl-"), f"{receipts[0]}-1"]
    assert [chunks[0].id, response.id] == [f"chatcmpl-{receipts[2]}", f"resp_{receipts[3]}"]


async def test_streamed_chunks_have_openai_order(client: AsyncOpenAI) -> None:
    """Role first, then text, the finish reason, and the usage if it was requested."""
    chunks = [
        chunk
        async for chunk in await client.chat.completions.create(
            model="whisper", messages=HI, stream=True, stream_options={"include_usage": True}
        )
    ]

    deltas = [chunk.choices[0].delta for chunk in chunks if chunk.choices]
    assert deltas[0].role == "assistant"
    assert [delta.content for delta in deltas if delta.content] == ["Hello", " world."]
    assert chunks[-2].choices[0].finish_reason == "stop"
    assert chunks[-1].usage is not None
    assert (chunks[-1].choices, chunks[-1].usage.total_tokens) == ([], 10)
    assert len({chunk.id for chunk in chunks}) == 1


async def test_stream_ends_with_done(whisper: Site) -> None:
    """The last server-sent event is `[DONE]`; there is no usage unless requested."""
    async with whisper.http.post(
        "/v1/chat/completions", json={"model": "whisper", "messages": HI, "stream": True}
    ) as response:
        events = (await response.text()).split("\n\n")

    assert response.content_type == "text/event-stream"
    assert events[-2:] == ["data: [DONE]", ""]
    assert [len(json.loads(event.removeprefix("data: "))["choices"]) for event in events[:-2]] == [1] * 4


async def test_annotations_hold_the_citations(own_settings: Settings) -> None:
    """OpenAI's client gets the places in the text and their links; an answer without sources has none."""
    async with site(own_settings, FakeEngine(CITING)) as running, build_client(running) as client:
        message = (await client.chat.completions.create(model="whisper", messages=HI)).choices[0].message
        running.engine.replies = (Text("Green [1]."), DONE)
        bare = (await client.chat.completions.create(model="whisper", messages=HI)).choices[0].message

    assert message.content is not None
    assert message.annotations is not None
    places = [each.url_citation for each in message.annotations]
    assert [message.content[place.start_index : place.end_index] for place in places] == CITED
    assert {(place.title, place.url) for place in places} == {("Pool", "https://x.example/pool")}
    assert (bare.content, bare.annotations) == ("Green [1].", [])


async def test_streamed_annotations_follow_the_text(own_settings: Settings) -> None:
    """One chunk after all the text and before the end; OpenAI's client merges it."""
    async with site(own_settings, FakeEngine(CITING)) as running, build_client(running) as client:
        raw = await client.chat.completions.create(model="whisper", messages=HI, stream=True)
        deltas = [chunk.choices[0].delta.model_dump(exclude_unset=True) async for chunk in raw]
        async with client.chat.completions.stream(model="whisper", messages=HI) as stream:
            message = (await stream.get_final_completion()).choices[0].message

    assert [sorted(delta) for delta in deltas] == [["content", "role"], *[["content"]] * 3, ["annotations"], []]
    assert message.content is not None
    assert message.annotations is not None
    places = [each.url_citation for each in message.annotations]
    assert [message.content[place.start_index : place.end_index] for place in places] == CITED


@pytest.mark.parametrize("name", ["user", "safety_identifier"])
@pytest.mark.parametrize(("trusted", "persons"), [(("127.0.0.1",), 2), ((), 1)])
async def test_users_of_a_trusted_program_are_distinguished(
    own_settings: Settings, trusted: tuple[str, ...], persons: int, name: str
) -> None:
    """Both of OpenAI's names for a user count for fairness if the program is trusted, and become opaque ids."""
    async with site(own_settings, trusted=trusted) as running, build_client(running) as client:
        for user in ("ann", "ann", "bob"):
            await client.chat.completions.create(model="whisper", messages=HI, extra_body={name: user})
        ann, again, bob = (str(prompt.user) for prompt in running.engine.prompts)

    assert ann == again
    assert len({ann, bob}) == persons
    assert "ann" not in ann


@pytest.mark.parametrize(
    "form",
    [
        {"type": "json_object"},
        {"type": "json_object", "json_schema": {"schema": {"type": "object"}}},
        {"type": "json_schema", "json_schema": {"name": "n", "schema": {"type": "object"}}},
    ],
)
@pytest.mark.parametrize("stream", [False, True])
async def test_response_format_is_answered_by_toil(whisper: Site, client: AsyncOpenAI, form: Any, stream: bool) -> None:
    """Where the engine does not enforce the schema, the validated value comes in one piece, also when streamed."""
    messages = [{"role": "assistant", "content": "Before"}, *HI]
    answer: Any = await client.chat.completions.create(
        model="whisper", messages=messages, response_format=form, stream=stream
    )
    if stream:
        deltas = [chunk.choices[0].delta async for chunk in answer]
        [text] = [delta.content for delta in deltas if delta.content]
        assert not any("annotations" in delta.model_dump() for delta in deltas)
    else:
        text = answer.choices[0].message.content
        assert answer.choices[0].message.annotations == []

    assert json.loads(text) == {"answer": 42}
    [task] = whisper.engine.tasks
    assert (form.get("json_schema", {}).get("schema"), (Turn("assistant", "Before"),)) == (task.schema, task.history)


@pytest.mark.parametrize("stream", [False, True])
async def test_enforced_json_is_streamed_as_it_is_written(whisper: Site, client: AsyncOpenAI, stream: bool) -> None:
    """Text that can only become a conforming value is passed on piece by piece, and it is the value."""
    whisper.engine.toil_steps = (Status("queued"), ConformingText('{"answer": '), ConformingText("42}"))
    answer: Any = await client.chat.completions.create(
        model="whisper", messages=HI, response_format={"type": "json_object"}, stream=stream
    )

    if stream:
        chunks = [chunk.choices[0] async for chunk in answer]
        assert [chunk.delta.content for chunk in chunks if chunk.delta.content] == ['{"answer": ', "42}"]
        assert chunks[-1].finish_reason == "stop"
    else:
        assert json.loads(answer.choices[0].message.content) == {"answer": 42}


async def test_begun_json_is_never_unsaid(whisper: Site, client: AsyncOpenAI) -> None:
    """A stream ends with an error if its answer begins again; without streaming, the second answer counts."""
    restarted = (ConformingText('{"answer'), Status("reconnecting"), TextDiscarded(), ConformingText('{"answer": 42}'))
    whisper.engine.toil_steps = restarted
    stream = await client.chat.completions.create(
        model="whisper", messages=HI, response_format={"type": "json_object"}, stream=True
    )
    with pytest.raises(openai.APIError, match="begin again"):
        async for _chunk in stream:
            pass
    whole = await client.chat.completions.create(model="whisper", messages=HI, response_format={"type": "json_object"})

    assert json.loads(whole.choices[0].message.content or "") == {"answer": 42}


async def test_error_before_the_stream_has_a_status(own_settings: Settings) -> None:
    """The error is in OpenAI's format, with Retry-After."""
    async with (
        site(own_settings, FakeEngine([Overloaded("full", retry_after_s=4)])) as running,
        build_client(running) as client,
    ):
        for stream in (False, True):
            with pytest.raises(openai.InternalServerError) as failure:
                await client.chat.completions.create(model="whisper", messages=HI, stream=stream)
            assert (failure.value.status_code, failure.value.code) == (503, "overloaded")
            assert failure.value.response.headers["Retry-After"] == "4"


async def test_error_in_the_stream_is_an_event(own_settings: Settings) -> None:
    """One event with the error, and no `[DONE]` that would make the answer look complete."""
    async with site(own_settings, FakeEngine([Text("Half"), ModelUnavailable("gone")])) as running:
        body = {"model": "whisper", "messages": HI, "stream": True}
        async with running.http.post("/v1/chat/completions", json=body) as response:
            events = (await response.text()).strip().split("\n\n")
        assert json.loads(events[-1].removeprefix("data: "))["error"]["code"] == "model_unavailable"
        assert not any("DONE" in event for event in events)

        async with build_client(running) as client:
            stream = await client.chat.completions.create(model="whisper", messages=HI, stream=True)
            with pytest.raises(openai.APIError, match="gone"):
                async for _chunk in stream:
                    pass


async def test_a_silent_stream_sends_comments(own_settings: Settings) -> None:
    """Proxies cut silent connections; clients skip comments."""
    gate = asyncio.Event()
    limits = WebLimits(stream_heartbeat_s=0.001)
    async with site(own_settings, FakeEngine([gate, *HELLO]), limits) as running:
        body = {"model": "whisper", "messages": HI, "stream": True}
        async with running.http.post("/v1/chat/completions", json=body) as response:
            assert await response.content.readline() == b": working\n"
            gate.set()
            assert (await response.text()).endswith("data: [DONE]\n\n")

        gate.clear()
        async with build_client(running) as client:
            stream = await client.chat.completions.create(model="whisper", messages=HI, stream=True)  # at a comment
            gate.set()
            assert [chunk.choices[0].delta.content async for chunk in stream][1:3] == ["Hello", " world."]


async def test_closed_stream_cancels_the_answer(own_settings: Settings) -> None:
    """A client that closes its stream frees its slot."""
    async with (
        site(own_settings, FakeEngine([Text("a"), asyncio.Event(), DONE])) as running,
        build_client(running) as client,
    ):
        async with await client.chat.completions.create(model="whisper", messages=HI, stream=True) as stream:
            await anext(stream)
        await running.engine.cancelled.wait()


async def test_too_long_prompt_has_openai_code(own_settings: Settings) -> None:
    """The status and code that OpenAI's clients look for."""
    async with site(own_settings, FakeEngine([PromptTooLong("too long")])) as running, build_client(running) as client:
        with pytest.raises(openai.BadRequestError) as failure:
            await client.chat.completions.create(model="whisper", messages=HI)

    assert failure.value.code == "context_length_exceeded"


async def test_refused_schema_is_422(own_settings: Settings) -> None:
    """The error holds the reason."""
    refusal = SchemaRefused("`contains` cannot be held")
    async with site(own_settings, FakeEngine(toiled=refusal)) as running, build_client(running) as client:
        with pytest.raises(openai.UnprocessableEntityError, match="contains"):
            await client.chat.completions.create(model="whisper", messages=HI, response_format={"type": "json_object"})


async def test_unknown_model_is_404(client: AsyncOpenAI) -> None:
    """The error is `model_not_found` and lists the existing models."""
    with pytest.raises(openai.NotFoundError, match="whisper, chuchotte") as failure:
        await client.chat.completions.create(model="gpt-4o", messages=HI)

    assert failure.value.code == "model_not_found"


@pytest.mark.parametrize(("body", "status"), [(b"{", 400), (b"[]", 400), (b'{"model": "\\ud800"}', 400)])
async def test_malformed_bodies_are_refused(whisper: Site, body: bytes, status: int) -> None:
    """A request in OpenAI's format is refused too."""
    headers = {"Content-Type": "application/json"}
    async with whisper.http.post("/v1/chat/completions", data=body, headers=headers) as response:
        assert status == response.status
        assert {"message", "type", "code", "param"} == set((await response.json())["error"])
