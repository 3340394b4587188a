"""Documents completed within their budget, over the starter's real vocabulary and random logits."""

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

from core.model.worker.constrained_decoding import ConstrainedDecoder, StringTracker
from core.model.worker.grammar import GrammarCompiler
from core.model.worker.llama.loading import RunnerConfig, load
from core.model.worker.llama.vocabulary import Vocabulary

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
    # Bounded, because random digits yield 9e910, which is JSON but no float.
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


def decode(decoder: ConstrainedDecoder, vocabulary: Vocabulary, budget: int, model: Any) -> str:
    """Decodes a document within `budget` with random logits; returns its text."""
    tokens: list[int] = []
    while not decoder.complete and len(tokens) < budget:
        tokens += decoder.choose(most_likely, model(), budget - len(tokens))
    assert len(tokens) <= budget
    return b"".join(vocabulary.pieces[token] for token in tokens).decode()


def random_logits(vocabulary: Vocabulary, seed: int) -> Any:
    chance = np.random.default_rng(seed)
    return lambda: chance.normal(size=vocabulary.size).astype(np.float32)


@settings(max_examples=40)
@given(name=st.sampled_from(sorted(SCHEMAS)), extra=st.integers(0, 120), seed=st.integers(0, 2**31))
def test_a_document_is_complete_within_any_sufficient_budget(
    grammars: GrammarCompiler, vocabulary: Vocabulary, name: str, extra: int, seed: int
) -> None:
    """As long as the budget allows an end, the document is complete and valid."""
    schema = SCHEMAS[name]
    shortest = grammars.closing.find_completion(grammars.matcher(schema), StringTracker(), 200)
    assert shortest is not None
    decoder = grammars.decoder(schema)
    text = decode(decoder, vocabulary, max(1, len(shortest) + extra), random_logits(vocabulary, seed))

    assert decoder.complete
    assert jsonschema_rs.is_valid(schema, json.loads(text)), text


def test_one_string_takes_at_most_half_of_the_budget(grammars: GrammarCompiler, vocabulary: Vocabulary) -> None:
    """The first endless string ends at half of the budget, the second at half of the rest."""
    schema = {
        "type": "object",
        "properties": {"first": {"type": "string"}, "second": {"type": "string"}},
        "required": ["first", "second"],
    }
    word = vocabulary.pieces.index(b" bread")

    def endless_word() -> NDArray[np.float32]:
        logits = np.zeros(vocabulary.size, np.float32)
        logits[word] = 10
        return logits

    value = json.loads(decode(grammars.decoder(schema), vocabulary, 400, endless_word))
    first, second = (value[key].count("bread") for key in ("first", "second"))

    assert 180 <= first <= 200
    assert 80 <= second <= 110


def test_with_a_large_budget_the_samples_are_unchanged(grammars: GrammarCompiler, vocabulary: Vocabulary) -> None:
    """Token by token, the choice equals that of the grammar alone."""
    decoder, bare = grammars.decoder(PERSON), grammars.matcher(PERSON)
    model, twin = random_logits(vocabulary, 7), random_logits(vocabulary, 7)
    for _ in range(20):
        tokens = decoder.choose(most_likely, model(), 4000)
        wanted = most_likely(np.where(bare.allowed(), twin(), np.float32(-np.inf)))
        assert [wanted, *bare.accept(wanted)] == tokens


def test_without_a_completion_the_model_writes_on(grammars: GrammarCompiler, vocabulary: Vocabulary) -> None:
    """The document then does not count as complete."""
    decoder = grammars.decoder({"type": "number", "multipleOf": 7, "minimum": 1000})
    zeros = vocabulary.pieces.index(b"0")

    def stubborn() -> NDArray[np.float32]:
        logits = np.zeros(vocabulary.size, np.float32)
        logits[zeros] = 10
        return logits

    decode(decoder, vocabulary, 30, stubborn)
    assert not decoder.complete


@given(text=st.text())
def test_the_tracker_knows_strings_with_escapes(text: str) -> None:
    """It is inside from the first quote to the last, for any content of the string."""
    data = json.dumps(text).encode()
    strings = StringTracker()
    for index, byte in enumerate(data):
        strings.feed(bytes([byte]))
        assert strings.inside is (index < len(data) - 1)


def test_a_token_can_close_one_string_and_open_the_next() -> None:
    """Only the count of strings shows it; the next string must not share the first one's limit."""
    strings = StringTracker()
    strings.feed(b'["one')
    assert (True, 1) == (strings.inside, strings.strings)
    strings.feed(b'","')

    assert (True, 2) == (strings.inside, strings.strings)


def test_each_string_has_its_own_limit(grammars: GrammarCompiler, vocabulary: Vocabulary) -> None:
    """Short strings joined by tokens of a quote and a comma: none of them is cut."""
    schema = {"type": "array", "items": {"type": "string"}, "minItems": 12, "maxItems": 12}
    join = vocabulary.pieces.index(b'",')
    word = vocabulary.pieces.index(b" bread")
    quote = vocabulary.pieces.index(b'"')
    written_so_far: list[int] = []

    def model() -> NDArray[np.float32]:
        """Writes four words into each string."""
        logits = np.zeros(vocabulary.size, np.float32)
        in_string = 0
        for token in reversed(written_so_far):
            if b'"' in vocabulary.pieces[token]:
                break
            in_string += 1
        logits[[word, join, quote]] = (10, 0, 0) if in_string < 4 else (0, 10, 9)
        return logits

    decoder = grammars.decoder(schema)
    budget = 90
    while not decoder.complete:
        written_so_far += decoder.choose(most_likely, model(), budget - len(written_so_far))
    items = json.loads(b"".join(vocabulary.pieces[token] for token in written_so_far))

    assert ["bread bread bread bread"] * 12 == [each.strip() for each in items]
