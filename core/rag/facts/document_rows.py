"""A collection's documents in the database: stored, removed, listed. Each function is the work of one transaction.

Every change also raises the collection's version, in the same transaction. The version's row changes first, so that
two processes that change one collection wait for each other.
"""

from __future__ import annotations

from collections.abc import Collection as Keys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa

from core.contract import Language
from core.errors import NotFound
from core.rag.documents import Document, Passage
from core.rag.facts.connectors.protocol import Retention
from core.rag.facts.tables import collections, documents, passages, word_mark
from core.rag.stemming import index_stems
from core.storage.database import put_new
from core.strict_json import storable

RowValues = list[dict[str, Any]]

REMOVAL_BATCH = 50  # documents in one transaction
DAY_S = 86_400
KEYS_PER_STATEMENT = 500  # databases limit the values of one statement


@dataclass(frozen=True, slots=True)
class StoredVersion:
    """The content and the embedder that a stored document was made from."""

    digest: str
    embedder: str


@dataclass(frozen=True, slots=True)
class NewDocument:
    """A document to store."""

    key: str
    digest: str
    fetched_at: datetime
    document: Document
    added_by: str | None = None  # the hash of the person who added it


@dataclass(frozen=True, slots=True)
class EmbeddingInfo:
    """The embedder of the passages' vectors."""

    embedder: str
    dimensions: int


@dataclass(frozen=True, slots=True)
class CollectionSize:
    name: str
    documents: int
    passages: int
    origins: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class StoredDocument:
    """A document as its collection holds it."""

    key: str
    origin: str
    fetched_at: datetime
    title: str
    url: str | None
    language: Language | None
    passages: tuple[Passage, ...]
    added_by: str | None = None


@dataclass(frozen=True, slots=True)
class AddedDocument:
    """A document that a person added, without its text."""

    key: str
    title: str
    url: str | None
    origin: str
    added_at: datetime
    passages: int


def stored_versions(db: sa.Connection, name: str) -> dict[str, StoredVersion]:
    """Returns the versions by key; none if there is no such collection."""
    query = sa.select(documents.c.key, documents.c.digest, documents.c.embedder).join(collections)
    return {key: StoredVersion(digest, by) for key, digest, by in db.execute(query.where(collections.c.name == name))}


def find_collection(db: sa.Connection, name: str) -> sa.Row[Any] | None:
    """Returns the collection's row, if there is such a collection. Its column `form` names the vector backend."""
    return db.execute(sa.select(collections).where(collections.c.name == name)).first()


def require_collection(db: sa.Connection, name: str) -> sa.Row[Any]:
    """Returns the collection's row, as `find_collection` does. Raises NotFound."""
    collection_id = find_collection(db, name)
    if collection_id is None:
        raise NotFound(f"there is no collection of facts named {name}; `csps-llm facts list` shows those there are")
    return collection_id


def open_collection(db: sa.Connection, name: str, backend: str) -> sa.Row[Any]:
    """Creates a new collection with this vector backend, raises the version, returns the row. Other writers wait."""
    if not bump_version(db, name):
        put_new(db, collections, {"name": name, "version": 0, "form": backend})
        bump_version(db, name)
    return require_collection(db, name)


def lock_collection(db: sa.Connection, name: str) -> None:
    """Makes other writers of the collection wait until the transaction ends. Call it before any read."""
    db.execute(sa.select(collections.c.id).where(collections.c.name == name).with_for_update())


def bump_version(db: sa.Connection, name: str) -> bool:
    """Raises the collection's version. Tells whether there is such a collection."""
    raised = collections.update().where(collections.c.name == name).values(version=collections.c.version + 1)
    return bool(db.execute(raised).rowcount)


def replace_documents(
    db: sa.Connection,
    collection: int,
    origin: str,
    embedding: EmbeddingInfo,
    fresh: Sequence[tuple[NewDocument, RowValues]],
) -> list[int]:
    """Stores each document with its rows from `passage_rows`, and replaces the document that has its key.

    Returns the ids of all passages, in order. Call `open_collection` first.
    """
    delete_keys(db, collection, [document.key for document, _ in fresh])
    keys = []
    for document, rows in fresh:
        row = {**document_row(document), "collection": collection, "origin": origin, "embedder": embedding.embedder}
        inserted = db.execute(documents.insert().values(**row, dimensions=embedding.dimensions if rows else None))
        assert inserted.inserted_primary_key is not None
        keys.append(inserted.inserted_primary_key[0])
        if rows:
            db.execute(passages.insert(), [place_passage(each, collection, keys[-1]) for each in rows])
    return passage_ids(db, keys)


