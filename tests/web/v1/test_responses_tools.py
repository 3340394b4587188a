"""Tools in /v1/responses with OpenAI's own client, and without it for requests that the client would not send."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any

import openai
import pytest
from openai import AsyncOpenAI
from pydantic import BaseModel

from core.configuration.settings import Settings
from core.contract import Prompt, ToolCall, Turn
from core.errors import BudgetExhausted, ModelUnavailable
from tests.support.fake_engine import FakeEngine
from tests.support.strict_openai import parse_event, parse_response
from tests.web.support_site import Site, site
from tests.web.v1.support_openai import build_client

PARAMETERS = {
    "type": "object",
    "properties": {"city": {"type": "string"}},
    "required": ["city"],
    "additionalProperties": False,
}
WEATHER: Any = {"type": "function", "name": "get_weather", "parameters": PARAMETERS, "strict": True}
TIME: Any = {"type": "function", "name": "get_time", "description": "The time", "parameters": None, "strict": None}
CALLS = (ToolCall("call_1", "get_weather", '{"city": "Québec"}'), ToolCall("call_2", "get_time", "{}"))
CALL_EVENTS = [
    "response.output_item.added",
    "response.function_call_arguments.delta",
    "response.function_call_arguments.delta",
    "response.function_call_arguments.done",
    "response.output_item.done",
]


@pytest.fixture
async def caller(own_settings: Settings) -> AsyncIterator[Site]:
    """A site whose model calls both tools, and answers once it has their results."""
    engine = FakeEngine()
    engine.calls = lambda prompt: () if prompt.calls else CALLS
    async with site(own_settings, engine) as running:
        yield running


@pytest.fixture
async def client(caller: Site) -> AsyncIterator[AsyncOpenAI]:
    async with build_client(caller) as made:
        yield made


def ask(**fields: Any) -> dict[str, Any]:
    return {"model": "whisper", "input": "Weather?", "tools": [WEATHER, TIME], **fields}


async def test_calls_are_output_items(caller: Site, client: AsyncOpenAI) -> None:
    """Each with ids of its own; the response is complete and has no message."""
    response = await client.responses.create(**ask())
    async with caller.http.post("/v1/responses", json=ask()) as raw:
        parse_response(await raw.json())

    assert [(item.type, item.call_id, item.name, item.arguments, item.status) for item in response.output] == [  # type: ignore[union-attr]
        ("function_call", call.id, call.name, call.arguments, "completed") for call in CALLS
    ]
    assert len({item.id for item in response.output}) == 2
    assert (response.status, response.output_text) == ("completed", "")
    assert response.usage is not None
    assert response.usage.total_tokens == 7


async def test_streamed_calls_have_openai_events(caller: Site) -> None:
    """Added without arguments, then deltas, then the whole; the next item has the next index."""
    async with caller.http.post("/v1/responses", json=ask(stream=True)) as response:
        sent = (await response.text()).strip().split("\n\n")

    events = [json.loads(event.partition("\ndata: ")[2]) for event in sent]
    for event in events:
        parse_event(event)
    assert [event["type"] for event in events] == [
        *("response.created", "response.in_progress"),
        *CALL_EVENTS,
        *CALL_EVENTS,
        "response.completed",
    ]
    assert [event["sequence_number"] for event in events] == list(range(len(events)))
    assert [event["output_index"] for event in events[2:-1]] == [0] * 5 + [1] * 5
    added, *deltas, done, _ = events[2:7]
    assert (added["item"]["arguments"], added["item"]["status"]) == ("", "in_progress")
    assert "".join(delta["delta"] for delta in deltas) == done["arguments"] == CALLS[0].arguments


async def test_streaming_helper_parses_arguments(client: AsyncOpenAI) -> None:
    """OpenAI's client follows the deltas, and parses the arguments of strict functions."""
    async with client.responses.stream(**ask()) as stream:
        snapshots = [event.snapshot async for event in stream if "arguments.delta" in event.type]  # type: ignore[union-attr]
        response = await stream.get_final_response()

    assert snapshots == ["{", CALLS[0].arguments, "{", "{}"]
    assert response.output[0].parsed_arguments == {"city": "Québec"}  # type: ignore[union-attr]


