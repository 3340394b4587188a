"""Tools over a fake model: the calls that come out, and what the model is asked for them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from contextlib import aclosing
from dataclasses import replace
from typing import Any

import pytest

from core.configuration.settings import Settings
from core.contract import (
    Prompt,
    Sampling,
    Tool,
    ToolArguments,
    Toolbox,
    ToolCall,
    ToolCallStarted,
    ToolEvent,
    ToolsChosen,
)
from core.engine import ChatEngine
from core.errors import ModelUnavailable, NonConforming
from tests.core.support_chatting import serving, shown
from tests.core.toil.tools.support_calling import (
    HALIFAX,
    MADE,
    OTTAWA,
    TIME,
    WEATHER,
    calls_of,
    choose,
    enforced,
    names,
    offered,
)
from tests.support.fake_model import Die


async def test_model_names_a_tool_and_writes_its_arguments(chat: ChatEngine, own_settings: Settings) -> None:
    """Both under schemas; the usage is that of all requests."""
    events, requests = await choose(
        chat, own_settings, Toolbox((WEATHER, TIME), parallel=False), names("get_weather"), (OTTAWA,)
    )

    assert calls_of(events) == [("get_weather", OTTAWA)]
    assert offered(requests[0]) == ["answer", "get_weather", "get_time"]
    assert enforced(requests[1])["properties"] == {"city": {"type": "string"}}
    end = events[-1]
    assert isinstance(end, ToolsChosen)
    assert end.model == "fake-model"
    assert end.usage.completion_tokens == sum(len(text.split()) for text in (*names("get_weather"), OTTAWA))


async def test_events_of_a_call_concatenate_to_it(chat: ChatEngine, own_settings: Settings) -> None:
    """Id and name first, then the arguments."""
    events, _ = await choose(chat, own_settings, Toolbox((WEATHER,), required=True, parallel=False), (OTTAWA,))

    end = events[-1]
    assert isinstance(end, ToolsChosen)
    assert events[0] == ToolCallStarted(end.calls[0].id, "get_weather")
    assert "".join(event.text for event in events if isinstance(event, ToolArguments)) == OTTAWA
    assert end.calls[0].id.startswith("call_")


async def test_model_may_decide_to_answer(chat: ChatEngine, own_settings: Settings) -> None:
    """Then there is no call, and the answer is still to be written."""
    events, requests = await choose(chat, own_settings, Toolbox((WEATHER,)), names("answer"))

    assert calls_of(events) == []
    assert len(requests) == 1


async def test_tools_are_told_to_the_model(chat: ChatEngine, own_settings: Settings) -> None:
    """They stand in the system message, below the personality's own words."""
    _, requests = await choose(chat, own_settings, Toolbox((WEATHER, TIME)), names("answer"))

    system = requests[0]["messages"][0]
    assert system["role"] == "system"
    assert system["content"].startswith("You are Whisper")
    assert "- get_weather: The weather of a city.\n- get_time: The time now." in system["content"]


@pytest.mark.parametrize("parameters", [None, {}, {"type": "object", "properties": {}}, {"type": "object"}])
async def test_arguments_of_a_tool_without_parameters_are_not_asked(
    chat: ChatEngine, own_settings: Settings, parameters: dict[str, Any] | None
) -> None:
    """They are an empty object."""
    toolbox = Toolbox((Tool("now", "", parameters),), required=True)
    events, requests = await choose(chat, own_settings, toolbox)

    assert calls_of(events) == [("now", "{}")]
    assert requests == []


async def test_required_call_offers_no_answer(chat: ChatEngine, own_settings: Settings) -> None:
    """The model can only choose which tool."""
    toolbox = Toolbox((WEATHER, TIME), required=True, parallel=False)
    events, requests = await choose(chat, own_settings, toolbox, names("get_time"))

    assert calls_of(events) == [("get_time", "{}")]
    assert offered(requests[0]) == ["get_weather", "get_time"]


async def test_parallel_calls_follow_until_the_model_ends(chat: ChatEngine, own_settings: Settings) -> None:
    """After each call the model decides again, and knows what is called already."""
    toolbox = Toolbox((WEATHER, TIME), required=True)
    steps = [names("get_weather"), (OTTAWA,), names("get_weather"), (HALIFAX,), names("answer")]
    events, requests = await choose(chat, own_settings, toolbox, *steps)

    assert calls_of(events) == [("get_weather", OTTAWA), ("get_weather", HALIFAX)]
    assert offered(requests[2]) == ["answer", "get_weather", "get_time"]
    assert f"- get_weather {OTTAWA}" in shown(requests[2])


async def test_repeated_call_ends_the_calls(chat: ChatEngine, own_settings: Settings) -> None:
    """A weak model would repeat it forever; key order and blanks make no other call."""
    steps = [names("get_weather"), (OTTAWA,), names("get_weather"), ('{ "city":"Ottawa" }',)]
    events, _ = await choose(chat, own_settings, Toolbox((WEATHER,)), *steps)

    assert calls_of(events) == [("get_weather", OTTAWA)]


