"""The parameters of /v1/responses: served, without effect, or refused with a remedy."""

from __future__ import annotations

import base64
from typing import Any

import openai
import pytest
from openai import AsyncOpenAI
from openai.types.responses.response_create_params import ResponseCreateParamsBase

from core.configuration.settings import Settings
from core.contract import Sampling
from core.openai.public import parameters
from core.openai.public.responses.requests import REFUSED, WITHOUT_EFFECT, PublicResponseRequest
from tests.support.strict_openai import parse_response
from tests.web.support_site import Site, site

FILE = {
    "type": "input_file",
    "filename": "C:\\notes\n.txt",
    "file_data": f"data:text/plain;charset=utf-8;base64,{base64.b64encode(b'Eighteen months.').decode()}",
}


async def post(running: Site, **fields: Any) -> Any:
    """The parsed body of an answer."""
    async with running.http.post("/v1/responses", json={"model": "whisper", "input": "Hi", **fields}) as response:
        return await response.json()


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
