"""Tools of /v1/chat/completions, with OpenAI's own client and without it."""

from __future__ import annotations

import re
from typing import Any

import openai
import pytest
from openai import AsyncOpenAI, pydantic_function_tool
from pydantic import BaseModel

from core.contract import Tool, Toolbox, ToolCall, Turn
from core.errors import NonConforming
from tests.web.support_site import Site
from tests.web.v1.support_openai import HI

CITY: dict[str, Any] = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
WEATHER: dict[str, Any] = {
    "type": "function",
    "function": {"name": "get_weather", "description": "Le temps qu’il fait. 天气", "parameters": CITY},
}
TIME: dict[str, Any] = {"type": "function", "function": {"name": "get_time"}}
CALL = ToolCall("call_1", "get_weather", '{"city": "Ottawa"}')
OTHER = ToolCall("call_2", "get_time", "{}")
ASKED: list[Any] = [{"role": "user", "content": "Is it sunny?"}]


def function_call(call: ToolCall) -> dict[str, Any]:
    return {"id": call.id, "type": "function", "function": {"name": call.name, "arguments": call.arguments}}


def called(*calls: ToolCall) -> dict[str, Any]:
    """The assistant's message, as clients send it back."""
    return {"role": "assistant", "content": None, "tool_calls": [function_call(call) for call in calls]}


def result(call: ToolCall, content: Any) -> dict[str, Any]:
    return {"role": "tool", "tool_call_id": call.id, "content": content}


# --- calls -----------------------------------------------------------------------------------------------------------


async def test_calls_are_a_message_without_content(whisper: Site, client: AsyncOpenAI) -> None:
    """The finish reason tells clients to run them; nothing is answered yet."""
    whisper.engine.calls = lambda _prompt: (CALL, OTHER)
    completion = await client.chat.completions.create(model="whisper", messages=ASKED, tools=[WEATHER, TIME])

    [choice] = completion.choices
    assert (choice.finish_reason, choice.message.content) == ("tool_calls", None)
    assert choice.message.tool_calls is not None
    assert [call.to_dict() for call in choice.message.tool_calls] == [function_call(CALL), function_call(OTHER)]
    assert completion.usage is not None
    assert completion.usage.total_tokens == 7
    assert len(whisper.engine.prompts) == 1


async def test_answer_without_a_call_is_as_ever(whisper: Site, client: AsyncOpenAI) -> None:
    """Its usage includes that of the decision."""
    completion = await client.chat.completions.create(model="whisper", messages=ASKED, tools=[WEATHER])

    [choice] = completion.choices
    assert (choice.finish_reason, choice.message.content) == ("stop", "Hello world.")
    assert choice.message.tool_calls is None
    assert completion.usage is not None
    assert (completion.usage.prompt_tokens, completion.usage.completion_tokens) == (12, 5)


async def test_streamed_calls_begin_with_id_and_name(whisper: Site, client: AsyncOpenAI) -> None:
    """Then the arguments, by index; the last chunk has the reason."""
    whisper.engine.calls = lambda _prompt: (CALL, OTHER)
    stream = await client.chat.completions.create(model="whisper", messages=ASKED, tools=[WEATHER, TIME], stream=True)
    choices = [chunk.choices[0] async for chunk in stream]

    deltas = [call for choice in choices for call in choice.delta.tool_calls or []]
    assert [(delta.index, delta.id) for delta in deltas] == [
        *[(0, "call_1"), (0, None), (0, None)],
        *[(1, "call_2"), (1, None), (1, None)],
    ]
    assert [delta.function.arguments for delta in deltas if delta.function] == [
        *["", "{", '"city": "Ottawa"}'],
        *["", "{", "}"],
    ]
    assert (choices[0].delta.role, choices[0].delta.content) == ("assistant", None)
    assert choices[-1].finish_reason == "tool_calls"


async def test_stream_helper_puts_calls_together(whisper: Site, client: AsyncOpenAI) -> None:
    """OpenAI's helper emits the calls with their whole arguments."""
    whisper.engine.calls = lambda _prompt: (CALL,)
    async with client.chat.completions.stream(model="whisper", messages=ASKED, tools=[WEATHER]) as stream:
        done = [event async for event in stream if event.type == "tool_calls.function.arguments.done"]
        message = (await stream.get_final_completion()).choices[0].message

    assert [(event.name, event.arguments) for event in done] == [("get_weather", CALL.arguments)]
    assert message.tool_calls is not None
    assert [call.id for call in message.tool_calls] == ["call_1"]


class GetWeather(BaseModel):
    """The weather of a city."""

    city: str


