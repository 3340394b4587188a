"""Several engines for one model: failover before the first text, breakers, stickiness, keys."""

from __future__ import annotations

import asyncio
import logging
from contextlib import aclosing
from pathlib import Path

import pytest
from aiohttp import BasicAuth
from structlog.testing import capture_logs

from core.configuration.settings import load
from core.contract import Sampling
from core.errors import ConfigError, ModelRefused, ModelTooSlow, ModelUnavailable, Overloaded, PromptTooLong
from core.model.client import silence
from core.model.library.engine_entry import EngineEntry
from core.openai.chat_protocol import QueuePosition, StreamFinished, TextDelta
from tests.core.model.client.support_engines import MODEL, answer, client_of, engines, label, states
from tests.core.support_asking import HI, pieces
from tests.support.fake_model import Comment, Die, Fail, FakeModel, Step, Thought

REFUSALS = [
    (Fail(502),),
    (Fail(503),),
    (Fail(503, "overloaded", retry_after_s=2),),
    (Fail(429, "rate_limit", retry_after_s=2),),
    (Fail(401),),
    (Fail(404),),
    (Fail(307),),
    (Die(),),
    (Comment("queued position=3 wait_s=2.5"), Die()),
    (Thought("Hm"), Die()),
]


@pytest.mark.parametrize("steps", REFUSALS, ids=str)
async def test_an_unanswered_request_goes_to_the_next_engine(tmp_path: Path, steps: tuple[Step, ...]) -> None:
    """The person sees one answer, whatever the first engine did before its first text."""
    first, second = FakeModel(answer=lambda _: steps), FakeModel()
    async with engines(tmp_path, first, second) as client:
        for _ in range(2):
            assert await answer(client) == "Hello there."

    assert len(first.requests) >= 1
    assert len(second.requests) == 2


@pytest.mark.parametrize(
    ("steps", "error"),
    [
        ((Fail(400, "invalid"),), ModelRefused),
        ((Fail(400, "context_length_exceeded"),), PromptTooLong),
        ((Fail(500),), ModelRefused),
        ((Fail(504),), ModelTooSlow),
    ],
)
async def test_other_refusals_are_final(tmp_path: Path, steps: tuple[Step, ...], error: type[Exception]) -> None:
    """Another engine would refuse the same request, or compute it a second time."""
    first, second = FakeModel(answer=lambda _: steps), FakeModel(answer=lambda _: steps)
    async with engines(tmp_path, first, second) as client:
        with pytest.raises(error):
            await answer(client)

    assert len(first.requests) + len(second.requests) == 1


async def test_a_broken_answer_is_not_sent_twice(tmp_path: Path) -> None:
    """After the first text the error is raised, and the caller's request to continue goes to another engine."""
    first, second = FakeModel(("Hel", Die())), FakeModel(("Hel", Die()))
    async with (
        engines(tmp_path, first, second) as client,
        aclosing(client.stream(HI, Sampling(), model=MODEL)) as stream,
    ):
        assert await anext(stream) == TextDelta("Hel")
        with pytest.raises(ModelUnavailable):
            await anext(stream)

    assert len(first.requests) + len(second.requests) == 1


async def test_a_queue_on_an_engine_that_dies_is_answered_by_the_others(tmp_path: Path) -> None:
    """Fifty requests wait in the queue of an engine that is killed. All get their whole answer, none an error."""
    wait = asyncio.Event()
    queued = (Comment("queued position=3 wait_s=2.5"), wait, "late")
    dying, others = FakeModel(answer=lambda _: queued), [FakeModel(), FakeModel()]
    async with engines(tmp_path, dying, *others) as client:
        for other in others:
            other.answer = lambda _: (Fail(503, "overloaded", retry_after_s=0),)
        waiting = [asyncio.create_task(pieces(client, model=MODEL)) for _ in range(50)]
        while len(dying.running) < 50:
            await dying.chat_started.wait()
            await asyncio.sleep(0)
        for other in others:
            other.answer = None
        await dying.stop()
        answers = await asyncio.gather(*waiting)

        assert states(client)[label(dying)] == "open"

    for events in answers:
        texts = [event.text for event in events if isinstance(event, TextDelta)]
        assert "".join(texts) == "Hello there."
        assert isinstance(events[-1], StreamFinished)
    assert any(isinstance(event, QueuePosition) for event in answers[0])


