"""Measures one answer against what an expert expects. Pure. Scores are between 0 and 1; None: it cannot be measured."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, get_args

from core.evaluation.questions import Question
from core.rag.citations import cited_numbers

Measure = Literal["exact", "contains", "citation", "similarity", "judge"]
MEASURES: tuple[Measure, ...] = get_args(Measure)
Scores = dict[Measure, float]

CITATION = re.compile(r"\[\d{1,3}\]")
NOT_WORDS = re.compile(r"[^\w%$€.,+-]+")  # punctuation inside a number stays
LOOSE = re.compile(r"[.,+-]+(?=\s|$)|(?<!\S)[.,]+")


@dataclass(frozen=True, slots=True)
class CitedSource:
    number: int
    title: str
    url: str | None = None


@dataclass(frozen=True, slots=True)
class SubjectAnswer:
    """An answer. `model`: the one that wrote it. `sources`: those that it was based on."""

    text: str
    model: str
    sources: tuple[CitedSource, ...] = ()
    receipt: str | None = None
    seconds: float = 0.0


def measure(question: Question, answer: SubjectAnswer) -> Scores:
    """The measures that need no model."""
    found: dict[Measure, bool | None] = {
        "exact": is_exact(question, answer.text),
        "contains": contains(question, answer.text),
        "citation": cites(question, answer),
    }
    return {name: float(value) for name, value in found.items() if value is not None}


def is_exact(question: Question, answer: str) -> bool | None:
    return None if question.expected is None else normalize(answer) == normalize(question.expected)


def contains(question: Question, answer: str) -> bool | None:
    """True if all phrases occur as whole words; without phrases, if the expected answer does."""
    phrases = question.phrases or ((question.expected,) if question.expected else ())
    if not phrases:
        return None
    words = f" {normalize(answer)} "
    return all(f" {normalize(each)} " in words for each in phrases)


def cites(question: Question, answer: SubjectAnswer) -> bool | None:
    """True if the answer cites a source whose address or title contains the expected words."""
    if question.source is None:
        return None
    numbers, wanted = cited_numbers(answer.text), question.source.casefold()
    cited = (each for each in answer.sources if each.number in numbers)
    return any(wanted in f"{each.url or ''}\n{each.title}".casefold() for each in cited)


def normalize(text: str) -> str:
    """The words in small letters: without citations, punctuation and Markdown."""
    plain = unicodedata.normalize("NFKC", CITATION.sub("", text)).casefold()
    return " ".join(LOOSE.sub(" ", NOT_WORDS.sub(" ", plain).replace("_", " ")).split())


def cosine(first: Sequence[float], second: Sequence[float]) -> float:
    """Of two vectors of length 1, at least 0."""
    return max(0.0, sum(a * b for a, b in zip(first, second, strict=True)))
