"""A model for stand-ins of engines: a token is a word. It obeys schemas, continues answers and depends on the seed."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

Body = dict[str, Any]
ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"


@dataclass(frozen=True)
class ToyAnswer:
    """The pieces of an answer, each of one token. `endless`: it goes on after them until the client leaves."""

    pieces: Sequence[str]
    reason: str = "stop"
    endless: bool = False

    @property
    def text(self) -> str:
        return "".join(self.pieces)


@dataclass(frozen=True)
class ToyRequest:
    """The parts of a request that change the answer. `schema`: the one that the engine enforces."""

    messages: Sequence[Body]
    schema: Any = None
    continues: bool = False
    seed: int | None = None
    max_tokens: int | None = None
    stop: Sequence[str] = field(default_factory=tuple)

    def answer(self) -> ToyAnswer:
        last = str(self.messages[-1]["content"])
        if last.startswith("Count from"):
            return ToyAnswer(["1", ", 2"], endless=True)
        text = self._text(last)
        for stop in self.stop:
            text = text.partition(stop)[0]
        pieces = list(split_words(text))
        if self.max_tokens is not None and len(pieces) > self.max_tokens:
            return ToyAnswer(pieces[: self.max_tokens], "length")
        return ToyAnswer(pieces)

    def _text(self, last: str) -> str:
        if self.schema is not None:
            return json.dumps(instance_of(self.schema))
        if self.continues and last[-1:] in ALPHABET:
            return "".join(f" {letter}" for letter in ALPHABET[ALPHABET.index(last[-1]) + 1 :])
        return f"Hello there, this is answer {self.seed or 0}."


def instance_of(schema: Any) -> Any:
    """The smallest value that conforms to the schema, as far as tests need it."""
    if not isinstance(schema, dict):
        return {}
    if "enum" in schema:
        return schema["enum"][0]
    match schema.get("type"):
        case "object":
            return {name: instance_of(schema["properties"][name]) for name in schema.get("required", ())}
        case "integer" | "number":
            return 0
        case "array":
            return []
        case "boolean":
            return False
        case "string":
            return "x"
    return {}


def split_words(text: str) -> Iterator[str]:
    """The words with the blank in front of them: together they are the text."""
    words = text.split(" ")
    yield from (word if number == 0 else f" {word}" for number, word in enumerate(words) if word or number)


def count_tokens(messages: Sequence[Body]) -> int:
    """The tokens of a prompt: its words, and two for each message."""
    return sum(len(str(message["content"]).split()) + 2 for message in messages)
