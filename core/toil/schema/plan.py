"""What is done about a schema: what the model is held to while it writes, and what only the check can see."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from core.contract import Json, Note
from core.errors import SchemaRefused
from core.toil.schema import formats, limits
from core.toil.schema.drafts import Draft, Schema, understood, walk
from core.toil.schema.pieces import Written
from core.toil.schema.references import References, Target
from core.toil.schema.writing import Writer

WHY_CHECKED = "the engine cannot hold a model to it; the answer is checked, and asked for again if it fails"


@dataclass(frozen=True, slots=True)
class Plan:
    """`written`: what the model is held to. `narrowed`: less than that, and all that is left of it conforms if anything
    can; for a model that failed at `written`. Either is True where nothing can be held.
    """

    written: Json
    narrowed: Json
    notes: tuple[Note, ...]


def plan(schema: Any) -> Plan:
    """Raises SchemaRefused with the place, the reason and what to do."""
    try:
        return made_for(schema)
    except RecursionError as exc:
        raise SchemaRefused("the schema's references follow one another too deep; shorten the longest chain") from exc


def made_for(schema: Any) -> Plan:
    references = limits.checked(schema)
    limits.Satisfiable(references).check()
    writer, narrow = Writer(references), Writer(references, narrow=True)
    written = document(writer, writer.write(Target(schema, "")))
    if written is False:
        raise SchemaRefused("no value can satisfy the schema: what it asks for excludes itself")
    narrowed = document(narrow, narrow.write(Target(schema, "")))
    # Where even what must be there cannot be narrowed, the wider one has to do.
    return Plan(written, written if narrowed is False else narrowed, notes_of(references, writer.notes))


def document(writer: Writer, written: Written) -> Json:
    if isinstance(written.schema, bool):
        return written.schema
    return {**written.schema, "$defs": dict(writer.definitions)} if writer.definitions else dict(written.schema)


def refused(reason: str) -> Note:
    place = reason.split(": ", 1)[0]
    path = place if place.startswith("/") else ""
    return Note(path, path.rpartition("/")[2], "refused", reason)


def notes_of(references: References, held: Mapping[str, bool]) -> tuple[Note, ...]:
    notes: list[Note] = []
    for at, schema in walk(references.root):
        if isinstance(schema, dict):
            notes += notes_at(schema, at, references.draft, held)
    return tuple(sorted(notes, key=lambda note: note.path))


def notes_at(schema: dict[str, Schema], at: str, draft: Draft, held: Mapping[str, bool]) -> list[Note]:
    notes = []
    hidden = draft <= Draft.DRAFT7 and "$ref" in schema
    for word in schema:
        counts = understood(word, draft) and not (hidden and word != "$ref")
        if not counts or (word == "format" and not formats.asserted(schema[word], draft)):
            continue
        path = f"{at}/{word}"
        outcome = outcome_of(path, at, held)
        if outcome is not None:
            notes.append(Note(path, word, "enforced" if outcome else "checked", None if outcome else WHY_CHECKED))
    return notes


def outcome_of(path: str, at: str, held: Mapping[str, bool]) -> bool | None:
    """As noted; else as what lies in the keyword, or round it. None: nothing refers to it."""
    if path in held:
        return held[path]
    inner = [
        known
        for where, known in held.items()
        if where.startswith(f"{path}/") and where.count("/") <= path.count("/") + 1
    ]
    if inner:
        return all(inner)
    while at:
        if at in held:
            return held[at]
        at = at.rpartition("/")[0]
    return None
