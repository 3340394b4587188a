"""The model's client and the engines of others: what each of them lacks, calls otherwise, or keeps to itself."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
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
from tests.support.fakes import Comment, Fail, FakeModel, Step, Thought


@pytest.mark.parametrize("status", [400, 401, 404, 405, 413, 422, 429, 501])
async def test_an_engine_that_wants_another_body_does_not_count(own_settings: Settings, status: int) -> None:
    """Such as TGI, whose /tokenize takes `inputs`: its refusal is not the prompt's. (It failed every long prompt.)"""
    async with connected(own_settings) as (client, model):
        model.tokenize_status = status
        assert await client.count(HI) is None
        assert [piece async for piece in client.stream(HI, Sampling())]


@pytest.mark.parametrize("status", [404, 422])
async def test_an_engine_that_did_not_count_is_asked_again_with_its_models(own_settings: Settings, status: int) -> None:
    """Not for each prompt, but when the list of models is read anew: another may be served. (It never was.)"""
    async with connected(own_settings) as (client, model):
        model.tokenize_status = status
        await client.count(HI)
        await client.count(HI)
        assert len(model.counted) == 1
        model.tokenize_status = 200
        await client.wait_ready(1)

        assert await client.count(HI) == 2


async def test_an_engine_that_fails_to_count_has_failed(own_settings: Settings) -> None:
    """An estimate would only put off the failure."""
    async with connected(own_settings) as (client, model):
        model.tokenize_status = 503
        with pytest.raises(ModelUnavailable):
            await client.count(HI)


@pytest.mark.parametrize("status", [302, 400, 401, 403, 404, 405, 501])
async def test_what_is_in_front_of_an_engine_need_not_know_its_health(own_settings: Settings, status: int) -> None:
    """A gateway's own answer at /health says nothing; that it lists models does. (It was never ready.)"""
    async with connected(own_settings) as (client, model):
        model.health_status = status
        await client.ready()
        await client.wait_ready(1)


@pytest.mark.parametrize("status", [500, 502, 503])
async def test_an_engine_that_says_it_is_unwell_is_not_ready(own_settings: Settings, status: int) -> None:
    """Whatever it lists."""
    async with connected(own_settings) as (client, model):
        model.health_status = status
        with pytest.raises((ModelUnavailable, ModelRefused)):
            await client.ready()
        assert model.listed == 0


async def test_a_wrong_key_is_told_at_once(own_settings: Settings) -> None:
    """It is not waited out, and the variable is named."""
    async with connected(own_settings) as (client, model):
        model.health_status, model.api_key = 401, "right"
        with pytest.raises(ModelRefused, match=r"401.*LLM_API_KEY"):
            await client.wait_ready(60)


OWN = Sampling(temperature=0.5, top_k=4, min_p=0.1, repeat_penalty=1.1)


async def test_the_repeat_penalty_has_both_its_names(own_settings: Settings) -> None:
    """vLLM and TGI know it as `repetition_penalty`. (There it did nothing.)"""
    async with connected(own_settings) as (client, model):
        await pieces(client, OWN)

    assert model.requests[0]["repeat_penalty"] == model.requests[0]["repetition_penalty"] == 1.1


def takes_openais_only(body: dict[str, Any]) -> Sequence[Step]:
    for name in set(EXTENSIONS) & set(body):
        return (Fail(400, "invalid_request_error", f"Unrecognized request argument supplied: {name}"),)
    return ("Hi",)


async def test_an_engine_that_takes_openais_fields_only(own_settings: Settings) -> None:
    """Is asked without the others, from then on, and the log says so once. (It refused every answer.)"""
    with capture_logs() as logs:
        async with connected(own_settings, answer=takes_openais_only) as (client, model):
            for _ in range(2):
                assert (await pieces(client, OWN))[0] == TextDelta("Hi")

    refused, again, later = model.requests
    assert not set(EXTENSIONS) & set(again)
    assert again == later
    assert again["temperature"] == 0.5
    assert set(refused) - set(again) == set(EXTENSIONS)
    assert [entry["event"] for entry in logs] == ["engine_without_extensions"]


