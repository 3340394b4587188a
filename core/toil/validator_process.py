"""`python -m core.toil.validator_process`: plans schemas and validates values, as asked on stdin.

A question is one line of JSON, and so is its answer:

    {"ask": "plan", "schema"}            → {"plan": the fields of SchemaPlan} or {"refused": reason}
    {"ask": "validate", "key", "schema", "value"}
                                         → {"violations": [the fields of Violation…]} or {"refused": reason}
    {"ask": "validate", "key", "value"}  → as above, or {"unknown": true}: ask again with the schema

The validator never fetches anything: it refuses a remote `$ref`. It asserts formats in every draft. Patterns run on an
engine of linear time. Those that it does not support (lookaround, backreferences) run on one that backtracks. The
kernel ends the process when a question takes CPU_LIMIT_S of CPU time; MEMORY_LIMIT_BYTES bounds its memory
(`core.toil.validator_pool` says why).
"""

from __future__ import annotations

import json
import math
import resource
import sys
import time
from collections.abc import Iterator
from dataclasses import astuple, fields
from itertools import islice
from typing import Any

import jsonschema_rs
from cachetools import LRUCache

from core.errors import SchemaRefused
from core.toil.schema.drafts import Draft, detect_draft
from core.toil.schema.plan import plan
from core.toil.schema.prechecks import check_document
from core.toil.schema.values import unique_values
from core.toil.violation import describe_value

CPU_LIMIT_S = 2
MEMORY_LIMIT_BYTES = 1 << 30
PATTERN_LIMIT_BYTES = 10**6  # compiled
LARGE_PATTERN_LIMIT_BYTES = 64 * 10**6  # `\p{L}{1,1000}` takes 50 MB and 0.3 s
# An abandoned match counts as no match, and under `not` that would accept everything. The kernel ends it instead.
BACKTRACK_LIMIT = 2**62
VALIDATORS_CACHED = 64
LARGE_VALIDATORS_CACHED = 2
VIOLATIONS_SHOWN = 5
VIOLATIONS_LIMIT = 50  # looked at, because some of them read alike
NESTING_SHOWN = 8  # of `anyOf` and `oneOf`
LISTED = {"type", "additionalProperties", "unevaluatedProperties", "unevaluatedItems"}
QUOTED = {"const", "enum", "required"}  # texts among these stand for values and names
SHOWN_CHARS = 200
VALIDATOR_CLASSES = {
    Draft.DRAFT4: jsonschema_rs.Draft4Validator,
    Draft.DRAFT6: jsonschema_rs.Draft6Validator,
    Draft.DRAFT7: jsonschema_rs.Draft7Validator,
    Draft.DRAFT2019: jsonschema_rs.Draft201909Validator,
    Draft.DRAFT2020: jsonschema_rs.Draft202012Validator,
}
METASCHEMAS = {
    Draft.DRAFT4: "http://json-schema.org/draft-04/schema#",
    Draft.DRAFT6: "http://json-schema.org/draft-06/schema#",
    Draft.DRAFT7: "http://json-schema.org/draft-07/schema#",
    Draft.DRAFT2019: "https://json-schema.org/draft/2019-09/schema",
    Draft.DRAFT2020: "https://json-schema.org/draft/2020-12/schema",
}
LINEAR = jsonschema_rs.RegexOptions(size_limit=PATTERN_LIMIT_BYTES)
BACKTRACKING = jsonschema_rs.FancyRegexOptions(backtrack_limit=BACKTRACK_LIMIT, size_limit=PATTERN_LIMIT_BYTES)
LARGE_LINEAR = jsonschema_rs.RegexOptions(size_limit=LARGE_PATTERN_LIMIT_BYTES)
LARGE_BACKTRACKING = jsonschema_rs.FancyRegexOptions(
    backtrack_limit=BACKTRACK_LIMIT, size_limit=LARGE_PATTERN_LIMIT_BYTES
)
UNDECIDED = (
    jsonschema_rs.ValidationErrorKind.BacktrackLimitExceeded,
    jsonschema_rs.ValidationErrorKind.RegexEngineFailure,
)
JsonObject = dict[str, Any]


