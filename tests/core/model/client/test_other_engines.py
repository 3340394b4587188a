"""The model client and other engines: missing endpoints, other field names, and silence."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from core.configuration.settings import Settings, load
from core.contract import Sampling
from core.errors import ModelRefused, ModelTooSlow, ModelUnavailable
from core.model.client import ModelClient
from core.openai.chat_protocol import (
    EXTENSIONS,
    TextDelta,
    ThinkingStarted,
    refuses_extensions,
    request_body,
    without_extensions,
)
from tests.core.support_asking import HI, connected, pieces
from tests.support.fake_model import Comment, Fail, FakeModel, Raw, Step, Thought, sse
from tests.support.ollama_stand_in import OllamaStandIn


@pytest.mark.parametrize("status", [400, 401, 404, 405, 413, 422, 429, 501])
async def test_an_engine_that_wants_another_body_does_not_count(own_settings: Settings, status: int) -> None:
    """TGI's /tokenize takes `inputs`; its refusal must not fail the prompt. (Before, every long prompt failed.)"""
    async with connected(own_settings) as (client, model):
        model.tokenize_status = status
        assert await client.count(HI) is None
        assert [piece async for piece in client.stream(HI, Sampling())]


@pytest.mark.parametrize("status", [404, 422])
async def test_an_engine_that_did_not_count_is_asked_again_later(own_settings: Settings, status: int) -> None:
    """It is asked once per refresh of the model list, because the engine may serve another model. (Before, never.)"""
    async with connected(own_settings) as (client, model):
        model.tokenize_status = status
        await client.count(HI)
        await client.count(HI)
        assert len(model.tokenize_calls) == 1
        model.tokenize_status = 200
        await client.wait_ready(1)

        assert await client.count(HI) == 2


async def test_an_engine_that_fails_to_count_has_failed(own_settings: Settings) -> None:
    """An estimate would only delay the failure."""
    async with connected(own_settings) as (client, model):
        model.tokenize_status = 503
        with pytest.raises(ModelUnavailable):
            await client.count(HI)


@pytest.mark.parametrize("status", [302, 400, 401, 403, 404, 405, 501])
async def test_a_gateway_without_health_is_ready_if_it_lists_models(own_settings: Settings, status: int) -> None:
    """A gateway's /health does not count; its list of models does. (Before, it was never ready.)"""
    async with connected(own_settings) as (client, model):
        model.health_status = status
        await client.ready()
        await client.wait_ready(1)


@pytest.mark.parametrize("status", [500, 502, 503])
async def test_an_engine_that_reports_bad_health_is_not_ready(own_settings: Settings, status: int) -> None:
    """This holds even if it lists models."""
    async with connected(own_settings) as (client, model):
        model.health_status = status
        with pytest.raises((ModelUnavailable, ModelRefused)):
            await client.ready()
        assert model.model_list_calls == 0


async def test_a_wrong_key_is_an_error_at_once(own_settings: Settings) -> None:
    """The client does not wait, and the error names the variable."""
    async with connected(own_settings) as (client, model):
        model.health_status, model.api_key = 401, "right"
        with pytest.raises(ModelRefused, match=r"401.*LLM_API_KEY"):
            await client.wait_ready(60)


OWN = Sampling(temperature=0.5, top_k=4, min_p=0.1, repeat_penalty=1.1)


async def test_the_repeat_penalty_has_both_its_names(own_settings: Settings) -> None:
    """vLLM and TGI call it `repetition_penalty`. (Before, it had no effect there.)"""
    async with connected(own_settings) as (client, model):
        await pieces(client, OWN)

    assert model.requests[0]["repeat_penalty"] == model.requests[0]["repetition_penalty"] == 1.1


def takes_openais_only(body: dict[str, Any]) -> Sequence[Step]:
    for name in set(EXTENSIONS) & set(body):
        return (Fail(400, "invalid_request_error", f"Unrecognized request argument supplied: {name}"),)
    return ("Hi",)


async def test_a_strict_engine_gets_only_openais_fields(own_settings: Settings) -> None:
    """It gets no other fields after its first refusal, and one log event says so. (Before, it refused every answer.)"""
    with capture_logs() as logs:
        async with connected(own_settings, answer=takes_openais_only) as (client, model):
            for _ in range(2):
                assert (await pieces(client, OWN))[0] == TextDelta("Hi")

    refused, again, later = model.requests
    assert not set(EXTENSIONS) & set(again)
    assert again == later
    assert again["temperature"] == 0.5
    assert set(refused) - set(again) == {"top_k", "min_p", "repeat_penalty", "repetition_penalty"}
    assert [entry["event"] for entry in logs] == ["engine_extensions_refused"]


