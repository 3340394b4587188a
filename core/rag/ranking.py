"""Scores passages against a question by BM25 over the passages of all documents. Pure.

Source: Robertson and Zaragoza, "The Probabilistic Relevance Framework", 2009. The slow part depends on the document
alone and is kept as its `PassageIndex`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.rag.documents import Passage
from core.rag.stemming import stems_by_word, terms

SATURATION, LENGTH_WEIGHT = 1.2, 0.75  # k1 and b of BM25
QUESTION_LIMIT_CHARS = 10_000  # the request stands at the beginning of a question

StemHashes = NDArray[np.int64]  # hashes of the stems; they differ from process to process


@dataclass(frozen=True, slots=True, eq=False)
class PassageIndex:
    """The stems of a document's passages, in reading order."""

    words: StemHashes
    places: NDArray[np.int32]  # for each stem: the number of its passage
    lengths: NDArray[np.int32]  # of each passage with its heading, in characters

    @property
    def size_bytes(self) -> int:
        return self.words.nbytes + self.places.nbytes + self.lengths.nbytes


def hash_stems(passage: Passage) -> StemHashes:
    """Returns the hashed stems of the passage's headings and text, in reading order."""
    return np.fromiter(map(hash, terms(f"{passage.heading} {passage.text}")), np.int64)


def build_index(passages: Sequence[Passage], words: Sequence[StemHashes]) -> PassageIndex:
    """`words`: the stems of each passage."""
    lengths = [len(passage.text) + len(passage.heading) for passage in passages]
    places = np.repeat(np.arange(len(passages), dtype=np.int32), [len(each) for each in words])
    return PassageIndex(concatenate(words, np.int64), places, np.array(lengths, np.int32))


def index_passages(passages: Sequence[Passage]) -> PassageIndex:
    return build_index(passages, [hash_stems(passage) for passage in passages])


@dataclass(frozen=True, slots=True, eq=False)
class QuestionStems:
    """The hashed stems of a question, each once, ascending, and for each the number of its word.

    A word whose English and French stems differ is one word: it must not count twice.
    """

    hashes: StemHashes
    words: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.hashes)


def question_stems(question: str) -> QuestionStems:
    numbers: dict[int, int] = {}
    for number, stems in enumerate(stems_by_word(question[:QUESTION_LIMIT_CHARS])):
        hashes = [hash(stem) for stem in stems]
        same = next((numbers[each] for each in hashes if each in numbers), number)  # another form of that word
        for each in hashes:
            numbers.setdefault(each, same)
    ordered = sorted(numbers)
    return QuestionStems(np.array(ordered, np.int64), np.array([numbers[each] for each in ordered], np.int64))


def score_passages(documents: Sequence[PassageIndex], question: QuestionStems) -> list[float]:
    """Returns the score of each passage, document by document; 0.0 if it shares no word with the question."""
    lengths = concatenate([each.lengths for each in documents], np.int32)
    if not len(lengths) or not len(question):
        return [0.0] * len(lengths)
    begins = np.cumsum([0, *(len(each.lengths) for each in documents)])
    words = concatenate([each.words for each in documents], np.int64)
    places = concatenate([each.places + begin for each, begin in zip(documents, begins, strict=False)], np.int64)
    numbers = np.minimum(np.searchsorted(question.hashes, words), len(question) - 1)
    matches = question.hashes[numbers] == words
    # One number for each pair of stem and passage, so that np.unique counts both at once.
    pairs, times = np.unique(numbers[matches] * len(lengths) + places[matches], return_counts=True)
    stem, place = np.divmod(pairs, len(lengths))
    scores = inverse_frequency(stem, len(lengths)) * saturation(times, lengths[place] / (lengths.mean() or 1))
    # Of a word's stems, the best one counts.
    by_word, first = np.unique(question.words[stem] * len(lengths) + place, return_inverse=True)
    best = np.zeros(len(by_word))
    np.maximum.at(best, first, scores)
    return [float(score) for score in np.bincount(by_word % len(lengths), best, len(lengths))]


def concatenate(parts: Sequence[NDArray[Any]], kind: type[Any]) -> NDArray[Any]:
    return np.concatenate([np.empty(0, kind), *parts])


def inverse_frequency(stem: NDArray[Any], total: int) -> NDArray[Any]:
    """Weighs each pair's stem: the fewer passages have it, the more it counts."""
    frequency = np.bincount(stem)[stem]
    logs: NDArray[Any] = np.log(1 + (total - frequency + 0.5) / (frequency + 0.5))
    return logs


def saturation(times: NDArray[Any], length: NDArray[Any]) -> NDArray[Any]:
    """Weighs repetitions: each adds less, and less in long passages. `length`: relative to the mean."""
    return times * (SATURATION + 1) / (times + SATURATION * (1 - LENGTH_WEIGHT + LENGTH_WEIGHT * length))