class ValidatorProcess:
    """Answers questions. Caches the validators of the schemas used last."""

    def __init__(self) -> None:
        self._validators: LRUCache[str, jsonschema_rs.Validator] = LRUCache(VALIDATORS_CACHED)
        self._large_validators: LRUCache[str, jsonschema_rs.Validator] = LRUCache(LARGE_VALIDATORS_CACHED)

    def answer(self, question: JsonObject) -> JsonObject:
        try:
            if question["ask"] == "plan":
                return self._plan(question["schema"])
            return self._validate(question)
        except SchemaRefused as exc:
            return {"refused": exc.message}

    def _plan(self, schema: Any) -> JsonObject:
        # First the metaschema, so that the plan may trust the types of keywords. Then references outside the document,
        # so that the error names their place. Then patterns and keywords that the validator does not support.
        if isinstance(schema, dict):
            check_metaschema(schema)
            check_document(schema)
            build_validator(schema)
        planned = plan(schema)
        sent = {field.name: getattr(planned, field.name) for field in fields(planned)}
        return {"plan": {**sent, "reports": [astuple(report) for report in planned.reports]}}

    def _validate(self, question: JsonObject) -> JsonObject:
        key = question["key"]
        validator = self._validators.get(key) or self._large_validators.get(key)
        if validator is None:
            if "schema" not in question:
                return {"unknown": True}
            validator, large = build_validator(question["schema"])
            (self._large_validators if large else self._validators)[key] = validator
        return {"violations": list(find_violations(validator, question["value"]))}


def check_metaschema(schema: Any) -> None:
    """Validates the schema against the metaschema of its draft. Raises SchemaRefused."""
    try:
        jsonschema_rs.meta.validate({**schema, "$schema": METASCHEMAS[detect_draft(schema)]})
    except jsonschema_rs.ValidationError as exc:
        raise SchemaRefused(format_reason(exc)) from exc


def build_validator(schema: Any) -> tuple[jsonschema_rs.Validator, bool]:
    """The validator, and whether its patterns take much memory. Raises SchemaRefused with the place and the reason."""
    refusal: jsonschema_rs.ValidationError | None = None
    for options in (LINEAR, BACKTRACKING, LARGE_LINEAR, LARGE_BACKTRACKING):
        try:
            return compile_validator(schema, options), options is LARGE_LINEAR or options is LARGE_BACKTRACKING
        except jsonschema_rs.ValidationError as exc:
            refusal = exc
            if "pattern" not in format_pointer(exc.instance_path):
                break
        except (ValueError, jsonschema_rs.ReferencingError) as exc:
            raise SchemaRefused(str(exc)[:SHOWN_CHARS]) from exc
    assert refusal is not None
    raise SchemaRefused(format_reason(refusal)) from refusal


def compile_validator(schema: Any, pattern_options: Any) -> jsonschema_rs.Validator:
    draft = detect_draft(schema)
    return VALIDATOR_CLASSES[draft](schema, validate_formats=True, offline=True, pattern_options=pattern_options)


def format_reason(exc: jsonschema_rs.ValidationError) -> str:
    return f"{format_place(exc.instance_path)}: {exc.message}"[:SHOWN_CHARS]


def find_violations(validator: jsonschema_rs.Validator, value: Any) -> Iterator[tuple[str, str, str, str]]:
    """The fields of each Violation, none twice. Raises SchemaRefused if the validator could not decide."""
    errors = islice(validator.iter_errors(value), VIOLATIONS_LIMIT)
    found = dict.fromkeys(fields for error in errors for fields in explain_error(error))
    yield from islice(found, VIOLATIONS_SHOWN)


def explain_error(error: jsonschema_rs.ValidationError, depth: int = 0) -> Iterator[tuple[str, str, str, str]]:
    """The violations of the nearest branch of an `anyOf` or `oneOf`; for other keywords, the violation itself."""
    kind = error.kind
    if isinstance(kind, UNDECIDED):
        raise SchemaRefused(f"{format_place(error.schema_path)}: matching it takes too many steps; simplify it")
    branches = [branch for branch in getattr(kind, "context", None) or () if branch]
    several_match = isinstance(kind, jsonschema_rs.ValidationErrorKind.OneOfMultipleValid)
    if branches and depth < NESTING_SHOWN and not several_match:
        yield from explain_branches(branches, len(error.instance_path), depth + 1)
    else:
        yield violation(error, kind.name, expected_value(error))


