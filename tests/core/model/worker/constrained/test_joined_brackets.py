"""Opening brackets as the model's own tokenizer writes them, over the starter's real vocabulary."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

from core.model.worker.constrained.grammar import GrammarCompiler
from core.model.worker.llama.vocabulary import Vocabulary

TEXTS = {"type": "array", "items": {"type": "string"}}
OBJECTS = {"type": "array", "items": {"type": "object", "properties": {"n": {"type": "string"}}, "required": ["n"]}}
NUMBERS = {"type": "array", "items": {"type": "integer"}}


def draw_list(
    grammars: GrammarCompiler, vocabulary: Vocabulary, items: dict[str, Any], *likes: dict[bytes, float]
) -> Any:
    """Draws a list for a model that likes these tokens, step by step; at the last step, from then on."""
    decoder = grammars.decoder(
        {"type": "object", "properties": {"list": items}, "required": ["list"], "additionalProperties": False}
    )
    written, steps = decoder.begin(60), iter(likes)
    logits = np.zeros(vocabulary.size, np.float32)
    while not decoder.complete:
        if (step := next(steps, None)) is not None:
            logits = np.zeros(vocabulary.size, np.float32)
            for piece, liking in step.items():
                logits[vocabulary.pieces.index(piece)] = liking
        written += decoder.choose(lambda each: int(each.argmax()), logits, 60 - len(written))
    return json.loads(b"".join(vocabulary.pieces[token] for token in written))["list"]


@pytest.mark.parametrize("least", [0, 1])
def test_a_list_of_texts_does_not_begin_with_an_empty_one(
    grammars: GrammarCompiler, vocabulary: Vocabulary, least: int
) -> None:
    """The model wants a line break after the bracket, and a quotation mark alone is rare there."""
    schema = {**TEXTS, "minItems": least}
    after_bracket = {b'""': 8.0, b"bread": 7.0, b'"': 6.0}
    drawn = draw_list(grammars, vocabulary, schema, {b" [": 9.0, b' ["': 7.0}, after_bracket, {b'"]': 9.0})

    assert drawn == ["bread"]


def test_a_list_may_be_empty(grammars: GrammarCompiler, vocabulary: Vocabulary) -> None:
    """Its closing bracket is in one of the longer tokens."""
    assert draw_list(grammars, vocabulary, TEXTS, {b" [": 9.0, b" []": 7.0, b' ["': 6.0}) == []


def test_a_text_that_the_model_wants_empty_is_empty(grammars: GrammarCompiler, vocabulary: Vocabulary) -> None:
    """A cell of a table may be empty."""
    assert draw_list(grammars, vocabulary, TEXTS, {b' ["': 9.0}, {b'"]': 9.0}) == [""]


def test_a_bracket_that_the_tokenizer_leaves_alone_stays(grammars: GrammarCompiler, vocabulary: Vocabulary) -> None:
    """No token holds a bracket and a digit."""
    assert draw_list(grammars, vocabulary, NUMBERS, {b" [": 9.0, b" []": 8.0}, {b"7": 9.0}, {b"]": 9.0}) == [7]


@pytest.mark.parametrize(("items", "joined"), [(TEXTS, b' ["'), (OBJECTS, b" [{")])
def test_the_bracket_is_in_the_token_of_the_models_own_tokenizer(
    grammars: GrammarCompiler, vocabulary: Vocabulary, items: dict[str, Any], joined: bytes
) -> None:
    """A list of objects, too, begins as it would in training data."""
    schema = {"type": "object", "properties": {"list": items}, "required": ["list"]}
    decoder = grammars.decoder(schema)
    budget = 60 - len(decoder.begin(60))
    logits = np.zeros(vocabulary.size, np.float32)
    for piece, liking in {b" [": 9.0, joined: 5.0}.items():
        logits[vocabulary.pieces.index(piece)] = liking
    drawn = decoder.choose(lambda each: int(each.argmax()), logits, budget)

    assert vocabulary.pieces[drawn[0]] == joined
