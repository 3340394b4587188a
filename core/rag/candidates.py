"""The documents that compete for the model's context window, and the choice of their passages. Pure.

Passages of all documents compete by how well they fit the question. Chosen passages are rendered in reading order,
document by document. Each document gets a number, by which the answer cites it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import count, islice

from core.contract import Omission, OmissionKind
from core.rag.coverage import even_places
from core.rag.documents import Passage
from core.rag.ranking import PassageIndex, index_passages, question_stems, score_passages
from core.rag.rendering import DEFAULT_STYLE, NumberedDocument, PromptStyle, RenderedContext, render
from core.rag.retrieved import RetrievedDocument

EARLIER_WEIGHT = 0.3  # of the question before
KEPT_DOCUMENTS, KEPT_PASSAGES_OF_DOCUMENT = 12, 3  # of an answer, for the next one

Place = tuple[int, int]  # the number of a document, and of its passage
Index = Callable[[tuple[Passage, ...]], PassageIndex]


@dataclass(frozen=True, slots=True)
class CandidateDocument:
    """A document that competes. `number`: 0 until it is shown. `pinned`: passages that stay from the last answer."""

    document: RetrievedDocument
    number: int = 0
    pinned: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class CandidateQuery:
    """The question that passages are ranked by.

    `earlier`: the question before it, which counts less: "And in Montréal?" alone finds any mention of Montréal.
    `overview`: it asks about whole documents. `subjects`: the names of those, if it asks about some of them only.
    """

    text: str = ""
    overview: bool = False
    earlier: str = ""
    subjects: tuple[str, ...] = ()


class Candidates:
    """Documents of one question, the most important first, which decides between passages of equal score and number.

    The constructor indexes all passages by `index`, which may take long; rendering is fast. `kept`: the documents of
    the last answer, which keep their numbers. New documents get the next free numbers from `first_number`.
    """

    def __init__(
        self,
        documents: Sequence[RetrievedDocument],
        query: CandidateQuery,
        style: PromptStyle = DEFAULT_STYLE,
        index: Index = index_passages,
        kept: Sequence[NumberedDocument] = (),
        first_number: int = 1,
    ) -> None:
        self._query = query
        self._style = style
        self._index = index
        self._first_number = first_number
        self._candidates = merge_kept([CandidateDocument(each) for each in documents], kept)
        self._indexes = [index(each.document.passages) for each in self._candidates]

    @property
    def documents(self) -> tuple[RetrievedDocument, ...]:
        return tuple(each.document for each in self._candidates)

    @property
    def passage_count(self) -> int:
        return len(self._places)

    def hidden(self, passages: int) -> tuple[RetrievedDocument, ...]:
        """The documents of which `render` shows nothing."""
        shown = self.number_shown(self.choose(passages))
        return tuple(document for at, document in enumerate(self.documents) if at not in shown)

    def with_lead(self, lead: Sequence[NumberedDocument], kept: Sequence[NumberedDocument]) -> Candidates:
        """Returns candidates in which the documents of the lead context compete too. They keep their numbers."""
        added = merge_kept([CandidateDocument(each.document, each.number) for each in lead], kept)
        result = Candidates((), self._query, self._style, self._index, first_number=self._first_number)
        result._candidates = (*self._candidates, *added)
        result._indexes = [*self._indexes, *(self._index(each.document.passages) for each in added)]
        return result

    @cached_property
    def _places(self) -> list[Place]:
        """All places, in reading order."""
        return [(at, number) for at, each in enumerate(self.documents) for number in range(len(each.passages))]

    @cached_property
    def scores(self) -> dict[Place, float]:
        """The score of each passage against the question."""
        scores, earlier = (
            score_passages(self._indexes, question_stems(each)) for each in (self._query.text, self._query.earlier)
        )
        both = (now + EARLIER_WEIGHT * before for now, before in zip(scores, earlier, strict=True))
        return dict(zip(self._places, both, strict=True))

    @cached_property
    def order(self) -> list[Place]:
        """The places, best first."""
        # Among passages that no word of the question tells apart, the beginning of each document comes first.
        return sorted(self._places, key=lambda place: (-self.scores[place], place[::-1]))

    def choose(self, passages: int) -> list[Place]:
        """The places of the `passages` to show, in reading order."""
        if not 0 < passages < len(self._places):
            return self._places[:passages]
        if self._query.overview:
            return even_places(self.documents, passages, self._query.subjects)
        pinned = [(at, number) for at, each in enumerate(self._candidates) for number in each.pinned]
        first = pinned[: passages // 2]  # the rest is for what the new question asks
        others = [place for place in self.order if place not in first] if first else self.order
        return sorted([*first, *others[: passages - len(first)]])

    def render(self, passages: int) -> RenderedContext:
        """Renders the best `passages` passages."""
        places = self.choose(passages)
        documents = (
            NumberedDocument(number, self._cut(self.documents[index], numbers_in(places, index)))
            for index, number in self.number_shown(places).items()
        )
        return render(documents, self._style)

    def best_shown(self, passages: int) -> tuple[NumberedDocument, ...]:
        """The documents of `render` under the same numbers, each with the few passages that fit the question best."""
        shown = set(self.choose(passages))
        numbers = self.number_shown(sorted(shown))
        best = [place for place in self.order if place in shown]
        kept = {index: numbers_in(best, index)[:KEPT_PASSAGES_OF_DOCUMENT] for index in numbers}
        return tuple(
            NumberedDocument(numbers[index], self.documents[index].select(sorted(each)))
            for index, each in islice(kept.items(), KEPT_DOCUMENTS)
        )

    def number_shown(self, places: Iterable[Place]) -> dict[int, int]:
        """The number of each shown document, by its place among the candidates."""
        taken = {each.number for each in self._candidates}
        free = (number for number in count(self._first_number) if number not in taken)
        shown = dict.fromkeys(index for index, _ in places)
        return {index: self._candidates[index].number or next(free) for index in shown}

    def _cut(self, document: RetrievedDocument, numbers: Sequence[int]) -> RetrievedDocument:
        """Returns the chosen passages, with a note of those that are left out."""
        cut = document.select(numbers)
        if cut is document:
            return document
        kind: OmissionKind = "coverage" if self._query.overview else "passages"
        return replace(cut, omissions=(*cut.omissions, Omission(kind, len(cut.passages), cut.total)))


def numbers_in(places: Iterable[Place], index: int) -> list[int]:
    """The passages of one document among the places."""
    return [number for at, number in places if at == index]


def merge_kept(
    documents: Sequence[CandidateDocument], kept: Iterable[NumberedDocument]
) -> tuple[CandidateDocument, ...]:
    """Gives kept documents their numbers, and pins their passages. Adds those that are not found again."""
    merged = list(documents)
    for each in kept:
        index = next((at for at, other in enumerate(merged) if is_same(other.document, each.document)), None)
        if index is None:
            pinned = tuple(range(len(each.document.passages)))
            merged.append(CandidateDocument(each.document, each.number, pinned))
        else:
            document, number = unite(merged[index].document, each.document), merged[index].number or each.number
            merged[index] = CandidateDocument(document, number, pinned_in(document, each))
    return tuple(merged)


def is_same(document: RetrievedDocument, part: RetrievedDocument) -> bool:
    """True if both are of one document, whose text has not changed."""
    if (document.name, document.url) != (part.name, part.url):
        return False
    passages = by_position(document)
    is_whole = not document.places
    return all(passages.get(at, None if is_whole else each) == each for at, each in by_position(part).items())


def unite(document: RetrievedDocument, part: RetrievedDocument) -> RetrievedDocument:
    """Adds the passages of `part` that `document` lacks: a search found others of the same document this time."""
    found = by_position(document)
    if found.keys() >= by_position(part).keys():
        return document
    passages = dict(sorted((found | by_position(part)).items()))
    return replace(document, passages=tuple(passages.values()), places=tuple(passages))


def by_position(document: RetrievedDocument) -> dict[int, Passage]:
    return dict(zip(document.positions, document.passages, strict=True))


def pinned_in(document: RetrievedDocument, kept: NumberedDocument) -> tuple[int, ...]:
    wanted = set(kept.document.positions)
    return tuple(number for number, at in enumerate(document.positions) if at in wanted)
