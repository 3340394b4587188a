"""The known way to the end of a document, over the starter's real vocabulary."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from core.model.worker.constrained.closing_tokens import ClosingTokens
from core.model.worker.constrained.grammar import GrammarCompiler, JsonMatcher
from core.model.worker.constrained.json_tracker import JsonTracker
from core.model.worker.constrained.known_completion import REVIEW_TOKENS, KnownCompletion
from core.model.worker.llama.loading import RunnerConfig, load

FORM = {
    "type": "object",
    "properties": {
        "name": {"type": "string"},
        "age": {"type": "integer", "minimum": 0},
        "kind": {"enum": ["alpha", "beta"]},
        "tags": {"type": "array", "items": {"type": "string"}, "minItems": 1},
    },
    "required": ["name", "age", "kind", "tags"],
    "additionalProperties": False,
}


@pytest.fixture(scope="module")
def grammars(starter_file: Path) -> Iterator[GrammarCompiler]:
    runner = load(starter_file, RunnerConfig(window=256, cache_tokens=256, sequences=1, threads=1))
    yield GrammarCompiler(runner.vocabulary)
    runner.close()


@pytest.fixture
def searches(monkeypatch: pytest.MonkeyPatch) -> list[list[int] | None]:
    """The results of all searches for a completion."""
    found: list[list[int] | None] = []
    search = ClosingTokens.find_completion

    def counting(self: ClosingTokens, document: Any, text: JsonTracker, limit: int) -> list[int] | None:
        found.append(search(self, document, text, limit))
        return found[-1]

    monkeypatch.setattr(ClosingTokens, "find_completion", counting)
    return found


class Writer:
    """Writes a document part by part, with the tokens that the grammar forces, and checks it after each part."""

    def __init__(self, grammars: GrammarCompiler, schema: dict[str, Any]) -> None:
        self.document: JsonMatcher = grammars.matcher(schema)
        self.text = JsonTracker()
        self.completion = KnownCompletion(grammars.closing)
        self._grammars = grammars
        assert self.completion.check(self.document, lambda: self.text, 200)

    def write(self, *parts: str) -> None:
        for part in parts:
            tokens = self._grammars.tokenize(part.encode())
            tokens += self.document.accept(*tokens)
            for token in tokens:
                self.text.feed(self._grammars.drawing.pieces[token])
            assert self.completion.check(self.document, lambda: self.text, 200, len(tokens))
            assert self.completion.tokens is not None
            assert self.document.ends_by(self.completion.tokens)


def test_a_document_that_goes_the_known_way_is_searched_once(
    grammars: GrammarCompiler, searches: list[list[int] | None]
) -> None:
    """Other words and numbers are no other way."""
    writer = Writer(grammars, FORM)
    writer.write("{", ' "', "Zoé", " Tremblay", '"', "4", "8", ",", "beta", ' ["', "snow", " plow", '"', "]")

    assert len(searches) == 1
    assert writer.completion.tokens == []


def test_what_the_known_way_lacks_is_searched(grammars: GrammarCompiler, searches: list[list[int] | None]) -> None:
    """A second item of an array, which nothing demanded."""
    writer = Writer(grammars, FORM)
    writer.write("{", ' "', "Zoé", '"', "48", ",", "beta", ' ["', "snow", '"')
    assert len(searches) == 1

    writer.write(",", ' "', "plow")
    assert len(searches) == 2


def test_the_known_way_gets_shorter(grammars: GrammarCompiler) -> None:
    """A written token need not be written again."""
    writer = Writer(grammars, FORM)
    lengths = []
    for part in ("{", ' "', "Zoé", '"', "48", ",", "beta", ' ["', '"'):
        writer.write(part)
        lengths.append(len(writer.completion.tokens or []))

    assert lengths == sorted(lengths, reverse=True)
    assert lengths[0] > lengths[-1]


def test_a_token_that_leaves_no_room_keeps_the_known_way(grammars: GrammarCompiler) -> None:
    """It is not written; the document is completed without it."""
    document, text = grammars.matcher({"enum": ["", "b" * 100]}), JsonTracker()
    completion = KnownCompletion(grammars.closing)
    assert completion.check(document, lambda: text, 6)
    known, longer = completion.tokens, document.copy()
    (quote,) = grammars.tokenize(b'"')
    assert longer.consume([quote, *grammars.tokenize(b"bb")])

    assert not completion.check(longer, lambda: text, 4, written=2)
    assert completion.tokens == known
    assert known is not None
    assert document.ends_by(known)


def test_a_check_is_due_at_intervals_and_near_the_end(grammars: GrammarCompiler) -> None:
    """Not twice at the same place."""
    document, text = grammars.matcher(FORM), JsonTracker()
    completion = KnownCompletion(grammars.closing)
    assert completion.is_due(4000)
    completion.check(document, lambda: text, 4000)
    assert not completion.is_due(completion.short_below)

    completion.count(1)
    assert completion.is_due(completion.short_below)
    assert not completion.is_due(4000)
    completion.count(REVIEW_TOKENS)
    assert completion.is_due(4000)


def test_documents_of_one_schema_search_once(grammars: GrammarCompiler, searches: list[list[int] | None]) -> None:
    """The completion of the empty document belongs to the grammar."""
    schema = {"type": "array", "items": FORM, "minItems": 3}
    for _ in range(3):
        decoder = grammars.decoder(schema)
        decoder._review(400)

    assert len(searches) == 1
    assert decoder._completion.tokens == searches[0]


def test_ends_are_told_without_moving(grammars: GrammarCompiler) -> None:
    """A number may go on, a constant may not, and the beginning of a completion is none."""
    for schema in ({"type": "integer", "minimum": 100}, {"const": "a"}, FORM):
        document = grammars.matcher(schema)
        tokens = grammars.closing.find_completion(document, JsonTracker(), 200)
        assert tokens is not None
        for count in range(len(tokens) + 1):
            assert document.ends_by(tokens[:count]) == (count == len(tokens))
