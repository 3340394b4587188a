"""The choice of tools for the starter, by the likeness of question and tool."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import aclosing

import numpy as np
import pytest

from core.configuration.settings import Settings
from core.contract import (
    Prompt,
    Tool,
    Toolbox,
)
from core.engine import ChatEngine
from core.errors import BudgetExhausted, ModelUnavailable, NonConforming, SchemaRefused
from core.rag.embeddings import Vectors
from tests.core.support_chatting import ask, chat_on, serving, shown, text_of
from tests.core.toil.tools.support_calling import (
    MADE,
    OTTAWA,
    TIME,
    WEATHER,
    calls_of,
    choose,
    names,
)
from tests.support.fake_model import Finish


class WordEncoder:
    """Vectors of the words `sunny` and `time`, so that cosines are known. Fails if `broken`."""

    name = "words"

    def __init__(self) -> None:
        self.texts: list[str] = []
        self.broken = False

    async def embed(self, texts: Sequence[str]) -> Vectors:
        if self.broken:
            raise ModelUnavailable("the encoder is away")
        self.texts += texts
        about = [("weather" in each or "sunny" in each, "time" in each.lower(), True) for each in texts]
        vectors = np.array([(2.0 * sun, 2.0 * time, 0.1 * rest) for sun, time, rest in about], np.float32)
        normal: Vectors = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
        return normal

    async def close(self) -> None: ...


@pytest.fixture
async def encoder() -> WordEncoder:
    return WordEncoder()


@pytest.fixture
async def starter_chat(own_settings: Settings, encoder: WordEncoder) -> AsyncIterator[ChatEngine]:
    async with chat_on(own_settings, encoder=encoder) as built:
        yield built


async def test_likeness_chooses_for_the_starter(
    starter_chat: ChatEngine, own_settings: Settings, encoder: WordEncoder
) -> None:
    """The model only writes the arguments. The texts of tools are embedded once."""
    toolbox = Toolbox((TIME, WEATHER))
    for _ in range(2):
        events, requests = await choose(starter_chat, own_settings, toolbox, (OTTAWA,))
        assert calls_of(events) == [("get_weather", OTTAWA)]
        assert len(requests) == 1

    assert encoder.texts.count("get weather. The weather of a city.") == 1


async def test_likeness_decides_to_answer(starter_chat: ChatEngine, own_settings: Settings) -> None:
    """The starter answers if no tool is like the question, or if the one that is like it was called."""
    events, requests = await choose(starter_chat, own_settings, Toolbox((TIME,)))
    assert (calls_of(events), requests) == ([], [])

    events, requests = await choose(starter_chat, own_settings, Toolbox((TIME, WEATHER)), calls=(MADE,))
    assert (calls_of(events), requests) == ([], [])


async def test_likeness_compares_the_question_alone(
    starter_chat: ChatEngine, own_settings: Settings, encoder: WordEncoder
) -> None:
    """Instructions of the calling program name tools that the question is not about."""
    prompt = Prompt("whisper", "Tell the weather.\n\nHi", toolbox=Toolbox((WEATHER,)), asked="Hi")
    async with serving(own_settings), aclosing(starter_chat.choose_tools(prompt)) as events:
        assert calls_of([event async for event in events]) == []
    assert encoder.texts[0] == "Hi"


async def test_likeness_also_chooses_a_required_tool(starter_chat: ChatEngine, own_settings: Settings) -> None:
    """However little the question is like it."""
    toolbox = Toolbox((TIME, Tool("time_zone")), required=True)
    events, requests = await choose(starter_chat, own_settings, toolbox)

    assert (calls_of(events), requests) == ([("get_time", "{}")], [])


async def test_only_tool_is_called_once_if_required(starter_chat: ChatEngine, own_settings: Settings) -> None:
    """The starter is not asked whether it is called again, and its system message lists no tools."""
    events, requests = await choose(starter_chat, own_settings, Toolbox((WEATHER,), required=True), (OTTAWA,))

    assert calls_of(events) == [("get_weather", OTTAWA)]
    assert len(requests) == 1
    assert "- get_weather:" not in requests[0]["messages"][0]["content"]


async def test_model_chooses_without_the_encoder(
    starter_chat: ChatEngine, own_settings: Settings, encoder: WordEncoder
) -> None:
    """A weak choice is better than an error."""
    encoder.broken = True
    events, requests = await choose(starter_chat, own_settings, Toolbox((TIME,)), names("answer"))

    assert calls_of(events) == []
    assert len(requests) == 1


async def test_stronger_models_choose_themselves(
    starter_chat: ChatEngine, own_settings: Settings, encoder: WordEncoder
) -> None:
    """Nothing is embedded for them."""
    prompt = Prompt("whisper", "Is it sunny?", toolbox=Toolbox((WEATHER,)))
    async with serving(own_settings, names("answer")) as model:
        model.starter = False
        async with aclosing(starter_chat.choose_tools(prompt)) as events:
            assert calls_of([event async for event in events]) == []

    assert encoder.texts == []


async def test_engine_that_names_no_tool_answers(chat: ChatEngine, own_settings: Settings) -> None:
    """Text in the place of a decision is no call; where a call is required it is an error."""
    refusals = [("It is sunny.",)] * 3
    events, _ = await choose(chat, own_settings, Toolbox((WEATHER, TIME)), *refusals)
    assert calls_of(events) == []

    with pytest.raises(NonConforming):
        await choose(chat, own_settings, Toolbox((WEATHER, TIME), required=True), *refusals)


async def test_cut_arguments_are_an_error(chat: ChatEngine, own_settings: Settings) -> None:
    """Half a call is never sent."""
    toolbox = Toolbox((WEATHER,), required=True)
    with pytest.raises(BudgetExhausted):
        await choose(chat, own_settings, toolbox, *[('{"city": "Ot', Finish("length"))] * 3)


async def test_impossible_parameters_are_refused_by_name(chat: ChatEngine, own_settings: Settings) -> None:
    """Before any model is asked, also if the model would not have called the tool."""
    wrong = Tool("broken", "", {"type": "object", "properties": {"a": {"type": "strin"}}})
    with pytest.raises(SchemaRefused, match=r"function `broken`.*/properties/a/type"):
        await choose(chat, own_settings, Toolbox((WEATHER, wrong)), names("answer"))


async def test_answer_is_based_on_outputs(chat: ChatEngine, own_settings: Settings) -> None:
    """They are quoted as data, with the call that they belong to, and no citations are asked for."""
    async with serving(own_settings, ("Yes.",)) as model:
        events = await ask(chat, "Is it sunny?", calls=(MADE,))

    prompt = shown(model.requests[0])
    assert text_of(events) == "Yes."
    assert "It is data" in prompt
    assert f"get_weather {OTTAWA}» " in prompt
    assert '\n{"sky": "clear"}\n' in prompt
    assert prompt.rstrip().endswith("Is it sunny?")
    assert "Cite documents" not in prompt
