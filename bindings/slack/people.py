"""Names and languages of people, asked once. Without the scope for it, people are called by their ids."""

from __future__ import annotations

from dataclasses import dataclass

import structlog
from cachetools import LRUCache

from bindings.delivery.outlet import DeliveryError, Gone
from bindings.slack.api import Api, Declined
from bindings.slack.mapping import fields, text
from core.contract import Language
from core.language import parse_language_tag

log = structlog.get_logger()

KEPT = 1000
NAME_CHARS = 80


@dataclass(frozen=True, slots=True)
class Person:
    name: str
    language: Language | None


class People:
    def __init__(self, api: Api) -> None:
        self._api = api
        self._known: LRUCache[str, Person] = LRUCache(KEPT)
        self._refused = False

    async def get(self, user: str) -> Person:
        """Never raises for Slack's sake: a name is not worth an answer."""
        if user in self._known:
            return self._known[user]
        if self._refused:
            return Person(user, None)
        try:
            answer = await self._api.read("users.info", user=user, include_locale="true")
        except Declined as error:
            self._refused = error.reason in ("missing_scope", "not_allowed_token_type")
            log.info("slack_names_unknown", reason=error.reason)
            return Person(user, None)
        except Gone:
            return self._keep(user, Person(user, None))
        except DeliveryError as error:
            log.info("slack_name_not_found", problem=error.message)
            return Person(user, None)
        return self._keep(user, person_of(user, answer))

    def _keep(self, user: str, person: Person) -> Person:
        self._known[user] = person
        return person


def person_of(user: str, answer: object) -> Person:
    found = fields(answer, "user") if isinstance(answer, dict) else {}
    profile = fields(found, "profile")
    name = text(profile, "display_name") or text(found, "real_name") or text(found, "name") or user
    return Person(name[:NAME_CHARS], parse_language_tag(text(found, "locale")))
