"""Answers survive the model's death: no text is sent twice."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import aclosing
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from structlog.testing import capture_logs

from core.configuration.settings import Settings, load
from core.contract import Done, Prompt, Sampling, Status, Task, TranscriptTurn, Usage
from core.conversation.generation import DEATHS_LIMIT, RepeatedSpaceFilter, add_earlier_tokens
from core.conversation.sessions import Sessions
from core.engine import ChatEngine
from core.errors import (
    ModelRefused,
    ModelTooSlow,
    ModelUnavailable,
    OnlyThought,
    Overloaded,
)
from core.storage.database import Database
from tests.core.support_chatting import NOW, TODAY, ask, chat_on, serving, shown, text_of
from tests.support.fake_model import Die, Fail, FakeModel, Finish, Step, Thought


async def test_an_answer_continues_after_the_models_death(chat: ChatEngine, own_settings: Settings) -> None:
    """The answer continues from the text so far, without loss or repetition."""
    async with serving(own_settings, ("The quick", " brown ", Die()), ("fox", " jumps.")) as model:
        name = await chat.open("whisper")
        events = await ask(chat, "Tell", name)
        turns = await chat.resume(name, "whisper")

    assert text_of(events) == "The quick brown fox jumps." == turns[-1].text
    assert Status("reconnecting") in events
    assert model.requests[1]["messages"][-1] == {"role": "assistant", "content": "The quick brown"}
    assert model.requests[1]["continue_final_message"] is True
    assert model.requests[1]["max_tokens"] == model.requests[0]["max_tokens"] - 2
    assert isinstance(events[-1], Done)
    assert events[-1].usage.completion_tokens == 4


def test_tokens_before_a_death_are_counted_once() -> None:
    """The next model counts it as prompt, and people see both counts."""
    assert Usage(prompt_tokens=10, completion_tokens=7) == add_earlier_tokens(
        Usage(prompt_tokens=14, completion_tokens=3), 4
    )


@pytest.mark.parametrize(
    ("first", "second", "whole"),
    [
        ("A. ", " B", "A. B"),
        ("A. ", "B", "A. B"),
        ("A.\n\n", "\n\nB", "A.\n\nB"),
        ("A.\n\n", "\nB", "A.\n\nB"),
        ("A.\n\n", "B", "A.\n\nB"),
        ("A.", " B", "A. B"),
        (" \n", " \nB", " \nB"),
    ],
)
async def test_blank_space_where_an_answer_continues_is_sent_once(
    chat: ChatEngine, own_settings: Settings, first: str, second: str, whole: str
) -> None:
    """The blank space is sent once, whether or not the engine writes it again."""
    async with serving(own_settings, (first, Die()), (second,)):
        assert text_of(await ask(chat, "Tell")) == whole


@given(st.text(" \n", max_size=6), st.text(" \nab", max_size=12), st.lists(st.integers(1, 5)))
def test_a_repeated_space_is_dropped_for_any_chunks(given_space: str, text: str, sizes: list[int]) -> None:
    """Only the common start is dropped, for any chunks of the text."""
    space_filter, rest, found = RepeatedSpaceFilter(given_space), text, ""
    for size in [*sizes, len(text)]:
        found, rest = found + space_filter.feed(rest[:size]), rest[size:]
    common = next((i for i, (a, b) in enumerate(zip(given_space, text, strict=False)) if a != b), None)
    skipped = min(len(given_space), len(text)) if common is None else common

    assert found == text[skipped:]


async def test_an_answer_waits_for_a_model_that_is_away(chat: ChatEngine, own_settings: Settings) -> None:
    """A prompt during the model's start is answered after it."""
    async with aclosing(chat.reply(Prompt("whisper", "Hi"))) as events:
        assert await anext(events) == Status("reconnecting")
        async with serving(own_settings, ("Hello",)):
            assert text_of([event async for event in events]) == "Hello"


async def test_a_model_that_stays_away_is_an_error_and_the_partial_answer_is_stored(tmp_path: Path) -> None:
    """After the wait comes ModelUnavailable; the text so far is stored, and the next prompt contains it."""
    settings = load({"CSPS_LLM_DATA": str(tmp_path), "LLM_WAIT_S": "0.2"})
    async with chat_on(settings) as chat:
        gate = asyncio.Event()
        name = await chat.open("whisper")
        model = FakeModel(("Half an", gate))
        await model.start(settings.model_socket)
        asking = asyncio.create_task(ask(chat, "Tell", name))
        await model.chat_started.wait()
        await model.stop()
        with pytest.raises(ModelUnavailable):
            await asking
        turns = await chat.resume(name, "whisper")
        conversation = await Sessions(Database(settings.database_url)).resume(name, "whisper")
        async with serving(settings) as back:
            await ask(chat, "Go on", name)

    assert turns[0] == TranscriptTurn("user", "Tell", exchange=1, at=NOW)
    assert conversation.exchanges[0].reason == "failed"
    assert conversation.exchanges[0].answer in ("", "Half an")  # as much as had arrived
    assert shown(back.requests[0]).endswith("user: Go on")


