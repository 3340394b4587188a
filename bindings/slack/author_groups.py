"""The groups of an author that Slack's events do not tell: guests, user groups, and workspaces of one organisation.

Asks Slack only for what the access lists name, and closes when Slack refuses: nobody gets in by a missing scope.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import replace

import structlog
from cachetools import TTLCache

from bindings.incoming import IncomingMessage
from bindings.slack.api import SlackApi
from bindings.slack.directory import UserDirectory
from bindings.slack.mapping import BotIdentity, team_groups
from bindings.slack.payloads import get_list
from bindings.slack.refusals import SlackErrorResponse
from core.configuration.platform_sections import SlackSettings

log = structlog.get_logger()

MEMBERS_KEPT_S = 300.0
USER_GROUPS_LIMIT = 100
USER_GROUP = "S"  # the first letter of ids of user groups


class AuthorGroups:
    """`editors`: who may add documents to collections; the file that names them may change."""

    def __init__(
        self,
        api: SlackApi,
        users: UserDirectory,
        me: BotIdentity,
        settings: SlackSettings,
        editors: Callable[[], Collection[str]] = frozenset,
    ) -> None:
        self._api = api
        self._users = users
        self._me = me
        self._denied = frozenset(settings.deny)
        self._listed = frozenset((*settings.allow, *settings.deny))
        self._editors = editors
        self._members: TTLCache[str, frozenset[str] | None] = TTLCache(USER_GROUPS_LIMIT, MEMBERS_KEPT_S)

    @property
    def _named(self) -> frozenset[str]:
        return self._listed.union(self._editors())

    async def complete(self, incoming: IncomingMessage) -> IncomingMessage:
        """The message with all groups of its author. Raises DeliveryError while Slack cannot tell one that matters."""
        groups = incoming.groups or team_groups(incoming.place.route.get("team") or incoming.place.tenant, self._me)
        if "bots" not in groups:
            groups = (*await self._find_kind(incoming.user, groups), *await self._find_user_groups(incoming.user))
        return replace(incoming, groups=groups)

    async def _find_kind(self, user: str, groups: tuple[str, ...]) -> tuple[str, ...]:
        """The person's organisation, and whether they are a guest in it."""
        may_be_ours = "external" in groups and bool(self._me.enterprise)
        if not (may_be_ours or "guests" in self._named):
            return groups
        found = await self._users.find(user)
        if found is None:
            return (*groups, "guests") if "guests" in self._denied else groups
        if may_be_ours and found.enterprise == self._me.enterprise and not found.is_stranger:
            groups = ("home",)
        elif found.is_stranger and "external" not in groups:
            groups = ("external",)
        return (*groups, "guests") if found.is_guest else groups

    async def _find_user_groups(self, user: str) -> tuple[str, ...]:
        """Counts everybody as a member of an unknown group that is denied, and nobody of one that is allowed."""
        found = []
        for group in sorted(each for each in self._named if each.startswith(USER_GROUP) and each[1:].isalnum()):
            members = await self._find_members(group)
            if group in self._denied if members is None else user in members:
                found.append(group)
        return tuple(found)

    async def _find_members(self, group: str) -> frozenset[str] | None:
        """None: Slack refuses to tell. https://docs.slack.dev/reference/methods/usergroups.users.list"""
        if group not in self._members:
            try:
                answer = await self._api.read("usergroups.users.list", usergroup=group)
                members = frozenset(each for each in get_list(answer, "users") if isinstance(each, str))
            except SlackErrorResponse as error:
                log.warning("slack_user_group_refused", group=group, reason=error.reason)
                members = None
            self._members[group] = members
        return self._members[group]
