"""The JSON-Schema-Test-Suite as a round trip: the model is forced along each of its instances.

https://github.com/json-schema-org/JSON-Schema-Test-Suite (MIT, tests/data/json-schema-test-suite/LICENSE).
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from core.contract import Json
from core.errors import SchemaRefused
from core.toil.schema.plan import Plan, plan
from core.toil.validator_process import ValidatorProcess
from tests.core.toil.schema.support_starter import Starter

SUITE = Path(__file__).parents[3] / "data" / "json-schema-test-suite"
DRAFTS = {
    "draft2020-12": "https://json-schema.org/draft/2020-12/schema",
    "draft7": "http://json-schema.org/draft-07/schema#",
    "draft4": "http://json-schema.org/draft-04/schema#",
}
# What is valid and cannot be written, because the engine fixes the order of keys and writes 1.0 as 1, or because we
# hold formats more narrowly than they are. Lower it when it falls; it must not rise.
FORBIDDEN_AT_MOST = {"draft2020-12": 105, "draft7": 14, "draft4": 8}
VALID_AT_LEAST = {"draft2020-12": 1050, "draft7": 430, "draft4": 310}


@dataclass(frozen=True)
class Case:
    name: str
    schema: Any
    tests: list[dict[str, Any]]


def cases(draft: str) -> Iterator[Case]:
    for file in sorted((SUITE / draft).rglob("*.json")):
        if file.name == "format.json" and file.parent.name == draft:
            continue  # there `format` is an annotation, and here it is asserted
        for group in json.loads(file.read_text(encoding="utf-8")):
            schema = group["schema"]
            if isinstance(schema, dict):
                schema = {"$schema": DRAFTS[draft], **schema}
            yield Case(f"{file.stem}: {group['description']}", schema, group["tests"])


def checked(checker: ValidatorProcess, case: Case, value: Json) -> bool | None:
    """None: the schema is refused."""
    answer = checker.answer({"ask": "validate", "key": repr(case.schema), "schema": case.schema, "value": value})
    return None if "refused" in answer else not answer["violations"]


def planned(case: Case) -> Plan | None:
    try:
        return plan(case.schema)
    except SchemaRefused:
        return None


def in_order(value: Json, schema: Any) -> Json:
    """With the keys as the schema declares them: a model writes them so."""
    if not isinstance(schema, dict):
        return value
    if isinstance(value, list):
        return [in_order(item, schema.get("items")) for item in value]
    if not isinstance(value, dict):
        return value
    declared = schema.get("properties", {})
    known = [*declared, *schema.get("required", [])] if isinstance(schema.get("required", []), list) else [*declared]
    keys = [*(key for key in dict.fromkeys(known) if key in value), *(key for key in value if key not in known)]
    return {key: in_order(value[key], declared.get(key)) for key in keys}


@pytest.mark.parametrize("draft", DRAFTS)
def test_nothing_invalid_comes_out(draft: str, starter: Starter) -> None:
    """An instance that the suite calls invalid is stopped by the check, and, where the plan says so, by the mask."""
    checker, outcomes, wrong = ValidatorProcess(), Counter[str](), []
    for case in cases(draft):
        made = planned(case)
        if made is None:
            continue
        constraint = starter.holding(made.enforced)
        enforced = all(note.outcome == "enforced" for note in made.reports)
        for test in case.tests:
            verdict = checked(checker, case, test["data"])
            if verdict is None:
                continue
            outcomes["valid" if test["valid"] else "invalid"] += 1
            written = starter.can_write(constraint, in_order(test["data"], case.schema))
            if not test["valid"] and (verdict or (written and enforced and test["data"] != "\ufeff")):
                wrong.append(f"{case.name}: {test['description']}: check {verdict}, mask {written}")
            if test["valid"] and not verdict:
                wrong.append(f"{case.name}: {test['description']}: the check refuses it")
            outcomes["forbidden"] += test["valid"] and not written

    assert wrong == []
    assert outcomes["invalid"] > 0
    assert outcomes["valid"] >= VALID_AT_LEAST[draft]
    assert outcomes["forbidden"] <= FORBIDDEN_AT_MOST[draft]


@pytest.mark.parametrize("draft", DRAFTS)
def test_the_engine_takes_what_is_narrowed(draft: str, starter: Starter) -> None:
    """The last attempt does not fail for the plan's sake."""
    for case in cases(draft):
        made = planned(case)
        if made is not None:
            starter.holding(made.narrowed)


@pytest.mark.parametrize("draft", DRAFTS)
def test_every_schema_of_the_suite_is_planned_or_refused_in_words(draft: str) -> None:
    """Few are refused: those that reach outside, ask for what cannot be, or name a draft of their own."""
    refused = []
    for case in cases(draft):
        try:
            plan(case.schema)
        except SchemaRefused as exc:
            refused.append(exc.message)

    assert len(refused) < 45
    known = ("outside of the schema", "no value can satisfy", "not a draft", "refers to nothing", "allows no value")
    assert [reason for reason in refused if not any(words in reason for words in known)] == []
