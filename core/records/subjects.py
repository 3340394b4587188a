"""Whose records: a person or a conversation, by the hashes under which the tables know them, as SQL conditions.

A conversation in which a person asked a bot counts as theirs as a whole: the messages of others in it quote theirs.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, replace

import sqlalchemy as sa

from core.conversation.tables import conversations
from core.errors import ConfigError
from core.runtime.digest import hash_id
from core.storage.bot_tables import EMPTY_PAYLOAD, deliveries, feedback, one_time_notices, personality_choices

PLATFORMS = ("slack", "discord", "teams")
PREFIXES = ("user:", "person:")  # of people of the web; the database has the hash of "person:…"
DIGEST = re.compile(r"[0-9a-f]{64}")
LABEL_CHARS = 16


@dataclass(frozen=True, slots=True)
class Subject:
    """`label` names the subject without an identity: "user 3f2a…". Without keys: everybody."""

    label: str
    keys: frozenset[str] = frozenset()

    @property
    def is_everybody(self) -> bool:
        return not self.keys


EVERYBODY = Subject("everybody")


def require_subject(user: str | None, conversation: str | None) -> Subject:
    """Raises ConfigError unless exactly one of them is given."""
    if bool(user) == bool(conversation):
        raise ConfigError("give either --user or --conversation")
    return find_user(user) if user else find_conversation(conversation or "")


def find_user(name: str) -> Subject:
    """A person: "ana@example.gc.ca", "slack:U1", "slack:T1:U1" (also finds their feedback), "visitor:…"."""
    platform, _, rest = name.partition(":")
    if platform in PLATFORMS:
        _, has_tenant, user = rest.partition(":")
        names = {name, *([f"{platform}:{user}"] if has_tenant else [])}
    else:
        bare = next((name.removeprefix(each) for each in PREFIXES if name.startswith(each)), name)
        names = {name, *(f"{prefix}{each}" for prefix in PREFIXES for each in (bare, bare.lower()))}
    return Subject(f"user {hash_id(name)[:LABEL_CHARS]}", frozenset(map(hash_id, names)))


def find_conversation(name: str) -> Subject:
    """A conversation by its id, such as "web:…" or "slack:T1:C2:1712.5", or by the hash that exports show."""
    key = name if DIGEST.fullmatch(name) else hash_id(name)
    return Subject(f"conversation {key[:LABEL_CHARS]}", frozenset({key}))


def with_speakers(db: sa.Connection, subject: Subject) -> Subject:
    """Adds the names of a bot's user in each workspace, by which feedback knows them, from messages still stored."""
    query = sa.select(deliveries.c.payload).where(
        deliveries.c.author.in_(subject.keys), deliveries.c.payload != EMPTY_PAYLOAD
    )
    messages = [json.loads(payload) for payload in db.execute(query).scalars()]
    speakers = {f"{each['place']['platform']}:{each['place']['tenant']}:{each['user']}" for each in messages}
    return replace(subject, keys=subject.keys | set(map(hash_id, speakers)))


def conversations_of(subject: Subject) -> sa.ColumnElement[bool]:
    if subject.is_everybody:
        return sa.true()
    columns = conversations.c
    own = (columns.user_key.in_(subject.keys), columns.key.in_(subject.keys))
    return sa.or_(*own, columns.key.in_(places_of(subject)))


def deliveries_of(subject: Subject) -> sa.ColumnElement[bool]:
    """Without those that were forgotten."""
    columns = deliveries.c
    kept = columns.conversation != ""
    if subject.is_everybody:
        return kept
    return sa.and_(kept, sa.or_(columns.conversation.in_(subject.keys), columns.conversation.in_(places_of(subject))))


def places_of(subject: Subject) -> sa.Select[tuple[str]]:
    """The conversations in which the person asked a bot."""
    asked = deliveries.alias()
    return sa.select(asked.c.conversation).where(asked.c.author.in_(subject.keys), asked.c.conversation != "")


def feedback_of(subject: Subject) -> sa.ColumnElement[bool]:
    if subject.is_everybody:
        return sa.true()
    answers = sa.select(deliveries.c.answer).where(deliveries_of(subject))
    return sa.or_(feedback.c.speaker.in_(subject.keys), feedback.c.answer.in_(answers))


def choices_of(subject: Subject) -> sa.ColumnElement[bool]:
    columns = personality_choices.c
    return sa.or_(columns.conversation.in_(subject.keys), columns.conversation.in_(places_of(subject)))


def notices_of(subject: Subject) -> sa.ColumnElement[bool]:
    return one_time_notices.c.speaker.in_(subject.keys)


def count_stored(db: sa.Connection, subject: Subject) -> dict[str, int]:
    """The numbers of conversations and messages to bots: 0 may mean a name that was mistyped."""
    found = {"conversations": (conversations, conversations_of), "deliveries": (deliveries, deliveries_of)}
    return {
        name: int(db.execute(sa.select(sa.func.count()).select_from(table).where(theirs(subject))).scalar_one())
        for name, (table, theirs) in found.items()
    }
