"""Plans how a schema is enforced while the model writes, and reports the keywords that only the validator checks.

`relax` widens a schema that an engine refuses: it drops the keywords that the reason names, and last the deepest parts.
Either way, the validator checks the value against the original schema.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from core.contract import Json, KeywordReport
from core.errors import SchemaRefused
from core.toil.schema.drafts import LIST_KEYWORDS, MAP_KEYWORDS, Draft, Schema, is_assertion, walk
from core.toil.schema.prechecks import SatisfiabilityCheck, check_document
from core.toil.schema.references import LocatedSchema, SchemaReferences
from core.toil.schema.scalars import is_asserted_format
from core.toil.schema.translation import Translation
from core.toil.schema.translator import SchemaTranslator

WHY_CHECKED = "the engine cannot enforce it; the answer is validated, and asked for again if it fails"
RELAXATIONS_LIMIT = 6  # of one plan
DEPTHS = (6, 4, 2, 1)
KEYWORDS_BY_REASON: tuple[tuple[str, tuple[str, ...]], ...] = (
    (r"patternProperty|patternProperties", ("patternProperties",)),
    (r"min/maxProperties|minProperties|maxProperties", ("minProperties", "maxProperties")),
    (r"[Ff]ormat", ("format",)),
    (r"[Rr]egex|lookaround|pattern", ("pattern",)),
    (r"multipleOf", ("multipleOf",)),
    (r"range|minimum|maximum", ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum")),
)


@dataclass(frozen=True, slots=True)
class SchemaPlan:
    """The schemas that the engine enforces. Each is True where nothing can be enforced.

    `enforced` allows every conforming value. `narrowed` allows fewer values, and only conforming ones where possible;
    it is for a model that failed under `enforced`. `exact`: `enforced` allows conforming values only. `meant_numbers`:
    pairs of a number that both schemas list and the caller's number that it stands for (`numbers.restore_numbers`).
    """

    enforced: Json
    narrowed: Json
    reports: tuple[KeywordReport, ...]
    exact: bool
    meant_numbers: tuple[tuple[int, int | float], ...] = ()


def plan(schema: Any) -> SchemaPlan:
    """Raises SchemaRefused with the place, the reason and the remedy."""
    try:
        return build_plan(schema)
    except RecursionError as exc:
        raise SchemaRefused("the schema's references follow one another too deep; shorten the longest chain") from exc


def build_plan(schema: Any) -> SchemaPlan:
    references = check_document(schema)
    SatisfiabilityCheck(references).check()
    wide, translation, enforced = translate_wide(schema, references)
    narrow = SchemaTranslator(references, narrow=True)
    narrowed = build_document(narrow, narrow.translate(LocatedSchema(schema, "")))
    reports = report_keywords(references, wide.enforced)
    # A keyword of which the engine enforces only the shape, such as `format: date`, has an exact translation.
    exact = translation.exact and wide.has_exact_definitions and all(each.outcome == "enforced" for each in reports)
    meant_numbers = tuple((wide.meant_numbers | narrow.meant_numbers).items())
    # A required part may be impossible to narrow; then the wide schema is used again.
    narrowed = enforced if narrowed is False else narrowed
    return SchemaPlan(enforced, narrowed, reports, exact and not meant_numbers, meant_numbers)


def translate_wide(schema: Any, references: SchemaReferences) -> tuple[SchemaTranslator, Translation, Json]:
    """Limits objects to declared properties, unless a property that is not declared is needed after all."""
    for closing in (True, False):
        translator = SchemaTranslator(references, closing=closing)
        translation = translator.translate(LocatedSchema(schema, ""))
        enforced = build_document(translator, translation)
        if enforced is not False and (not closing or is_satisfiable(enforced)):
            return translator, translation, enforced
    raise SchemaRefused("no value can satisfy the schema: its keywords contradict each other")


def is_satisfiable(enforced: Json) -> bool:
    """True unless a reason is found why no value satisfies the schema."""
    references = SchemaReferences.of(enforced if isinstance(enforced, dict) else True)
    return SatisfiabilityCheck(references).find_contradiction() is None


def build_document(translator: SchemaTranslator, translation: Translation) -> Json:
    if isinstance(translation.schema, bool):
        return translation.schema
    definitions = {"$defs": dict(translator.definitions)} if translator.definitions else {}
    return {**translation.schema, **definitions}


def report_refusal(reason: str) -> KeywordReport:
    place = reason.split(": ", 1)[0]
    path = place if place.startswith("/") else ""
    return KeywordReport(path, path.rpartition("/")[2], "refused", reason)


def report_keywords(references: SchemaReferences, enforced: Mapping[str, bool]) -> tuple[KeywordReport, ...]:
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
    """Looks up the keyword, else its content, else the enclosing keyword. None if no report concerns it."""
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


def relax(schema: Json, reason: str) -> Json:
    """A wider schema than this one; True when nothing is left to drop."""
    if not isinstance(schema, dict):
        return True
    less: Json
    unimplemented = re.search(r"Unimplemented keys: \[(.*?)\]", reason)
    keywords = tuple(re.findall(r'"([^"]+)"', unimplemented[1])) if unimplemented else ()
    for pattern, dropped in KEYWORDS_BY_REASON:
        if not keywords and re.search(pattern, reason):
            keywords = dropped
    if "circular references" in reason:
        less = drop_keywords(schema, lambda keyword, siblings: keyword == "$ref" and len(siblings) > 1)
    else:
        less = drop_keywords(schema, lambda keyword, _siblings: keyword in keywords)
    return less if less != schema else reduce_depth(schema)


def drop_keywords(schema: Any, drops: Callable[[str, Any], bool]) -> Any:
    if not isinstance(schema, dict):
        return schema
    return {
        keyword: map_subschemas(keyword, value, lambda each: drop_keywords(each, drops))
        for keyword, value in schema.items()
        if not drops(keyword, schema)
    }


def map_subschemas(keyword: str, value: Any, change: Callable[[Any], Any]) -> Any:
    """The keyword's value with `change` applied to each schema in it."""
    if keyword in MAP_KEYWORDS and isinstance(value, dict):
        return {name: change(each) for name, each in value.items()}
    if isinstance(value, list) and keyword in LIST_KEYWORDS:
        return [change(each) for each in value]
    return change(value) if isinstance(value, dict) and keyword not in ("const", "default") else value


def reduce_depth(schema: dict[str, Any]) -> Json:
    """Cuts at the largest depth that removes something. At the end, only types remain."""
    for depth in DEPTHS:
        less = cut_below(schema, depth)
        if sum(1 for _ in walk(less)) < sum(1 for _ in walk(schema)):
            return less  # type: ignore[no-any-return]
    kind = schema.get("type")
    return {"type": kind} if kind is not None and schema != {"type": kind} else True


def cut_below(schema: Any, depth: int) -> Any:
    if not isinstance(schema, dict):
        return schema
    if depth == 0:
        return {"type": schema["type"]} if "type" in schema else True
    return {
        keyword: map_subschemas(keyword, value, lambda each: cut_below(each, depth - 1))
        for keyword, value in schema.items()
    }
