"""JSON Schemas enforced during decoding, over the starter's real vocabulary."""

from __future__ import annotations

import json
import random
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import jsonschema_rs
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from llguidance import LLParserLimits

from core.contract import Json
from core.errors import ModelError, SchemaRefused
from core.model.worker.constrained import grammar
from core.model.worker.constrained.grammar import GrammarCompiler, JsonMatcher
from core.model.worker.llama.runner import LlamaRunner
from core.model.worker.llama.vocabulary import Vocabulary
from core.openai.engine_requests import ANY_OBJECT

BUDGET_TOKENS = 3000


def allowed(matcher: JsonMatcher) -> list[int]:
    return list(np.flatnonzero(matcher.allowed()).tolist())


def write(matcher: JsonMatcher, vocabulary: Vocabulary, seed: int) -> str | None:
    """Samples random allowed tokens; returns the text, or None if the document did not end within BUDGET_TOKENS."""
    chance = random.Random(seed)
    written: list[int] = []
    while not matcher.complete and len(written) < BUDGET_TOKENS:
        token = chance.choice(allowed(matcher))
        if token in vocabulary.end:
            break
        written += [token, *matcher.accept(token)]
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
def test_random_tokens_conform(grammars: GrammarCompiler, vocabulary: Vocabulary, schema: dict[str, Any]) -> None:
    """A document that ends is JSON that the schema accepts."""
    texts = [write(grammars.matcher(schema), vocabulary, seed) for seed in range(3)]
    ended = [text for text in texts if text is not None]

    assert ended
    for text in ended:
        jsonschema_rs.validate(schema, json.loads(text))


@settings(max_examples=25)
@given(st.integers(0, 2**32), st.sampled_from(SCHEMAS))
def test_checking_one_token_agrees_with_the_mask(
    grammars: GrammarCompiler, vocabulary: Vocabulary, seed: int, schema: dict[str, Any]
) -> None:
    """So sampling first and masking only after a rejection does not change the distribution."""
    chance = random.Random(seed)
    matcher = grammars.matcher(schema)
    for _ in range(3):
        mask = set(allowed(matcher))
        for token in [*chance.sample(range(vocabulary.size), 100), *chance.sample(sorted(mask), min(len(mask), 50))]:
            assert matcher.allows(token) == (token in mask)
        matcher.accept(chance.choice(sorted(mask)))
        if matcher.complete:
            break


def test_a_string_cannot_hold_a_control_token(
    grammars: GrammarCompiler, vocabulary: Vocabulary, runner: LlamaRunner
) -> None:
    """ "<|im_start|>" in a string is spelled with ordinary tokens."""
    matcher = grammars.matcher({"type": "string", "maxLength": 100})
    for token in runner.tokenize('"<', special=False):
        matcher.accept(token)

    assert not set(allowed(matcher)) & set(vocabulary.control)
    assert not any(matcher.allows(token) for token in vocabulary.control)


def test_forced_tokens_are_not_sampled(grammars: GrammarCompiler, vocabulary: Vocabulary) -> None:
    """After the first token of a constant, all other tokens follow, and the document is complete."""
    matcher = grammars.matcher({"const": {"greeting": "hello", "to": ["you", "me"]}})
    first = allowed(matcher)[0]
    written = [first, *matcher.accept(first)]
    while not matcher.complete:
        token = allowed(matcher)[0]
        if token in vocabulary.end:
            break
        written += [token, *matcher.accept(token)]

    assert json.loads(b"".join(vocabulary.pieces[t] for t in written)) == {"greeting": "hello", "to": ["you", "me"]}


def test_a_token_that_is_not_allowed_is_an_error(grammars: GrammarCompiler, vocabulary: Vocabulary) -> None:
    """The process does not crash, and the message is one line that quotes no schema."""
    matcher = grammars.matcher({"enum": ["planted secret"]})
    wrong = next(t for t in range(100, vocabulary.size) if not matcher.allows(t))

    with pytest.raises(ModelError) as failed:
        matcher.accept(wrong)
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
        ({"type": "integer", "const": -(2**63)}, "below"),
    ],
)
def test_an_unenforceable_schema_is_refused(grammars: GrammarCompiler, schema: Any, reason: str) -> None:
    """Compilation refuses it with a reason of one line; it is never loosened. (Some failed only while writing.)"""
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
    """It raises no other error and does not crash the process."""
    try:
        matcher = grammars.matcher(bomb)
        for _ in range(5):
            matcher.accept(allowed(matcher)[0])
    except (SchemaRefused, ModelError) as refusal:
        assert "\n" not in refusal.message  # noqa: PT017 - both outcomes are right


@pytest.mark.parametrize("schema", [True, {}])
def test_the_schema_true_allows_any_json(grammars: GrammarCompiler, vocabulary: Vocabulary, schema: Json) -> None:
    """`true` is a schema too. (It was refused.)"""
    begins = {vocabulary.pieces[t][:1] for t in allowed(grammars.matcher(schema))}  # type: ignore[arg-type]

    assert begins == {bytes([byte]) for byte in b'"-0123456789[]{tfn'} - {b"]"}


