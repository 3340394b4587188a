"""Plans how a schema is enforced while the model writes, and reports what only the validator checks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from core.contract import Json, KeywordReport
from core.errors import SchemaRefused
from core.toil.schema.drafts import Draft, Schema, is_assertion, walk
from core.toil.schema.prechecks import SatisfiabilityCheck, check_document
from core.toil.schema.references import LocatedSchema, References
from core.toil.schema.scalars import is_asserted_format
from core.toil.schema.translation import Translation
from core.toil.schema.translator import SchemaTranslator

WHY_CHECKED = "the engine cannot hold a model to it; the answer is checked, and asked for again if it fails"


@dataclass(frozen=True, slots=True)
class Plan:
    """The schemas that the engine enforces. Each is True where nothing can be enforced.

    `enforced` allows every conforming value. `narrowed` allows fewer values, and only conforming ones where possible;
    it is for a model that failed under `enforced`.
    """

    enforced: Json
    narrowed: Json
    reports: tuple[KeywordReport, ...]


def plan(schema: Any) -> Plan:
    """Raises SchemaRefused with the place, the reason and the remedy."""
    try:
        return build_plan(schema)
    except RecursionError as exc:
        raise SchemaRefused("the schema's references follow one another too deep; shorten the longest chain") from exc


def build_plan(schema: Any) -> Plan:
    references = check_document(schema)
    SatisfiabilityCheck(references).check()
    wide, narrow = SchemaTranslator(references), SchemaTranslator(references, narrow=True)
    enforced = build_document(wide, wide.translate(LocatedSchema(schema, "")))
    if enforced is False:
        raise SchemaRefused("no value can satisfy the schema: what it asks for excludes itself")
    narrowed = build_document(narrow, narrow.translate(LocatedSchema(schema, "")))
    # A required part may be impossible to narrow; then the wide schema is used again.
    return Plan(enforced, enforced if narrowed is False else narrowed, report_keywords(references, wide.enforced))


def build_document(translator: SchemaTranslator, translation: Translation) -> Json:
    if isinstance(translation.schema, bool):
        return translation.schema
    definitions = {"$defs": dict(translator.definitions)} if translator.definitions else {}
    return {**translation.schema, **definitions}


def report_refusal(reason: str) -> KeywordReport:
    place = reason.split(": ", 1)[0]
    path = place if place.startswith("/") else ""
    return KeywordReport(path, path.rpartition("/")[2], "refused", reason)


def report_keywords(references: References, enforced: Mapping[str, bool]) -> tuple[KeywordReport, ...]:
    """`enforced`: by pointer, as the translator reported."""
    reports: list[KeywordReport] = []
    for pointer, schema in walk(references.root):
        if isinstance(schema, dict):
            reports += report_schema(schema, pointer, references.draft, enforced)
    return tuple(sorted(reports, key=lambda report: report.path))


def report_schema(
    schema: dict[str, Schema], pointer: str, draft: Draft, enforced: Mapping[str, bool]
) -> list[KeywordReport]:
    reports = []
    only_ref = draft <= Draft.DRAFT7 and "$ref" in schema  # up to draft 7, `$ref` hides its sibling keywords
    for keyword in schema:
        asserts = is_assertion(keyword, draft) and (keyword == "$ref" or not only_ref)
        if not asserts or (keyword == "format" and not is_asserted_format(schema[keyword], draft)):
            continue
        path = f"{pointer}/{keyword}"
        outcome = is_enforced(path, pointer, enforced)
        if outcome is not None:
            reports.append(
                KeywordReport(path, keyword, "enforced" if outcome else "checked", None if outcome else WHY_CHECKED)
            )
    return reports


def is_enforced(path: str, pointer: str, enforced: Mapping[str, bool]) -> bool | None:
    """As reported for the keyword; else for its content, else for the enclosing keyword. None if nothing uses it."""
    if path in enforced:
        return enforced[path]
    inner = [
        outcome
        for where, outcome in enforced.items()
        if where.startswith(f"{path}/") and where.count("/") <= path.count("/") + 1
    ]
    if inner:
        return all(inner)
    while pointer:
        if pointer in enforced:
            return enforced[pointer]
        pointer = pointer.rpartition("/")[0]
    return None