async def test_parse_returns_arguments_as_a_model(whisper: Site, client: AsyncOpenAI) -> None:
    """`pydantic_function_tool` makes strict schemas."""
    whisper.engine.calls = lambda _prompt: (ToolCall("call_1", "GetWeather", CALL.arguments),)
    completion = await client.chat.completions.parse(
        model="whisper", messages=ASKED, tools=[pydantic_function_tool(GetWeather)]
    )

    assert completion.choices[0].message.tool_calls is not None
    [call] = completion.choices[0].message.tool_calls
    assert call.function.parsed_arguments == GetWeather(city="Ottawa")
    toolbox = whisper.engine.prompts[0].toolbox
    assert toolbox is not None
    assert toolbox.tools[0].description == "The weather of a city."


async def test_answer_with_tools_may_be_json(whisper: Site, client: AsyncOpenAI) -> None:
    """A response format holds for the answer, not for calls."""
    form: Any = {"type": "json_schema", "json_schema": {"name": "n", "schema": {"type": "object"}}}
    request: dict[str, Any] = {"messages": ASKED, "tools": [WEATHER], "response_format": form}
    answered = await client.chat.completions.create(model="whisper", **request)
    whisper.engine.calls = lambda _prompt: (CALL,)
    called_instead = await client.chat.completions.create(model="whisper", **request)

    assert answered.choices[0].message.content == '{"answer": 42}'
    assert called_instead.choices[0].finish_reason == "tool_calls"


async def test_each_of_several_choices_has_its_calls(whisper: Site, client: AsyncOpenAI) -> None:
    """Calls and answers may stand beside each other."""
    whisper.engine.calls = lambda prompt: (CALL,) if prompt.sampling.seed == 1 else ()
    completion = await client.chat.completions.create(model="whisper", messages=ASKED, tools=[WEATHER], n=2, seed=1)
    chunks = await client.chat.completions.create(
        model="whisper", messages=ASKED, tools=[WEATHER], n=2, seed=1, stream=True
    )

    assert [choice.finish_reason for choice in completion.choices] == ["tool_calls", "stop"]
    reasons = {choice.index: choice.finish_reason async for chunk in chunks for choice in chunk.choices}
    assert reasons == {0: "tool_calls", 1: "stop"}


async def test_failed_call_is_an_error(whisper: Site, client: AsyncOpenAI) -> None:
    """An invalid call is never sent."""
    whisper.engine.calls = NonConforming("the model's JSON does not conform")
    with pytest.raises(openai.UnprocessableEntityError, match="does not conform"):
        await client.chat.completions.create(model="whisper", messages=ASKED, tools=[WEATHER])


# --- requests --------------------------------------------------------------------------------------------------------


async def test_tools_reach_the_engine(whisper: Site, client: AsyncOpenAI) -> None:
    """With descriptions in any language; `strict` changes nothing, because arguments always conform."""
    strict = {**TIME, "function": {**TIME["function"], "strict": True, "parameters": None}}
    await client.chat.completions.create(
        model="whisper", messages=ASKED, tools=[WEATHER, strict], parallel_tool_calls=False
    )

    [prompt, _answered] = whisper.engine.prompts
    tools = (Tool("get_weather", "Le temps qu’il fait. 天气", CITY), Tool("get_time"))
    assert prompt.toolbox == Toolbox(tools, required=False, parallel=False)


ONLY_TIME = Toolbox((Tool("get_time"),), required=True)
NAMED_TIME = Toolbox((Tool("get_time"),), required=True, parallel=False)
BOTH = (Tool("get_weather", "Le temps qu’il fait. 天气", CITY), Tool("get_time"))
NAMED = {"type": "function", "function": {"name": "get_time"}}


@pytest.mark.parametrize(
    ("choice", "toolbox"),
    [
        (None, Toolbox(BOTH)),
        ("auto", Toolbox(BOTH)),
        ("required", Toolbox(BOTH, required=True)),
        (NAMED, NAMED_TIME),
        ({"type": "allowed_tools", "allowed_tools": {"mode": "required", "tools": [NAMED]}}, ONLY_TIME),
        ({"type": "allowed_tools", "allowed_tools": {"mode": "auto", "tools": [NAMED]}}, Toolbox((Tool("get_time"),))),
    ],
)
async def test_tool_choice_selects(whisper: Site, choice: Any, toolbox: Toolbox) -> None:
    """A named tool is called once; allowed tools are the only ones."""
    body = {"model": "whisper", "messages": ASKED, "tools": [WEATHER, TIME], "tool_choice": choice}
    async with whisper.http.post("/v1/chat/completions", json=body) as response:
        assert response.status == 200

    assert whisper.engine.prompts[0].toolbox == toolbox


