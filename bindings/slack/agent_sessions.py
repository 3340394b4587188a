"""Sessions of Slack's Agent messaging experience: threads in direct conversations, with a status and a title.

An agent's question is the root of a thread in the Messages tab. Its session is `processing` until the answer is
finished, then `active`; it is `closed` once the conversation is forgotten. Slack ends no status by itself. No answer
needs a session: a refused call is only logged. Apps of the older Assistant messaging experience have none of this.

https://docs.slack.dev/ai/agent-sessions , https://docs.slack.dev/ai/migrating-to-agent-messaging
"""

from __future__ import annotations

from dataclasses import replace

import structlog
from cachetools import LRUCache

from bindings.delivery.outlet import DeliveryError
from bindings.incoming import IncomingMessage, Place
from bindings.slack.api import SlackApi
from core.configuration.setting_types import DirectThreads

log = structlog.get_logger()

TITLE_CHARS = 80  # Slack allows 200
CLOSED_KEPT = 1000


class AgentSessions:
    """With `auto`, the app counts as an agent from the first call or event that Slack allows agents only."""

    def __init__(self, api: SlackApi, threads: DirectThreads = "auto") -> None:
        self._api = api
        self._threads = threads
        self._seen_agent = False
        self._closed: LRUCache[str, None] = LRUCache(CLOSED_KEPT)

    @property
    def is_agent(self) -> bool:
        return self._threads == "on" or (self._threads == "auto" and self._seen_agent)

    def record_agent(self) -> None:
        """Records that Slack treats the app as an agent."""
        if not self._seen_agent:
            log.info("slack_agent_recognised")
        self._seen_agent = True

    def begin_thread(self, incoming: IncomingMessage) -> IncomingMessage:
        """Makes an agent's question the root of a thread. Slack names no thread for it."""
        place = incoming.place
        if not self.is_agent or place.kind != "personal" or place.thread:
            return incoming
        return replace(incoming, place=replace(place, thread=incoming.message))

    async def begin(self, incoming: IncomingMessage) -> bool:
        """Shows that the agent works on an answer. The first question gives the session its title. False: refused."""
        place = incoming.place
        self._closed.pop(place.conversation, None)
        if not await self._set_status(place, "processing", initiator_user_id=incoming.user):
            return False
        title = " ".join(incoming.text.split())[:TITLE_CHARS]
        if title and place.thread == incoming.message:
            await self._call("agents.sessions.rename", place, title=title)
        return True

    async def finish(self, place: Place) -> None:
        """Shows that the agent waits for the next question."""
        if self._has_session(place) and place.conversation not in self._closed:
            await self._set_status(place, "active")

    async def stop(self, place: Place) -> None:
        """Ends the busy state after Slack's stop button, which only agents have: Slack leaves that to the app."""
        self.record_agent()
        await self._set_status(place, "active")

    async def close(self, place: Place) -> None:
        """Closes the session of a forgotten conversation, until the next question."""
        if self._has_session(place):
            self._closed[place.conversation] = None
            await self._set_status(place, "closed")

    def _has_session(self, place: Place) -> bool:
        return self.is_agent and place.kind == "personal" and place.thread is not None

    async def _set_status(self, place: Place, status: str, **more: str) -> bool:
        return await self._call("agents.sessions.setStatus", place, status=status, **more)

    async def _call(self, method: str, place: Place, **arguments: str) -> bool:
        try:
            await self._api.write(method, channel_id=place.channel, thread_ts=place.thread, **arguments)
        except DeliveryError as error:
            log.info("slack_session_call_failed", problem=error.message)
            return False
        return True
