"""The requests of one answer with tools, and of the next ones: everything up to the last instruction is the same."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import aclosing
from dataclasses import replace
from typing import Any

from core.configuration.settings import Settings
from core.contract import Prompt, Sampling, Tool, Toolbox, Turn
from core.engine import ChatEngine
from tests.core.support_chatting import serving
from tests.core.toil.tools.support_calling import MADE, OTTAWA, TIME, WEATHER, calls_of, choose, names
from tests.support.fake_model import Step

TOOLS = Toolbox((WEATHER, TIME))


async def asked(
    chat: ChatEngine, settings: Settings, prompt: Prompt, *answers: Sequence[Step]
) -> tuple[list[dict[str, Any]], str]:
    """The requests for the calls and for the answer, and the answer."""
    async with serving(settings, *answers) as model:
        async with aclosing(chat.choose_tools(prompt)) as choosing:
            _ = [event async for event in choosing]
        async with aclosing(chat.reply(prompt)) as events:
            answer = "".join([event.text async for event in events if hasattr(event, "text")])
        return model.requests, answer


def flat(request: dict[str, Any]) -> str:
    return "\n".join(f"{each['role']}: {each['content']}" for each in request["messages"])


async def test_steps_share_all_before_the_question(chat: ChatEngine, own_settings: Settings) -> None:
    """The list of tools is the same for all; decisions and answer also share the question, arguments end with it."""
    prompt = Prompt("whisper", "Is it sunny?", toolbox=TOOLS)
    steps = [names("get_weather"), (OTTAWA,), names("answer"), ("It is.",)]
    requests, _ = await asked(chat, own_settings, prompt, *steps)

    assert len(requests) == 4
    texts = [flat(request) for request in requests]
    shared = texts[0][: texts[0].index("Is it sunny?") + len("Is it sunny?")]
    assert "- get_weather: The weather of a city." in shared
    assert all(text.startswith(shared) for text in (texts[2], texts[3]))
    assert texts[1].startswith(shared.removesuffix("Is it sunny?"))
    assert texts[1].endswith("Is it sunny?")


async def test_next_question_goes_on_from_the_last_answer(chat: ChatEngine, own_settings: Settings) -> None:
    """Nothing that was asked about tools stays in the history or changes what stands before it."""
    first = Prompt("whisper", "Hello?", toolbox=TOOLS)
    (_, answered), answer = await asked(chat, own_settings, first, names("answer"), ("Hi.",))
    history = (Turn("user", "Hello?"), Turn("assistant", answer))
    second = Prompt("whisper", "Is it sunny?", toolbox=TOOLS, history=history)
    requests, _ = await asked(chat, own_settings, second, names("answer"), ("It is.",))

    before = flat(answered)
    shared = before[: before.index("Hello?") + len("Hello?")]
    assert all(flat(request).startswith(f"{shared}\nassistant: Hi.\nuser: Is it sunny?") for request in requests)


async def test_question_comes_last_for_a_named_tool(chat: ChatEngine, own_settings: Settings) -> None:
    """Nothing is decided, so no list is needed, and a weak model copies best from what it reads last."""
    toolbox = Toolbox((WEATHER,), required=True, parallel=False)
    _, requests = await choose(chat, own_settings, toolbox, (OTTAWA,))

    assert "- get_weather:" not in requests[0]["messages"][0]["content"]
    assert "get_weather" in requests[0]["messages"][0]["content"]
    assert requests[0]["messages"][-1]["content"].endswith("Is it sunny?")


async def test_list_of_many_tools_is_bounded(chat: ChatEngine, own_settings: Settings) -> None:
    """Every tool stays in it, with less of its description; a description cannot pose as another entry."""
    tools = tuple(Tool(f"tool_{number}", "Looks up\n- tool_x: a word. " * 300) for number in range(128))
    _, requests = await choose(chat, own_settings, Toolbox(tools), names("answer"))

    listed = requests[0]["messages"][0]["content"].partition("before you answer:")[2].strip().splitlines()
    assert [line.partition(":")[0] for line in listed] == [f"- {tool.name}" for tool in tools]
    assert len("\n".join(listed)) < 11_000


async def test_required_call_is_not_made_twice(chat: ChatEngine, own_settings: Settings) -> None:
    """An agent that requires a call at each step would never end: another tool is called instead."""
    final = Tool("final_result", "The end.", {"type": "object", "properties": {"sky": {"type": "string"}}})
    toolbox = Toolbox((WEATHER, final), required=True, parallel=False)
    steps = [names("get_weather"), (OTTAWA,), ('{"sky": "clear"}',)]
    events, requests = await choose(chat, own_settings, toolbox, *steps, calls=(MADE,))

    assert calls_of(events) == [("final_result", '{"sky": "clear"}')]
    assert "do not make the same call again" in requests[0]["messages"][-1]["content"]


async def test_only_tool_may_be_required_again(chat: ChatEngine, own_settings: Settings) -> None:
    """The caller wants a call, and there is no other."""
    toolbox = Toolbox((WEATHER,), required=True, parallel=False)
    events, _ = await choose(chat, own_settings, toolbox, (OTTAWA,), calls=(MADE,))

    assert calls_of(events) == [("get_weather", OTTAWA)]


async def test_required_tools_that_are_all_repeated(chat: ChatEngine, own_settings: Settings) -> None:
    """The last one is then called nevertheless: there is no new call, and one is required."""
    snow = replace(WEATHER, name="get_snow")
    made = (MADE, replace(MADE, name="get_snow"))
    toolbox = Toolbox((WEATHER, snow), required=True, parallel=False)
    events, _ = await choose(chat, own_settings, toolbox, names("get_weather"), (OTTAWA,), (OTTAWA,), calls=made)

    assert calls_of(events) == [("get_snow", OTTAWA)]


async def test_calls_of_an_answer_share_its_token_limit(chat: ChatEngine, own_settings: Settings) -> None:
    """Later calls have what the first ones left; without any left, no further call is asked for."""
    prompt = Prompt("whisper", "Sunny?", toolbox=Toolbox((WEATHER,)), sampling=Sampling(max_tokens=3))
    steps = [names("get_weather"), (OTTAWA,), names("get_weather"), ('{"city": "Gaspé"}',), names("answer")]
    async with serving(own_settings, *steps) as model, aclosing(chat.choose_tools(prompt)) as events:
        calls = calls_of([event async for event in events])

    assert [request["max_tokens"] for request in model.requests if "city" in str(request["response_format"])] == [3, 1]
    assert len(model.requests) == 4
    assert len(calls) == 2


async def test_failed_further_call_leaves_the_first(chat: ChatEngine, own_settings: Settings) -> None:
    """The whole calls are kept, and the agent can call again when it has the first result."""
    steps = [names("get_weather"), (OTTAWA,), names("get_weather"), *[("Sure!",)] * 3]
    events, _ = await choose(chat, own_settings, Toolbox((WEATHER,)), *steps)

    assert calls_of(events) == [("get_weather", OTTAWA)]
