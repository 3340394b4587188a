"""Databases as earlier revisions made them, with conversations in them."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from typing import Any

import sqlalchemy as sa
from alembic.migration import MigrationContext
from alembic.operations import Operations

from core.storage import migration
from core.storage.database import connect

QUESTION = "Combien de jours de congé puis-je reporter? " * 4
ANSWER = "You may carry over up to five weeks, unless the agreement says otherwise. [1] " * 10
BATCH = 2000


def create_at(url: str, revision: str) -> None:
    """Makes the tables of a revision, as the version that had it did."""
    engine = connect(url, upgrades=True)
    with engine.begin() as db:
        context = MigrationContext.configure(db)
        with Operations.context(context):
            for script in migration.following(None):
                if script.revision <= revision:
                    script.module.upgrade()
                    context.stamp(migration.scripts(), script.revision)
    engine.dispose()


def fill(url: str, turns: int, turns_each: int = 10) -> None:
    """Stores conversations with their questions, answers, sources and documents, and a delivery for each tenth."""
    engine = connect(url, upgrades=True)
    metadata = sa.MetaData()
    with engine.begin() as db:
        metadata.reflect(db)
    with engine.begin() as db:
        for name, rows in batches(turns, turns_each):
            db.execute(metadata.tables[name].insert(), rows)
    engine.dispose()


def batches(turns: int, turns_each: int) -> Iterator[tuple[str, list[dict[str, Any]]]]:
    now = time.time()
    for first in range(0, turns, BATCH):
        numbers = range(first, min(first + BATCH, turns))
        talks = sorted({number // turns_each + 1 for number in numbers if number % turns_each == 0})
        if talks:
            yield "conversations", [describe_conversation(talk, now) for talk in talks]
        yield "turns", [describe_turn(number, turns_each, now) for number in numbers]
        keys = [{"conversation": n // turns_each + 1, "number": n % turns_each + 1} for n in numbers]
        yield "turn_sources", [{**key, "sources": '[{"number": 1, "title": "Leave"}]'} for key in keys]
        yield "turn_documents", [{**key, "documents": "[]"} for key in keys]
        yield "deliveries", [describe_delivery(number, now) for number in numbers if number % 10 == 0]


def describe_conversation(talk: int, now: float) -> dict[str, Any]:
    owner = {"user_key": f"{talk % 500:064d}", "issued_id": f"web:{talk}", "pinned": talk % 7 == 0}
    return {"id": talk, "key": f"{talk:064d}", "personality": "whisper", "used_at": now, "title": None, **owner}


def describe_turn(number: int, turns_each: int, now: float) -> dict[str, Any]:
    return {
        "conversation": number // turns_each + 1,
        "number": number % turns_each + 1,
        "question": QUESTION,
        "attachments": "[]",
        "heard": "[]",
        "answer": ANSWER,
        "reason": None if number % 100 == 99 else "stop",
        "asked_at": now,
        "model": "smollm2",
    }


def describe_delivery(number: int, now: float) -> dict[str, Any]:
    texts = {"event": f"slack:{number}", "answer": f"a{number}", "workspace": "T1", "conversation": f"{number:064d}"}
    payload = json.dumps({"user": f"U{number % 50}", "text": "é", "place": {"platform": "slack", "workspace": "T1"}})
    return {
        **texts,
        "number": number + 1,
        "platform": "slack",
        "source": "s",
        "kind": "message",
        "state": "done",
        "process": "",
        "payload": payload,
        "refs": "[]",
        "uploaded": False,
        "at": now,
        "adopted": False,
    }