async def test_functions_of_pydantic_models(client: AsyncOpenAI, caller: Site) -> None:
    """`parse` with `pydantic_function_tool` returns the model's instance."""

    class GetWeather(BaseModel):
        city: str

    caller.engine.calls = lambda _prompt: (ToolCall("call_1", "GetWeather", '{"city": "Québec"}'),)
    tool: Any = openai.pydantic_function_tool(GetWeather)["function"]
    response = await client.responses.parse(model="whisper", input="Hi", tools=[{"type": "function", **tool}])

    assert response.output[0].parsed_arguments == {"city": "Québec"}  # type: ignore[union-attr]


async def test_results_come_back_as_items(caller: Site, client: AsyncOpenAI) -> None:
    """The output items of the first answer, then the results, a text or parts; the second answer is a text."""
    first = await client.responses.create(**ask())
    items: list[Any] = [
        {"role": "user", "content": "Weather?"},
        *first.output,
        {"type": "function_call_output", "call_id": "call_2", "output": [{"type": "input_text", "text": "Noon"}]},
        {"type": "function_call_output", "call_id": "call_1", "output": "Snow", "id": None, "status": None},
    ]
    answer = await client.responses.create(**ask(input=items))

    prompt = caller.engine.prompts[-1]
    assert [(call.name, call.output) for call in prompt.calls] == [("get_weather", "Snow"), ("get_time", "Noon")]
    assert (prompt.text, prompt.history) == ("Weather?", ())
    assert answer.output_text == "Hello world."


async def test_earlier_calls_are_history(caller: Site, client: AsyncOpenAI) -> None:
    """Calls before the last message of the user belong to an earlier turn."""
    items: list[Any] = [
        {"role": "user", "content": "Weather?"},
        {"type": "function_call", "call_id": "call_1", "name": "get_weather", "arguments": "{}"},
        {"type": "function_call_output", "call_id": "call_1", "output": "Snow"},
        {"role": "assistant", "content": "It snows."},
        {"role": "user", "content": "Thanks"},
    ]
    await client.responses.create(model="whisper", input=items)

    [prompt] = caller.engine.prompts
    calls = (ToolCall("call_1", "get_weather", "{}", "Snow"),)
    assert prompt.history == (
        Turn("user", "Weather?"),
        Turn("assistant", "", calls=calls),
        Turn("assistant", "It snows."),
    )
    assert prompt.toolbox is None


@pytest.mark.parametrize(
    ("fields", "names", "required", "parallel"),
    [
        ({}, ["get_weather", "get_time"], False, True),
        ({"tool_choice": "auto", "parallel_tool_calls": False}, ["get_weather", "get_time"], False, False),
        ({"tool_choice": "required"}, ["get_weather", "get_time"], True, True),
        ({"tool_choice": {"type": "function", "name": "get_time"}}, ["get_time"], True, False),
        (
            {
                "tool_choice": {
                    "type": "allowed_tools",
                    "mode": "auto",
                    "tools": [{"type": "function", "name": "get_time"}],
                }
            },
            ["get_time"],
            False,
            True,
        ),
    ],
)
async def test_choice_and_repetition_of_it(
    caller: Site, fields: dict[str, Any], names: list[str], required: bool, parallel: bool
) -> None:
    """The engine gets the tools that may be called; the response repeats what was sent."""
    async with caller.http.post("/v1/responses", json=ask(**fields)) as raw:
        response = await raw.json()
    parse_response(response)

    toolbox = caller.engine.prompts[0].toolbox
    assert toolbox is not None
    assert ([tool.name for tool in toolbox.tools], toolbox.required, toolbox.parallel) == (names, required, parallel)
    assert response["tool_choice"] == fields.get("tool_choice", "auto")
    assert response["parallel_tool_calls"] == fields.get("parallel_tool_calls", True)
    assert [tool["name"] for tool in response["tools"]] == ["get_weather", "get_time"]
    assert response["tools"][0] == {**WEATHER, "description": None}


async def test_the_form_of_chat_completions_is_understood(caller: Site) -> None:
    """The response repeats it in its own form."""
    nested = {"type": "function", "function": {"name": "get_weather", "parameters": PARAMETERS}}
    choice = {"type": "function", "function": {"name": "get_weather"}}
    async with caller.http.post("/v1/responses", json=ask(tools=[nested], tool_choice=choice)) as raw:
        response = parse_response(await raw.json())

    assert response.tool_choice.name == "get_weather"  # type: ignore[union-attr]
    assert response.tools[0].name == "get_weather"  # type: ignore[union-attr]