def explain_branches(
    branches: list[list[jsonschema_rs.ValidationError]], place_depth: int, depth: int
) -> Iterator[tuple[str, str, str, str]]:
    """The violations of the nearest branch; the types or constants of all branches where several are as near."""
    distances = [distance(branch, place_depth) for branch in branches]
    nearest = branches[distances.index(min(distances))]
    wrong_kind = min(distances)[0]
    as_near = [
        branch for branch, each in zip(branches, distances, strict=True) if wrong_kind or each[:2] == min(distances)[:2]
    ]
    keywords = {"type"} if wrong_kind else {"const", "enum"}
    for error in nearest:
        if error.kind.name in keywords and (not wrong_kind or len(error.instance_path) == place_depth):
            expected = expected_by(as_near, keywords, error.instance_path)
            if len(expected) > len(as_list(expected_value(error))):
                yield violation(error, "type" if wrong_kind else "enum", expected)
                return
    for error in nearest:
        yield from explain_error(error, depth)


def expected_by(
    branches: list[list[jsonschema_rs.ValidationError]], keywords: set[str], place: list[str | int]
) -> list[Any]:
    """The types or the constants that the branches expect at a place, none twice."""
    errors = [error for branch in branches for error in branch if error.instance_path == place]
    return unique_values(
        value for error in errors if error.kind.name in keywords for value in as_list(expected_value(error))
    )


def violation(error: jsonschema_rs.ValidationError, keyword: str, expected: Any) -> tuple[str, str, str, str]:
    return (
        format_pointer(error.instance_path),
        keyword,
        format_expected(keyword, expected),
        describe_value(error.instance),
    )


def distance(branch: list[jsonschema_rs.ValidationError], depth: int) -> tuple[int, int, int]:
    """Ranks a branch: a wrong kind of value is far, a wrong constant less so, then the number of errors decides."""
    wrong_kind = any(error.kind.name == "type" and len(error.instance_path) == depth for error in branch)
    wrong_constants = sum(error.kind.name in ("const", "enum") for error in branch)
    return int(wrong_kind), wrong_constants, len(branch)


def expected_value(error: jsonschema_rs.ValidationError) -> Any:
    """The keyword's value, or the names or items that it forbids; "" where the validator names none."""
    kind = error.kind
    if isinstance(kind, jsonschema_rs.ValidationErrorKind.PropertyNames):
        return json.dumps(kind.error.instance, ensure_ascii=False)
    if kind.name == "contains":
        return str(error.schema_path[-1])  # or `minContains`, or `maxContains`
    details = (value for name, value in kind.as_dict().items() if name not in ("context", "error"))
    return next(details, "")


def as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def format_expected(keyword: str, value: Any) -> str:
    """An expected value as JSON, or as a list of words, cut at SHOWN_CHARS."""
    if isinstance(value, list) and keyword in LISTED:
        value = (" | " if keyword == "type" else ", ").join(map(str, value))
    detail = value if isinstance(value, str) and keyword not in QUOTED else json.dumps(value, ensure_ascii=False)
    return detail if len(detail) <= SHOWN_CHARS else f"{detail[:SHOWN_CHARS]}…"


def format_pointer(path: list[str | int]) -> str:
    """A JSON pointer, cut at SHOWN_CHARS."""
    steps = (str(part).replace("~", "~0").replace("/", "~1") for part in path)
    return "".join(f"/{step}" for step in steps)[:SHOWN_CHARS]


def format_place(path: list[str | int]) -> str:
    return format_pointer(path) or "the root"


def main() -> None:
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_LIMIT_BYTES, MEMORY_LIMIT_BYTES))
    _, hard = resource.getrlimit(resource.RLIMIT_CPU)
    process = ValidatorProcess()
    for line in sys.stdin.buffer:
        resource.setrlimit(resource.RLIMIT_CPU, (math.ceil(time.process_time()) + CPU_LIMIT_S, hard))
        answer = process.answer(json.loads(line))
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