async def test_call_that_has_its_output_is_not_made_again(chat: ChatEngine, own_settings: Settings) -> None:
    """The model then answers from the output."""
    events, requests = await choose(
        chat, own_settings, Toolbox((WEATHER,)), names("get_weather"), (OTTAWA,), calls=(MADE,)
    )

    assert calls_of(events) == []
    assert not [event for event in events if isinstance(event, ToolCallStarted)]
    assert '{"sky": "clear"}' in shown(requests[0])


async def test_tool_without_arguments_is_offered_once(chat: ChatEngine, own_settings: Settings) -> None:
    """A second call could only repeat the first."""
    made = (ToolCall("call_1", "get_time", "{}", "14:05"),)
    events, requests = await choose(chat, own_settings, Toolbox((WEATHER, TIME)), names("answer"), calls=made)

    assert offered(requests[0]) == ["answer", "get_weather"]
    assert calls_of(events) == []


async def test_number_of_calls_is_limited(chat: ChatEngine, own_settings: Settings) -> None:
    """A model that never ends its calls makes eight."""
    steps = [step for number in range(9) for step in (names("get_weather"), (json.dumps({"city": str(number)}),))]
    events, _ = await choose(chat, own_settings, Toolbox((WEATHER,)), *steps)

    assert len(calls_of(events)) == 8


async def test_tool_named_answer_can_be_called(chat: ChatEngine, own_settings: Settings) -> None:
    """The decision for no call then has another name."""
    toolbox = Toolbox((Tool("answer"),), parallel=False)
    events, requests = await choose(chat, own_settings, toolbox, names("answer"))

    assert offered(requests[0]) == ["no_call", "answer"]
    assert calls_of(events) == [("answer", "{}")]


async def test_wrong_arguments_are_asked_again(chat: ChatEngine, own_settings: Settings) -> None:
    """There are three attempts, as if the engine enforced nothing; then there is an error, never an invalid call."""
    toolbox = Toolbox((WEATHER,), required=True, parallel=False)
    events, _ = await choose(chat, own_settings, toolbox, ('{"town": "Ottawa"}',), ("Sure!",), (OTTAWA,))
    assert calls_of(events) == [("get_weather", OTTAWA)]

    with pytest.raises(NonConforming):
        await choose(chat, own_settings, toolbox, *[('{"town": "Ottawa"}',)] * 3)


def arguments_of(events: Sequence[ToolEvent]) -> list[str]:
    return [event.text for event in events if isinstance(event, ToolArguments)]


async def test_arguments_are_streamed_while_they_are_written(chat: ChatEngine, own_settings: Settings) -> None:
    """If the engine enforces the whole schema and the caller streams; otherwise as a whole."""
    pieces = ('{"city": ', '"Ottawa"}')
    for streamed, parts in ((True, list(pieces)), (False, ["".join(pieces)])):
        toolbox = Toolbox((WEATHER,), required=True, parallel=False, streamed=streamed)
        events, _ = await choose(chat, own_settings, toolbox, pieces)

        assert arguments_of(events) == parts
        assert calls_of(events) == [("get_weather", OTTAWA)]


async def test_unenforced_parts_are_validated_before_they_are_sent(chat: ChatEngine, own_settings: Settings) -> None:
    """A wrong first attempt leaves no trace in the stream."""
    tags = {"type": "object", "properties": {"tags": {"type": "array", "uniqueItems": True}}, "required": ["tags"]}
    toolbox = Toolbox((Tool("tag", "", tags),), required=True, parallel=False, streamed=True)
    events, _ = await choose(chat, own_settings, toolbox, ('{"tags": [1, 1]}',), ('{"tags": [1, 2]}',))

    assert arguments_of(events) == ['{"tags": [1, 2]}']


async def test_call_that_may_repeat_is_not_streamed(chat: ChatEngine, own_settings: Settings) -> None:
    """It could turn out to be none."""
    toolbox = Toolbox((WEATHER,), streamed=True)
    pieces = ('{"city": ', '"Ottawa"}')
    events, _ = await choose(chat, own_settings, toolbox, names("get_weather"), pieces, calls=(MADE,))

    assert arguments_of(events) == []


async def test_death_within_streamed_arguments_is_an_error(chat: ChatEngine, own_settings: Settings) -> None:
    """What was sent is never taken back. Without a stream the call begins again."""
    steps = [('{"city": ', Die()), (OTTAWA,)]
    toolbox = Toolbox((WEATHER,), required=True, parallel=False)
    events, _ = await choose(chat, own_settings, toolbox, *steps)
    assert calls_of(events) == [("get_weather", OTTAWA)]

    with pytest.raises(ModelUnavailable, match="begin again"):
        await choose(chat, own_settings, replace(toolbox, streamed=True), *steps)


async def test_callers_penalty_holds_for_arguments(chat: ChatEngine, own_settings: Settings) -> None:
    """The personality's does not: it would garble what is copied from the question."""
    toolbox = Toolbox((WEATHER,), required=True, parallel=False)
    for penalty, sent in ((None, 1.0), (1.3, 1.3)):
        prompt = Prompt("whisper", "Sunny?", toolbox=toolbox, sampling=Sampling(repeat_penalty=penalty))
        async with serving(own_settings, (OTTAWA,)) as model, aclosing(chat.choose_tools(prompt)) as events:
            assert calls_of([event async for event in events])
        assert model.requests[0]["repeat_penalty"] == sent
