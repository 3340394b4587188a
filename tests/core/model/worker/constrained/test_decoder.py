"""Documents completed within their budget, over the starter's real vocabulary and random logits."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from typing import Any

import jsonschema_rs
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from core.model.worker.constrained.decoder import ConstrainedDecoder
from core.model.worker.constrained.grammar import GrammarCompiler
from core.model.worker.constrained.json_tracker import JsonTracker
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
WORDS = ["snow", "plow", "road", "office", "storm", "Monday", "ticket", "closed", "network", "Halifax", "report"]
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


def most_likely(logits: NDArray[np.float32]) -> int:
    return int(logits.argmax())


def draw(decoder: ConstrainedDecoder, logits: NDArray[np.float32], budget: int) -> list[int]:
    """Draws the next tokens. After every token of a value, the model has the same logits again."""
    if tokens := decoder.choose(most_likely, logits, budget):
        return tokens
    return decoder.settle(most_likely, budget, [[logits for _ in each] for each in decoder.continuations])


def decode(decoder: ConstrainedDecoder, vocabulary: Vocabulary, budget: int, model: Any) -> str:
    """Decodes a document within `budget` with random logits; returns its text."""
    tokens: list[int] = []
    while not decoder.complete and len(tokens) < budget:
        tokens += draw(decoder, model(), budget - len(tokens))
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
    shortest = grammars.closing.find_completion(grammars.matcher(schema), JsonTracker(), 200)
    assert shortest is not None
    decoder = grammars.decoder(schema)
    text = decode(decoder, vocabulary, max(1, len(shortest) + extra), random_logits(vocabulary, seed))

    assert decoder.complete
    assert jsonschema_rs.is_valid(schema, json.loads(text)), text


def rambling(vocabulary: Vocabulary, grammars: GrammarCompiler, text: str) -> Callable[[], NDArray[np.float32]]:
    """A model that wants to write this text, token by token, whatever is drawn."""
    tokens = iter(grammars.tokenize(text.encode()))

    def model() -> NDArray[np.float32]:
        logits = np.zeros(vocabulary.size, np.float32)
        logits[next(tokens)] = 10
        return logits

    return model


def many_words(count: int) -> str:
    """Words that do not repeat themselves."""
    return "".join(f" {chance.choice(WORDS)}" for chance in [random.Random(7)] for _ in range(count))


def test_one_string_takes_at_most_half_of_the_budget(grammars: GrammarCompiler, vocabulary: Vocabulary) -> None:
    """The first endless string ends at half of the budget, the second, after which nothing follows, at its end."""
    schema = {
        "type": "object",
        "properties": {"first": {"type": "string"}, "second": {"type": "string"}},
        "required": ["first", "second"],
        "additionalProperties": False,
    }
    model = rambling(vocabulary, grammars, many_words(600))
    value = json.loads(decode(grammars.decoder(schema), vocabulary, 400, model))
    first, second = (len(grammars.tokenize(value[key].encode())) for key in ("first", "second"))

    assert 180 <= first <= 200
    assert 160 <= second <= 195


def test_an_array_takes_at_most_half_of_the_budget(grammars: GrammarCompiler, vocabulary: Vocabulary) -> None:
    """The rest is for the properties that follow."""
    schema = {
        "type": "object",
        "properties": {"points": {"type": "array", "items": {"type": "string"}}, "summary": {"type": "string"}},
        "required": ["points", "summary"],
        "additionalProperties": False,
    }
    points = ", ".join(f'"{word} {number}"' for number, word in enumerate(WORDS * 40))
    decoder = grammars.decoder(schema)
    text = decode(decoder, vocabulary, 400, rambling(vocabulary, grammars, f'{{["{points}'))
    value = json.loads(text)

    assert 40 <= len(value["points"]) <= 70
    assert decoder.complete


def test_a_string_ends_after_a_word(grammars: GrammarCompiler, vocabulary: Vocabulary) -> None:
    """Neither the schema's limit nor the budget's cuts a word."""
    text = many_words(300).strip()
    for schema, budget in (({"type": "string", "maxLength": 100}, 400), ({"type": "string"}, 60)):
        written = json.loads(
            decode(grammars.decoder(schema), vocabulary, budget, rambling(vocabulary, grammars, f'"{text}'))
        )

        assert text.startswith(f"{written} ")
        assert len(written) > 80


def test_a_string_ends_after_a_sentence(grammars: GrammarCompiler, vocabulary: Vocabulary) -> None:
    """A third sentence of the same length would not fit."""
    sentences = "The office is closed today. All the staff work from home. The plows are out on every road."
    schema = {"type": "string", "maxLength": 70}
    written = json.loads(
        decode(grammars.decoder(schema), vocabulary, 400, rambling(vocabulary, grammars, f'"{sentences}'))
    )

    assert written == "The office is closed today. All the staff work from home."


@pytest.mark.parametrize(
    "value",
    [
        {"name": "Zoé Tremblay", "age": 48, "tags": ["snow", "plow road"], "kind": "beta", "born": "2025-02-03"},
        {"name": "613-555-0147", "age": 0, "tags": ["a@b.example", "DE89 3704"], "kind": "alpha", "born": "1999-12-31"},
    ],
)
def test_the_tokens_are_those_of_the_models_own_tokenizer(
    grammars: GrammarCompiler, vocabulary: Vocabulary, value: Any
) -> None:
    """Forced ones too: a spelling that the model never saw in training costs it accuracy."""
    names = list(value)
    schema = {**PERSON, "properties": {name: PERSON["properties"][name] for name in names}, "required": names}
    wanted = grammars.tokenize(json.dumps(value, ensure_ascii=False).encode())
    decoder, written = grammars.decoder(schema), list[int]()
    while not decoder.complete:
        logits = np.zeros(vocabulary.size, np.float32)
        logits[wanted[len(written)]] = 10
        written += draw(decoder, logits, 400)

    assert written == wanted


def test_a_sentence_that_may_end_near_the_limit_does(grammars: GrammarCompiler, vocabulary: Vocabulary) -> None:
    """A full stop that the model finds plausible replaces a comma, so that the string is a sentence."""
    text = "The office in Halifax stays closed today, because of the storm and of the closed roads"
    wish, stop = rambling(vocabulary, grammars, f'"{text}'), vocabulary.pieces.index(b".")

    def model() -> NDArray[np.float32]:
        logits = wish()
        logits[stop] = 8.5
        return logits

    written = json.loads(decode(grammars.decoder({"type": "string", "maxLength": 70}), vocabulary, 400, model))

    assert written == "The office in Halifax stays closed today."


def test_short_strings_and_patterns_are_left_alone(grammars: GrammarCompiler, vocabulary: Vocabulary) -> None:
    """A name, a title that just fits, and a code as long as its pattern."""
    for schema, value in (
        ({"type": "string", "maxLength": 24}, "Dr. A. Roy of St. John's"),
        ({"type": "string", "maxLength": 60}, "Snow removal in the east of Ottawa"),
        ({"type": "string", "pattern": "^[0-9 ]{30,40}$"}, "8937 0400 4405 3201 3000 1234 5678 90"),
    ):
        text = decode(
            grammars.decoder(schema), vocabulary, 400, rambling(vocabulary, grammars, json.dumps(value) + "  ")
        )

        assert json.loads(text) == value


def test_a_string_that_repeats_itself_ends(grammars: GrammarCompiler, vocabulary: Vocabulary) -> None:
    """After some rounds, not at its limit."""
    loop = "We will get back to you. " * 50
    text = decode(grammars.decoder({"type": "string"}), vocabulary, 400, rambling(vocabulary, grammars, f'"{loop}'))

    assert 2 <= json.loads(text).count("We will") <= 4


def test_digits_that_repeat_themselves_end(grammars: GrammarCompiler, vocabulary: Vocabulary) -> None:
    """A telephone number may go on without any blank; a line of dashes under a title may, too."""

    def write(text: str) -> str:
        model = rambling(vocabulary, grammars, f'"{text}"' + "." * 90)
        return str(json.loads(decode(grammars.decoder({"type": "string"}), vocabulary, 400, model)))

    assert len(write("01.42" + ".22" * 80)) < 80
    assert write("Report " + "- " * 3 + "-" * 80 + " of snow").endswith(" of snow")


def test_a_number_has_no_more_digits_than_those_read(grammars: GrammarCompiler, vocabulary: Vocabulary) -> None:
    """Noise ends; numbers that stand in the prompt do not."""
    schema = {"type": "number"}

    def number(wanted: str, prompt: str) -> float:
        decoder = grammars.decoder(schema, grammars.tokenize(prompt.encode()))
        return float(json.loads(decode(decoder, vocabulary, 400, rambling(vocabulary, grammars, wanted + "1" * 90))))

    assert number("12.500000000", "The bill is 12.50 dollars.") == 12.5
    assert number("45.42153", "It is at 45.42153, -75.69719.") == 45.42153


@pytest.mark.parametrize(
    ("prompt", "written", "doubt", "number"),
    [
        ("We got 12,408 letters.", "1240800", 2.0, 12408),
        ("Nous avons reçu 12\u00a0408 lettres.", "1240800", 2.0, 12408),
        ("It costs $413.25.", "413.2500", 2.0, 413.25),
        ("It fell by 7 degrees, to -15.", "-1500", 2.0, -15),
        ("We got 12,408 letters.", "1240800", 3.0, 1240800),  # the model is sure
        ("We got 12, then 1240800.", "1240800", 2.0, 1240800),  # another number begins with 12
        ("We got a dozen.", "12", 2.0, 12),
    ],
)
def test_a_number_of_the_prompt_ends(
    grammars: GrammarCompiler, vocabulary: Vocabulary, prompt: str, written: str, doubt: float, number: float
) -> None:
    """A number ends where an end is about as likely as a further digit: weak models go on with zeros."""
    decoder = grammars.decoder({"type": "array", "items": {"type": "number"}}, grammars.tokenize(prompt.encode()))
    script = iter(f"[{written}]")

    def model() -> NDArray[np.float32]:
        logits = np.full(vocabulary.size, -20, np.float32)
        logits[vocabulary.pieces.index(b"]")] = -doubt
        logits[vocabulary.pieces.index(next(script).encode())] = 0
        return logits

    assert json.loads(decode(decoder, vocabulary, 100, model)) == [number]


def test_a_schema_outweighs_the_limits_of_numbers(grammars: GrammarCompiler, vocabulary: Vocabulary) -> None:
    """A constant with many decimals is written in full."""
    decoder = grammars.decoder({"enum": [3.14159265358979, 2.71828182845904]})
    text = decode(decoder, vocabulary, 100, rambling(vocabulary, grammars, "3.14159265358979"))

    assert json.loads(text) == 3.14159265358979


def test_with_a_large_budget_the_samples_are_unchanged(grammars: GrammarCompiler, vocabulary: Vocabulary) -> None:
    """Token by token, the choice equals that of the grammar alone."""
    decoder, bare = grammars.decoder(PERSON), grammars.matcher(PERSON)
    model, twin = random_logits(vocabulary, 7), random_logits(vocabulary, 7)
    for _ in range(20):
        tokens = draw(decoder, model(), 4000)
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


def test_a_string_may_be_empty_among_few_values(grammars: GrammarCompiler, vocabulary: Vocabulary) -> None:
    """No token spells the empty one, so the values are not compared as a whole."""
    decoder = grammars.decoder({"enum": ["", "red", "green"]})
    text = decode(decoder, vocabulary, 50, random_logits(vocabulary, 1))

    assert json.loads(text) in ("", "red", "green")


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
    budget = 110
    while not decoder.complete:
        written_so_far += draw(decoder, model(), budget - len(written_so_far))
    items = json.loads(b"".join(vocabulary.pieces[token] for token in written_so_far))

    assert ["bread bread bread bread"] * 12 == [each.strip() for each in items]


@pytest.mark.parametrize(
    ("schema", "begun"),
    [
        (PERSON, '{"name":'),
        ({"type": "object", "properties": {"kind": {"enum": ["a", "b"]}}, "required": ["kind"]}, '{"kind": "'),
        ({"enum": ["red", "green"]}, '"'),
        ({"const": {"a": 1}}, ""),
        ({"type": ["string", "null"]}, ""),
    ],
)
def test_a_document_begins_with_what_its_grammar_dictates(
    grammars: GrammarCompiler, vocabulary: Vocabulary, schema: Any, begun: str
) -> None:
    """Before the model is asked. Nothing is begun where the whole document is dictated, or where nothing is."""
    closed = {**schema, "additionalProperties": False} if "properties" in schema else schema
    decoder = grammars.decoder(closed)
    tokens = decoder.begin(200)
    text = b"".join(vocabulary.pieces[token] for token in tokens).decode()
    assert text == begun

    text += decode(decoder, vocabulary, 200 - len(tokens), random_logits(vocabulary, 3))
    assert jsonschema_rs.is_valid(closed, json.loads(text)), text


def test_a_document_does_not_begin_without_room_for_its_end(grammars: GrammarCompiler) -> None:
    """The budget of a few tokens decides as before."""
    assert grammars.decoder(PERSON).begin(20) == []
    assert grammars.decoder({"enum": ["red", "green"]}).begin(1) == []