REASONING_ONLY = {"max_tokens": "unsupported_parameter", "temperature": "unsupported_value"}


def reasons(body: dict[str, Any]) -> Sequence[Step]:
    """Answers as OpenAI's reasoning models do, which take neither extensions nor sampling."""
    refused = takes_openais_only(body)
    if isinstance(refused[0], Fail):
        return refused
    for name, code in REASONING_ONLY.items():
        if name in body:
            advice = " Use 'max_completion_tokens' instead." if name == "max_tokens" else ""
            return (
                Fail(
                    400, code, f"Unsupported parameter: '{name}' is not supported with this model.{advice}", param=name
                ),
            )
    if "stream_options" in body:
        return (Fail(400, "invalid_request_error", "Unrecognized request argument supplied: stream_options"),)
    return ("Hi",)


async def test_fields_of_openai_that_an_engine_refuses_are_not_sent_again(own_settings: Settings) -> None:
    """Each is learned from its refusal, all in one answer; the limit of tokens gets its newer name."""
    sampling = replace(OWN, max_tokens=9)
    with capture_logs() as logs:
        async with connected(own_settings, answer=reasons) as (client, model):
            for _ in range(2):
                assert (await pieces(client, sampling))[0] == TextDelta("Hi")

    *refused, first, second = model.requests
    assert len(refused) == 4
    assert first == second
    assert first["max_completion_tokens"] == 9
    assert not {"max_tokens", "temperature", "stream_options", *EXTENSIONS} & set(first)
    assert ("max_tokens", "temperature", "stream_options") == logs[0]["fields"]


async def test_other_refusals_are_not_retried(own_settings: Settings) -> None:
    """The client retries only if the refusal names a sent extension field."""
    refused = Fail(400, "invalid_request_error", "`temperature` must be 1")
    async with connected(own_settings, (refused,), (refused,)) as (client, model):
        for _ in range(2):
            with pytest.raises(ModelRefused):
                await pieces(client, OWN)

    assert len(model.requests) == 2


async def test_extensions_are_still_sent_after_an_unrelated_refusal(own_settings: Settings) -> None:
    """An engine that quotes the request in every refusal is not treated as strict."""
    refused = Fail(422, "missing", "field required; your request was {'min_p': 0.1}")
    async with connected(own_settings, (refused,), (refused,)) as (client, model):
        with pytest.raises(ModelRefused):
            await pieces(client, OWN)
        await pieces(client, OWN)

    assert "min_p" not in model.requests[1]
    assert model.requests[2]["min_p"] == 0.1


@pytest.mark.parametrize(
    ("status", "refusal", "names"),
    [
        (400, b'{"error": {"message": "Unrecognized request argument supplied: top_k"}}', True),
        (
            400,
            b"{\"object\": \"error\", \"message\": \"[{'type': 'extra_forbidden', 'loc': ('body', 'min_p')}]\"}",
            True,
        ),
        (422, b'{"detail": [{"type": "extra_forbidden", "loc": ["body", "repetition_penalty"]}]}', True),
        (422, b'{"detail": "body -> repeat_penalty\\n  Extra inputs are not permitted"}', True),
        (400, b'{"error": {"message": "messages: at least one"}}', False),
        (429, b"top_k", False),
        (500, b"top_k", False),
    ],
)
def test_refusals_of_fields(status: int, refusal: bytes, names: bool) -> None:
    """The refusals are those of OpenAI, vLLM, FastAPI and NIM."""
    body = request_body("m", HI, OWN)

    assert refuses_extensions(status, refusal, body) is names
    assert not refuses_extensions(status, refusal, without_extensions(body))


async def test_thinking_is_reported_once_and_not_yielded(own_settings: Settings) -> None:
    """It comes in the text or in the engines' own fields. Text may follow in the same chunk."""
    texts = ("<thi", "nk>\nHmm", ", hm", ".</thin", "k>\n\nHel", "lo")
    fields = (Thought("Hmm"), Thought(", hm.", "reasoning"), "Hel", "lo")
    async with connected(own_settings, texts, fields) as (client, _):
        for _ in range(2):
            *found, _ = await pieces(client)
            assert found == [ThinkingStarted(), TextDelta("Hel"), TextDelta("lo")]


async def test_a_continued_answer_has_no_thinking_in_front(own_settings: Settings) -> None:
    """The continuation starts in the middle of an answer."""
    async with connected(own_settings, ("<think> is a tag",)) as (client, _):
        assert (await pieces(client, continue_last=True))[0] == TextDelta("<think> is a tag")


