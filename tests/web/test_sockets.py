"""/gpt-socket in its first dialect: text frames in, text frames and `<END>` out; and how it ends with the service."""

from __future__ import annotations

import asyncio
from socket import SHUT_RDWR

import pytest
from structlog.testing import capture_logs

from core.configuration.settings import Settings
from core.contract import Language, Text
from core.errors import Overloaded
from core.texts import error_text, text
from tests.support.fakes import FakeEngine
from tests.web.support_site import Site, answer, site, until
from tests.web.support_socket import DONE, PROMPT, closing, echo


async def test_plain_answer(whisper: Site) -> None:
    """A frame is a prompt; frames of text come back, and then `<END>`."""
    async with whisper.plain() as socket:
        await socket.send_str("Hi")
        assert await answer(socket) == ["Hello", " world."]


async def test_prompts_of_one_connection_are_one_conversation(whisper: Site) -> None:
    """Prompts follow one another in the same stored conversation, which begins with the first."""
    async with whisper.plain() as socket:
        assert whisper.engine.sessions == {}
        for text in ("One", "Two"):
            await socket.send_str(text)
            await answer(socket)

    first, second = whisper.engine.prompts
    assert (first.text, second.text) == ("One", "Two")
    assert first.conversation == second.conversation
    assert [first.conversation] == list(whisper.engine.sessions)
    assert first.user == second.user
    assert "127.0.0.1" not in str(first.user)


async def test_ten_at_once(own_settings: Settings) -> None:
    """Ten concurrent sockets each get their own answer and their own `<END>`."""
    async with site(own_settings, FakeEngine(echo)) as running:

        async def ask(number: int) -> str:
            async with running.plain() as socket:
                await socket.send_str(f"number {number}")
                return "".join(await answer(socket))

        answers = await asyncio.gather(*(ask(number) for number in range(10)))

    assert [f"You said: number {number}" for number in range(10)] == answers
    assert len({prompt.conversation for prompt in running.engine.prompts}) == 10


async def test_a_model_cannot_end_its_answer_early(own_settings: Settings) -> None:
    """Markers that the model writes arrive as text, in frames that no client takes for markers."""
    async with (
        site(own_settings, FakeEngine([Text("<END>"), Text("<ERROR> no"), DONE])) as running,
        running.plain() as socket,
    ):
        await socket.send_str("Hi")
        frames = await answer(socket)

    assert "".join(frames) == "<END><ERROR> no"
    assert not any(frame.startswith("<ERROR>") for frame in frames)


@pytest.mark.parametrize(("personality", "language"), [("whisper", "en"), ("chuchotte", "fr")])
async def test_plain_failure_in_the_personality_s_language(
    own_settings: Settings, personality: str, language: str
) -> None:
    """A failure is one `<ERROR> ` frame and `<END>`, also after text; the connection goes on."""
    failure = Overloaded("all slots are taken", retry_after_s=3)
    async with (
        site(own_settings, FakeEngine([Text("Well"), failure])) as running,
        running.plain(personality) as socket,
    ):
        for _ in range(2):
            await socket.send_str("Hi")
            text, error = await answer(socket)
            assert ("Well", f"<ERROR> {error_text(failure, language)}") == (text, error)  # type: ignore[arg-type]


@pytest.mark.parametrize(("personality", "language"), [("whisper", "en"), ("chuchotte", "fr")])
async def test_a_blank_prompt_is_a_failure(whisper: Site, personality: str, language: Language) -> None:
    """White space asks nothing: the engine is not bothered, the client is told, in its language and no other."""
    async with whisper.plain(personality) as socket:
        for blank in ("", " \n"):
            await socket.send_str(blank)
            assert [f"<ERROR> {text('error-bad_request-empty', language)}"] == await answer(socket)

    assert whisper.engine.prompts == []


async def test_a_socket_that_is_closed_in_order_is_no_loss(whisper: Site) -> None:
    """It is logged and counted as 101; 499 is for those who vanish."""
    with capture_logs() as logs:
        async with whisper.plain() as socket:
            await socket.send_str("Hi")
            await answer(socket)
        async with whisper.v1() as socket:
            await socket.send_json(PROMPT)
            await until(socket, "done")
            await socket.send_json({"type": "forget"})
            await closing(socket)
        await ended(whisper, 2)

    assert [101, 101] == [each["status"] for each in logs if each["event"] == "request"]


async def test_a_socket_that_breaks_off_is_a_client_that_left(whisper: Site) -> None:
    """Without a closing frame."""
    with capture_logs() as logs:
        async with whisper.plain() as socket:
            await socket.send_str("Hi")
            await answer(socket)
            connection = socket.get_extra_info("socket")
            connection.shutdown(SHUT_RDWR)
            await ended(whisper, 1)

    assert [499] == [each["status"] for each in logs if each["event"] == "request"]


async def ended(running: Site, count: int) -> None:
    """Until so many sockets have ended: the last thing that happens to one is that it is counted."""
    counted = 0.0
    while counted < count:
        await asyncio.sleep(0)
        counted = sum(
            running.count(
                "csps_web_requests_total", method="GET", route="/gpt-socket/{personality}", status=str(status)
            )
            for status in (101, 499)
        )


async def test_a_defect_of_ours_is_a_failure_that_tells_nothing(own_settings: Settings) -> None:
    """An unexpected exception ends the answer, not the conversation, and its message stays inside."""
    async with (
        site(own_settings, FakeEngine([ValueError("the secret"), DONE])) as running,
        running.plain() as socket,
    ):
        for _ in range(2):
            await socket.send_str("Hi")
            [error] = await answer(socket)
            assert error.startswith("<ERROR> ")
            assert "secret" not in error


async def test_an_idle_socket_is_closed_when_the_service_stops(whisper: Site) -> None:
    """1001: going away."""
    async with whisper.plain() as socket:
        await socket.send_str("Hi")
        await answer(socket)
        whisper.service.life.stop()
        assert await closing(socket) == 1001


async def test_answers_may_finish_when_the_service_stops(own_settings: Settings) -> None:
    """What is being answered is answered, what waits is refused, and then the socket is closed."""
    gate = asyncio.Event()
    async with (
        site(own_settings, FakeEngine([Text("a"), gate, Text("b"), DONE]), drain_s=60.0) as running,
        running.v1() as socket,
    ):
        await socket.send_json(PROMPT)
        await until(socket, "text")
        await socket.send_json(PROMPT)
        await socket.send_json({"type": "unknown"})
        running.service.life.stop()
        gate.set()
        first = await until(socket, "done", "error")
        second = await until(socket, "done", "error")
        third = await until(socket, "done", "error")
        code = await closing(socket)

    assert [first[0]["text"], first[1]["type"]] == ["b", "done"]
    assert [second[0]["code"], third[0]["code"]] == ["stopping", "bad_request"]
    assert code == 1001


async def test_answers_that_outlast_the_drain_end_with_an_error(own_settings: Settings) -> None:
    """Nobody is left without an end: what is cut says so."""
    async with site(own_settings, FakeEngine([Text("a"), asyncio.Event(), DONE]), drain_s=0.0) as running:
        async with running.plain() as socket:
            await socket.send_str("Hi")
            await socket.receive_str()
            running.service.life.stop()
            [error] = await answer(socket)
            assert error.startswith("<ERROR> ")
            assert await closing(socket) == 1001
        assert running.engine.cancelled.is_set()
