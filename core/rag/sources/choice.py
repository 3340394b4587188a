"""Chooses the sources that a question needs, if any. Pure.

Two things count: the question's subject (names, topics, likeness to examples), and its request. A request to explain,
translate or write needs no source, even if its subject is the weather. All signs are added up, so a strong sign makes
up for a weak one. A model can decide about the shortlist instead; `core.rag.sources.finder` asks it.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from core.contract import Json, Language
from core.rag.questions.parsing import (
    QUESTION_LIMIT_CHARS,
    ParsedQuestion,
    PhraseIndex,
    keywords,
    parse_question,
)
from core.rag.sources.catalogue import Catalogue, PublicSource
from core.texts import text

# The weight of each sign, by logistic regression over the tuning part of tests/core/rag/sources/questions.toml, for one
# source and one question at a time, rounded. `benchmarks/sources.py --fit` computes them.
BIAS = -6.0
NAME, TOPIC, HINT, NAMED = 8.5, 6.0, 3.5, 7.0
LIKE, UNLIKE = 15.0, -7.0  # for each unit of cosine
TASK, TIMELESS = -4.0, -6.0
WEIGHTS = (BIAS, NAME, TOPIC, HINT, NAMED, LIKE, UNLIKE, TASK, TIMELESS)
LIKE_MEAN = 0.45  # a cosine that says nothing
LIKE_UNKNOWN = 0.4  # assumed without embeddings: words alone need to be clearer
TOPICS_LIMIT = 2  # a third topic in a question is no further evidence
NEEDED_LIKELIHOOD = 0.5  # the likelihood from which a source is needed
SECOND_LIKELIHOOD = 0.7  # the likelihood from which a second one is
DOUBTED = 0.1  # the likelihood from which a model is asked, if there is one
CHOSEN_LIMIT = 2
CANDIDATES_LIMIT = 4
QUERY_LIMIT_CHARS = 80


@dataclass(frozen=True, slots=True)
class Similarity:
    """Cosines of a question: to each source's nearest example, and to the nearest example that needs no source."""

    sources: Mapping[str, float]
    none: float


@dataclass(frozen=True, slots=True)
class ChoiceSigns:
    """The signs for a source, and against any."""

    name: bool
    topics: int
    hint: bool
    named: float  # the weight of a name from the source's table
    like: float
    unlike: float
    task: bool
    timeless: bool  # a task without anything to look up
    words: frozenset[int] = frozenset()  # positions of the question's words that are names or topics of the source

    @property
    def values(self) -> list[float]:
        """The values that the weights multiply."""
        likeness = [self.like - LIKE_MEAN, self.unlike - LIKE_MEAN]
        about = [self.name, min(self.topics, TOPICS_LIMIT), self.hint, self.named]
        return [1.0, *about, *likeness, self.task, self.timeless]

    @property
    def likelihood(self) -> float:
        return 1 / (1 + math.exp(-sum(weight * value for weight, value in zip(WEIGHTS, self.values, strict=True))))


@dataclass(frozen=True, slots=True)
class SourceCandidate:
    source: PublicSource
    likelihood: float
    words: frozenset[int]


@dataclass(frozen=True, slots=True)
class Shortlist:
    """Candidates, most likely first. `selection`: those to read if no model decides."""

    candidates: tuple[SourceCandidate, ...] = ()
    selection: tuple[SourceCandidate, ...] = ()