def passage_ids(db: sa.Connection, keys: Sequence[int]) -> list[int]:
    """Returns the ids of the documents' passages, in the order of `keys`, which ascend."""
    ids: list[int] = []
    for at in range(0, len(keys), KEYS_PER_STATEMENT):
        query = sa.select(passages.c.id).where(passages.c.document.in_(keys[at : at + KEYS_PER_STATEMENT]))
        ids += db.execute(query.order_by(passages.c.document, passages.c.number)).scalars()
    return ids


def document_row(fresh: NewDocument) -> dict[str, Any]:
    return {
        "key": fresh.key,
        "title": storable(fresh.document.title),
        "url": fresh.document.url and storable(fresh.document.url),
        "language": fresh.document.language,
        "digest": fresh.digest,
        "fetched_at": fresh.fetched_at.timestamp(),
        "added_by": fresh.added_by,
    }


def passage_rows(document: Document) -> RowValues:
    """Returns each passage with its stems, without its place. Call it before the transaction begins."""
    return [
        {
            "number": number,
            "heading": storable(passage.heading),
            "text": storable(passage.text),
            "link": passage.link and storable(passage.link),
            "stems": index_stems(f"{document.title} {passage.heading} {passage.text}", document.language),
        }
        for number, passage in enumerate(document.passages)
    ]


def place_passage(row: dict[str, Any], collection: int, document: int) -> dict[str, Any]:
    mark = word_mark(collection)
    return {**row, "document": document, "stems": " ".join([mark + stem for stem in row["stems"]])}


def confirm_unchanged(db: sa.Connection, name: str, origin: str, unchanged: Mapping[str, datetime]) -> None:
    """Records a new check of unchanged documents. They now belong to `origin`, which had them last."""
    lock_collection(db, name)
    collection = sa.select(collections.c.id).where(collections.c.name == name).scalar_subquery()
    update = documents.update().where(documents.c.collection == collection, documents.c.key == sa.bindparam("which"))
    values = [{"which": key, "origin": origin, "fetched_at": at.timestamp()} for key, at in unchanged.items()]
    if values:
        db.execute(update.values(origin=sa.bindparam("origin"), fetched_at=sa.bindparam("fetched_at")), values)


def remove_missing(
    db: sa.Connection, name: str, origin: str, keys: Keys[str], retention: Retention | None, now: float
) -> int:
    """Removes up to REMOVAL_BATCH of the origin's documents that are not in `keys`. Returns how many.

    `retention`: those that stay nevertheless. `now`: seconds since 1970.
    """
    lock_collection(db, name)
    query = sa.select(documents.c.key, documents.c.fetched_at).join(collections)
    query = query.where(collections.c.name == name, documents.c.origin == origin)
    stored = db.execute(query.order_by(documents.c.fetched_at.desc(), documents.c.id.desc())).all()
    missing = [(key, listed_at) for key, listed_at in stored if key not in keys]
    if retention is not None:
        missing = expired(missing, retention, now, room=retention.documents - (len(stored) - len(missing)))
    removed = [key for key, _ in missing[:REMOVAL_BATCH]]
    return delete_and_bump(db, name, removed) if removed else 0


def expired(
    missing: Sequence[tuple[str, float]], retention: Retention, now: float, room: int
) -> list[tuple[str, float]]:
    """Returns the documents that stay no longer. `missing`: key and time of the last listing, newest first."""
    oldest = now - retention.days * DAY_S
    return [each for number, each in enumerate(missing) if number >= room or each[1] < oldest]


def count_documents(db: sa.Connection, name: str, origin: str) -> int:
    """Counts the collection's documents from an origin."""
    query = sa.select(sa.func.count()).select_from(documents.join(collections))
    return db.execute(query.where(collections.c.name == name, documents.c.origin == origin)).scalar_one()


def remove_documents(db: sa.Connection, name: str, document: str | None) -> int:
    """Removes up to REMOVAL_BATCH documents: all, or those with this key, URL or origin. Returns how many.

    Removes an empty collection too, if `document` is None.
    """
    lock_collection(db, name)
    query = sa.select(documents.c.key).join(collections).where(collections.c.name == name)
    if document is not None:
        query = query.where(sa.literal(document).in_((documents.c.key, documents.c.url, documents.c.origin)))
    removed = db.execute(query.limit(REMOVAL_BATCH)).scalars().all()
    if removed:
        delete_and_bump(db, name, removed)
    elif document is None:
        db.execute(collections.delete().where(collections.c.name == name))
    return len(removed)