async def test_without_a_call_the_model_answers(caller: Site, client: AsyncOpenAI) -> None:
    """Text and usage are those of both steps; `none` skips the first."""
    caller.engine.calls = lambda _prompt: ()
    asked = await client.responses.create(**ask())
    skipped = await client.responses.create(**ask(tool_choice="none"))

    assert asked.output_text == skipped.output_text == "Hello world."
    assert asked.usage is not None
    assert skipped.usage is not None
    assert (asked.usage.total_tokens, skipped.usage.total_tokens) == (17, 10)


async def test_structured_answer_after_no_call(caller: Site) -> None:
    """Tools and a text format in one request: the text is the validated value."""
    caller.engine.calls = lambda _prompt: ()
    async with caller.http.post("/v1/responses", json=ask(text={"format": {"type": "json_object"}})) as raw:
        assert parse_response(await raw.json()).output_text == '{"answer": 42}'


async def test_an_error_while_choosing_has_a_status(caller: Site, client: AsyncOpenAI) -> None:
    """Nothing was sent yet."""
    caller.engine.calls = BudgetExhausted("too short")
    with pytest.raises(openai.UnprocessableEntityError, match="too short"):
        await client.responses.create(**ask(), stream=True)


async def test_an_error_after_calls_fails_the_response(own_settings: Settings) -> None:
    """The complete calls stay in the failed response, and so does the open one."""

    class Dying(FakeEngine):
        async def choose_tools(self, prompt: Prompt) -> AsyncIterator[Any]:  # type: ignore[override]
            async for event in super().choose_tools(prompt):
                if not hasattr(event, "calls"):
                    yield event
            raise ModelUnavailable("gone")

    engine = Dying()
    engine.calls = lambda _prompt: CALLS
    async with (
        site(own_settings, engine) as running,
        running.http.post("/v1/responses", json=ask(stream=True)) as response,
    ):
        *_, failed, last = (await response.text()).strip().split("\n\n")
    parsed = parse_response(json.loads(failed.partition("\ndata: ")[2])["response"])

    assert [item.status for item in parsed.output] == ["completed", "incomplete"]  # type: ignore[union-attr]
    assert last.startswith("event: error\n")


@pytest.mark.parametrize(
    ("changes", "param", "remedy"),
    [
        ({"tools": [{"type": "web_search"}]}, "tools", "`web_search`"),
        ({"tools": [{"type": "mcp", "server_label": "x"}]}, "tools", "`mcp`"),
        ({"tools": [{"type": "custom", "name": "x"}]}, "tools", "`custom`"),
        ({"tools": [WEATHER, WEATHER]}, "tools", "get_weather"),
        ({"tools": {}}, "tools", "list"),
        ({"tool_choice": {"type": "function", "name": "other"}}, "tool_choice", "other"),
        ({"tool_choice": {"type": "web_search"}}, "tool_choice", "`web_search`"),
        ({"tool_choice": "always"}, "tool_choice", "`required`"),
        ({"tools": [], "tool_choice": "required"}, "tool_choice", "no function"),
        ({"parallel_tool_calls": "yes"}, "parallel_tool_calls", ""),
        ({"input": [{"type": "function_call_output", "call_id": "call_9", "output": "x"}]}, "input", "call_9"),
        ({"input": [{"type": "function_call_output", "output": "x"}]}, "input", "call_id"),
        ({"input": [{"type": "function_call_output", "call_id": "c", "output": 5}]}, "input", "output"),
        (
            {"input": [{"type": "function_call", "call_id": "c", "name": "f", "arguments": "{}"}]},
            "input",
            "no result for the call",
        ),
        ({"input": [{"type": "function_call", "call_id": "c", "name": "é", "arguments": "{}"}]}, "input", "letters"),
        ({"input": [{"type": "custom_tool_call", "call_id": "c", "name": "f", "input": "x"}]}, "input", "`function`"),
        ({"input": [{"type": "mcp_call", "id": "x"}]}, "input", "`function`"),
    ],
)
async def test_wrong_tools_are_named(caller: Site, changes: dict[str, Any], param: str, remedy: str) -> None:
    """400 in OpenAI's format with the parameter and the reason; the engine is not called."""
    async with caller.http.post("/v1/responses", json=ask(**changes)) as response:
        error = (await response.json())["error"]

    assert (response.status, error["type"]) == (400, "invalid_request_error")
    assert param == error["param"].split(".")[0]
    assert remedy in error["message"]
    assert caller.engine.prompts == []