class Chooser:
    """Chooses among the sources of one catalogue."""

    def __init__(self, catalogue: Catalogue) -> None:
        self._words = {source.name: SourcePhrases(source) for source in catalogue.sources.values()}

    def shortlist(self, question: str, sources: Iterable[PublicSource], likeness: Similarity | None) -> Shortlist:
        """`likeness`: None without embeddings; then words alone decide."""
        parsed = parse_question(question)
        signs = [(source, self.signs(parsed, source, question, likeness)) for source in sources]
        likely = [
            SourceCandidate(source, sign.likelihood, sign.words) for source, sign in signs if sign.likelihood >= DOUBTED
        ]
        likely.sort(key=lambda each: -each.likelihood)
        return Shortlist(tuple(likely[:CANDIDATES_LIMIT]), select_likely(likely))

    def signs(
        self, parsed: ParsedQuestion, source: PublicSource, question: str, likeness: Similarity | None
    ) -> ChoiceSigns:
        phrases = self._words[source.name]
        names, topics = phrases.names.find_in(parsed.tokens), phrases.topics.find_in(parsed.tokens)
        return ChoiceSigns(
            name=bool(names),
            topics=len({place.start for place in topics if not any(place.start in name for name in names)}),
            hint=phrases.hints.occur_in(parsed.tokens),
            named=name_weight(question, source),
            like=likeness.sources.get(source.name, LIKE_UNKNOWN) if likeness else LIKE_UNKNOWN,
            unlike=likeness.none if likeness else LIKE_UNKNOWN,
            task=parsed.task,
            timeless=parsed.timeless,
            words=frozenset(at for place in (*names, *topics) for at in place),
        )

    def query(self, question: str, source: PublicSource) -> str:
        """Returns what to search `source` for; "" for the newest entries."""
        phrases = self._words[source.name]
        return keywords(parse_question(question), (phrases.names, phrases.topics))


class SourcePhrases:
    """A source's phrases in both languages: a question may name a thing in the other one."""

    def __init__(self, source: PublicSource) -> None:
        self.names = PhraseIndex(source.section.names.all)
        self.topics = PhraseIndex(source.section.topics.all)
        self.hints = PhraseIndex(source.section.hints.all)


def select_likely(likely: Sequence[SourceCandidate]) -> tuple[SourceCandidate, ...]:
    """Returns the best, and others with words of their own: "the weather and the news"."""
    selection: list[SourceCandidate] = []
    for candidate in likely:
        claimed = {at for other in selection for at in other.words}
        needed = SECOND_LIKELIHOOD if selection else NEEDED_LIKELIHOOD
        if candidate.likelihood >= needed and (not selection or candidate.words - claimed):
            selection.append(candidate)
    return tuple(selection[:CHOSEN_LIMIT])


def name_weight(question: str, source: PublicSource) -> float:
    """Returns the weight of the names in the question."""
    if source.named is None or source.section.named is None or not source.section.named.name_weight:
        return 0.0
    return source.section.named.name_weight if source.named.find(question) else 0.0


@dataclass(frozen=True, slots=True)
class SourceDecision:
    sources: tuple[PublicSource, ...]
    query: str  # "" leaves it to the question's own words


def decision_prompt(question: str, sources: Sequence[PublicSource], language: Language) -> str:
    descriptions = "\n".join(
        f"- {source.name}: {source.title(language)}. {source.section.description.in_language(language)}"
        for source in sources
    )
    quoted = json.dumps(question[:QUESTION_LIMIT_CHARS], ensure_ascii=False)
    prompt = text("prompt-source-choice", language, sources=descriptions, question=quoted)
    return f"{prompt} {text('prompt-source-query', language)}" if any(each.searches for each in sources) else prompt


def decision_schema(sources: Sequence[PublicSource]) -> dict[str, Json]:
    """Returns the schema of a decision: up to two sources, and a query if one of them is searched."""
    names: list[Json] = [source.name for source in sources]
    properties: dict[str, Json] = {
        "sources": {"type": "array", "items": {"enum": names}, "maxItems": min(CHOSEN_LIMIT, len(names))}
    }
    if any(source.searches for source in sources):
        properties["query"] = {"type": "string", "maxLength": QUERY_LIMIT_CHARS}
    return {"type": "object", "properties": properties, "required": list(properties), "additionalProperties": False}


def parse_decision(answer: Json, sources: Sequence[PublicSource]) -> SourceDecision | None:
    """Returns None for an invalid answer; the schema prevents it where it is enforced."""
    names = answer.get("sources") if isinstance(answer, dict) else None
    if not isinstance(names, list) or not isinstance(answer, dict):
        return None
    query = answer.get("query")
    selection = tuple(source for source in sources if source.name in names)[:CHOSEN_LIMIT]
    return SourceDecision(selection, query.strip()[:QUERY_LIMIT_CHARS] if isinstance(query, str) else "")
