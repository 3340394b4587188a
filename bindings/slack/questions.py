"""Makes questions of Slack's events, with what the events do not tell: names, other workspaces' files, and groups."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection

from bindings.delivery.outlet import Unreachable
from bindings.incoming import IncomingMessage
from bindings.slack.api import SlackApi
from bindings.slack.author_groups import AuthorGroups
from bindings.slack.directory import ReferenceDirectory, UserDirectory
from bindings.slack.mapping import BotIdentity, ListenRules, find_message, parse_message
from bindings.slack.payloads import SlackObject
from bindings.slack.references import find_ids
from core.configuration.platform_sections import SlackSettings

# Slack waits 3 seconds for an acknowledgement.
NAMES_LIMIT_S = 1.0
GROUPS_LIMIT_S = 0.8


class QuestionReader:
    def __init__(
        self,
        api: SlackApi,
        users: UserDirectory,
        directory: ReferenceDirectory,
        me: BotIdentity,
        settings: SlackSettings,
        editors: Callable[[], Collection[str]] = frozenset,
    ) -> None:
        self._directory = directory
        self._me = me
        self._rules = ListenRules(frozenset(settings.bots), frozenset(settings.answer_without_mention))
        self._groups = AuthorGroups(api, users, me, settings, editors)

    def parse(self, body: SlackObject) -> IncomingMessage | None:
        """Reads what the event tells. See `parse_message`."""
        return parse_message(body, self._me, self._rules)

    async def add_names(self, body: SlackObject, incoming: IncomingMessage) -> IncomingMessage:
        """Reads the event again, with the names of what it mentions."""
        ids = find_ids([find_message(body, self._me)], but=self._me.user)
        if not ids:
            return incoming
        references = await self._directory.resolve(ids, NAMES_LIMIT_S)
        return parse_message(body, self._me, self._rules, references) or incoming

    async def add_groups(self, incoming: IncomingMessage) -> IncomingMessage:
        """Raises DeliveryError while Slack cannot tell a group that an access list names."""
        try:
            async with asyncio.timeout(GROUPS_LIMIT_S):
                return await self._groups.complete(incoming)
        except TimeoutError as exc:
            raise Unreachable(f"Slack has not told an author's groups within {GROUPS_LIMIT_S} s") from exc
