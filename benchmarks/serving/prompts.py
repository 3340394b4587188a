"""The prompts of the workloads: a personality with questions, and texts of a given number of tokens."""

from __future__ import annotations

import random
from pathlib import Path

import llama_cpp

from benchmarks.serving.streaming import Chat
from core.model.worker.llama.loading import silence_log

PERSONALITY = (
    "You are Whisper, an assistant for public servants. You answer in plain language, briefly, and you say so when you "
    "are not sure. You never ask for protected information. "
) * 7  # about 250 tokens, like a personality with facts
TOPICS = (
    *("snow", "libraries", "bridges", "tea", "maps", "rivers", "clocks", "bread", "trains", "stars", "gardens", "ice"),
    *("forests", "letters", "harbours", "schools", "museums", "winter", "lighthouses", "radio", "wheat", "canoes"),
)
VERBS = ("reviewed", "described", "repaired", "counted", "visited", "painted", "measured", "translated", "archived")
PEOPLE = ("a clerk", "an engineer", "the director", "two students", "a nurse", "the committee", "a translator")


def question(number: int) -> Chat:
    """A chat whose first message all share, and whose second one nobody else has."""
    topic = TOPICS[number % len(TOPICS)]
    return [
        {"role": "system", "content": PERSONALITY},
        {"role": "user", "content": f"Question {number}: write a long story about {topic} and a public servant."},
    ]


class TextMaker:
    """Writes texts of a number of tokens, counted by the model's own vocabulary."""

    def __init__(self, model: Path) -> None:
        silence_log()
        self._vocabulary = llama_cpp.Llama(str(model), vocab_only=True, verbose=False)

    def text(self, tokens: int, seed: int) -> str:
        """A report that differs from all others from its first words on."""
        chance = random.Random(seed)
        sentences = [f"{seed}. {chance.choice(TOPICS).capitalize()} of year {chance.randrange(10**6)}."]
        while (missing := tokens - self.count(" ".join(sentences))) > 0:
            sentences += [self._sentence(chance) for _ in range(missing // 20 + 1)]
        return " ".join(sentences)

    def count(self, text: str) -> int:
        return len(self._vocabulary.tokenize(text.encode(), add_bos=False))

    def _sentence(self, chance: random.Random) -> str:
        number = chance.randrange(1000)
        return f"On day {number}, {chance.choice(PEOPLE)} {chance.choice(VERBS)} the {chance.choice(TOPICS)}."
