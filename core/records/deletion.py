"""Deletes what is stored of a person or a conversation, and proves it without a word of what was deleted."""

from __future__ import annotations

import json
import secrets
import shutil
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

import sqlalchemy as sa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from core.conversation.deletion import addresses_of, delete_conversations, is_conversation_held
from core.conversation.tables import conversations, exchange_ratings, exchanges
from core.errors import BadRequest
from core.holds.bots import is_delivery_held, is_feedback_held
from core.rag.fetching.page_cache import drop_pages
from core.records.subjects import (
    Subject,
    choices_of,
    conversations_of,
    deliveries_of,
    feedback_of,
    notices_of,
    with_speakers,
)
from core.records.tables import deletion_proofs
from core.runtime.digest import hash_id
from core.storage.bot_tables import (
    delete_unused_attempts,
    deliveries,
    feedback,
    one_time_notices,
    personality_choices,
)

ID_BYTES = 9


@dataclass(frozen=True, slots=True)
class DeletionProof:
    """`conversations`, `answers`: SHA-256 of the ids of what was deleted. `signature` covers the other fields."""

    id: str
    at: str  # ISO 8601
    who: str
    reason: str
    subject: str
    rows: dict[str, int]  # by table
    conversations: tuple[str, ...]
    answers: tuple[str, ...]
    signature: str = ""

    def signed_content(self) -> bytes:
        fields = {name: value for name, value in asdict(self).items() if name != "signature"}
        return json.dumps(fields, sort_keys=True).encode()


@dataclass(frozen=True, slots=True)
class Deletion:
    """A proof, and what names the files that are to be deleted too: answers for jobs, addresses for cached pages."""

    proof: DeletionProof
    answers: tuple[str, ...]
    addresses: frozenset[str]


def delete(db: sa.Connection, subject: Subject, who: str, reason: str, key: Ed25519PrivateKey, now: float) -> Deletion:
    """Raises BadRequest if any of it is held: then nothing is deleted."""
    subject = with_speakers(db, subject)
    refuse_held(db, subject)
    keys = sorted(db.execute(sa.select(conversations.c.key).where(conversations_of(subject))).scalars())
    answers = sorted(db.execute(sa.select(deliveries.c.answer).where(deliveries_of(subject))).scalars())
    addresses = frozenset(addresses_of(db, conversations_of(subject)))
    rows = delete_rows(db, subject, now)
    proof = DeletionProof(
        secrets.token_hex(ID_BYTES),
        datetime.fromtimestamp(now, UTC).isoformat(timespec="seconds"),
        who,
        reason,
        subject.label,
        {table: count for table, count in rows.items() if count},
        tuple(keys),
        tuple(map(hash_id, answers)),
    )
    proof = DeletionProof(**{**asdict(proof), "signature": key.sign(proof.signed_content()).hex()})
    db.execute(deletion_proofs.insert().values(id=proof.id, at=now, proof=json.dumps(asdict(proof))))
    return Deletion(proof, tuple(answers), addresses)


def refuse_held(db: sa.Connection, subject: Subject) -> None:
    checks = (
        (conversations, conversations_of(subject), is_conversation_held()),
        (deliveries, deliveries_of(subject), is_delivery_held()),
        (feedback, feedback_of(subject), is_feedback_held()),
    )
    for table, theirs, held in checks:
        if db.execute(sa.select(sa.literal(1)).select_from(table).where(theirs, held).limit(1)).first():
            raise BadRequest("a hold covers these records; csps-llm records holds lists it, records release ends it")


def delete_rows(db: sa.Connection, subject: Subject, now: float) -> dict[str, int]:
    """Returns the number of rows by table. What the others refer to goes last."""
    theirs = sa.select(conversations.c.id).where(conversations_of(subject))
    rows = {table.name: count(db, table, table.c.conversation.in_(theirs)) for table in (exchanges, exchange_ratings)}
    for table, where in (
        (feedback, feedback_of(subject)),
        (one_time_notices, notices_of(subject)),
        (personality_choices, choices_of(subject)),
    ):
        rows[table.name] = db.execute(table.delete().where(where)).rowcount
    # While the deliveries are there: they tell which conversations are the person's.
    rows[conversations.name] = delete_conversations(db, now, conversations_of(subject))
    numbers = db.execute(sa.select(deliveries.c.number).where(deliveries_of(subject))).scalars().all()
    rows[deliveries.name] = db.execute(deliveries.delete().where(deliveries.c.number.in_(numbers))).rowcount
    delete_unused_attempts(db)
    return rows


def count(db: sa.Connection, table: sa.Table, where: sa.ColumnElement[bool]) -> int:
    return int(db.execute(sa.select(sa.func.count()).select_from(table).where(where)).scalar_one())


def delete_files(data_folder: Path, deletion: Deletion) -> None:
    """Deletes the files of jobs and the cached pages on this machine. Raises OSError."""
    for answer in deletion.answers:
        for folder in data_folder.glob(f"jobs/*/{answer}"):
            shutil.rmtree(folder)
    drop_pages(data_folder / "pages", deletion.addresses)


def find_proofs(db: sa.Connection) -> list[DeletionProof]:
    """All proofs, oldest first."""
    rows = db.execute(sa.select(deletion_proofs.c.proof).order_by(deletion_proofs.c.at)).scalars()
    return [DeletionProof(**json.loads(row)) for row in rows]