async def test_another_refusal_is_not_asked_again(own_settings: Settings) -> None:
    """Only one that names a field that was sent and is not OpenAI's."""
    refused = Fail(400, "invalid_request_error", "`temperature` must be 1")
    async with connected(own_settings, (refused,), (refused,)) as (client, model):
        for _ in range(2):
            with pytest.raises(ModelRefused):
                await pieces(client, OWN)

    assert len(model.requests) == 2


async def test_fields_that_were_not_to_blame_are_sent_on(own_settings: Settings) -> None:
    """An engine that quotes the whole request in every refusal is not taken for one that is strict."""
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
    """As OpenAI, vLLM, FastAPI and NIM write them."""
    body = request_body("m", HI, OWN)

    assert refuses_extensions(status, refusal, body) is names
    assert not refuses_extensions(status, refusal, without_extensions(body))


async def test_thinking_is_said_once_and_not_given(own_settings: Settings) -> None:
    """In the text, or in the fields that engines have for it; with text that follows in the same piece."""
    texts = ("<thi", "nk>\nHmm", ", hm", ".</thin", "k>\n\nHel", "lo")
    fields = (Thought("Hmm"), Thought(", hm.", "reasoning"), "Hel", "lo")
    async with connected(own_settings, texts, fields) as (client, _):
        for _ in range(2):
            *found, _ = await pieces(client)
            assert found == [ThinkingStarted(), TextDelta("Hel"), TextDelta("lo")]


async def test_a_continued_answer_has_no_thinking_in_front(own_settings: Settings) -> None:
    """Its text is in the middle of an answer."""
    async with connected(own_settings, ("<think> is a tag",)) as (client, _):
        assert (await pieces(client, continue_last=True))[0] == TextDelta("<think> is a tag")


def of_url(tmp_path: Path, url: str, **variables: str) -> ModelClient:
    return ModelClient.from_settings(load({"CSPS_LLM_DATA": str(tmp_path), "LLM_URL": url, **variables}))


async def test_what_only_our_process_knows_is_sent_to_nobody_else(own_settings: Settings, tmp_path: Path) -> None:
    """That a prefix may be kept; other engines keep what they like."""
    async with connected(own_settings) as (client, ours), FakeModel().serving() as other:
        remote = of_url(tmp_path, other.url)
        await pieces(client, keep_prefix=True)
        await pieces(remote, keep_prefix=True)
        await remote.close()

    assert ours.requests[0]["keep_prefix"] is True
    assert "keep_prefix" not in other.requests[0]


@pytest.mark.parametrize("step", [asyncio.Event(), Comment("alive")])
async def test_silence_before_an_answer_is_no_death(tmp_path: Path, step: Step) -> None:
    """vLLM queues without a word: it took too long, and is not asked again, which would lose the place in line."""
    async with FakeModel((step, asyncio.Event())).serving() as model:
        client = of_url(tmp_path, model.url, LLM_TIMEOUT_S="0.1")
        with pytest.raises(ModelTooSlow, match="LLM_TIMEOUT_S"):
            await pieces(client)
        await client.close()


@pytest.mark.parametrize("begun", ["Hel", Thought("Hm")])
async def test_silence_within_an_answer_is_one(tmp_path: Path, begun: Step) -> None:
    """Who was being written to, or thought for, waits in no line."""
    async with FakeModel((begun, asyncio.Event())).serving() as model:
        client = of_url(tmp_path, model.url, LLM_TIMEOUT_S="0.1")
        with pytest.raises(ModelUnavailable, match="within"):
            await pieces(client)
        await client.close()


async def test_a_gateway_that_does_not_wait_is_silence_too(own_settings: Settings) -> None:
    """Its 504 comes while the engine behind it lets the request wait."""
    async with connected(own_settings, (Fail(504),)) as (client, _):
        with pytest.raises(ModelTooSlow, match="504"):
            await pieces(client)
