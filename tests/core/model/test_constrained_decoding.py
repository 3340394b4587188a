"""Documents brought to a valid end within their budget, over the starter's real vocabulary and mad models."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema_rs
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from core.model.constrained_decoding import ConstrainedDecoder, StringTracker
from core.model.grammar import GrammarCompiler
from core.model.llama.loading import RunnerConfig, load
from core.model.llama.vocabulary import Vocabulary

PERSON = {
    "type": "object",
    "properties": {
        "name": {"type": "string"},
        "age": {"type": "integer", "minimum": 0},
        "tags": {"type": "array", "items": {"type": "string", "minLength": 3}, "minItems": 2},
        "kind": {"enum": ["alpha", "beta"]},
        "born": {"type": "string", "format": "date"},
        "code": {"type": "string", "pattern": "^[A-Z]{3}-[0-9]{4}$"},
    },
    "required": ["name", "age", "tags", "kind", "born", "code"],
    "additionalProperties": False,
}
CHAIN = {
    "$defs": {
        "node": {
            "type": "object",
            "properties": {"text": {"type": "string"}, "next": {"anyOf": [{"$ref": "#/$defs/node"}, {"type": "null"}]}},
            "required": ["text", "next"],
            "additionalProperties": False,
        }
    },
    "$ref": "#/$defs/node",
}
SCHEMAS: dict[str, Any] = {
    "person": PERSON,
    "chain": CHAIN,
    "any": {"type": ["string", "boolean", "null"]},
    "object": {"type": "object", "additionalProperties": {"type": "string"}},
    # Bounded, since a mad model writes 9e910, which is JSON but no float.
    "numbers": {"type": "array", "items": {"type": "number", "minimum": -1000, "maximum": 1000}, "minItems": 5},
    "nested": {"type": "array", "items": {"type": "array", "items": {"$ref": "#"}}},
    "long": {"type": "string", "minLength": 40},
    "integer": {"type": "integer", "minimum": 100, "maximum": 200},
}


@pytest.fixture(scope="module")
def vocabulary(starter_file: Path) -> Iterator[Vocabulary]:
    runner = load(starter_file, RunnerConfig(window=256, cache_tokens=256, sequences=1, threads=1))
    yield runner.vocabulary
    runner.close()


@pytest.fixture(scope="module")
def grammars(vocabulary: Vocabulary) -> GrammarCompiler:
    return GrammarCompiler(vocabulary)


def most_likely(logits: NDArray[np.float32]) -> int:
    return int(logits.argmax())


def written(decoder: ConstrainedDecoder, vocabulary: Vocabulary, budget: int, model: Any) -> str:
    """What a model writes that wants any tokens at all, within `budget`."""
    tokens: list[int] = []
    while not decoder.complete and len(tokens) < budget:
        tokens += decoder.choose(most_likely, model(), budget - len(tokens))
    assert len(tokens) <= budget
    return b"".join(vocabulary.pieces[token] for token in tokens).decode()


def mad(vocabulary: Vocabulary, seed: int) -> Any:
    chance = np.random.default_rng(seed)
    return lambda: chance.normal(size=vocabulary.size).astype(np.float32)


@settings(max_examples=40)
@given(name=st.sampled_from(sorted(SCHEMAS)), extra=st.integers(0, 120), seed=st.integers(0, 2**31))
def test_whole_within_any_budget(
    grammars: GrammarCompiler, vocabulary: Vocabulary, name: str, extra: int, seed: int
) -> None:
    """However short the budget, as long as an end is in reach at all, what comes out is whole and valid."""
    schema = SCHEMAS[name]
    shortest = grammars.closing.find_completion(grammars.matcher(schema), StringTracker(), 200)
    assert shortest is not None
    decoder = grammars.decoder(schema)
    text = written(decoder, vocabulary, max(1, len(shortest) + extra), mad(vocabulary, seed))

    assert decoder.complete
    assert jsonschema_rs.is_valid(schema, json.loads(text)), text


def test_one_string_does_not_eat_the_budget(grammars: GrammarCompiler, vocabulary: Vocabulary) -> None:
    """A model that never closes a string loses half of the budget to it, and the next string has its share."""
    schema = {
        "type": "object",
        "properties": {"first": {"type": "string"}, "second": {"type": "string"}},
        "required": ["first", "second"],
    }
    word = vocabulary.pieces.index(b" bread")

    def rambling() -> NDArray[np.float32]:
        logits = np.zeros(vocabulary.size, np.float32)
        logits[word] = 10
        return logits

    value = json.loads(written(grammars.decoder(schema), vocabulary, 400, rambling))
    first, second = (value[key].count("bread") for key in ("first", "second"))

    assert 180 <= first <= 200
    assert 80 <= second <= 110


def test_plenty_of_budget_changes_nothing(grammars: GrammarCompiler, vocabulary: Vocabulary) -> None:
    """With budget to spare the model's own choice stands, token by token, as the bare grammar allows it."""
    decoder, bare = grammars.decoder(PERSON), grammars.matcher(PERSON)
    model, twin = mad(vocabulary, 7), mad(vocabulary, 7)
    for _ in range(20):
        tokens = decoder.choose(most_likely, model(), 4000)
        wanted = most_likely(np.where(bare.allowed(), twin(), np.float32(-np.inf)))
        assert [wanted, *bare.accept(wanted)] == tokens


