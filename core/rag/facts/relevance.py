"""Whether a collection has anything to do with a question. Pure.

Something is always nearest, so a greeting would find two documents and be answered from them. What a question asks for
tells at once that nothing is to be looked up ("Thank you!"); else its best passage must fit it well enough, and better
where a model is asked to do something of its own ("Write a story"). Cosines of another encoder are of another scale:
of those, none is too low.

`benchmarks.facts` measures it. Of the labelled questions, 0.93 still find their document in one language, and 0.95
across (without the limits 0.95 and 0.95; of the held-out ones 0.93 and 0.93, without 0.97 and 0.93). Of 302 questions
that need no source, 0.72 find nothing; the others share words or their subject with a labelled document.
"""

from __future__ import annotations

from core.rag.embed import LocalEmbedder
from core.rag.sources.asking import TASK_PHRASES, asked_in, keywords

LEAST, LEAST_FOR_TASKS = 0.25, 0.34  # scores, as `core.rag.facts.fusion` makes them


def asks_for_something(question: str) -> bool:
    """Whether there is a word in it to look up."""
    return bool(keywords(asked_in(question), (TASK_PHRASES,)))


def fits(question: str, best_score: float, embedder: str) -> bool:
    """Whether what was found is about the question at all."""
    if embedder != LocalEmbedder.name:
        return True
    return best_score >= (LEAST_FOR_TASKS if asked_in(question).timeless else LEAST)
