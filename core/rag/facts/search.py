"""A question against collections: candidates by meaning and by words, one order, and what a person is shown of them.

All of it is one transaction's work, in a thread.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa

from core.contract import Language
from core.rag.facts.forms import Floats
from core.rag.facts.fusion import fuse, merged, varied
from core.rag.facts.glossary import Phrase
from core.rag.facts.lexical import rank
from core.rag.facts.tables import collections, documents, passages
from core.rag.facts.vectors import VectorCache

CANDIDATES = 50  # by meaning, and as many by words
LANGUAGE_BONUS = 0.02  # of two versions of one text, the one in the reader's language comes first


@dataclass(frozen=True, slots=True)
class Found:
    """A passage that may answer, and where it is from."""

    collection: str
    key: str  # the document's, in its collection
    title: str
    heading: str
    text: str
    url: str | None  # the passage's own where it has one, else the document's
    language: Language | None
    fetched_at: datetime
    score: float  # comparable within one search


@dataclass(frozen=True, slots=True)
class Asked:
    """A question in the forms that it is searched by."""

    phrases: Sequence[Phrase]
    vector: Floats
    language: Language | None


def searched(
    db: sa.Connection, cache: VectorCache, names: Sequence[str], asked: Asked, limit: int
) -> tuple[Found, ...]:
    """Best first. Raises NotFound, ConfigError."""
    held = [each for name in names if len(each := cache.load(db, name, len(asked.vector)))]
    total = sum(map(len, held))
    many = max(CANDIDATES, 4 * limit)
    bm25 = rank(db, [each.collection for each in held], asked.phrases, total, many)
    near = merged(each.nearest(db, asked.vector, many) for each in held)
    cosines = {**near, **merged(each.cosines(db, list(bm25), asked.vector) for each in held)}
    best = fuse(cosines, bm25, total)[:many]
    return tuple(varied(details(db, best, asked.language), limit))


def details(db: sa.Connection, scores: Sequence[tuple[int, float]], language: Language | None) -> list[Found]:
    """Best first. What was removed since its vector was read is left out."""
    asked = (
        sa.select(passages, documents.c.title, documents.c.url, documents.c.language, documents.c.fetched_at)
        .add_columns(documents.c.key, collections.c.name)
        .join(documents, passages.c.document == documents.c.id)
        .join(collections, documents.c.collection == collections.c.id)
        .where(passages.c.id.in_([passage for passage, _ in scores]))
    )
    by_passage = {row.id: row for row in db.execute(asked)}
    found = [found_of(by_passage[passage], score, language) for passage, score in scores if passage in by_passage]
    return sorted(found, key=lambda each: -each.score)


def found_of(row: Any, score: float, language: Language | None) -> Found:
    return Found(
        collection=row.name,
        key=row.key,
        title=row.title,
        heading=row.heading,
        text=row.text,
        url=row.link or row.url,
        language=row.language,
        fetched_at=datetime.fromtimestamp(row.fetched_at, UTC),
        score=score + (LANGUAGE_BONUS if language is not None and row.language == language else 0.0),
    )
