"""The parameters of a chat request: served, without effect, refused, unknown."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from openai import AsyncOpenAI
from openai.types.chat import completion_create_params

from core.contract import Sampling
from core.openai.public.chat_requests import PublicChatRequest
from core.openai.public.parameters import CHANGING, WITHOUT_EFFECT
from tests.web.support_site import Site
from tests.web.v1.support_openai import HI


async def test_sampling_reaches_the_engine(whisper: Site, client: AsyncOpenAI) -> None:
    """OpenAI's parameters and the extra ones."""
    await client.chat.completions.create(
        model="whisper",
        messages=HI,
        temperature=0,
        top_p=0.5,
        max_completion_tokens=9,
        stop=["a", "b"],
        seed=-3,
        extra_body={"top_k": 5, "min_p": 0.1, "repeat_penalty": 1.1},
    )
    await client.chat.completions.create(model="whisper", messages=HI, max_tokens=4, stop="c")

    first, second = (prompt.sampling for prompt in whisper.engine.prompts)
    assert Sampling(0, 0.5, 5, 0.1, 1.1, 9, -3, ("a", "b")) == first
    assert Sampling(max_tokens=4, stop=("c",)) == second


async def test_parameters_without_effect_are_accepted(client: AsyncOpenAI) -> None:
    """Parameters that would not change the answer are no error."""
    completion = await client.chat.completions.create(
        model="whisper",
        messages=HI,
        n=1,
        store=False,
        metadata={"a": "b"},
        frequency_penalty=0,
        presence_penalty=0.0,
        logprobs=False,
        tools=[],
        service_tier="auto",
        extra_body={"logit_bias": None},
    )

    assert completion.choices[0].message.content


@pytest.mark.parametrize(
    ("changes", "param"),
    [
        ({"n": 99}, "n"),
        ({"tools": [{"type": "custom", "custom": {"name": "f"}}]}, "tools"),
        ({"tool_choice": "required"}, "tool_choice"),
        ({"functions": [{"name": "f"}]}, "functions"),
        ({"logprobs": True}, "logprobs"),
        ({"frequency_penalty": 2.1}, "frequency_penalty"),
        ({"presence_penalty": "much"}, "presence_penalty"),
        ({"logit_bias": {"1": 1}}, "logit_bias"),
        ({"modalities": ["audio"]}, "modalities"),
        ({"best_of": 2}, "best_of"),
        ({"temperature": 3}, "temperature"),
        ({"temperature": "hot"}, "temperature"),
        ({"temperature": True}, "temperature"),
        ({"top_p": -0.1}, "top_p"),
        ({"top_p": False}, "top_p"),
        ({"top_k": -2}, "top_k"),
        ({"min_p": 2}, "min_p"),
        ({"repeat_penalty": 0}, "repeat_penalty"),
        ({"max_tokens": 0}, "max_tokens"),
        ({"max_completion_tokens": 1.5}, "max_completion_tokens"),
        ({"seed": 2**63}, "seed"),
        ({"stop": [""]}, "stop"),
        ({"stop": ["a"] * 17}, "stop"),
        ({"stream": "yes"}, "stream"),
        ({"user": "x" * 1000}, "user"),
        ({"response_format": {"type": "xml"}}, "response_format"),
        ({"response_format": {"type": "json_schema"}}, "response_format"),
        ({"response_format": {"type": "json_schema", "json_schema": {"schema": "x"}}}, "response_format"),
        ({"messages": []}, "messages"),
        ({"messages": "Hi"}, "messages"),
        ({"messages": [{"role": "user"}]}, "messages"),
        ({"messages": [{"role": "user", "content": " "}]}, "messages"),
        ({"messages": [{"role": "tool", "content": "x", "tool_call_id": "1"}]}, "messages"),
        ({"messages": [*HI, {"role": "assistant", "content": "x"}]}, "messages"),
        ({"messages": [{"role": "user", "content": [{"type": "image_url", "image_url": {"url": "x"}}]}]}, "messages"),
        ({"model": None}, "model"),
        ({"model": 1}, "model"),
    ],
)
async def test_unsupported_parameter_is_named(whisper: Site, changes: dict[str, Any], param: str) -> None:
    """400 in OpenAI's format with the parameter; the engine is not called."""
    async with whisper.http.post(
        "/v1/chat/completions", json={"model": "whisper", "messages": HI, **changes}
    ) as response:
        error = (await response.json())["error"]

    assert (response.status, error["type"]) == (400, "invalid_request_error")
    assert param == error["param"].split(".")[0]
    assert param in error["message"]
    assert whisper.engine.prompts == []