async def test_a_prompt_that_kills_every_model_fails(chat: ChatEngine, own_settings: Settings) -> None:
    """It costs a few restarts, not endless ones."""
    async with FakeModel(answer=lambda _body: (Die(),)).serving(own_settings.model_socket) as model:
        with pytest.raises(ModelUnavailable):
            await ask(chat, "Hi")

    assert len(model.requests) == DEATHS_LIMIT + 1


async def test_a_continued_answer_whose_budget_is_spent_is_done(chat: ChatEngine, own_settings: Settings) -> None:
    """No request exceeds max_tokens."""
    async with serving(own_settings, ("a", "b", Die())) as model:
        events = await ask(chat, "Hi", sampling=Sampling(max_tokens=2))

    assert events[-1] == Done("length", "fake-model", Usage(completion_tokens=2))
    assert len(model.requests) == 1


async def test_a_full_window_ends_a_continued_answer(chat: ChatEngine, own_settings: Settings) -> None:
    """Prompt and answer fill the window: the answer ends with `length`, not with an error."""
    async with serving(own_settings, ("a", "b", Die()), (Fail(400, "context_length_exceeded"),)):
        name = await chat.open("whisper")
        events = await ask(chat, "Hi", name)

        assert isinstance(events[-1], Done)
        assert events[-1].reason == "length"
        assert (await chat.resume(name, "whisper"))[-1].text == "ab"


async def test_overload_is_an_error_with_its_retry_time(chat: ChatEngine, own_settings: Settings) -> None:
    """Before an answer begins, the caller waits; the next prompt does not contain the failed question."""
    async with serving(own_settings, (Fail(429, "overloaded", retry_after_s=7),)) as model:
        name = await chat.open("whisper")
        with pytest.raises(Overloaded) as caught:
            await ask(chat, "Hi", name)
        await ask(chat, "Hi again", name)

    assert caught.value.retry_after_s == 7
    assert model.requests[1]["messages"][1:] == [{"role": "user", "content": f"{TODAY}\n\nHi again"}]


async def test_an_answer_under_way_waits_out_an_overload(chat: ChatEngine, own_settings: Settings) -> None:
    """Many prompts return after a death; a half-written answer is still completed."""
    busy = (Fail(429, "overloaded", retry_after_s=0),)
    async with serving(own_settings, ("one ", Die()), busy, ("two",)):
        assert text_of(await ask(chat, "Hi")) == "one two"


async def test_a_refusal_is_not_retried(chat: ChatEngine, own_settings: Settings) -> None:
    """The same request would be refused again."""
    async with serving(own_settings, (Fail(500, "exploded"),)) as model:
        with pytest.raises(ModelRefused):
            await ask(chat, "Hi")

    assert len(model.requests) == 1


async def test_silence_before_an_answer_is_an_error_and_no_death(tmp_path: Path) -> None:
    """In a long queue, each retry would lose its place. (Before, there were five retries of 120 s.)"""
    async with FakeModel((asyncio.Event(),)).serving() as model:
        settings = load({"CSPS_LLM_DATA": str(tmp_path), "LLM_URL": model.url, "LLM_TIMEOUT_S": "0.1"})
        async with chat_on(settings) as chat:
            with pytest.raises(ModelTooSlow):
                await ask(chat, "Hi")

    assert len(model.requests) == 1


THINKING: list[Sequence[Step]] = [
    ("<think>", "Secret", " plans.", "</think>", "\n\n", "Hello", " there."),
    ("<think>Secret plans.</think>Hello there.",),
    (Thought("Secret"), Thought(" plans."), "Hello", " there."),
    (Thought("Secret", "reasoning"), Thought(" plans.", "reasoning"), "Hello", " there."),
]


@pytest.mark.parametrize("steps", THINKING)
async def test_thinking_sends_one_status_and_is_not_stored(
    chat: ChatEngine, own_settings: Settings, steps: Sequence[Step]
) -> None:
    """Its text is not sent, not stored, and not in later prompts."""
    async with serving(own_settings, steps) as model:
        name = await chat.open("whisper")
        events = await ask(chat, "Hi", name)
        turns = await chat.resume(name, "whisper")
        await ask(chat, "And?", name)

    assert text_of(events) == "Hello there." == turns[-1].text
    assert [event for event in events if isinstance(event, Status)] == [Status("thinking")]
    assert model.requests[1]["messages"][-2] == {"role": "assistant", "content": "Hello there."}
    assert "Secret" not in shown(model.requests[1])


