"""JSON Schemas held while writing, over the starter's real vocabulary."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema_rs
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.contract import Json
from core.errors import ModelError, SchemaRefused
from core.model import grammar
from core.model.grammar import GrammarCompiler, JsonMatcher
from core.model.llama.loading import RunnerConfig, load
from core.model.llama.runner import LlamaRunner
from core.model.llama.vocabulary import Vocabulary
from core.openai.engine_requests import ANY_OBJECT

BUDGET_TOKENS = 3000


@pytest.fixture(scope="module")
def runner(starter_file: Path) -> Iterator[LlamaRunner]:
    loaded = load(starter_file, RunnerConfig(window=256, cache_tokens=256, sequences=1, threads=1))
    yield loaded
    loaded.close()


@pytest.fixture(scope="module")
def vocabulary(runner: LlamaRunner) -> Vocabulary:
    return runner.vocabulary


@pytest.fixture(scope="module")
def grammars(vocabulary: Vocabulary) -> GrammarCompiler:
    return GrammarCompiler(vocabulary)


def allowed(constraint: JsonMatcher) -> list[int]:
    return list(np.flatnonzero(constraint.allowed()).tolist())


def write(constraint: JsonMatcher, vocabulary: Vocabulary, seed: int) -> str | None:
    """A model that draws any allowed token: what it wrote; None if it did not come to an end."""
    chance = random.Random(seed)
    written: list[int] = []
    while not constraint.complete and len(written) < BUDGET_TOKENS:
        token = chance.choice(allowed(constraint))
        if token in vocabulary.end:
            break
        written += [token, *constraint.accept(token)]
    text = b"".join(vocabulary.pieces[token] for token in written).decode()
    return text if len(written) < BUDGET_TOKENS else None


SCHEMAS: list[dict[str, Any]] = [
    {"type": "null"},
    {"type": "boolean"},
    {"const": {"a": [1, "é", None]}},
    {"enum": ["yes", "no", 5, None]},
    {"type": "integer", "minimum": -3, "maximum": 1234},
    {"type": "number", "exclusiveMinimum": 0, "maximum": 1},
    {"type": "string", "maxLength": 5},
    {"type": "string", "minLength": 3, "maxLength": 6},
    {"type": "string", "pattern": "^[A-Z]{2}-[0-9]{3}$"},
    {"type": "string", "format": "date"},
    {"type": "array", "items": {"type": "boolean"}, "minItems": 1, "maxItems": 4},
    {"type": "array", "prefixItems": [{"const": 1}, {"const": "two"}], "items": False, "minItems": 2},
    {"anyOf": [{"type": "null"}, {"enum": ["x"]}]},
    {
        "type": "object",
        "properties": {
            'na"me\\é': {"type": "string", "maxLength": 3},
            "age": {"type": "integer", "maximum": 9, "minimum": 0},
        },
        "required": ['na"me\\é'],
        "additionalProperties": False,
    },
    {"$defs": {"leaf": {"enum": [1, 2]}}, "type": "array", "items": {"$ref": "#/$defs/leaf"}, "maxItems": 3},
    {
        "type": "object",
        "properties": {"next": {"anyOf": [{"$ref": "#"}, {"type": "null"}]}},
        "required": ["next"],
        "additionalProperties": False,
    },
]


@pytest.mark.parametrize("schema", SCHEMAS, ids=lambda schema: json.dumps(schema)[:40])
def test_whatever_is_drawn_conforms(grammars: GrammarCompiler, vocabulary: Vocabulary, schema: dict[str, Any]) -> None:
    """Even from a model that draws at random, what ends is JSON that the schema accepts."""
    texts = [write(grammars.matcher(schema), vocabulary, seed) for seed in range(3)]
    ended = [text for text in texts if text is not None]

    assert ended
    for text in ended:
        jsonschema_rs.validate(schema, json.loads(text))


@settings(max_examples=25)
@given(st.integers(0, 2**32), st.sampled_from(SCHEMAS))
def test_asking_for_one_token_agrees_with_the_mask(
    grammars: GrammarCompiler, vocabulary: Vocabulary, seed: int, schema: dict[str, Any]
) -> None:
    """The cheap question and the dear one have one answer, so drawing first and masking on refusal is fair."""
    chance = random.Random(seed)
    constraint = grammars.matcher(schema)
    for _ in range(3):
        mask = set(allowed(constraint))
        for token in [*chance.sample(range(vocabulary.size), 100), *chance.sample(sorted(mask), min(len(mask), 50))]:
            assert constraint.allows(token) == (token in mask)
        constraint.accept(chance.choice(sorted(mask)))
        if constraint.complete:
            break


def test_a_string_cannot_hold_a_control_token(
    grammars: GrammarCompiler, vocabulary: Vocabulary, runner: LlamaRunner
) -> None:
    """Neither as itself nor as the text of one: "<|im_start|>" in a string is spelled."""
    constraint = grammars.matcher({"type": "string", "maxLength": 100})
    for token in runner.tokenize('"<', special=False):
        constraint.accept(token)

    assert not set(allowed(constraint)) & set(vocabulary.control)
    assert not any(constraint.allows(token) for token in vocabulary.control)


def test_what_is_forced_comes_without_drawing(grammars: GrammarCompiler, vocabulary: Vocabulary) -> None:
    """After the first token of a constant the rest is known, and the document is then whole."""
    constraint = grammars.matcher({"const": {"greeting": "hello", "to": ["you", "me"]}})
    first = allowed(constraint)[0]
    written = [first, *constraint.accept(first)]
    while not constraint.complete:
        token = allowed(constraint)[0]
        if token in vocabulary.end:
            break
        written += [token, *constraint.accept(token)]

    assert json.loads(b"".join(vocabulary.pieces[t] for t in written)) == {"greeting": "hello", "to": ["you", "me"]}


def test_a_token_that_is_not_allowed_is_an_error(grammars: GrammarCompiler, vocabulary: Vocabulary) -> None:
    """Not a crash, and its message is one line that quotes no schema."""
    constraint = grammars.matcher({"enum": ["planted secret"]})
    wrong = next(t for t in range(100, vocabulary.size) if not constraint.allows(t))

    with pytest.raises(ModelError) as failed:
        constraint.accept(wrong)
    assert "\n" not in failed.value.message
    assert "planted secret" not in failed.value.message


@pytest.mark.parametrize(
    ("schema", "reason"),
    [
        (False, "schema"),
        ({"not": {"type": "string"}}, "not"),
        ({"type": "wat"}, "type"),
        ({"enum": []}, "Unsatisfiable"),
        ({"type": "array", "uniqueItems": True}, "uniqueItems"),
        ({"type": "integer", "minimum": 5, "maximum": 4}, "minimum"),
        ({"$ref": "http://127.0.0.1:1/schema"}, "retriev"),
        ({"$ref": "file:///etc/passwd"}, "retriev"),
        ({"$ref": "#"}, "enforced"),
        ({"allOf": [{"$ref": "#"}]}, "enforced"),
        ({"const": "\ud800"}, "JSON"),
        ({"type": "string", "pattern": "(["}, "egex"),
    ],
)
def test_a_schema_that_cannot_be_held_is_refused(grammars: GrammarCompiler, schema: Any, reason: str) -> None:
    """Before a word is written, never loosened, with a reason of one line. (Some failed only while writing.)"""
    with pytest.raises(SchemaRefused, match=reason) as refused:
        grammars.matcher(schema)

    assert "\n" not in refused.value.message


@pytest.mark.parametrize(
    "bomb",
    [
        {"type": "string", "pattern": "^((((a{1,1000}){1,1000}){1,1000}){1,1000})$"},
        {"type": "string", "pattern": "^(a|aa)+$"},
        {"type": "string", "minLength": 2**31, "maxLength": 2**32},
        {"type": "array", "minItems": 2**31, "items": {"$ref": "#"}},
        {"anyOf": [{"const": f"{n}" * 50} for n in range(2000)]},
        {"type": "object", "properties": {f"p{n}": {"type": "string"} for n in range(2000)}},
        {"type": "array", "items": {"$ref": "#"}, "minItems": 1},
    ],
    ids=["regex", "ambiguous", "long", "many", "alternatives", "properties", "endless"],
)
def test_a_schema_bomb_is_refused_or_writes(
    grammars: GrammarCompiler, vocabulary: Vocabulary, bomb: dict[str, Any]
) -> None:
    """It neither raises anything else nor brings the process down."""
    try:
        constraint = grammars.matcher(bomb)
        for _ in range(5):
            constraint.accept(allowed(constraint)[0])
    except (SchemaRefused, ModelError) as refusal:
        assert "\n" not in refusal.message  # noqa: PT017 - both ends are right


@pytest.mark.parametrize("schema", [True, {}])
def test_the_schema_that_allows_all(grammars: GrammarCompiler, vocabulary: Vocabulary, schema: Json) -> None:
    """`true` is a schema too. (It was refused.)"""
    begins = {vocabulary.pieces[t][:1] for t in allowed(grammars.matcher(schema))}  # type: ignore[arg-type]

    assert begins == {bytes([byte]) for byte in b'"-0123456789[]{tfn'} - {b"]"}


def test_any_object_begins_as_one(grammars: GrammarCompiler, vocabulary: Vocabulary) -> None:
    """`json_object` is an object, not any JSON."""
    begins = {vocabulary.pieces[t][:1] for t in allowed(grammars.matcher(ANY_OBJECT))}

    assert begins == {b"{"}


def test_two_answers_to_one_schema_do_not_disturb_each_other(grammars: GrammarCompiler, vocabulary: Vocabulary) -> None:
    """The compiled schema is shared, the place in it is not."""
    schema: dict[str, Any] = {"enum": ["aaa", "bbb"]}
    first, second = grammars.matcher(schema), grammars.matcher(schema)
    before = allowed(second)
    first.accept(before[0])

    assert allowed(second) == before
    assert allowed(grammars.matcher(schema)) == before


def test_compiled_schemas_are_kept_up_to_a_limit(vocabulary: Vocabulary, monkeypatch: pytest.MonkeyPatch) -> None:
    """Those used last; a caller with a new schema each time does not fill the memory."""
    compiled: list[str] = []
    compile_once = GrammarCompiler._compile

    def counting(self: GrammarCompiler, schema: str) -> Any:
        compiled.append(schema)
        return compile_once(self, schema)

    monkeypatch.setattr(grammar, "CACHED_GRAMMARS", 2)
    monkeypatch.setattr(GrammarCompiler, "_compile", counting)
    grammars = GrammarCompiler(vocabulary)
    for number in (1, 2, 1, 3, 1, 2):
        grammars.matcher({"const": number})

    assert compiled == ['{"const": 1}', '{"const": 2}', '{"const": 3}', '{"const": 2}']