@pytest.mark.parametrize(
    ("fields", "param", "message"),
    [
        ({"stop": [1]}, "stop.0", "`stop.0` must be a text"),
        ({"stop": 5}, "stop", "`stop` must be a list"),
        ({"stop": ["a"] * 17}, "stop", "at most 16"),
        ({"messages": []}, "messages", "`messages` is too short: at least 1 needed"),
        ({"messages": ["Hi"]}, "messages.0", "`messages.0` must be an object"),
        ({"messages": [{"content": "Hi"}]}, "messages.0.role", "`messages.0.role` is missing"),
        ({"messages": [{"role": "user", "content": {}}]}, "messages.0.content", "must be a text"),
        ({"stream_options": []}, "stream_options", "must be an object"),
        ({"response_format": "json_object"}, "response_format", "must be an object"),
        (
            {"response_format": {"type": "json_schema", "json_schema": {"schema": "x"}}},
            "response_format.json_schema.schema",
            "must be a JSON Schema",
        ),
        ({"response_format": {"type": "json_object", "schema": 3}}, "response_format.schema", "must be a JSON Schema"),
    ],
)
async def test_errors_have_the_place_in_the_request(
    whisper: Site, fields: dict[str, Any], param: str, message: str
) -> None:
    """In words of JSON, without those of Python and of our own classes."""
    status, body, _ = await send(whisper, **fields)

    assert (400, param) == (status, body["error"]["param"])
    assert message in body["error"]["message"]


async def send(whisper: Site, **fields: Any) -> tuple[int, dict[str, Any], str | None]:
    """The status, the body, and the names of ignored parameters."""
    body = {"model": "whisper", "messages": HI, **fields}
    async with whisper.http.post("/v1/chat/completions", json=body) as response:
        return response.status, json.loads(await response.text()), response.headers.get("X-Ignored-Parameters")


OPENAI_PARAMETERS = sorted(completion_create_params.CompletionCreateParamsBase.__annotations__)


@pytest.mark.parametrize("name", [name for name in OPENAI_PARAMETERS if name not in ("model", "messages")])
async def test_null_means_nothing(whisper: Site, name: str) -> None:
    """Clients in other languages send every optional parameter of OpenAI as null."""
    assert (200, None) == (await send(whisper, **{name: None}))[::2]


def test_every_parameter_of_openai_is_known() -> None:
    """A newer client brings newer parameters: each has to be decided upon."""
    known = {*PublicChatRequest.model_fields, *WITHOUT_EFFECT, *CHANGING}

    assert set(OPENAI_PARAMETERS) <= known


def test_the_documentation_lists_every_parameter() -> None:
    """Served, without effect, or refused unless neutral."""
    page = (Path(__file__).parents[3] / "docs" / "protocols.md").read_text("utf-8")

    assert [] == [
        name for name in (*WITHOUT_EFFECT, *CHANGING, *PublicChatRequest.model_fields) if f"`{name}`" not in page
    ]


@pytest.mark.parametrize("stream", [False, True])
async def test_unknown_parameters_are_ignored_and_named(whisper: Site, stream: bool) -> None:
    """Other engines ignore them too; a header tells the caller, without what is no name."""
    body = {"model": "whisper", "messages": HI, "stream": stream, "new_in_2027": {"a": 1}, "nothing": None}
    body |= {"a\r\nb": 1, "c" * 65: 1, "zeta.b-1": 0}
    async with whisper.http.post("/v1/chat/completions", json=body) as response:
        assert response.status == 200
        assert response.headers["X-Ignored-Parameters"] == "new_in_2027, zeta.b-1"
        await response.read()


