"""Held deliveries and feedback of the bots."""

from __future__ import annotations

import sqlalchemy as sa

from core.holds.conditions import active_holds, any_hold, is_held
from core.holds.copies import keep_copy, select_rows
from core.holds.tables import hold_keys
from core.storage.bot_tables import EMPTY_PAYLOAD, deliveries, feedback


def is_delivery_held() -> sa.ColumnElement[bool]:
    return is_held(deliveries.c.at, deliveries.c.author, deliveries.c.conversation)


def is_feedback_held() -> sa.ColumnElement[bool]:
    """Selects the feedback of held people, and on held answers."""
    answers = deliveries.c.answer == feedback.c.answer
    on_held = sa.select(deliveries.c.number).where(answers, is_delivery_held()).correlate(feedback).exists()
    return sa.or_(is_held(feedback.c.at, feedback.c.speaker), on_held)


def is_in_held_conversation(conversation: sa.Column[str], used_at: sa.Column[float]) -> sa.ColumnElement[bool]:
    """Selects the conversations in which a held person asked a bot. `conversation`: the column of its hash."""
    asked = sa.and_(hold_keys.c.key == deliveries.c.author, deliveries.c.conversation == conversation)
    return active_holds(asked, used_at).correlate(conversation.table)


def copy_held_deliveries(db: sa.Connection, now: float, *where: sa.ColumnElement[bool]) -> None:
    """Keeps copies of the held deliveries among those that are about to lose their content."""
    if not any_hold(db):
        return
    held = (deliveries.c.payload != EMPTY_PAYLOAD, is_delivery_held())
    for row in select_rows(db, deliveries, *where, *held):
        given = select_rows(db, feedback, feedback.c.answer == row["answer"])
        keys = (row["author"], row["conversation"], *(each["speaker"] for each in given))
        keep_copy(db, "delivery", keys, row["at"], {deliveries.name: [row], feedback.name: given}, now)