async def test_a_death_within_the_thinking(chat: ChatEngine, own_settings: Settings) -> None:
    """The model thinks again with its whole budget; there is no second status."""
    async with serving(own_settings, ("<think>Se", "cret", Die()), ("<think>Secret</think>", "Hello")) as model:
        events = await ask(chat, "Hi")

    assert text_of(events) == "Hello"
    assert [event for event in events if isinstance(event, Status)] == [Status("thinking"), Status("reconnecting")]
    assert model.requests[1]["messages"] == model.requests[0]["messages"]
    assert model.requests[1]["max_tokens"] == model.requests[0]["max_tokens"]


async def test_a_death_anywhere_in_a_thinking_answer(chat: ChatEngine, own_settings: Settings) -> None:
    """In the thinking or after it: no text is lost or sent twice, and no thinking is sent."""
    whole, said = "<think>Hm.</think>\n\nHi <b>, all.", "Hi <b>, all."
    cut = 0

    def answer(body: dict[str, Any]) -> Sequence[Step]:
        last = body["messages"][-1]
        if last["role"] == "assistant":
            return (said[len(last["content"]) :],)
        return (*whole[:cut], Die()) if len(model.requests) == 1 else (whole,)

    async with serving(own_settings, answer=answer) as model:
        for cut in range(len(whole)):
            model.requests.clear()
            assert text_of(await ask(chat, "Hi")) == said, f"cut after {whole[:cut]!r}"


@pytest.mark.parametrize(
    "steps",
    [
        ("<think>Hm, hm", Finish("length")),
        ("<think>Hm, hm",),
        ("<think>Hm</think>\n\n", Finish("length")),
        (Thought("Hm"), Finish("length")),
    ],
)
async def test_an_answer_of_thinking_alone_is_an_error(
    chat: ChatEngine, own_settings: Settings, steps: Sequence[Step]
) -> None:
    """The next prompt contains nothing of it."""
    async with serving(own_settings, steps) as model:
        name = await chat.open("whisper")
        with pytest.raises(OnlyThought):
            await ask(chat, "Hi", name)
        turns = await chat.resume(name, "whisper")
        await ask(chat, "Hi again", name)

    assert turns[-1] == TranscriptTurn("assistant", "", reason="failed", exchange=1, at=NOW)
    assert model.requests[1]["messages"][1:] == [{"role": "user", "content": f"{TODAY}\n\nHi again"}]


async def test_an_empty_thinking_block_sends_no_status(chat: ChatEngine, own_settings: Settings) -> None:
    """An empty thinking block is dropped like a full one."""
    async with serving(own_settings, ("<think>\n\n", "</think>\n\n", "Hello")):
        events = await ask(chat, "Hi")

    assert text_of(events) == "Hello"
    assert not [event for event in events if isinstance(event, Status)]


async def test_the_engine_may_keep_a_personality_and_no_schema(chat: ChatEngine, own_settings: Settings) -> None:
    """The model process writes kept prefixes to disk; a schema is a caller's text and must not be there."""
    async with serving(own_settings, ("Hello",), ("{}",)) as model:
        await ask(chat, "Hi")
        await chat.toil(Task("whisper", "Hi", {"type": "object", "description": "Secret"}))

    answered, toiled = model.requests
    assert answered["keep_prefix"] is True
    assert "Secret" in toiled["messages"][0]["content"]
    assert "keep_prefix" not in toiled


async def test_the_model_process_learns_which_requests_are_of_batches(chat: ChatEngine, own_settings: Settings) -> None:
    """Prompts and toil of people need no field."""
    async with serving(own_settings, ("Hello",), ("{}",), ("{}",)) as model:
        await ask(chat, "Hi")
        await chat.toil(Task("whisper", "Hi", {"type": "object"}))
        await chat.toil(Task("whisper", "Hi", {"type": "object"}, priority="batch"))

    assert [request.get("priority") for request in model.requests] == [None, None, "batch"]


async def test_a_model_that_thinks_is_warmed_by_one_token(chat: ChatEngine, own_settings: Settings) -> None:
    """The one token is thinking; this is not a failure."""
    async with FakeModel(answer=lambda _: ("<think>Hm", Finish("length"))).serving(own_settings.model_socket):
        with capture_logs() as logs:
            await chat.warmer.warm()

    assert {entry["event"] for entry in logs} == {"personality_warmed"}
