"""`python -m core.toil.validator_process`: plans schemas and checks values, as asked on stdin.

A question is one line of JSON, and so is its answer:

    {"ask": "plan", "schema"}                  → {"plan": {"written", "narrowed", "notes"}} or {"refused": reason}
    {"ask": "check", "key", "schema", "value"} → {"problems": [[where, keyword, expected]…]} or {"refused": reason}
    {"ask": "check", "key", "value"}           → as above, or {"unknown": true}: give the schema again

Nothing is ever fetched: the validator is offline, a remote `$ref` is refused. Formats are asserted in every draft.
Patterns run on an engine of linear time; those that it does not know (lookaround, backreferences) on one that
backtracks. Each question may take so much CPU time, then the kernel ends the process; the memory that it may take is
bounded too (`core.toil.validator_pool` says why).
"""

from __future__ import annotations

import json
import math
import resource
import sys
import time
from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import astuple
from itertools import islice
from typing import Any

import jsonschema_rs

from core.errors import SchemaRefused
from core.toil.schema import limits
from core.toil.schema.drafts import Draft, draft_of
from core.toil.schema.plan import plan

CPU_LIMIT_S = 2
MEMORY_LIMIT_BYTES = 1 << 30
PATTERN_LIMIT_BYTES = 10**6  # compiled
# A match that gives up counts as none, and under `not` that would let everything through: the kernel ends it instead.
BACKTRACK_LIMIT = 2**62
VALIDATORS = 64
PROBLEMS_SHOWN = 5
SHOWN_CHARS = 200
CLASSES = {
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
UNDECIDED = (
    jsonschema_rs.ValidationErrorKind.BacktrackLimitExceeded,
    jsonschema_rs.ValidationErrorKind.RegexEngineFailure,
)
Answer = dict[str, Any]


class Checker:
    """Keeps the validators of the schemas that were asked about last."""

    def __init__(self) -> None:
        self._validators: OrderedDict[str, jsonschema_rs.Validator] = OrderedDict()

    def answer(self, question: Answer) -> Answer:
        try:
            if question["ask"] == "plan":
                return self._plan(question["schema"])
            return self._check(question)
        except SchemaRefused as exc:
            return {"refused": exc.message}

    def _plan(self, schema: Any) -> Answer:
        # What is no schema is refused first, so the plan may trust the types of its keywords; then what lies elsewhere,
        # by its place; then what the validator cannot do.
        if isinstance(schema, dict):
            require_schema(schema)
            limits.checked(schema)
            validator_of(schema)
        made = plan(schema)
        notes = [astuple(note) for note in made.notes]
        return {"plan": {"written": made.written, "narrowed": made.narrowed, "notes": notes}}

    def _check(self, question: Answer) -> Answer:
        key = question["key"]
        if key not in self._validators:
            if "schema" not in question:
                return {"unknown": True}
            self._validators[key] = validator_of(question["schema"])
            while len(self._validators) > VALIDATORS:
                self._validators.popitem(last=False)
        self._validators.move_to_end(key)
        return {"problems": list(problems(self._validators[key], question["value"]))}


def require_schema(schema: Any) -> None:
    """By the metaschema of its draft. Raises SchemaRefused."""
    try:
        jsonschema_rs.meta.validate({**schema, "$schema": METASCHEMAS[draft_of(schema)]})
    except jsonschema_rs.ValidationError as exc:
        raise SchemaRefused(reason_of(exc)) from exc


def validator_of(schema: Any) -> jsonschema_rs.Validator:
    """Raises SchemaRefused with the place and the reason."""
    try:
        return compiled(schema, LINEAR)
    except jsonschema_rs.ValidationError as exc:
        if "pattern" not in pointer(exc.instance_path):
            raise SchemaRefused(reason_of(exc)) from exc
    except (ValueError, jsonschema_rs.ReferencingError) as exc:
        raise SchemaRefused(str(exc)[:SHOWN_CHARS]) from exc
    try:
        return compiled(schema, BACKTRACKING)
    except jsonschema_rs.ValidationError as exc:
        raise SchemaRefused(reason_of(exc)) from exc


def compiled(schema: Any, pattern_options: Any) -> jsonschema_rs.Validator:
    draft = draft_of(schema)
    return CLASSES[draft](schema, validate_formats=True, offline=True, pattern_options=pattern_options)


def reason_of(exc: jsonschema_rs.ValidationError) -> str:
    return f"{pointer(exc.instance_path)}: {exc.message}"[:SHOWN_CHARS]


def problems(validator: jsonschema_rs.Validator, value: Any) -> Iterator[tuple[str, str, str]]:
    """Where the value fails, by which keyword, and what that asks for.

    Raises SchemaRefused if that could not be found out. Nothing that the value holds is repeated but its keys.
    """
    for problem in islice(validator.iter_errors(value), PROBLEMS_SHOWN):
        kind = problem.kind
        if isinstance(kind, UNDECIDED):
            raise SchemaRefused(f"{pointer(problem.schema_path)}: matching it takes too many steps; simplify it")
        yield pointer(problem.instance_path), kind.name, expected(kind)


def expected(kind: Any) -> str:
    """What the schema asks for at that place, as far as its keyword says it in one value."""
    told = {name: value for name, value in kind.as_dict().items() if name not in ("context", "unexpected", "error")}
    shown = json.dumps(next(iter(told.values()))) if told else ""
    return shown if len(shown) <= SHOWN_CHARS else f"{shown[:SHOWN_CHARS]}…"


def pointer(path: list[str | int]) -> str:
    """A JSON pointer; the root is told as such."""
    steps = (str(part).replace("~", "~0").replace("/", "~1") for part in path)
    return "".join(f"/{step}" for step in steps)[:SHOWN_CHARS] or "the root"


def main() -> None:
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_LIMIT_BYTES, MEMORY_LIMIT_BYTES))
    _, hard = resource.getrlimit(resource.RLIMIT_CPU)
    checker = Checker()
    for line in sys.stdin.buffer:
        resource.setrlimit(resource.RLIMIT_CPU, (math.ceil(time.process_time()) + CPU_LIMIT_S, hard))
        answer = checker.answer(json.loads(line))
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