def test_json_object_begins_with_a_brace(grammars: GrammarCompiler, vocabulary: Vocabulary) -> None:
    """`json_object` allows an object, not any JSON."""
    begins = {vocabulary.pieces[t][:1] for t in allowed(grammars.matcher(ANY_OBJECT))}

    assert begins == {b"{"}


def test_two_documents_of_one_schema_are_independent(grammars: GrammarCompiler, vocabulary: Vocabulary) -> None:
    """They share the compiled schema, not the position in it."""
    schema: dict[str, Any] = {"enum": ["aaa", "bbb"]}
    first, second = grammars.matcher(schema), grammars.matcher(schema)
    before = allowed(second)
    first.accept(before[0])

    assert allowed(second) == before
    assert allowed(grammars.matcher(schema)) == before


def test_a_grammar_that_grew_too_large_is_compiled_anew(
    grammars: GrammarCompiler, vocabulary: Vocabulary, runner: LlamaRunner, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Long strings fill llguidance's lexer, which all documents share. (Every later document then failed for good.)"""
    schema: dict[str, Any] = {"type": "array", "items": {"type": "string", "maxLength": 2000}, "minItems": 3}
    expected = grammars.matcher(schema)
    monkeypatch.setattr(grammar, "LIMITS", LLParserLimits(max_lexer_states=300))
    limited = GrammarCompiler(vocabulary)
    matchers = [limited.matcher(schema), limited.matcher(schema)]
    text = '["Snow fell on the town, and the plows came early. Ice ", "ice and '

    roots = set()
    for token in runner.tokenize(text, special=False):
        expected.accept(token)
        for matcher in matchers:
            matcher.accept(token)
            assert allowed(matcher) == allowed(expected)
        roots.add(id(matchers[0]._root))
    assert len(roots) > 1


def test_many_optional_properties_can_be_written(grammars: GrammarCompiler, vocabulary: Vocabulary) -> None:
    """1,000 optional properties are within the parser's limits. (600 compiled, and failed at the first brace.)"""
    schema = {"type": "object", "properties": {f"p{n}": {"type": "boolean"} for n in range(1000)}}
    matcher = grammars.matcher(schema)
    for _ in range(12):
        matcher.accept(allowed(matcher)[-1])

    assert allowed(matcher)


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "integer", "multipleOf": 999983},
        {"anyOf": [{"type": "integer", "multipleOf": 9973 + n, "minimum": n} for n in range(10)]},
        {"allOf": [{"type": "integer", "multipleOf": n} for n in (97, 101, 103)]},
        {"$defs": {"n": {"multipleOf": 9973}}, "anyOf": [{"$ref": "#/$defs/n", "minimum": n} for n in range(50)]},
        {"properties": {f"p{n}": {"type": "integer", "multipleOf": 9999 - n} for n in range(50)}},
        {"type": "number", "multipleOf": 123456.5},
    ],
)
def test_costly_divisors_are_refused(grammars: GrammarCompiler, schema: dict[str, Any]) -> None:
    """The keyword is named, so that it is dropped and checked afterwards. (One schema took a core for 14 s.)"""
    with pytest.raises(SchemaRefused, match="multipleOf"):
        grammars.matcher(schema)


def test_ordinary_divisors_are_enforced(grammars: GrammarCompiler, vocabulary: Vocabulary) -> None:
    """Cents, minutes and thousands in one schema."""
    divisors = (0.01, 0.05, 0.25, 5, 15, 60, 1000)
    schema = {"type": "object", "properties": {f"p{d}": {"type": "number", "multipleOf": d} for d in divisors}}

    assert grammars.matcher(schema).allowed().any()


def test_requests_with_one_new_schema_compile_it_once(vocabulary: Vocabulary, monkeypatch: pytest.MonkeyPatch) -> None:
    """The second request waits for the grammar of the first."""
    compiled: list[str] = []
    began, go_on = threading.Event(), threading.Event()
    compile_once = GrammarCompiler._compile

    def slowly(self: GrammarCompiler, schema: str) -> Any:
        compiled.append(schema)
        began.set()
        assert go_on.wait(30)
        return compile_once(self, schema)

    monkeypatch.setattr(GrammarCompiler, "_compile", slowly)
    grammars = GrammarCompiler(vocabulary)
    with ThreadPoolExecutor(2) as threads:
        first = threads.submit(grammars.matcher, {"const": 1})
        began.wait(30)
        second = threads.submit(grammars.matcher, {"const": 1})
        go_on.set()
        assert first.result().allowed().any()
        assert second.result().allowed().any()

    assert compiled == ['{"const": 1}']


def test_the_cache_of_compiled_schemas_is_bounded(vocabulary: Vocabulary, monkeypatch: pytest.MonkeyPatch) -> None:
    """The least recently used one is dropped, so that new schemas do not fill the memory."""
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
