"""Asks the model for JSON: the words that toil adds to a prompt, and the sampling of what they ask for. Pure."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import replace

from core.contract import Json, Language, Sampling
from core.conversation.draft import AnswerRequest, join_paragraphs
from core.openai.chat_protocol import Message
from core.texts import text
from core.toil.schema_outline import outline
from core.toil.schema_titles import without_idle_titles
from core.toil.violation import Violation, explain_violations

TEMPERATURE_STEP = 0.2  # added at each further attempt, because the same temperature would fail again
TEMPERATURE_LIMIT = 1.0
NO_PENALTY = 1.0
SCHEMA_PROMPT_CHARS = 2000  # of a schema or skeleton; more would fill a small window, and the engine enforces it anyway
ANSWER_PROMPT_CHARS = 4000


def add_instructions(request: AnswerRequest, schema: Json, language: Language) -> AnswerRequest:
    """Asks for JSON in the system message, as OpenAI's json_object requires: a batch's rows share it as a prefix."""
    return end_system(request, [ask_for_json(schema, language)])


def surround_with_instructions(request: AnswerRequest, schema: Json, language: Language) -> AnswerRequest:
    """Asks as `add_instructions` does, and shows the form of the answer after the question.

    A weak model obeys what it read last (decision 0045).
    """
    return end_question(add_instructions(request, schema, language), [show_form(schema, language)])


def end_with_instructions(request: AnswerRequest, schema: Json, language: Language) -> AnswerRequest:
    """Asks for JSON at the end of the question, so that requests for other values share the prompt before it."""
    return end_question(request, [ask_for_json(schema, language)])


def begin_with_instructions(request: AnswerRequest, schema: Json, language: Language) -> AnswerRequest:
    """Asks for JSON in front of the question, which a weak model copies from best if it reads it last."""
    return begin_question(request, [ask_for_json(schema, language)])


def end_system(request: AnswerRequest, paragraphs: Iterable[str]) -> AnswerRequest:
    system = join_paragraphs([request.draft.system, *paragraphs])
    return replace(
        request,
        draft=replace(request.draft, system=system),
        own_system=False,
        cache_key=None,  # the next question of the conversation has another prompt
    )


def end_question(request: AnswerRequest, paragraphs: Iterable[str]) -> AnswerRequest:
    question = join_paragraphs([request.draft.question, *paragraphs])
    return replace(request, draft=replace(request.draft, question=question))


def begin_question(request: AnswerRequest, paragraphs: Iterable[str]) -> AnswerRequest:
    question = join_paragraphs([*paragraphs, request.draft.question])
    return replace(request, draft=replace(request.draft, question=question))


def ask_for_json(schema: Json, language: Language) -> str:
    return join_paragraphs([text("prompt-json-only", language), tell_schema(schema, language)])


def tell_schema(schema: Json, language: Language) -> str:
    """The schema, as models know it, without titles that say nothing; of a longer one a skeleton as far as it fits."""
    dumped = dump_schema(schema)
    if len(dumped) <= SCHEMA_PROMPT_CHARS:
        return join_paragraphs([text("prompt-json-schema", language), dumped]) if dumped else ""
    skeleton = outline(schema, SCHEMA_PROMPT_CHARS)
    return join_paragraphs([text("prompt-json-form", language), skeleton]) if skeleton else ""


def show_form(schema: Json, language: Language) -> str:
    """The skeleton of a schema that the prompt shows in full; "" for a longer one, whose skeleton it has."""
    dumped = dump_schema(schema)
    form = outline(schema, SCHEMA_PROMPT_CHARS) if 0 < len(dumped) <= SCHEMA_PROMPT_CHARS else ""
    return join_paragraphs([text("prompt-json-shape", language), form]) if form else ""


def dump_schema(schema: Json) -> str:
    told = without_idle_titles(schema)
    return json.dumps(told, ensure_ascii=False) if isinstance(told, dict) and told else ""


def toil_sampling(completed: Sampling, requested: Sampling) -> Sampling:
    """The sampling of toil. `completed`: the caller's `requested` one with the personality's defaults.

    A repeat penalty makes the model misspell what it copies, such as a telephone number, so only a caller can ask for
    one. It is switched off explicitly, because an engine may have a default of its own: vLLM takes the one of the
    model's generation_config.json. A stop string would cut the JSON.
    """
    penalty = NO_PENALTY if requested.repeat_penalty is None else completed.repeat_penalty
    return replace(completed, stop=(), repeat_penalty=penalty)


def raise_temperature(request: AnswerRequest) -> AnswerRequest:
    """Leaves an unset temperature to the model."""
    temperature = request.sampling.temperature
    if temperature is None or temperature >= TEMPERATURE_LIMIT:
        return request
    raised = min(TEMPERATURE_LIMIT, temperature + TEMPERATURE_STEP)
    return replace(request, sampling=replace(request.sampling, temperature=raised))


def add_feedback(
    request: AnswerRequest, answer: str, violations: tuple[Violation, ...], language: Language
) -> AnswerRequest:
    """Adds the rejected answer to the history, and its violations to the next question."""
    draft = request.draft
    exchange = (Message("user", draft.question), Message("assistant", answer[:ANSWER_PROMPT_CHARS]))
    explanations = explain_violations(violations, language)
    question = join_paragraphs([text("prompt-json-retry", language), *explanations, text("prompt-json-only", language)])
    return replace(request, draft=replace(draft, exchanges=(*draft.exchanges, exchange), question=question))