@pytest.mark.parametrize("fields", [{"tool_choice": "none", "tools": [WEATHER]}, {"tools": []}, {"tools": None}])
async def test_without_tools_the_model_answers(whisper: Site, fields: dict[str, Any]) -> None:
    """`none` asks for nothing else."""
    async with whisper.http.post("/v1/chat/completions", json={"model": "whisper", "messages": HI, **fields}) as answer:
        assert answer.status == 200

    assert [prompt.toolbox for prompt in whisper.engine.prompts] == [None]


def function(**fields: Any) -> dict[str, Any]:
    return {"type": "function", "function": {"name": "f", **fields}}


@pytest.mark.parametrize(
    ("fields", "param", "reason"),
    [
        ({"tools": {}}, "tools", "must be a list"),
        ({"tools": [TIME] * 129}, "tools", "128"),
        ({"tools": [TIME, WEATHER, TIME]}, "tools", r"tools\[2\].*get_time.*must differ"),
        ({"tools": ["get_time"]}, "tools", r"tools\[0\]"),
        ({"tools": [{"type": "custom", "custom": {"name": "f"}}]}, "tools", r"tools\[0\].type.*`custom`"),
        ({"tools": [{"type": "web_search"}]}, "tools", "`web_search` is not supported"),
        ({"tools": [{"type": "function"}]}, "tools", r"tools\[0\].name"),
        ({"tools": [{"type": "function", "function": None}]}, "tools", r"tools\[0\].function"),
        ({"tools": [function(name="météo")]}, "tools", "without accents"),
        ({"tools": [function(name="a b")]}, "tools", r"tools\[0\].function.name"),
        ({"tools": [function(name="x" * 65)]}, "tools", "64"),
        ({"tools": [function(name="")]}, "tools", "64"),
        ({"tools": [function(description=5)]}, "tools", "description"),
        ({"tools": [function(description="x" * 20_000)]}, "tools", "16384"),
        ({"tools": [function(strict="yes")]}, "tools", "strict"),
        ({"tools": [function(parameters=False)]}, "tools", "parameters"),
        ({"tools": [function(parameters=[])]}, "tools", "parameters"),
        ({"tools": [function(parameters={"type": "string"})]}, "tools", "must be `object`"),
        ({"tools": [TIME], "tool_choice": "any"}, "tool_choice", "`required`"),
        ({"tools": [TIME], "tool_choice": 5}, "tool_choice", "text or an object"),
        ({"tools": [TIME], "tool_choice": function(name="g")}, "tool_choice", "no function `g`"),
        ({"tools": [TIME], "tool_choice": {"type": "custom", "custom": {}}}, "tool_choice", "`custom`"),
        ({"tools": [TIME], "tool_choice": {"type": "allowed_tools"}}, "tool_choice", "mode"),
        (
            {"tools": [TIME], "tool_choice": {"type": "allowed_tools", "allowed_tools": {"mode": "auto", "tools": []}}},
            "tool_choice",
            "1 to 128",
        ),
        ({"tool_choice": "required"}, "tool_choice", "no function"),
        ({"tools": [TIME], "parallel_tool_calls": "no"}, "parallel_tool_calls", "parallel_tool_calls"),
        ({"functions": [{"name": "f"}]}, "functions", "use `tools`"),
        ({"function_call": {"name": "f"}}, "function_call", "use `tool_choice`"),
    ],
)
async def test_wrong_tools_are_refused(whisper: Site, fields: dict[str, Any], param: str, reason: str) -> None:
    """The error names the place; no model is asked."""
    async with whisper.http.post("/v1/chat/completions", json={"model": "whisper", "messages": HI, **fields}) as answer:
        error = (await answer.json())["error"]

    assert (answer.status, error["param"]) == (400, param)
    assert re.search(reason, error["message"])
    assert whisper.engine.prompts == []


@pytest.mark.parametrize("parameters", [True, {"type": "object"}, {}, {"properties": {}}])
async def test_unusual_parameters_are_accepted(whisper: Site, parameters: Any) -> None:
    """`true` takes any object; an empty schema takes no arguments."""
    body = {"model": "whisper", "messages": HI, "tools": [function(parameters=parameters)]}
    async with whisper.http.post("/v1/chat/completions", json=body) as answer:
        assert answer.status == 200


# --- history ---------------------------------------------------------------------------------------------------------


async def test_results_belong_to_the_question_before_them(whisper: Site, client: AsyncOpenAI) -> None:
    """Several results, in any order, some as parts, some empty."""
    messages = [
        *HI,
        {"role": "assistant", "content": "Hello"},
        *ASKED,
        called(CALL, OTHER),
        result(OTHER, ""),
        result(CALL, [{"type": "text", "text": '{"sky": '}, {"type": "text", "text": '"clear"}'}]),
    ]
    await client.chat.completions.create(model="whisper", messages=messages, tools=[WEATHER, TIME])

    for prompt in whisper.engine.prompts:
        assert prompt.text == "Is it sunny?"
        assert prompt.history == (Turn("user", "Hi"), Turn("assistant", "Hello"))
        assert [(call.name, call.output) for call in prompt.calls] == [
            ("get_weather", '{"sky": "clear"}'),
            ("get_time", ""),
        ]