@pytest.mark.parametrize("begun", [(), (Comment("queued position=3"),)])
async def test_a_queue_on_an_engine_that_hangs_is_answered_by_the_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, begun: tuple[Step, ...]
) -> None:
    """A hung process closes no connection. While its stream is silent, its health is checked."""
    monkeypatch.setattr(silence, "CHECK_AFTER_S", 0.01)
    hanging, other = FakeModel(), FakeModel()
    hanging.answer = lambda _: (*begun, asyncio.Event())
    other.answer = lambda _: (Fail(503, "overloaded", retry_after_s=0),)
    async with engines(tmp_path, hanging, other) as client:
        waiting = [asyncio.create_task(answer(client)) for _ in range(10)]
        while len(hanging.running) < 10:
            await asyncio.sleep(0)
        assert not any(task.done() for task in waiting)
        other.answer, hanging.health_status = None, 503

        assert await asyncio.gather(*waiting) == ["Hello there."] * 10
        assert states(client)[label(hanging)] == "open"


async def test_silence_of_a_healthy_engine_is_a_queue(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The request keeps its place, however often the health is checked."""
    monkeypatch.setattr(silence, "CHECK_AFTER_S", 0.01)
    wait = asyncio.Event()
    models = [FakeModel(answer=lambda _: (wait, "done")) for _ in range(2)]
    async with engines(tmp_path, *models) as client:
        waiting = asyncio.create_task(answer(client))
        while not any(model.running for model in models):
            await asyncio.sleep(0)
        asked = models[0] if models[0].running else models[1]
        for _ in range(3):
            asked.health_checked.clear()
            await asked.health_checked.wait()
        wait.set()

        assert await waiting == "done"
    assert sum(len(model.requests) for model in models) == 1


async def test_a_dead_engine_is_not_asked_until_it_is_healthy(tmp_path: Path) -> None:
    """Its health is checked beside the answers. When it is back, it gets one request, and then its share."""
    first, second = FakeModel(), FakeModel()
    async with engines(tmp_path, first, second) as client:
        breaker = client.pools[MODEL].breakers[label(first)]
        breaker.record_failure("it was away", hard=True)
        for _ in range(4):
            await answer(client)
        assert len(first.requests) == 0

        breaker._open_until = 0
        await answer(client)
        await first.health_checked.wait()
        while breaker.state == "open":
            await asyncio.sleep(0)
        for _ in range(4):
            await answer(client)

        assert states(client)[label(first)] == "closed"
    assert len(first.requests) >= 2


async def test_all_away_is_one_error_with_the_reason_of_each(tmp_path: Path) -> None:
    """It names hosts and reasons, and no password or key."""
    key = "sk-very-secret"
    first, second = FakeModel(answer=lambda _: (Fail(502),)), FakeModel()
    async with first.serving():
        entries = [
            EngineEntry(url=first.url, key_env="FIRST_KEY"),
            EngineEntry(url="http://user:hidden@127.0.0.1:9/v1"),
        ]
        client = client_of(tmp_path, entries, FIRST_KEY=key)
        with capture_logs() as logs, pytest.raises(ModelUnavailable) as caught:
            await answer(client)
        await client.close()

    assert f"{label(first)}: " in caught.value.message
    assert "127.0.0.1:9: " in caught.value.message
    assert MODEL in caught.value.message
    for secret in (key, "hidden"):
        assert secret not in caught.value.message + str(logs) + repr(client.pools)
    assert second.requests == []


async def test_all_busy_is_overloaded(tmp_path: Path) -> None:
    """The person is asked to come back when the first engine expects to be free."""
    busy = [FakeModel(answer=lambda _, s=seconds: (Fail(429, retry_after_s=s),)) for seconds in (9, 7)]
    async with engines(tmp_path, *busy) as client:
        for _ in range(2):
            with pytest.raises(Overloaded) as caught:
                await answer(client)
            assert 6 < (caught.value.retry_after_s or 0) <= 7

    assert [len(engine.requests) for engine in busy] == [1, 1]


async def test_waiting_ends_when_one_engine_is_back(tmp_path: Path) -> None:
    """An engine that is healthy again is asked at once, although its breaker would pause."""
    first, second = FakeModel(), FakeModel()
    async with engines(tmp_path, first, second) as client:
        port = int(first.url.rpartition(":")[2])
        for engine in (first, second):
            await engine.stop()
        with pytest.raises(ModelUnavailable):
            await answer(client)
        with pytest.raises(ModelUnavailable):
            await client.wait_ready(0, MODEL)
        await first.start(port=port)
        await client.wait_ready(30, MODEL)

        assert await asyncio.gather(*(answer(client) for _ in range(20))) == ["Hello there."] * 20


async def test_a_conversation_stays_on_one_engine(tmp_path: Path) -> None:
    """The engine has its prefix. Every engine has conversations. The key is not sent: the engines are not ours."""
    models = [FakeModel(), FakeModel()]
    async with engines(tmp_path, *models) as client:
        for talk in range(20):
            for _ in range(3):
                await answer(client, prompt_cache_key=f"talk {talk}", user=f"talk {talk}")

    talks = [{request["user"] for request in model.requests} for model in models]
    assert not any("prompt_cache_key" in request for model in models for request in model.requests)
    assert not talks[0] & talks[1]
    assert all(talks)


async def test_each_engine_gets_its_own_key_and_model(tmp_path: Path) -> None:
    """A key goes to the engine that it is for, by the variable that the file names."""
    first, second, third = FakeModel(), FakeModel(), FakeModel()
    first.api_key, second.api_key = "one", "two"
    async with first.serving(), second.serving(), third.serving():
        entries = [
            EngineEntry(url=f"{first.url}/v1", key_env="ONE"),
            EngineEntry(url=second.url, key_env="TWO", model="fake-model"),
            EngineEntry(url=third.url),
        ]
        client = client_of(tmp_path, entries, ONE="one", TWO="two")
        for _ in range(6):
            assert await answer(client) == "Hello there."
        await client.close()

    assert [len(model.requests) for model in (first, second, third)] == [2, 2, 2]
    assert third.authorizations == {None}


async def test_a_redirect_does_not_take_the_key_along(tmp_path: Path) -> None:
    """It is not followed: the key would go to another host."""
    thief, redirecting = FakeModel(), FakeModel()
    async with thief.serving(), redirecting.serving():
        redirecting.redirect_to = thief.url
        client = client_of(tmp_path, [EngineEntry(url=redirecting.url, key_env="KEY")], KEY="secret")
        with pytest.raises(ModelRefused, match="307"):
            await answer(client)
        await client.close()

    assert thief.authorizations == set()


async def test_a_password_in_the_url_is_in_no_log(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """The engine gets it, and the most talkative log of the HTTP client does not."""
    caplog.set_level(logging.DEBUG)
    async with FakeModel().serving() as model:
        client = client_of(tmp_path, [EngineEntry(url=model.url.replace("//", "//user:hush@"))])
        await answer(client)
        await client.close()

    assert model.authorizations == {BasicAuth("user", "hush").encode()}
    assert "hush" not in caplog.text
    assert "chat/completions" in caplog.text


def test_a_missing_key_is_an_error_of_the_configuration(tmp_path: Path) -> None:
    """It names the variable, not its value."""
    entry = EngineEntry(url="http://h:1", key_env="LARGE_KEY")
    with pytest.raises(ConfigError, match="LARGE_KEY"):
        client_of(tmp_path, [entry])
    with pytest.raises(ConfigError, match="LARGE_KEY") as caught:
        client_of(tmp_path, [entry], LARGE_KEY="two words")
    assert "two words" not in caught.value.message


async def test_the_smallest_window_counts(tmp_path: Path) -> None:
    """A prompt must fit every engine that may get it. Engines that are away do not count."""
    large, small = FakeModel(window=8192), FakeModel(window=2048)
    async with engines(tmp_path, large, small) as client:
        assert (await client.info(MODEL)).window == 2048
        assert (await client.info(MODEL)).name == MODEL
        await small.stop()
        await client.wait_ready(5, MODEL)

        assert (await client.info(MODEL)).window == 8192


async def test_counting_is_done_by_an_engine_that_counts(tmp_path: Path) -> None:
    """The others are asked no more than once."""
    async with engines(tmp_path, FakeModel(tokenizes=False), FakeModel()) as client:
        assert await client.count(HI, MODEL) == 2
    async with engines(tmp_path, FakeModel(tokenizes=False), FakeModel(tokenizes=False)) as client:
        assert await client.count(HI, MODEL) is None


async def test_models_with_engines_and_others_side_by_side(tmp_path: Path) -> None:
    """A model of models.toml is answered by its engines, any other one by the own engine."""
    remote, own = FakeModel(), FakeModel(("I am the own one.",))
    async with own.serving(), remote.serving():
        client = client_of(tmp_path, [EngineEntry(url=remote.url)], LLM_URL=own.url)
        events = await pieces(client, model=MODEL)
        assert events[-1].model == MODEL
        assert client.title(MODEL) == "Large"
        assert (await pieces(client))[0] == TextDelta("I am the own one.")
        await client.close()


async def test_a_model_with_engines_can_be_the_default(tmp_path: Path) -> None:
    """LLM_MODEL names it. Other models stay those of the model process."""
    remote, local = FakeModel(), FakeModel(("I am local.",))
    async with remote.serving():
        client = client_of(tmp_path, [EngineEntry(url=remote.url)], LLM_MODEL=MODEL)
        async with local.serving(load({"CSPS_LLM_DATA": str(tmp_path)}).model_socket):
            assert (await pieces(client))[0] == TextDelta("Hello")
            assert (await pieces(client, model="fake-model"))[0] == TextDelta("I am local.")
        await client.close()