@pytest.mark.parametrize("name", sorted(WITHOUT_EFFECT))
async def test_parameters_without_effect_take_any_value(whisper: Site, name: str) -> None:
    """They are not reported either."""
    for value in ("x", {"a": [1]}, 0):
        assert (200, None) == (await send(whisper, **{name: value}))[::2]


@pytest.mark.parametrize("name", sorted(CHANGING))
async def test_parameters_that_change_the_answer_are_refused_with_a_reason(whisper: Site, name: str) -> None:
    """Their neutral values are accepted, and nothing else is."""
    neutral, reason = CHANGING[name]
    for value in neutral:
        assert (200, None) == (await send(whisper, **{name: value}))[::2]
    status, body, _ = await send(whisper, **{name: {"unlike": "any"}})

    assert (400, name) == (status, body["error"]["param"])
    assert reason in body["error"]["message"]


@pytest.mark.parametrize(
    ("fields", "sampling"),
    [
        ({"max_tokens": -1, "top_k": -1}, Sampling()),
        ({"max_tokens": 5, "max_completion_tokens": -1}, Sampling(max_tokens=5)),
        ({"max_tokens": 5, "max_completion_tokens": 9}, Sampling(max_tokens=9)),
        ({"repetition_penalty": 1.2}, Sampling(repeat_penalty=1.2)),
        ({"repetition_penalty": 1.2, "repeat_penalty": 1.3}, Sampling(repeat_penalty=1.3)),
        ({"stop": None, "seed": None, "stream_options": None, "n": None}, Sampling()),
        ({"stop": []}, Sampling()),
        ({"stop": "a"}, Sampling(stop=("a",))),
        ({"top_p": 0}, Sampling(top_p=1e-6)),
        ({"frequency_penalty": 0.5, "presence_penalty": -2}, Sampling(frequency_penalty=0.5, presence_penalty=-2)),
        ({"frequency_penalty": 0, "presence_penalty": None}, Sampling()),
    ],
)
async def test_other_ways_to_write_sampling(whisper: Site, fields: dict[str, Any], sampling: Sampling) -> None:
    """The names and the numbers of other engines mean the same."""
    assert (200, None) == (await send(whisper, **fields))[::2]

    assert sampling == whisper.engine.prompts[0].sampling


@pytest.mark.parametrize("options", [{"include_usage": True}, {"include_usage": None}, {"include_obfuscation": False}])
async def test_stream_options_without_a_stream_have_no_effect(whisper: Site, options: dict[str, Any]) -> None:
    """Some clients send them with every request."""
    assert (200, None) == (await send(whisper, stream_options=options))[::2]


SCHEMA = {"type": "object", "properties": {"answer": {"type": "integer"}}}


@pytest.mark.parametrize(
    ("form", "schema"),
    [
        ({"type": "json_object"}, None),
        ({"type": "json_object", "schema": SCHEMA}, SCHEMA),
        ({"type": "json_schema", "schema": SCHEMA}, SCHEMA),
        ({"type": "json_schema", "json_schema": {"schema": SCHEMA}}, SCHEMA),
        ({"type": "json_schema", "json_schema": {"name": "a", "schema": SCHEMA, "strict": False}}, SCHEMA),
        (
            {
                "type": "json_schema",
                "strict": True,
                "json_schema": {"name": "a", "description": "An answer", "schema": SCHEMA, "strict": None},
            },
            SCHEMA,
        ),
        ({"type": "json_object", "json_schema": None, "schema": None}, None),
    ],
)
async def test_forms_of_response_format(whisper: Site, form: dict[str, Any], schema: Any) -> None:
    """The schema counts wherever it stands, with `strict` or without."""
    status, body, _ = await send(whisper, response_format=form)

    assert (200, {"answer": 42}) == (status, json.loads(body["choices"][0]["message"]["content"]))
    assert schema == whisper.engine.tasks[0].schema


@pytest.mark.parametrize("form", [{"type": "text"}, {"type": "text", "json_schema": {"schema": SCHEMA}}])
async def test_the_format_text_is_an_ordinary_answer(whisper: Site, form: dict[str, Any]) -> None:
    """No schema is enforced."""
    status, body, _ = await send(whisper, response_format=form)

    assert (200, "Hello world.") == (status, body["choices"][0]["message"]["content"])
