"""The model process with the real starter: bad and odd input."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest

from tests.core.model.worker.support_model_client import (
    CHAT,
    EMBEDDINGS,
    TOKENIZE,
    Fields,
    body,
)

HELLO = [{"role": "user", "content": "Hello"}]
BAD: list[tuple[str, bytes | Fields | list[Any], int]] = [
    (CHAT, b"", 400),
    (CHAT, b"{", 400),
    (CHAT, b"\xff\xfe", 400),
    (CHAT, b"null", 400),
    (CHAT, b"[" * 100_000, 400),
    (CHAT, b'{"messages":' + b"[" * 5000, 400),
    (CHAT, b"1" * 10_000, 400),
    (CHAT, [], 400),
    (CHAT, {}, 400),
    (CHAT, {"messages": []}, 400),
    (CHAT, {"messages": HELLO, "temperature": "hot"}, 400),
    (CHAT, b'{"messages": [{"role": "user", "content": "x"}], "temperature": NaN}', 400),
    (CHAT, b'{"messages": [{"role": "user", "content": "x"}], "temperature": 1e999}', 400),
    (CHAT, {"messages": HELLO, "model": "another-model"}, 404),
    (CHAT, {"messages": HELLO, "model": "a\nmodel\x00\ud800"}, 404),
    (CHAT, {"messages": HELLO, "tools": [{"type": "function", "function": {"name": "f"}}]}, 400),
    (CHAT, {"messages": HELLO, "n": 2}, 400),
    (CHAT, {"messages": [{"role": "system", "content": "Be kind."}]}, 400),
    (CHAT, {"messages": [{"role": "assistant", "content": "Hi"}]}, 400),
    (CHAT, {"messages": HELLO, "response_format": {"type": "json_schema", "json_schema": {"schema": 5}}}, 400),
    (CHAT, {"messages": HELLO, "stop": ["\ud800"]}, 400),
    (CHAT, {"messages": HELLO, "stop": [""]}, 400),
    (CHAT, {"messages": HELLO, "temperature": 5}, 400),
    (CHAT, {"messages": HELLO, "max_tokens": 10**30}, 400),
    (TOKENIZE, {}, 400),
    (TOKENIZE, {"prompt": 5}, 400),
    (TOKENIZE, {"messages": []}, 400),
    (EMBEDDINGS, {"input": "Hello"}, 400),
    (EMBEDDINGS, {"input": []}, 400),
    (CHAT, b" " * (9 * 1024 * 1024), 413),
]


@pytest.mark.parametrize(("path", "sent", "status"), BAD, ids=[f"{path}-{n}" for n, (path, _, _) in enumerate(BAD)])
async def test_bad_input_gets_a_4xx_error(
    http: httpx.AsyncClient, path: str, sent: bytes | Fields | list[Any], status: int
) -> None:
    """It is OpenAI's error object, never 5xx, and the process continues."""
    content = sent if isinstance(sent, bytes) else json.dumps(sent).encode()
    response = await http.post(path, content=content)

    assert response.status_code == status, response.text
    assert response.json()["error"]["message"]
    assert response.json()["error"]["type"] == "invalid_request_error"
    assert (await http.get("/health")).json() == {"status": "ok"}


ONE_WORD = {"type": "json_schema", "json_schema": {"schema": {"const": "word"}}}
ODD: list[Fields] = [
    {"content": ""},
    {"content": " \n\t"},
    {"content": "\x00\x01\x7f"},
    {"content": "\ud800 half a pair"},
    {"content": "😀" * 100},
    {"content": "{{ 7 * 7 }}{% raw %}"},
    {"content": "e\u0301" * 50},
    {"content": "x", "stop": ["\x00"]},
    {"content": "x", "seed": -(2**63)},
    {"content": "x", "seed": 2**63 - 1},
    {"content": "x", "temperature": 1e-300, "top_p": 1e-300},
    {"content": "x", "temperature": 2, "top_k": 1, "min_p": 1, "repeat_penalty": 10},
    {"content": "x", "top_k": 0, "min_p": 0, "top_p": 1, "repeat_penalty": 1e-9},
    {"content": "x", "max_tokens": 2**31 - 1, "response_format": ONE_WORD},
    {"content": "x", "user": "\x00"},
]


@pytest.mark.parametrize("odd", ODD, ids=range(len(ODD)))
async def test_odd_input_is_answered(http: httpx.AsyncClient, odd: Fields) -> None:
    """Real clients send such input."""
    request = body(**{"max_tokens": 4, **odd})
    response = await http.post(CHAT, content=json.dumps(request).encode())

    assert response.status_code == 200, response.text


async def test_unknown_paths_and_methods_get_json_errors(http: httpx.AsyncClient) -> None:
    """The statuses are 404 and 405."""
    assert (await http.get("/v1/nothing")).json()["error"]["message"] == "Not Found"
    assert (await http.get(CHAT)).status_code == 405


async def test_an_invalid_gzip_body_gets_400(http: httpx.AsyncClient) -> None:
    """(It was 500.)"""
    response = await http.post(CHAT, content=b"not gzip", headers={"Content-Encoding": "gzip"})

    assert response.status_code == 400
