"""Names and languages of people in Slack, cached."""

from __future__ import annotations

from dataclasses import dataclass

import structlog
from cachetools import LRUCache

from bindings.delivery.outlet import DeliveryError, Gone
from bindings.slack.api import SlackApi
from bindings.slack.payloads import SlackObject, get_object, get_text
from bindings.slack.refusals import SlackRefused
from core.contract import Language
from core.language import parse_language_tag

log = structlog.get_logger()

PEOPLE_KEPT = 1000
NAME_CHARS = 80


@dataclass(frozen=True, slots=True)
class SlackUser:
    name: str
    language: Language | None = None


class UserDirectory:
    """Names and languages of people, cached. Without the scope `users:read`, a person's name is the id."""

    def __init__(self, api: SlackApi) -> None:
        self._api = api
        self._users: LRUCache[str, SlackUser] = LRUCache(PEOPLE_KEPT)
        self._refused = False

    async def get(self, user: str) -> SlackUser:
        """Raises no DeliveryError: no answer should fail because of a name."""
        if user in self._users or self._refused:
            return self._users.get(user) or SlackUser(user)
        try:
            answer = await self._api.read("users.info", user=user, include_locale="true")
        except SlackRefused as error:
            self._refused = error.reason in ("missing_scope", "not_allowed_token_type")
            log.info("slack_users_refused", reason=error.reason)
            return SlackUser(user)
        except Gone:
            answer = {}
        except DeliveryError as error:
            log.info("slack_user_lookup_failed", problem=error.message)
            return SlackUser(user)
        self._users[user] = parse_user(user, get_object(answer, "user"))
        return self._users[user]


def parse_user(user: str, answer: SlackObject) -> SlackUser:
    display_name = get_text(get_object(answer, "profile"), "display_name")
    name = display_name or get_text(answer, "real_name") or get_text(answer, "name") or user
    return SlackUser(name[:NAME_CHARS], parse_language_tag(get_text(answer, "locale")))
