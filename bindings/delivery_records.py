"""Deliveries as values, and their form in the database. A delivery is a message and its answer."""

from __future__ import annotations

import json
import secrets
from dataclasses import asdict, dataclass
from typing import Any, Literal

from bindings.delivery.outlet import PostedPage
from bindings.incoming import CommandName, IncomingMessage, ThreadMessages
from bindings.tables import EMPTY_PAYLOAD, hash_author, hash_message, hash_workspace
from core.runtime.digest import hash_id

DeliveryKind = Literal["message", "limited", "refused", "blocked"] | CommandName  # decided when the message was taken
DeliveryState = Literal["received", "done", "gone", "failed"]
ANSWER_ID_BYTES = 12


@dataclass(frozen=True, slots=True)
class Delivery:
    """A message that was taken. Small: its content stays in the database until its turn comes."""

    number: int
    answer_id: str
    kind: DeliveryKind
    conversation: str
    message_hash: str  # of the question
    crashes: int = 0  # of processes that had resumed it


@dataclass(frozen=True, slots=True)
class LedgerState:
    """The messages that hold an answer, as `bindings.delivery.outlet.PostLedger` explains them.

    Stored as JSON: a list of ids for the richest form without leftovers, as in older rows, else an object.
    """

    refs: tuple[str, ...] = ()
    form: str = ""
    leftovers: tuple[PostedPage, ...] = ()

    @classmethod
    def from_json(cls, stored: str) -> LedgerState:
        value = json.loads(stored)
        if isinstance(value, list):
            return cls(tuple(value))
        leftovers = tuple(PostedPage(*page) for page in value["leftovers"])
        return cls(tuple(value["refs"]), value["form"], leftovers)

    def to_json(self) -> str:
        return json.dumps(asdict(self) if self.form or self.leftovers else self.refs)


@dataclass(frozen=True, slots=True)
class DeliveryRecord:
    """A delivery with its content, as stored now."""

    delivery: Delivery
    incoming: IncomingMessage
    pages: LedgerState
    thread_messages: ThreadMessages | None  # None: not requested yet
    uploaded: bool


def build_row(incoming: IncomingMessage, kind: DeliveryKind) -> dict[str, Any]:
    place = incoming.place
    return {
        "event": hash_id(incoming.event),
        "answer": secrets.token_urlsafe(ANSWER_ID_BYTES),
        "platform": place.platform,
        "workspace": hash_workspace(place.platform, place.tenant),
        "conversation": hash_id(place.conversation),
        "source": hash_message(place, incoming.message),
        "author": hash_author(place.platform, incoming.user),
        "kind": kind,
        "payload": serialize_incoming(incoming),
        "refs": "[]",
        "uploaded": False,
    }


def serialize_incoming(incoming: IncomingMessage) -> str:
    """JSON in ASCII, which also represents lone surrogates and NUL."""
    return json.dumps(incoming.to_json())


def parse_delivery(row: Any) -> Delivery:
    return Delivery(row.number, row.answer, row.kind, row.conversation, row.source)


def parse_record(row: Any) -> DeliveryRecord | None:
    if row is None or row.payload == EMPTY_PAYLOAD:
        return None
    incoming = IncomingMessage.from_json(json.loads(row.payload))
    messages = None if row.heard is None else ThreadMessages.from_json(json.loads(row.heard))
    return DeliveryRecord(parse_delivery(row), incoming, LedgerState.from_json(row.refs), messages, row.uploaded)