async def test_rounds_of_calls_follow_one_another(whisper: Site, client: AsyncOpenAI) -> None:
    """All results since the question count; text beside calls is dropped. Engines may repeat ids."""
    again = ToolCall("call_1", "get_time", "{}")
    messages = [
        *ASKED,
        called(CALL),
        result(CALL, "clear"),
        {**called(again), "content": "And…"},
        result(again, "2 pm"),
    ]
    await client.chat.completions.create(model="whisper", messages=messages)

    [prompt] = whisper.engine.prompts
    assert [(call.name, call.output) for call in prompt.calls] == [("get_weather", "clear"), ("get_time", "2 pm")]
    assert prompt.history == ()


async def test_earlier_calls_are_part_of_the_history(whisper: Site, client: AsyncOpenAI) -> None:
    """With their results, and the answer that followed."""
    answered = {"role": "assistant", "content": "Yes."}
    messages = [*ASKED, called(CALL), result(CALL, "clear"), answered, *HI]
    await client.chat.completions.create(model="whisper", messages=messages)

    [prompt] = whisper.engine.prompts
    assert (prompt.text, prompt.calls) == ("Hi", ())
    [_asked, turn, _answered] = prompt.history
    assert [(call.name, call.output) for call in turn.calls] == [("get_weather", "clear")]


async def test_results_also_reach_json_answers(whisper: Site, client: AsyncOpenAI) -> None:
    """With a response format, the task has the calls."""
    messages = [*ASKED, called(CALL), result(CALL, "clear")]
    await client.chat.completions.create(model="whisper", messages=messages, response_format={"type": "json_object"})

    assert [call.output for call in whisper.engine.tasks[0].calls] == ["clear"]


@pytest.mark.parametrize(
    ("messages", "reason"),
    [
        ([*ASKED, called(CALL)], "no result for the call"),
        ([*ASKED, called(CALL), *HI], "no result for the call `call_1`"),
        ([*ASKED, called(CALL, OTHER), result(OTHER, "2 pm")], "no result for the call `call_1`"),
        ([*ASKED, result(CALL, "clear")], "no assistant's message"),
        ([*ASKED, called(CALL), result(OTHER, "clear")], "call `call_2`"),
        ([*ASKED, called(CALL), result(CALL, "clear"), result(CALL, "clear")], "without a result"),
        ([*ASKED, called(CALL), {"role": "tool", "content": "clear"}], "tool_call_id"),
        ([*ASKED, called(CALL), result(CALL, [{"type": "image_url"}])], "images are not read"),
        ([*ASKED, {"role": "assistant", "content": None, "tool_calls": {}}, *HI], "list of at most 128"),
        ([*ASKED, {"role": "assistant", "tool_calls": [{"id": "1", "type": "custom", "custom": {}}]}], "call 0"),
        ([*ASKED, {"role": "assistant", "tool_calls": [{"id": "1", "function": {"name": "a b"}}]}], "name a function"),
        ([*ASKED, {"role": "assistant", "tool_calls": [{"function": {"name": "f"}}]}], "`id`"),
        ([*ASKED, {"role": "function", "name": "f", "content": "1"}], "`tool_calls`"),
        ([*ASKED, {"role": "assistant", "function_call": {"name": "f", "arguments": ""}}, *HI], "`tool_calls`"),
        ([called(CALL), result(CALL, "clear")], "no text"),
    ],
)
async def test_wrong_histories_are_refused(whisper: Site, messages: list[Any], reason: str) -> None:
    """The error says which call, and what is missing."""
    async with whisper.http.post("/v1/chat/completions", json={"model": "whisper", "messages": messages}) as answer:
        error = (await answer.json())["error"]

    assert answer.status == 400
    assert reason in error["message"]
    assert whisper.engine.prompts == []


async def test_empty_lists_of_calls_are_nothing(whisper: Site) -> None:
    """Clients send back what they got, with nulls and empty lists."""
    messages = [*ASKED, {"role": "assistant", "content": "Yes.", "tool_calls": [], "function_call": None}, *HI]
    async with whisper.http.post("/v1/chat/completions", json={"model": "whisper", "messages": messages}) as answer:
        assert answer.status == 200

    assert whisper.engine.prompts[0].history == (Turn("user", "Is it sunny?"), Turn("assistant", "Yes."))