def test_what_cannot_end_is_left_to_the_budget(grammars: GrammarCompiler, vocabulary: Vocabulary) -> None:
    """Where the search finds no end, the model writes on, and the document is not called complete."""
    decoder = grammars.decoder({"type": "number", "multipleOf": 7, "minimum": 1000})
    zeros = vocabulary.pieces.index(b"0")

    def stubborn() -> NDArray[np.float32]:
        logits = np.zeros(vocabulary.size, np.float32)
        logits[zeros] = 10
        return logits

    written(decoder, vocabulary, 30, stubborn)
    assert not decoder.complete


@given(text=st.text())
def test_lexer_knows_what_is_inside_a_string(text: str) -> None:
    """Whatever a string holds, escaped as JSON does, the strings is inside until its end."""
    data = json.dumps(text).encode()
    strings = StringTracker()
    for index, byte in enumerate(data):
        strings.feed(bytes([byte]))
        assert strings.inside is (index < len(data) - 1)


def test_a_token_that_ends_a_string_and_begins_the_next_is_seen_to() -> None:
    """Inside before and after: only the count tells. The next string must not have the share of the one before."""
    strings = StringTracker()
    strings.feed(b'["one')
    assert (True, 1) == (strings.inside, strings.strings)
    strings.feed(b'","')

    assert (True, 2) == (strings.inside, strings.strings)


def test_each_string_has_its_share_whatever_the_tokens_are(grammars: GrammarCompiler, vocabulary: Vocabulary) -> None:
    """Short strings one after the other, joined by tokens of two quotes: none of them is cut."""
    schema = {"type": "array", "items": {"type": "string"}, "minItems": 12, "maxItems": 12}
    join = vocabulary.pieces.index(b'","')
    word = vocabulary.pieces.index(b" bread")
    quote = vocabulary.pieces.index(b'"')
    written_so_far: list[int] = []

    def model() -> NDArray[np.float32]:
        """Four words in each string."""
        logits = np.zeros(vocabulary.size, np.float32)
        in_string = 0
        for token in reversed(written_so_far):
            if b'"' in vocabulary.pieces[token]:
                break
            in_string += 1
        logits[[word, join, quote]] = (10, 0, 0) if in_string < 4 else (0, 10, 9)
        return logits

    decoder = grammars.decoder(schema)
    budget = 66
    while not decoder.complete:
        written_so_far += decoder.choose(most_likely, model(), budget - len(written_so_far))
    items = json.loads(b"".join(vocabulary.pieces[token] for token in written_so_far))

    assert ["bread bread bread bread"] * 12 == [each.strip() for each in items]
