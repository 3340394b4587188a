"""Request bodies of the model process."""

from __future__ import annotations

import json
import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.contract import Sampling
from core.errors import BadRequest
from core.openai.chat_protocol import Message
from core.openai.engine_requests import EmbeddingsRequest, EngineChatRequest, TokenizeRequest, parse

ASK: dict[str, Any] = {"messages": [{"role": "user", "content": "Hello"}]}


def chat(**fields: Any) -> EngineChatRequest:
    request = parse(EngineChatRequest, ASK | fields)
    assert isinstance(request, EngineChatRequest)
    return request


def test_messages_alone_are_a_request() -> None:
    """All other fields take the defaults of the engine."""
    request = chat()

    assert request.plain_messages() == [Message("user", "Hello")]
    assert (request.stream, request.include_usage, request.enforced_schema) == (False, False, None)
    assert request.sampling == Sampling()


def test_all_sampling_fields_are_read() -> None:
    """Each field reaches the sampling parameters."""
    request = chat(
        temperature=0.5,
        top_p=0.9,
        top_k=20,
        min_p=0.1,
        repeat_penalty=1.1,
        max_tokens=7,
        seed=3,
        stop=["a", "b"],
        frequency_penalty=0.5,
        presence_penalty=-2,
        user="somebody",
        stream=True,
        stream_options={"include_usage": True},
    )

    assert request.sampling == Sampling(0.5, 0.9, 20, 0.1, 1.1, 7, 3, ("a", "b"), 0.5, -2)
    assert (request.user, request.stream, request.include_usage) == ("somebody", True, True)


def test_max_completion_tokens_overrides_max_tokens() -> None:
    """OpenAI replaced `max_tokens` by `max_completion_tokens`."""
    assert chat(max_tokens=5, max_completion_tokens=9).sampling.max_tokens == 9


@pytest.mark.parametrize("seed", [0, -(2**63), 2**63 - 1, None])
def test_any_64_bit_seed_is_accepted(seed: int | None) -> None:
    """OpenAI's seeds have 64 bits."""
    assert chat(seed=seed).sampling.seed == seed


def test_roles_and_parts_become_plain_messages() -> None:
    """`developer` is OpenAI's new name for `system`; text parts are joined."""
    request = chat(
        messages=[
            {"role": "developer", "content": "Be kind."},
            {
                "role": "user",
                "content": [{"type": "text", "text": "one"}, {"type": "text", "text": "two"}],
                "name": "x",
            },
            {"role": "assistant", "content": "three"},
        ]
    )

    assert request.plain_messages() == [
        Message("system", "Be kind."),
        Message("user", "one\ntwo"),
        Message("assistant", "three"),
    ]


@pytest.mark.parametrize(
    ("response_format", "schema"),
    [
        ({"type": "text"}, None),
        ({"type": "json_object"}, {"type": "object"}),
        ({"type": "json_object", "json_schema": {"schema": {"type": "null"}}}, {"type": "object"}),
        (
            {"type": "json_schema", "json_schema": {"name": "n", "schema": {"type": "null"}, "strict": True}},
            {"type": "null"},
        ),
        ({"type": "json_schema", "json_schema": {"schema": True}}, True),
        ({"type": "json_schema", "json_schema": {"schema": False}}, False),
    ],
)
def test_the_enforced_schema_is_read(response_format: dict[str, Any], schema: object) -> None:
    """Any JSON Schema is possible, `true` and `false` included."""
    assert chat(response_format=response_format).enforced_schema == schema


def test_parameters_without_effect_are_ignored() -> None:
    """OpenAI's clients send many of them."""
    assert chat(store=True, metadata={"a": "b"}, n=1, tools=[], logit_bias={}, frequency_penalty=0).messages