def of_url(tmp_path: Path, url: str, **variables: str) -> ModelClient:
    return ModelClient.from_settings(load({"CSPS_LLM_DATA": str(tmp_path), "LLM_URL": url, **variables}))


async def test_keep_prefix_is_sent_only_to_our_own_process(own_settings: Settings, tmp_path: Path) -> None:
    """Other engines do not get `keep_prefix`."""
    async with connected(own_settings) as (client, ours), FakeModel().serving() as other:
        remote = of_url(tmp_path, other.url)
        await pieces(client, keep_prefix=True)
        await pieces(remote, keep_prefix=True)
        await remote.close()

    assert ours.requests[0]["keep_prefix"] is True
    assert "keep_prefix" not in other.requests[0]


async def test_priority_is_sent_only_to_our_own_process(own_settings: Settings, tmp_path: Path) -> None:
    """Other engines might refuse the field or mean something else by it; people's requests need none."""
    async with connected(own_settings) as (client, ours), FakeModel().serving() as other:
        remote = of_url(tmp_path, other.url)
        await pieces(client, priority="batch")
        await pieces(client)
        await pieces(remote, priority="batch")
        await remote.close()

    assert [request.get("priority") for request in ours.requests] == ["batch", None]
    assert "priority" not in other.requests[0]


@pytest.mark.parametrize("step", [asyncio.Event(), Comment("alive")])
async def test_silence_before_an_answer_is_no_death(tmp_path: Path, step: Step) -> None:
    """vLLM queues silently. The error is ModelTooSlow without a retry, which would lose the place in the queue."""
    async with FakeModel((step, asyncio.Event())).serving() as model:
        client = of_url(tmp_path, model.url, LLM_TIMEOUT_S="0.1")
        with pytest.raises(ModelTooSlow, match="LLM_TIMEOUT_S"):
            await pieces(client)
        await client.close()


@pytest.mark.parametrize("begun", ["Hel", Thought("Hm")])
async def test_silence_within_an_answer_is_a_death(tmp_path: Path, begun: Step) -> None:
    """After the first text or thinking, the request no longer waits in a queue."""
    async with FakeModel((begun, asyncio.Event())).serving() as model:
        client = of_url(tmp_path, model.url, LLM_TIMEOUT_S="0.1")
        with pytest.raises(ModelUnavailable, match="within"):
            await pieces(client)
        await client.close()


async def test_a_gateway_timeout_counts_as_silence(own_settings: Settings) -> None:
    """Its 504 arrives while the engine behind it queues the request."""
    async with connected(own_settings, (Fail(504),)) as (client, _):
        with pytest.raises(ModelTooSlow, match="504"):
            await pieces(client)


@pytest.mark.parametrize(
    "error",
    [
        {"message": "EngineCore died", "type": "InternalServerError", "code": 500},  # vLLM
        {"message": "Compute error.", "type": "server_error", "code": 500},  # llama-server
    ],
)
async def test_an_engine_that_fails_within_its_answer_is_as_if_it_had_died(
    own_settings: Settings, error: dict[str, Any]
) -> None:
    """The answer can then go on elsewhere. A failure before the answer is a refusal: its prompt may be the cause."""
    async with connected(own_settings, ("Hel", Raw(sse({"error": error})))) as (client, _):
        with pytest.raises(ModelUnavailable, match="failed within its answer"):
            await pieces(client)


async def test_a_gateway_without_a_list_serves_the_named_model(tmp_path: Path) -> None:
    """Without a name nothing tells what to ask for."""
    model = FakeModel()
    model.lists = False
    async with model.serving():
        named = of_url(tmp_path, model.url, LLM_MODEL="gpt-x", LLM_CONTEXT_WINDOW="9000")
        assert (await pieces(named))[0] == TextDelta("Hello")
        assert ((await named.info()).name, (await named.info()).window) == ("gpt-x", 9000)
        unnamed = of_url(tmp_path, model.url)
        with pytest.raises(ModelRefused):
            await pieces(unnamed)
        model.health_status = 404
        await named.ready()
        with pytest.raises(ModelRefused):
            await unnamed.ready()
        await asyncio.gather(named.close(), unnamed.close())

    assert [body["model"] for body in model.requests] == ["gpt-x"]


async def test_ollamas_names_may_lack_their_tag(tmp_path: Path) -> None:
    """It lists "toy:latest", and everyone calls it "toy"."""
    async with OllamaStandIn().serving() as stand_in:
        client = of_url(tmp_path, stand_in.url, LLM_MODEL="toy")
        assert (await client.info()).name == "toy:latest"
        await pieces(client)
        await client.close()

    assert stand_in.requests[0]["model"] == "toy:latest"
