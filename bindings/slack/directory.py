"""Looks up what ids in messages refer to: people, channels, user groups, and files of other workspaces. Cached.

No answer should fail because of a name: what Slack does not tell is left out, and its id is shown.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass

import structlog
from cachetools import LRUCache, TTLCache

from bindings.delivery.outlet import DeliveryError, Gone
from bindings.slack.api import SlackApi
from bindings.slack.payloads import SlackObject, get_object, get_objects, get_text
from bindings.slack.references import MarkupReferences
from bindings.slack.refusals import SlackErrorResponse, SlackRefused
from core.contract import Language
from core.language import parse_language_tag

log = structlog.get_logger()

PEOPLE_KEPT = 1000
PEOPLE_KEPT_S = 3600.0  # also how long a person who became a guest is not one for the access lists
CHANNELS_KEPT = 1000
USER_GROUPS_KEPT_S = 600.0
NAME_CHARS = 80


@dataclass(frozen=True, slots=True)
class SlackUser:
    name: str
    language: Language | None = None
    enterprise: str = ""  # the organisation in an Enterprise Grid
    is_guest: bool = False
    is_stranger: bool = False  # from another workspace, and in no channel that the bot's workspace shares


class UserDirectory:
    """People by id. Without the scope `users:read`, a person's name is the id."""

    def __init__(self, api: SlackApi) -> None:
        self._api = api
        self._users: TTLCache[str, SlackUser] = TTLCache(PEOPLE_KEPT, PEOPLE_KEPT_S)
        self._refused = False

    async def get(self, user: str) -> SlackUser:
        """Raises no DeliveryError."""
        try:
            return await self.find(user) or SlackUser(user)
        except DeliveryError as error:
            log.info("slack_user_lookup_failed", problem=error.message)
            return SlackUser(user)

    async def find(self, user: str) -> SlackUser | None:
        """None: Slack refuses to tell. Raises DeliveryError while it cannot."""
        if user in self._users or self._refused:
            return self._users.get(user)
        try:
            answer = await self._api.read("users.info", user=user, include_locale="true")
        except SlackRefused as error:
            self._refused = error.reason in ("missing_scope", "not_allowed_token_type")
            log.info("slack_users_refused", reason=error.reason)
            return None
        except Gone:
            answer = {}
        found = parse_user(user, get_object(answer, "user"))
        self._users[user] = found
        return found


def parse_user(user: str, answer: SlackObject) -> SlackUser:
    """https://docs.slack.dev/reference/objects/user-object"""
    display_name = get_text(get_object(answer, "profile"), "display_name")
    name = display_name or get_text(answer, "real_name") or get_text(answer, "name") or user
    return SlackUser(
        name[:NAME_CHARS],
        parse_language_tag(get_text(answer, "locale")),
        get_text(get_object(answer, "enterprise_user"), "enterprise_id"),
        answer.get("is_restricted") is True or answer.get("is_ultra_restricted") is True,
        answer.get("is_stranger") is True,
    )


class ReferenceDirectory:
    """Names and files for the ids in messages."""

    def __init__(self, api: SlackApi, users: UserDirectory) -> None:
        self._api = api
        self._users = users
        self._channels: LRUCache[str, str] = LRUCache(CHANNELS_KEPT)
        self._user_groups: TTLCache[str, dict[str, str]] = TTLCache(1, USER_GROUPS_KEPT_S)

    async def resolve(self, ids: Iterable[str], limit_s: float) -> MarkupReferences:
        """Looks up ids one after the other, within `limit_s` for all. Raises no DeliveryError."""
        names: dict[str, str] = {}
        files: dict[str, SlackObject] = {}
        with suppress(TimeoutError):
            async with asyncio.timeout(limit_s):
                for key in dict.fromkeys(ids):
                    if key.startswith("F"):
                        files.update(await self._find_file(key))
                    elif name := await self._find_name(key):
                        names[key] = name
        return MarkupReferences(names, files)

    async def _find_name(self, key: str) -> str:
        if key.startswith(("U", "W")):
            return (await self._users.get(key)).name
        if key.startswith("S"):
            return (await self._list_user_groups()).get(key, "")
        return await self._find_channel(key) if key.startswith("C") else ""

    async def _find_channel(self, channel: str) -> str:
        """The name of a public channel: not all who read the answer may know that a private one exists."""
        if channel not in self._channels:
            try:
                found = get_object(await self._api.read("conversations.info", channel=channel), "channel")
            except SlackErrorResponse:
                found = {}
            except DeliveryError as error:
                log.info("slack_channel_lookup_failed", problem=error.message)
                return ""
            self._channels[channel] = "" if found.get("is_private") is True else get_text(found, "name")[:NAME_CHARS]
        return self._channels[channel]

    async def _list_user_groups(self) -> dict[str, str]:
        if "handles" not in self._user_groups:
            try:
                groups = get_objects(await self._api.read("usergroups.list"), "usergroups")
            except SlackErrorResponse:
                groups = []
            except DeliveryError as error:
                log.info("slack_user_groups_lookup_failed", problem=error.message)
                return {}
            handles = {get_text(each, "id"): get_text(each, "handle")[:NAME_CHARS] for each in groups}
            self._user_groups["handles"] = handles
        return self._user_groups["handles"]

    async def _find_file(self, file: str) -> dict[str, SlackObject]:
        try:
            return {file: get_object(await self._api.read("files.info", file=file), "file")}
        except SlackErrorResponse:
            return {file: {"mode": "hidden_by_limit"}}
        except DeliveryError as error:
            log.info("slack_file_lookup_failed", problem=error.message)
            return {}