def delete_and_bump(db: sa.Connection, name: str, keys: Sequence[str]) -> int:
    """Deletes the documents and raises the collection's version."""
    bump_version(db, name)
    return delete_keys(db, require_collection(db, name).id, keys)


def delete_keys(db: sa.Connection, collection: int, keys: Sequence[str]) -> int:
    for at in range(0, len(keys), KEYS_PER_STATEMENT):
        some = documents.c.key.in_(keys[at : at + KEYS_PER_STATEMENT])
        db.execute(documents.delete().where(documents.c.collection == collection, some))
    return len(keys)


def collection_sizes(db: sa.Connection) -> list[CollectionSize]:
    """Returns every collection, by name."""
    counted = (
        sa.select(
            collections.c.name,
            documents.c.origin,
            sa.func.count(documents.c.id.distinct()),
            sa.func.count(passages.c.id),
        )
        .outerjoin(documents, documents.c.collection == collections.c.id)
        .outerjoin(passages, passages.c.document == documents.c.id)
        .group_by(collections.c.name, documents.c.origin)
        .order_by(collections.c.name, documents.c.origin)
    )
    by_name: dict[str, list[Any]] = {}
    for row in db.execute(counted):
        by_name.setdefault(row[0], []).append(row)
    return [
        CollectionSize(
            name, sum(row[2] for row in rows), sum(row[3] for row in rows), tuple(row[1] for row in rows if row[1])
        )
        for name, rows in by_name.items()
    ]


def document_page(db: sa.Connection, name: str, after: str, limit: int) -> list[StoredDocument]:
    """Returns the next documents of a collection, by key."""
    query = sa.select(documents).join(collections).where(collections.c.name == name, documents.c.key > after)
    rows = db.execute(query.order_by(documents.c.key).limit(limit)).all()
    inner = sa.select(passages).where(passages.c.document.in_([row.id for row in rows])).order_by(passages.c.id)
    texts: dict[int, list[Passage]] = {row.id: [] for row in rows}
    for row in db.execute(inner):
        texts[row.document].append(Passage(row.text, row.heading, row.link))
    return [build_stored_document(row, texts[row.id]) for row in rows]


def build_stored_document(row: Any, texts: Iterable[Passage]) -> StoredDocument:
    at = datetime.fromtimestamp(row.fetched_at, UTC)
    return StoredDocument(row.key, row.origin, at, row.title, row.url, row.language, tuple(texts), row.added_by)


# ---------------------------------------------------------------- documents that people added

ADDED = "added:"  # begins their origins


def added_origin(platform: str) -> str:
    return ADDED + platform


def added_documents(db: sa.Connection, name: str) -> list[AddedDocument]:
    """Returns the documents that people added, oldest first."""
    columns = (documents.c.key, documents.c.title, documents.c.url, documents.c.origin, documents.c.fetched_at)
    query = (
        sa.select(*columns, sa.func.count(passages.c.id))
        .select_from(documents.join(collections).outerjoin(passages, passages.c.document == documents.c.id))
        .where(collections.c.name == name, documents.c.origin.startswith(ADDED))
        .group_by(documents.c.id, *columns)
        .order_by(documents.c.fetched_at, documents.c.id)
    )
    return [
        AddedDocument(row.key, row.title, row.url, row.origin, datetime.fromtimestamp(row.fetched_at, UTC), row[5])
        for row in db.execute(query)
    ]


def other_embeddings(db: sa.Connection, name: str, embedder: str, limit: int) -> list[tuple[str, NewDocument]]:
    """Returns documents that people added, with their origins, whose vectors another embedder made.

    Their files are not stored, so their passages are all that can be embedded again.
    """
    query = sa.select(documents).join(collections).where(collections.c.name == name, documents.c.embedder != embedder)
    rows = db.execute(query.where(documents.c.origin.startswith(ADDED)).limit(limit)).all()
    return [(row.origin, as_new_document(db, row)) for row in rows]


def as_new_document(db: sa.Connection, row: Any) -> NewDocument:
    query = sa.select(passages).where(passages.c.document == row.id).order_by(passages.c.number)
    texts = tuple(Passage(each.text, each.heading, each.link) for each in db.execute(query))
    document = Document(row.title, texts, "text", row.language, row.url)
    return NewDocument(row.key, row.digest, datetime.fromtimestamp(row.fetched_at, UTC), document, row.added_by)
