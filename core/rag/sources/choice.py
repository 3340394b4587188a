"""Chooses the sources that a question needs, if any. Pure.

Two things count: the question's subject (names, topics, likeness to examples), and its request. A request to explain,
translate or write needs no source, even if its subject is the weather. All signs are added up, so a strong sign makes
up for a weak one. A model can decide about the shortlist instead; `core.rag.sources.decision` asks it.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from core.rag.questions.parsing import (
    FILLERS,
    LATEST_PHRASES,
    ParsedQuestion,
    PhraseIndex,
    keywords,
    parse_phrases,
    parse_question,
    question_words,
    tokenize,
)
from core.rag.sources.catalogue import Catalogue, PublicSource
from core.rag.stemming import EMPTY_WORDS, is_content_word, without_accents

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
SURE_LIKELIHOOD = 0.9  # the likelihood from which it is not asked
CERTAIN_LIKELIHOOD = 0.97  # the likelihood from which its answer does not drop a source
SUBJECT_NAME = 0.7  # the weight from which a name of the table is a subject of its own: "And Health Canada?"
MENTIONED_LIKELIHOOD = 0.3  # the likelihood from which a topic in a follow-up is a new subject
CHOSEN_LIMIT = 2
CANDIDATES_LIMIT = 4


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
    claims: frozenset[int] = frozenset()  # those and others that are no reason for a second source

    @property
    def is_mentioned(self) -> bool:
        return self.name or self.hint or bool(self.topics) or bool(self.named)

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
    words: frozenset[int] = frozenset()
    is_mentioned: bool = False  # by a word or name of its own, not by likeness alone
    has_subject_name: bool = False
    claims: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True)
class Shortlist:
    """Candidates, most likely first. `selection`: those to read if no model decides."""

    candidates: tuple[SourceCandidate, ...] = ()
    selection: tuple[SourceCandidate, ...] = ()

    @property
    def is_sure(self) -> bool:
        """Tells whether a model's decision could add nothing."""
        best = self.candidates[:1]
        others = [each for each in self.candidates[1:] if each.likelihood >= NEEDED_LIKELIHOOD]
        return all(each.likelihood >= SURE_LIKELIHOOD for each in (*best, *others))

    @property
    def mentioned(self) -> tuple[SourceCandidate, ...]:
        """The selected ones that the question mentions, else the best one with a topic or a name in it."""
        if selected := tuple(each for each in self.selection if each.is_mentioned):
            return selected
        return tuple(
            each
            for each in self.candidates[:1]
            if each.has_subject_name or (each.words and each.likelihood >= MENTIONED_LIKELIHOOD)
        )

    @property
    def certain(self) -> tuple[SourceCandidate, ...]:
        """The selected ones that a model's decision cannot drop."""
        return tuple(each for each in self.selection if each.likelihood >= CERTAIN_LIKELIHOOD)