BAD = [
    ({"messages": []}, "messages"),
    ({"messages": None}, "messages"),
    ({"messages": "Hello"}, "messages"),
    ({"messages": [{"role": "tool", "content": "x"}]}, "messages.0"),
    ({"messages": [{"role": "user"}]}, "messages.0.content"),
    ({"messages": [{"role": "user", "content": None}]}, "messages.0.content"),
    ({"messages": [{"role": "user", "content": [{"type": "image_url", "image_url": {}}]}]}, "messages.0.content"),
    ({"messages": [{"role": "user", "content": "x"}] * 4097}, "messages"),
    ({"temperature": -0.1}, "temperature"),
    ({"temperature": math.nan}, "temperature"),
    ({"temperature": math.inf}, "temperature"),
    ({"top_p": math.nan}, "top_p"),
    ({"min_p": math.nan}, "min_p"),
    ({"repeat_penalty": math.nan}, "repeat_penalty"),
    ({"repeat_penalty": 0}, "repeat_penalty"),
    ({"top_p": 0}, "top_p"),
    ({"top_k": -1}, "top_k"),
    ({"top_k": 2**31}, "top_k"),
    ({"max_tokens": 0}, "max_tokens"),
    ({"max_tokens": "many"}, "max_tokens"),
    ({"seed": 2**64}, "seed"),
    ({"stop": 5}, "stop"),
    ({"stop": ["x"] * 17}, "stop"),
    ({"stop": "x" * 1001}, "stop"),
    ({"stop": ["x" * 1001]}, "stop"),
    ({"user": "u" * 513}, "user"),
    ({"n": 2}, "n"),
    ({"stream": "perhaps"}, "stream"),
    ({"tools": [{"type": "function"}]}, "tools"),
    ({"logprobs": True}, "logprobs"),
    ({"frequency_penalty": 2.5}, "frequency_penalty"),
    ({"presence_penalty": math.nan}, "presence_penalty"),
    ({"response_format": {"type": "xml"}}, "response_format.type"),
    ({"response_format": {"type": "json_schema"}}, "json_schema"),
    ({"response_format": {"type": "json_schema", "json_schema": {"schema": "string"}}}, "response_format.json_schema"),
]


@pytest.mark.parametrize(("fields", "field"), BAD, ids=[f"{field}-{n}" for n, (_, field) in enumerate(BAD)])
def test_unsupported_and_invalid_fields_are_refused_by_name(fields: dict[str, Any], field: str) -> None:
    """The message names the field."""
    with pytest.raises(BadRequest, match=field):
        chat(**fields)


@pytest.mark.parametrize("body", [None, [], "text", 5, True])
def test_a_body_that_is_not_an_object_is_refused(body: object) -> None:
    """Any other JSON value is an error."""
    with pytest.raises(BadRequest, match="JSON object"):
        parse(EngineChatRequest, body)


def test_an_error_quotes_nothing_of_the_request() -> None:
    """Error messages reach logs, and a user's text must not."""
    with pytest.raises(BadRequest) as refused:
        parse(EngineChatRequest, {"messages": [{"role": "user", "content": {"secret words": "secret words"}}]})

    assert "secret" not in refused.value.message


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
FIELDS = st.sampled_from([*EngineChatRequest.model_fields, "tools", "logit_bias"])


@given(st.dictionaries(FIELDS, JSON, max_size=4))
def test_any_body_is_accepted_or_refused(fields: dict[str, Any]) -> None:
    """Only BadRequest is raised, and an accepted request has finite sampling parameters."""
    try:
        sampling = chat(**fields).sampling
    except BadRequest:
        return
    json.dumps([sampling.temperature, sampling.top_p, sampling.min_p, sampling.repeat_penalty], allow_nan=False)


def test_tokenize_takes_a_prompt_or_messages() -> None:
    """Both or neither is an error."""
    assert parse(TokenizeRequest, {"prompt": ""}).prompt == ""
    assert parse(TokenizeRequest, ASK).messages
    for body in ({}, ASK | {"prompt": "x"}):
        with pytest.raises(BadRequest, match="either"):
            parse(TokenizeRequest, body)


def test_embeddings_take_one_or_several_texts() -> None:
    """The two encodings are those that OpenAI's clients request."""
    assert parse(EmbeddingsRequest, {"input": "one"}).texts == ["one"]
    assert parse(EmbeddingsRequest, {"input": ["one", "two"], "encoding_format": "base64"}).texts == ["one", "two"]
    wrong: list[dict[str, Any]] = [
        {"input": []},
        {"input": [1]},
        {"input": "x", "encoding_format": "hex"},
        {"input": ["x"] * 2049},
    ]
    for body in wrong:
        with pytest.raises(BadRequest):
            parse(EmbeddingsRequest, body)
