"""Where the app is an assistant or agent: its greeting, suggested prompts, and what shows that it is at work.

None of it is worth an error: what Slack refuses, an answer does not need.
"""

from __future__ import annotations

from collections.abc import Sequence

import structlog
from cachetools import LRUCache

from bindings.delivery.outlet import DeliveryError, Page
from bindings.incoming import Place
from bindings.intake.intake import Intake
from bindings.slack import words
from bindings.slack.api import Api
from bindings.slack.formatting import blocks, preview
from bindings.slack.outlet import QUIET
from bindings.slack.people import People
from core.contract import Language
from core.errors import CspsError

log = structlog.get_logger()

PROMPTS_LIMIT = 4
GREETED_KEPT = 1000


class Welcome:
    def __init__(self, api: Api, people: People, intake: Intake) -> None:
        self._api = api
        self._people = people
        self._intake = intake
        self._greeted: LRUCache[str, None] = LRUCache(GREETED_KEPT)

    async def greet(self, place: Place) -> None:
        """A thread of the assistant was opened. Slack may say so several times."""
        if place.conversation in self._greeted:
            return
        self._greeted[place.conversation] = None
        try:
            greeting = await self._intake.greeting(place, await self._language(place))
            page = Page(greeting.text, greeting.language, final=True)
            where = {"channel_id": place.channel, "thread_ts": place.thread}
            await self._api.write(
                "chat.postMessage",
                channel=place.channel,
                thread_ts=place.thread,
                text=preview(page),
                blocks=blocks(page),
                **QUIET,
            )
            await self._suggest(place, greeting.prompts)
            await self._api.write("assistant.threads.setTitle", **where, title=greeting.title)
        except CspsError as error:
            log.info("slack_greeting_failed", code=error.code, problem=error.message)

    async def suggest(self, place: Place) -> None:
        """A direct conversation of an agent was opened: it has no thread to greet in yet."""
        try:
            greeting = await self._intake.greeting(place, await self._language(place))
            await self._suggest(place, greeting.prompts)
        except CspsError as error:
            log.info("slack_prompts_not_shown", code=error.code, problem=error.message)

    async def thinking(self, place: Place) -> None:
        """Slack takes it away when the answer begins."""
        language = await self._language(place) or "en"
        where = {"channel_id": place.channel, "thread_ts": place.thread}
        await self._try("assistant.threads.setStatus", **where, status=words.THINKING[language])

    async def idle(self, channel: str, thread: str) -> None:
        """After Slack's stop button, which leaves that to the app."""
        if channel and thread:
            await self._try("agents.sessions.setStatus", channel_id=channel, thread_ts=thread, status="active")

    async def _suggest(self, place: Place, prompts: Sequence[str]) -> None:
        await self._api.write(
            "assistant.threads.setSuggestedPrompts",
            channel_id=place.channel,
            thread_ts=place.thread,
            prompts=[{"title": prompt, "message": prompt} for prompt in prompts[:PROMPTS_LIMIT]],
        )

    async def _language(self, place: Place) -> Language | None:
        return (await self._people.get(place.route.get("user", ""))).language

    async def _try(self, method: str, **arguments: str | None) -> None:
        try:
            await self._api.write(method, **arguments)
        except DeliveryError as error:
            log.info("slack_status_not_shown", problem=error.message)
