"""The fields of OpenAI's that engines refuse."""

from __future__ import annotations

import json
from typing import Any

import pytest

from core.contract import Sampling
from core.openai.chat_protocol import Message, request_body
from core.openai.dialects import UNKNOWN
from core.openai.refused_fields import learn_refusal, without_refused

BODY = request_body("m", [Message("user", "Hi")], Sampling(temperature=0.2, top_k=4, max_tokens=9, stop=("x",)))
OPENAI = {
    "message": "Unsupported parameter: 'max_tokens' is not supported with this model. "
    "Use 'max_completion_tokens' instead.",
    "type": "invalid_request_error",
    "param": "max_tokens",
    "code": "unsupported_parameter",
}
TEMPERATURE = {
    "message": "Unsupported value: 'temperature' does not support 0.2 with this model. "
    "Only the default (1) value is supported.",
    "type": "invalid_request_error",
    "param": "temperature",
    "code": "unsupported_value",
}


@pytest.mark.parametrize(
    ("refusal", "field"),
    [
        ({"error": OPENAI}, "max_tokens"),
        ({"error": {**OPENAI, "param": None, "code": None}}, "max_tokens"),
        ({"error": TEMPERATURE}, "temperature"),
        ({"error": {**TEMPERATURE, "param": "stop", "code": "unsupported_parameter"}}, "stop"),
        (
            {"error": {"message": "Unrecognized request argument supplied: stream_options", "code": None}},
            "stream_options",
        ),
        ({"detail": [{"type": "extra_forbidden", "loc": ["body", "stream_options"]}]}, "stream_options"),
    ],
)
def test_a_refused_field_is_learned(refusal: Any, field: str) -> None:
    """The refusals are those of OpenAI, Azure and FastAPI."""
    learned = learn_refusal(UNKNOWN, 400, json.dumps(refusal).encode(), BODY)

    assert learned is not None
    assert (learned.refused, learned.extensions) == ((field,), None)
    assert field not in without_refused(BODY, learned.refused)


@pytest.mark.parametrize(
    ("status", "refusal"),
    [
        (400, b"max_tokens is too large: 9000. This model's maximum context length is 4096 tokens"),
        (400, b"'max_tokens' or 'max_completion_tokens' is too large: 9000"),
        (400, json.dumps({"error": {**TEMPERATURE, "code": "invalid_value"}}).encode()),
        (400, json.dumps({"error": {**TEMPERATURE, "param": "messages"}}).encode()),
        (400, json.dumps({"error": {**TEMPERATURE, "param": ["temperature"]}}).encode()),
        (400, json.dumps({"error": {**TEMPERATURE, "param": "seed"}}).encode()),  # it was not sent
        (400, b"[" * 100_000),
        (400, b""),
        (500, json.dumps({"error": OPENAI}).encode()),
        (429, json.dumps({"error": OPENAI}).encode()),
    ],
)
def test_other_refusals_teach_nothing(status: int, refusal: bytes) -> None:
    """The prompt may be too long, or the value wrong."""
    assert learn_refusal(UNKNOWN, status, refusal, BODY) is None


def test_the_limit_of_tokens_has_a_newer_name() -> None:
    """The limit holds under either name."""
    body = without_refused(BODY, ("max_tokens", "stream_options"))

    assert body["max_completion_tokens"] == 9
    assert not {"max_tokens", "stream_options"} & set(body)
    assert without_refused({"model": "m"}, ("max_tokens",)) == {"model": "m"}
