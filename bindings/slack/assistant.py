"""Greetings, suggested prompts and the status of a direct conversation. No answer needs them: failures are logged.

Apps of the Assistant messaging experience have assistant threads; agents have the sessions of `agent_sessions`.
"""

from __future__ import annotations

import structlog
from cachetools import LRUCache

from bindings.delivery.outlet import Page
from bindings.incoming import IncomingMessage, Place
from bindings.intake.intake import Intake
from bindings.slack.agent_sessions import AgentSessions
from bindings.slack.api import SlackApi
from bindings.slack.directory import UserDirectory
from bindings.slack.formatting import build_blocks, page_text
from core.contract import Language
from core.errors import CspsError
from core.texts import text

log = structlog.get_logger()

PROMPTS_LIMIT = 4
GREETED_KEPT = 1000


class AssistantThreads:
    def __init__(self, api: SlackApi, users: UserDirectory, sessions: AgentSessions, intake: Intake) -> None:
        self.sessions = sessions
        self._api = api
        self._users = users
        self._intake = intake
        self._greeted: LRUCache[str, None] = LRUCache(GREETED_KEPT)

    async def greet(self, place: Place) -> None:
        """Greets the person in a new assistant thread, once: Slack may report a thread several times.

        A new conversation with an agent has no thread for a greeting, so it only gets suggested prompts. Slack accepts
        these without a thread from agents only.
        """
        if place.thread and place.conversation in self._greeted:
            return
        self._greeted[place.conversation] = None
        where = {"channel_id": place.channel, "thread_ts": place.thread}
        try:
            greeting = await self._intake.greeting(place, await self._language(place))
            prompts = [{"title": prompt, "message": prompt} for prompt in greeting.prompts[:PROMPTS_LIMIT]]
            if place.thread:
                page = Page(greeting.text, greeting.language, final=True)
                message = {"text": page_text(page), "blocks": build_blocks(page)}
                await self._api.post_message(place.channel, place.thread, **message)
            await self._api.write("assistant.threads.setSuggestedPrompts", **where, prompts=prompts)
            if place.thread:
                await self._api.write("assistant.threads.setTitle", **where, title=greeting.title)
            else:
                self.sessions.record_agent()
        except CspsError as error:
            log.info("slack_greeting_failed", code=error.code, problem=error.message)

    async def show_thinking(self, incoming: IncomingMessage) -> None:
        """Shows that an answer is coming: an agent's session is busy, an assistant thread has a status.

        Slack removes such a status when the answer begins.
        """
        place = incoming.place
        if self.sessions.is_agent and await self.sessions.begin(incoming):
            return
        status = text("slack-thinking", await self._language(place) or "en")
        thread = {"channel_id": place.channel, "thread_ts": place.thread}
        await self._api.show_status("assistant.threads.setStatus", **thread, status=status)

    async def _language(self, place: Place) -> Language | None:
        return (await self._users.get(place.route.get("user", ""))).language
