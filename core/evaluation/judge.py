"""A model's opinion of answers. It is asked in both orders, because models prefer what they read first or last."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from core.contract import Json, Language
from core.evaluation.questions import Question
from core.evaluation.subjects import Asker, Subject
from core.texts import text

TEXT_LIMIT_CHARS = 6000  # of each answer
AGREEMENT: Mapping[str, float] = {"fully": 1.0, "partly": 0.5, "not": 0.0}
Preference = Literal["first", "second", "equal"]
MIRRORED: Mapping[str, Preference] = {"first": "second", "second": "first", "equal": "equal"}


def choice_schema(name: str, choices: list[str]) -> dict[str, Json]:
    """The schema of an object with one of several words."""
    words: list[Json] = [*choices]
    return {
        "type": "object",
        "properties": {name: {"type": "string", "enum": words}},
        "required": [name],
        "additionalProperties": False,
    }


AGREEMENT_SCHEMA = choice_schema("agree", [*AGREEMENT])
PREFERENCE_SCHEMA = choice_schema("better", [*MIRRORED])


@dataclass(frozen=True, slots=True)
class Judge:
    """`subject`: the personality and the model that judge. `language`: of the instructions."""

    asker: Asker
    subject: Subject
    language: Language = "en"

    async def grade(self, question: Question, answer: str) -> float | None:
        """How far the answer agrees with the expert's, from 0 to 1: the mean of both orders. None without an expert's.

        Raises CspsError.
        """
        if question.expected is None:
            return None
        instruction = text("prompt-judge-agreement", self.language)
        orders = ((question.expected, answer), (answer, question.expected))
        prompts = [quote_texts(instruction, question.text, None, *each) for each in orders]
        opinions = [await self._choose("agree", prompt, AGREEMENT_SCHEMA) for prompt in prompts]
        return sum(AGREEMENT[each] for each in opinions) / len(opinions)

    async def prefer(self, question: Question, first: str, second: str) -> Preference:
        """The better answer; equal if the two orders disagree. Raises CspsError."""
        instruction = text("prompt-judge-preference", self.language)
        orders = ((first, second), (second, first))
        prompts = [quote_texts(instruction, question.text, question.expected, *each) for each in orders]
        forth, back = [await self._choose("better", prompt, PREFERENCE_SCHEMA) for prompt in prompts]
        mirrored = MIRRORED[back]
        return mirrored if mirrored == forth else "equal"

    async def _choose(self, name: str, prompt: str, schema: Mapping[str, Json]) -> str:
        value = await self.asker.decide(self.subject, prompt, schema)
        assert isinstance(value, dict)  # it conforms to the schema
        return str(value[name])


def quote_texts(instruction: str, question: str, reference: str | None, first: str, second: str) -> str:
    """The texts as one JSON object below the instruction: no text can end its own quotation."""
    texts = {"question": question, "expert_answer": reference, "first_answer": first, "second_answer": second}
    quoted = {name: each[:TEXT_LIMIT_CHARS] for name, each in texts.items() if each is not None}
    return f"{instruction}\n\n{json.dumps(quoted, ensure_ascii=False, indent=1)}"