class Chooser:
    """Chooses among the sources of one catalogue."""

    def __init__(self, catalogue: Catalogue) -> None:
        self._words = {source.name: SourcePhrases(source) for source in catalogue.sources.values()}

    def shortlist(self, question: str, sources: Iterable[PublicSource], likeness: Similarity | None) -> Shortlist:
        """`likeness`: None without embeddings; then words alone decide."""
        parsed = parse_question(question)
        signs = [(source, self.signs(parsed, source, question, likeness)) for source in sources]
        likely = [
            SourceCandidate(
                source, sign.likelihood, sign.words, sign.is_mentioned, sign.named >= SUBJECT_NAME, sign.claims
            )
            for source, sign in signs
            if sign.likelihood >= DOUBTED
        ]
        likely.sort(key=lambda each: -each.likelihood)
        return Shortlist(tuple(likely[:CANDIDATES_LIMIT]), select_likely(likely))

    def signs(
        self, parsed: ParsedQuestion, source: PublicSource, question: str, likeness: Similarity | None
    ) -> ChoiceSigns:
        phrases = self._words[source.name]
        names, topics = phrases.names.find_in(parsed.tokens), phrases.topics.find_in(parsed.tokens)
        claimed = (*names, *topics, *(phrases.title.find_in(parsed.tokens) if names or topics else ()))
        hints = phrases.hints.find_in(tokenize(without_table_names(question, source)))
        named = name_weight(question, source, has_topic=bool(topics))
        words = frozenset(at for place in claimed for at in place)
        claims_hints = named >= SUBJECT_NAME  # the news of a department are no headlines
        hinted = phrases.hints.find_in(parsed.tokens) if claims_hints else ()
        return ChoiceSigns(
            name=bool(names),
            topics=len({place.start for place in topics if not any(place.start in name for name in names)}),
            hint=bool(hints),
            named=named,
            like=likeness.sources.get(source.name, LIKE_UNKNOWN) if likeness else LIKE_UNKNOWN,
            unlike=likeness.none if likeness else LIKE_UNKNOWN,
            task=parsed.task,
            timeless=parsed.timeless,
            words=words,
            claims=words.union(*hinted),
        )

    def mentions(self, question: str, source: PublicSource) -> bool:
        """Tells whether the question has a word or a name of the source."""
        return self.signs(parse_question(question), source, question, None).is_mentioned

    def is_task(self, question: str) -> bool:
        """Tells whether it asks something that a model does by itself: "Why does it snow?"."""
        return parse_question(question).timeless

    def query(self, question: str, source: PublicSource, ignored: Iterable[PhraseIndex] = ()) -> str:
        """Returns what to search `source` for; "" for the newest entries. `ignored`: phrases that say nothing."""
        phrases = self._words[source.name]
        return keywords(parse_question(question), (phrases.names, phrases.topics, *ignored))


class SourcePhrases:
    """A source's phrases in both languages: a question may name a thing in the other one.

    A source without names, as `csps-llm sources add` writes it, is found by its title: by the whole, and by its words.
    """

    def __init__(self, source: PublicSource) -> None:
        section = source.section
        titles = () if section.names.all else (section.title.en, section.title.fr)
        words = tuple(word for title in titles for word in title_words(title))
        self.title = PhraseIndex(word for title in titles for word in question_words(title) if is_content_word(word))
        self.names = PhraseIndex((*section.names.all, *(title for title in titles if title_words(title))))
        self.topics = PhraseIndex((*section.topics.all, *words))
        self.hints = PhraseIndex(section.hints.all)


def title_words(title: str) -> tuple[str, ...]:
    """Returns the words that tell a title from those of other sources."""
    tokens = tokenize(title)
    general = {
        at for index in (FILLERS, LATEST_PHRASES, TITLE_WORDS) for place in index.find_in(tokens) for at in place
    }
    words = enumerate(question_words(title))
    return tuple(word for at, word in words if at not in general and without_accents(word) not in EMPTY_WORDS)


def select_likely(likely: Sequence[SourceCandidate]) -> tuple[SourceCandidate, ...]:
    """Returns the best, and others with words of their own: "the weather and the news"."""
    selection: list[SourceCandidate] = []
    for candidate in likely:
        claimed = {at for other in selection for at in other.claims}
        needed = SECOND_LIKELIHOOD if selection else NEEDED_LIKELIHOOD
        if candidate.likelihood >= needed and (not selection or candidate.words - claimed):
            selection.append(candidate)
    return tuple(selection[:CHOSEN_LIMIT])


def without_table_names(question: str, source: PublicSource) -> str:
    """A department's name is one sign: its word "department" is no second one."""
    return source.named.without_names(question) if source.named is not None else question


def name_weight(question: str, source: PublicSource, *, has_topic: bool) -> float:
    """Returns the weight of the names in the question.

    A place abroad says something for a source of places at home only beside a topic: "Weather in Paris" deserves to be
    told that it is not covered.
    """
    if source.named is None or source.section.named is None or not source.section.named.name_weight:
        return 0.0
    if has_topic:
        counts = source.named.names_anything(question)
    else:
        names = source.named.find(question)
        counts = any(name.is_covered for name in names) if source.named.strict else bool(names)
    return source.section.named.name_weight if counts else 0.0


# Words of titles that say nothing about a source's subject.
TITLE_WORDS = parse_phrases(
    """
    news|blog|feed|rss|atom|page|site|website|web|home|official|article|articles|newsletter|bulletin|updates|posts|
    nouvelles|actualités|blogue|fil|flux|accueil|officiel|infolettre|billets|gc|ca|com|org|www|of canada|du canada
    """
)
