"""Which sources a question needs, if any, by its words and by its likeness to questions they answer. Pure.

Two things tell: what the question is about (names, topics, likeness in meaning), and what it asks for. Somebody who
wants something explained, translated or written needs no source, however much they speak of the weather. All signs
are added up, so a strong one makes up for a weak one.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from core.rag.sources.asking import Asked, Phrases, asked_in, keywords
from core.rag.sources.catalogue import Catalogue, Source

# How much each sign counts: by logistic regression over the tuning part of tests/core/rag/sources/questions.toml, of
# one source and one question at a time, rounded. `benchmarks/sources.py --fit` computes them anew.
BIAS = -6.0
NAME, TOPIC, HINT, NAMED = 8.5, 6.0, 3.5, 7.0
LIKE, UNLIKE = 15.0, -7.0  # for each unit of cosine
TASK, TIMELESS = -4.0, -6.0
WEIGHTS = (BIAS, NAME, TOPIC, HINT, NAMED, LIKE, UNLIKE, TASK, TIMELESS)
LIKE_MEAN = 0.45  # cosine that tells nothing
LIKE_UNKNOWN = 0.4  # what it is taken to be without embeddings: words alone have to be the surer for it
TOPICS_LIMIT = 2  # more of them say no more
CHOSEN = 0.5  # how likely it must be that a source is needed
ALSO_CHOSEN = 0.7  # and that a second one is
DOUBTED = 0.1  # from here on a model is asked, if there is one
CHOSEN_LIMIT = 2
CANDIDATES_LIMIT = 4


@dataclass(frozen=True, slots=True)
class Likeness:
    """Cosines of a question: to the nearest example of each source, and to the nearest question that needs none."""

    sources: Mapping[str, float]
    none: float


@dataclass(frozen=True, slots=True)
class Signs:
    """What speaks for a source, and against any."""

    name: bool
    topics: int
    hint: bool
    named: float  # something of its table is named: how much that tells
    like: float
    unlike: float
    task: bool
    timeless: bool  # such a task, and nothing in it that would have to be looked up
    words: frozenset[int] = frozenset()  # of the question, that are names and topics of the source

    @property
    def values(self) -> list[float]:
        """What the weights multiply."""
        likeness = [self.like - LIKE_MEAN, self.unlike - LIKE_MEAN]
        about = [self.name, min(self.topics, TOPICS_LIMIT), self.hint, self.named]
        return [1.0, *about, *likeness, self.task, self.timeless]

    @property
    def likelihood(self) -> float:
        return 1 / (1 + math.exp(-sum(weight * value for weight, value in zip(WEIGHTS, self.values, strict=True))))


@dataclass(frozen=True, slots=True)
class Candidate:
    source: Source
    likelihood: float
    words: frozenset[int]


@dataclass(frozen=True, slots=True)
class Shortlist:
    """The most likely first. `chosen` are those to read if no model decides."""

    candidates: tuple[Candidate, ...] = ()
    chosen: tuple[Candidate, ...] = ()


class Chooser:
    """Of one catalogue."""

    def __init__(self, catalogue: Catalogue) -> None:
        self._words = {source.name: WordsOf(source) for source in catalogue.sources.values()}

    def shortlist(self, question: str, sources: Iterable[Source], likeness: Likeness | None) -> Shortlist:
        """`likeness`: None if there are no embeddings; then words alone decide."""
        asked = asked_in(question)
        signs = [(source, self.signs(asked, source, question, likeness)) for source in sources]
        likely = [Candidate(source, of.likelihood, of.words) for source, of in signs if of.likelihood >= DOUBTED]
        likely.sort(key=lambda each: -each.likelihood)
        return Shortlist(tuple(likely[:CANDIDATES_LIMIT]), chosen_of(likely))

    def signs(self, asked: Asked, source: Source, question: str, likeness: Likeness | None) -> Signs:
        of = self._words[source.name]
        names, topics = of.names.found_in(asked.tokens), of.topics.found_in(asked.tokens)
        return Signs(
            name=bool(names),
            topics=len({place.start for place in topics if not any(place.start in name for name in names)}),
            hint=of.hints.are_in(asked.tokens),
            named=named_in(question, source),
            like=likeness.sources.get(source.name, LIKE_UNKNOWN) if likeness else LIKE_UNKNOWN,
            unlike=likeness.none if likeness else LIKE_UNKNOWN,
            task=asked.task,
            timeless=asked.timeless,
            words=frozenset(at for place in (*names, *topics) for at in place),
        )

    def query(self, question: str, source: Source) -> str:
        """What to search `source` for; "" for whatever is newest."""
        of = self._words[source.name]
        return keywords(asked_in(question), (of.names, of.topics))


class WordsOf:
    """A source's, in both languages: a question may be in one and name a thing of the other."""

    def __init__(self, source: Source) -> None:
        self.names = Phrases(source.says.names.all)
        self.topics = Phrases(source.says.topics.all)
        self.hints = Phrases(source.says.hints.all)


def chosen_of(likely: Sequence[Candidate]) -> tuple[Candidate, ...]:
    """The best, and others that words of their own call for: "the weather and the news"."""
    chosen: list[Candidate] = []
    for candidate in likely:
        claimed = {at for other in chosen for at in other.words}
        needed = ALSO_CHOSEN if chosen else CHOSEN
        if candidate.likelihood >= needed and (not chosen or candidate.words - claimed):
            chosen.append(candidate)
    return tuple(chosen[:CHOSEN_LIMIT])


def named_in(question: str, source: Source) -> float:
    """How much what it names speaks for the source."""
    if source.named is None or source.says.named is None or not source.says.named.tells:
        return 0.0
    return source.says.named.tells if source.named.found(question) else 0.0
