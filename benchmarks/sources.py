"""Measures the choice of sources without a model: the share of right and of needless choices, and the time.

The questions are in tests/core/rag/sources/questions.toml. Words and weights were fitted to the tuning part; the
held-out part was written afterwards and is only measured. The table compares the choice with its halves: words alone,
and the nearest example alone. `--misses` lists wrong choices; `--fit` computes the weights of
core/rag/sources/choice.py from the tuning part.

    .venv/bin/python -m benchmarks.sources [--misses] [--fit]
"""

from __future__ import annotations

import argparse
import asyncio
import statistics
import time
import tomllib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table

from core import PROJECT_ROOT
from core.language import detect_language
from core.rag.embeddings import LocalEmbedder
from core.rag.questions.parsing import parse_question
from core.rag.sources.catalogue import Catalogue, load_catalogue
from core.rag.sources.choice import Chooser, Similarity
from core.rag.sources.similarity import ExampleSimilarity
from core.rag.sources.source_spelling import build_speller

QUESTIONS = PROJECT_ROOT / "tests" / "core" / "rag" / "sources" / "questions.toml"
NONE = "none"
NAMES = ("BIAS", "NAME", "TOPIC", "HINT", "NAMED", "LIKE", "UNLIKE", "TASK", "TIMELESS")
POSITIVE_WEIGHT = 2.0  # there are six wrong sources for each right one
RIDGE = 0.07
NEWTON_STEPS = 100


@dataclass(frozen=True, slots=True)
class ScoredQuestion:
    question: str
    label: str  # a source, or "none"
    likeness: Similarity
    took_ms: float  # the embedding and the choice


Choose = Callable[[ScoredQuestion], list[str]]


async def score_questions(catalogue: Catalogue, chooser: Chooser) -> dict[str, list[ScoredQuestion]]:
    embedder = LocalEmbedder()
    likenesses = ExampleSimilarity(embedder)
    began = time.perf_counter()
    await likenesses.examples(catalogue)
    print(f"examples embedded in {time.perf_counter() - began:.1f} s, once for each change of the file")
    speller = build_speller(catalogue)  # it must not change questions without typing errors for the worse
    parts: dict[str, list[ScoredQuestion]] = {}
    for part, questions in tomllib.loads(QUESTIONS.read_text()).items():
        parts[part] = [
            await score_question(likenesses, catalogue, chooser, speller.correct(question), label)
            for label, texts in questions.items()
            for question in texts
        ]
    await embedder.close()
    return parts


async def score_question(
    likenesses: ExampleSimilarity, catalogue: Catalogue, chooser: Chooser, question: str, label: str
) -> ScoredQuestion:
    began = time.perf_counter()
    likeness = await likenesses.compare(question, catalogue)
    assert likeness is not None  # the encoder is in the package
    chooser.shortlist(question, catalogue.sources.values(), likeness)
    return ScoredQuestion(question, label, likeness, 1000 * (time.perf_counter() - began))


def choosers(catalogue: Catalogue, chooser: Chooser) -> dict[str, Choose]:
    def chosen(question: str, likeness: Similarity | None) -> list[str]:
        shortlist = chooser.shortlist(question, catalogue.sources.values(), likeness)
        return [candidate.source.name for candidate in shortlist.selection]

    return {
        "both": lambda each: chosen(each.question, each.likeness),
        "words alone": lambda each: chosen(each.question, None),
        "nearest example": lambda each: nearest_source(each.likeness),
    }


def nearest_source(likeness: Similarity) -> list[str]:
    best = max(likeness.sources, key=likeness.sources.__getitem__)
    return [best] if likeness.sources[best] > likeness.none else []


def is_right(each: ScoredQuestion, names: Sequence[str]) -> bool:
    return list(names) == ([] if each.label == NONE else [each.label])


def rows(parts: dict[str, list[ScoredQuestion]], choosing: dict[str, Choose]) -> Iterator[tuple[str, ...]]:
    for part, questions in parts.items():
        for way, choose in choosing.items():
            answers = [(each, choose(each)) for each in questions]
            unneeded = [names for each, names in answers if each.label == NONE]
            in_vain = sum(bool(names) for names in unneeded)
            right = [is_right(each, names) for each, names in answers]
            french = [detect_language(each.question) == "fr" for each in questions]
            yield (
                part,
                way,
                f"{sum(right)}/{len(right)}",
                percent(right),
                percent([good for good, is_french in zip(right, french, strict=True) if not is_french]),
                percent([good for good, is_french in zip(right, french, strict=True) if is_french]),
                f"{in_vain}/{len(unneeded)} ({100 * in_vain / len(unneeded):.1f} %)",
            )


def percent(right: Sequence[bool]) -> str:
    return f"{100 * sum(right) / len(right):.1f} %"


def fit_weights(questions: Sequence[ScoredQuestion], catalogue: Catalogue, chooser: Chooser) -> NDArray[np.float64]:
    """Logistic regression by Newton's method, over each source with each question."""
    sources = catalogue.sources.values()
    pairs = [(each, source) for each in questions for source in sources]
    signs = np.array(
        [
            chooser.signs(parse_question(each.question), source, each.question, each.likeness).values
            for each, source in pairs
        ],
        dtype=float,
    )
    wanted = np.array([each.label == source.name for each, source in pairs], dtype=float)
    counts = np.where(wanted > 0, POSITIVE_WEIGHT, 1.0)
    weights = np.zeros(signs.shape[1])
    free = np.array([0.0, *[1.0] * (len(weights) - 1)])  # the bias has no penalty
    for _ in range(NEWTON_STEPS):
        likely = 1 / (1 + np.exp(-signs @ weights))
        slope = signs.T @ (counts * (likely - wanted)) + RIDGE * weights * free
        curve = (signs * (counts * likely * (1 - likely))[:, None]).T @ signs + RIDGE * np.diag(free)
        weights -= np.linalg.solve(curve, slope)
    return weights


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--misses", action="store_true")
    parser.add_argument("--fit", action="store_true")
    wanted = parser.parse_args()
    catalogue = load_catalogue(PROJECT_ROOT / "config" / "sources.toml")
    chooser = Chooser(catalogue)
    parts = asyncio.run(score_questions(catalogue, chooser))
    choosing = choosers(catalogue, chooser)
    table = Table("part", "by", "right", "", "English", "French", "fetched in vain")
    for row in rows(parts, choosing):
        table.add_row(*row)
    Console().print(table)
    took_ms = sorted(each.took_ms for questions in parts.values() for each in questions)
    print(f"a choice: median {statistics.median(took_ms):.1f} ms, p95 {took_ms[int(0.95 * len(took_ms))]:.1f} ms")
    if wanted.misses:
        for part, questions in parts.items():
            for each in questions:
                if not is_right(each, names := choosing["both"](each)):
                    print(f"{part}: {each.question} needs {each.label}, got {', '.join(names) or NONE}")
    if wanted.fit:
        weights = fit_weights(parts["tuning"], catalogue, chooser)
        print(", ".join(f"{name} {weight:.1f}" for name, weight in zip(NAMES, weights, strict=True)))


if __name__ == "__main__":
    main()
