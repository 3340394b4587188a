"""300 random sequences of faults, refusals and kills: each answer stands once and whole, or its asker was unreachable.

The real delivery and outlet, against the strict stand-in. Each call to Discord takes the next step of a sequence.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any, Literal

import pytest
from aiohttp import web
from discord.http import Route
from hypothesis import example, given, settings
from hypothesis import strategies as st

from bindings.delivery.context import DeliveryContext, DeliveryOptions, DeliveryOutcome, RetryPolicy
from bindings.delivery.deliver import deliver
from bindings.discord.api import DiscordApi, SingleAttemptClient
from bindings.discord.interactions import parse_slash_command
from bindings.discord.mapping import ChannelContext, parse_message
from bindings.discord.outlet import LIMITS, DiscordOutlet
from bindings.discord.places import build_places
from bindings.incoming import IncomingMessage
from bindings.selftest.discord_faults import ApiFault, rate_limited
from bindings.selftest.discord_payloads import CHANNEL, ME, payload
from bindings.selftest.discord_server import LOADING, TOKEN, FakeDiscord
from core.contract import Done, Event, Text, Usage
from tests.bindings.support_fakes import FakeLedger

Asking = Literal["mention", "direct message", "command", "private command"]
Step = tuple[str, int, int]  # the kind of a step, a status and a code

OK: Step = ("ok", 0, 0)
KILLS: list[Step] = [("kill before", 0, 0), ("kill after", 0, 0)]
PASSING: list[Step] = [("fail", 429, 0), ("fail", 500, 0), ("fail", 0, 0), ("fail after", 502, 0), ("fail after", 0, 0)]
LASTING: list[Step] = [
    ("refuse", 403, 50013),
    ("refuse", 403, 50001),
    ("refuse", 404, 10003),
    ("refuse", 400, 50083),
    ("refuse", 400, 200000),
    ("refuse", 400, 240000),
    ("refuse", 400, 50035),
    ("refuse", 400, 50006),
    ("refuse", 400, 30046),
    ("refuse", 400, 160002),
    ("refuse", 501, 0),
    ("refuse", 401, 50027),
    ("refuse", 404, 10015),
]
# Four failures in a row end a clean-up, so that no answer waits for it.
STEPS = st.lists(st.sampled_from([OK, OK, *KILLS, *LASTING, *PASSING]), max_size=12).filter(
    lambda steps: not any(all(each in PASSING for each in steps[at : at + 4]) for at in range(len(steps) - 3))
)
# A page that stands twice moves the positions of the next ones, so that a lookup finds a known page again.
FOUND_TWICE = [
    ("refuse", 400, 50006),
    KILLS[1],
    OK,
    ("refuse", 400, 50083),
    ("refuse", 401, 50027),
    ("fail", 0, 0),
    OK,
    ("fail", 0, 0),
    ("refuse", 400, 160002),
    ("refuse", 403, 50001),
    OK,
    KILLS[1],
]
# The first post is to be deleted when its nonce brings it back: it must stay.
POSTED_AGAIN = [OK, ("refuse", 403, 50013), KILLS[0], OK, ("refuse", 403, 50013), ("fail", 429, 0)]
WORDS = [f"Word {number}. " for number in range(12)]
LONG = [f"Line {number} of a long answer about feeds and their readers.\n\n" for number in range(60)]


class ScriptedDiscord(FakeDiscord):
    """Takes a step of `script` for each call, and remembers what it refused for good."""

    def __init__(self) -> None:
        super().__init__()
        self.script: list[Step] = []
        self.killed = asyncio.Event()
        self.refused: list[str] = []  # "METHOD /path" of each call
        self.edits_refused = False

    @web.middleware
    async def _inject_faults(self, request: web.Request, handler: Any) -> web.StreamResponse:
        kind, status, code = self.script.pop(0) if self.script else OK
        target = f"{request.method} {request.path}"
        self.faults = []
        if self.edits_refused and request.method == "PATCH":
            kind, status, code = "refuse", 400, 50035
        if kind in ("fail", "fail after"):
            is_late = kind == "fail after"
            self.faults = [rate_limited("", 0.0) if status == 429 else ApiFault("", status, takes_effect=is_late)]
        elif kind == "refuse":
            self.refused.append(target)
            self.faults = [ApiFault("", status, {"code": code, "message": "refused"})]
        elif kind == "kill before":
            self.killed.set()
            self.faults = [ApiFault("", 503)]
        response: web.StreamResponse = await super()._inject_faults(request, handler)
        if kind == "kill after":
            self.killed.set()
        return response


class World:
    """Questions to one bot, each answered by processes that may be killed."""

    def __init__(self, fake: ScriptedDiscord, api: DiscordApi) -> None:
        self._fake = fake
        self._api = api

    async def answer(self, asking: Asking, words: list[str], script: list[Step]) -> DeliveryOutcome:
        """Answers one question, with a new process after each kill."""
        fake, ledger = self._fake, FakeLedger()
        fake.messages.clear()
        incoming = await self._ask(asking)
        fake.script, fake.refused = list(script), []
        while True:
            fake.killed.clear()
            outlet = DiscordOutlet(build_places(incoming, self._api, ME["id"]), lambda: None)
            options = DeliveryOptions("en", "answer", footer=lambda _: "END", context=build_context())
            delivering = asyncio.create_task(deliver(events(words), outlet, ledger, options))
            killing = asyncio.create_task(fake.killed.wait())
            await asyncio.wait({delivering, killing}, return_when=asyncio.FIRST_COMPLETED)
            killing.cancel()
            if delivering.done():
                return delivering.result()
            delivering.cancel()
            await asyncio.wait({delivering})
            ledger = ledger.restarted()

    async def _ask(self, asking: Asking) -> IncomingMessage:
        incoming: IncomingMessage | None
        if asking in ("mention", "direct message"):
            name = "message_mention" if asking == "mention" else "message_dm"
            incoming = parse_message(self._fake.record(name, id=self._fake.snowflake()), ChannelContext(ME["id"]))
        else:
            incoming = parse_slash_command(await self._command(is_private=asking == "private command"))
        assert incoming is not None
        return incoming

    async def _command(self, *, is_private: bool) -> dict[str, Any]:
        """A command that is already deferred."""
        data = payload("interaction_ask")["data"]
        private = [{"name": "private", "type": 5, "value": True}] if is_private else []
        interaction = await self._fake.interact("interaction_ask", data={**data, "options": private})
        metadata = {"id": interaction["id"]}
        message = self._fake.add_post(CHANNEL, {"flags": LOADING}, interaction_metadata=metadata)
        self._fake.interactions[interaction["token"]]["original"] = message["id"]
        return interaction


def build_context() -> DeliveryContext:
    return DeliveryContext(retry=RetryPolicy(first_s=0.0, limit_s=0.0), status_after_s=0.0)


async def events(words: list[str]) -> AsyncGenerator[Event, None]:
    for word in words:
        yield Text(word)
        await asyncio.sleep(0)
    yield Done("stop", "fake-model", Usage(7, 3, 0))


@asynccontextmanager
async def serve(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[tuple[ScriptedDiscord, World]]:
    async with ScriptedDiscord().serve() as fake:
        assert isinstance(fake, ScriptedDiscord)
        monkeypatch.setattr(Route, "BASE", fake.base)
        http = SingleAttemptClient(None)
        http.token = TOKEN
        yield fake, World(fake, DiscordApi(lambda: http))
        await http.close()


def check_answer(fake: ScriptedDiscord, outcome: DeliveryOutcome, asking: Asking, words: list[str]) -> None:
    posts = [each for each in fake.posts() if not each.get("flags", 0) & LOADING]
    shown = "\n".join(each["content"] for each in sorted(posts, key=lambda each: int(each["id"])))
    was_unreachable = any(is_direct(call) for call in fake.refused) or asking == "direct message"
    # A lookup or a deletion that Discord refuses leaves what it was for.
    leaves_pages = outcome.ending == "gone" or any(call.startswith(("GET", "DELETE")) for call in fake.refused)
    may_double = leaves_pages or asking == "private command"  # its follow-ups cannot be looked up: decision 0012
    counts = [shown.count(word.strip()) for word in [*words, "END"]]
    if outcome.ending == "delivered":
        assert all(counts)
        assert may_double or max(counts) == 1
    else:
        assert outcome.ending in ("refused", "gone")
        assert fake.refused
        assert was_unreachable
        assert outcome.reason
    assert leaves_pages or not any(map(has_stop_button, posts))
    if asking == "private command":
        assert [] == [each for each in posts if each["channel_id"] == CHANNEL and "interaction_metadata" not in each]


def is_direct(call: str) -> bool:
    """True for a call that a direct message needs."""
    return "/users/@me/channels" in call or "/channels/9" in call


def has_stop_button(message: dict[str, Any]) -> bool:
    buttons = (each for row in message["components"] for each in row["components"])
    return any(each["custom_id"].startswith("stop:") for each in buttons)


@pytest.mark.parametrize("asking", ["mention", "command", "private command"])
async def test_a_place_without_edits_gets_the_whole_answer_as_new_messages(
    monkeypatch: pytest.MonkeyPatch, asking: Asking
) -> None:
    """Discord refuses every edit, also those of plainer forms. A command is answered directly, after the reason why."""
    monkeypatch.setattr(DiscordOutlet, "limits", replace(LIMITS, edit_interval_s=0.0, first_words_s=0.0))
    async with serve(monkeypatch) as (fake, world):
        fake.edits_refused = True
        outcome = await world.answer(asking, WORDS, [])
        shown = "\n".join(each["content"] for each in fake.posts())

    assert "delivered" == outcome.ending
    assert {1} == {shown.count(word.strip()) for word in [*WORDS, "END"]}


def test_every_answer_stands_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is lost, doubled or left as a stump with a stop button."""
    monkeypatch.setattr(DiscordOutlet, "limits", replace(LIMITS, edit_interval_s=0.0, first_words_s=0.0))
    with asyncio.Runner() as runner:
        serving = serve(monkeypatch)
        fake, world = runner.run(serving.__aenter__())

        @settings(max_examples=300, deadline=None)
        @given(
            st.sampled_from(["mention", "direct message", "command", "private command"]),
            st.sampled_from([WORDS, LONG]),
            STEPS,
        )
        @example("command", LONG, FOUND_TWICE)
        @example("direct message", WORDS, POSTED_AGAIN)
        def answer(asking: Asking, words: list[str], script: list[Step]) -> None:
            outcome = runner.run(world.answer(asking, words, script))
            check_answer(fake, outcome, asking, words)

        try:
            answer()
        finally:
            runner.run(serving.__aexit__(None, None, None))
