"""Toil: one conforming value, or the reason why not."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from typing import Any

import pytest

from core.contract import Json, Sampling, Task, Toiled, Usage
from core.engine import ChatEngine
from core.errors import BadRequest, BudgetExhausted, NonConforming, PersonalityUnknown, SchemaRefused
from core.settings import Settings
from tests.core.test_engine import chat_on, serving, shown
from tests.fakes import Die, Fail, Finish, Step

CITY: dict[str, Json] = {
    "type": "object",
    "properties": {"city": {"type": "string"}, "on": {"type": "string", "format": "date"}},
    "required": ["city"],
    "additionalProperties": False,
}
OTTAWA = ('{"city": ', '"Ottawa"}')


@pytest.fixture
async def chat(own_settings: Settings) -> AsyncIterator[ChatEngine]:
    async with chat_on(own_settings) as built:
        yield built


async def toiled(
    chat: ChatEngine, settings: Settings, schema: Any, *answers: Sequence[Step]
) -> tuple[Toiled, list[dict[str, Any]]]:
    async with serving(settings, *answers) as model:
        return await chat.toil(Task("whisper", "Which city?", schema)), model.requests


async def test_a_conforming_value(chat: ChatEngine, own_settings: Settings) -> None:
    """The engine is held to the schema, and the value is returned with who wrote it."""
    result, requests = await toiled(chat, own_settings, CITY, OTTAWA)

    assert result == Toiled({"city": "Ottawa"}, "fake-model", result.usage)
    assert requests[0]["response_format"] == {
        "type": "json_schema",
        "json_schema": {"name": "answer", "schema": CITY, "strict": True},
    }
    assert "Answer with JSON only." in shown(requests[0])


async def test_without_a_schema_any_object_will_do(chat: ChatEngine, own_settings: Settings) -> None:
    """An object, and nothing else."""
    result, requests = await toiled(chat, own_settings, None, ("[1]",), ('{"a": 1}',))

    assert result.value == {"a": 1}
    assert requests[0]["response_format"] == {"type": "json_object"}


async def test_true_allows_any_value(chat: ChatEngine, own_settings: Settings) -> None:
    """The schema `true` is one."""
    assert (await toiled(chat, own_settings, True, ("[1]",)))[0].value == [1]


@pytest.mark.parametrize(
    "wrong",
    [
        '{"city": 5}',
        '{"city": "x", "on": "yesterday"}',
        '{"city": "x", "more": 1}',
        "Sure! Here it is: {}",
        '{"city": NaN}',
        '{"city": "x", "city": "y"}',
        '{"city": "\\ud800"}',
        '{"city": ' + "[" * 2000,
        '{"city": 1e999}',
        '{"city": ' + "9" * 5000 + "}",
        "",
    ],
)
async def test_a_wrong_value_gets_one_more_try(chat: ChatEngine, own_settings: Settings, wrong: str) -> None:
    """The model is told what it wrote and what was wrong; a second failure is NonConforming."""
    result, requests = await toiled(chat, own_settings, CITY, (wrong,), OTTAWA)

    assert result.value == {"city": "Ottawa"}
    assert "Your answer was refused" in shown(requests[1])
    assert result.usage.prompt_tokens > len(shown(requests[0]).split()) / 2

    with pytest.raises(NonConforming) as caught:
        await toiled(chat, own_settings, CITY, (wrong,), (wrong,))
    assert "yesterday" not in caught.value.message


@pytest.mark.parametrize(
    ("schema", "place"),
    [
        (False, "no value"),
        ([1], "an object"),
        ({"properties": {"a": {"type": "strin"}}}, "/properties/a/type"),
        ({"minLength": -1}, "/minLength"),
        ({"$ref": "file:///etc/passwd"}, "file:///etc/passwd"),
        ({"$ref": "#/definitions/absent"}, "absent"),
        ({"pattern": "("}, "/pattern"),
        ({"pattern": "((a{1,100}){1,100}){1,100}"}, "/pattern"),
        ({"pattern": "(?=a)b"}, "/pattern"),
        ({"enum": ["x" * 2**18]}, "bytes"),
        ({"a": "\ud800"}, "surrogate"),
    ],
)
async def test_a_schema_that_is_none_is_refused_with_its_place(chat: ChatEngine, schema: Any, place: str) -> None:
    """Before any model is asked: none is served here."""
    with pytest.raises(SchemaRefused) as caught:
        await chat.toil(Task("whisper", "Hi", schema))

    assert place in caught.value.message


async def test_a_deep_schema_is_refused(chat: ChatEngine) -> None:
    """Nesting is a bomb for whatever recurses."""
    schema: dict[str, Json] = {}
    for _ in range(5000):
        schema = {"not": schema}

    with pytest.raises(SchemaRefused, match="deep"):
        await chat.toil(Task("whisper", "Hi", schema))


async def test_a_remote_reference_is_never_fetched(chat: ChatEngine) -> None:
    """A server that would see it does not."""
    visited = asyncio.Event()

    async def visit(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        visited.set()
        writer.close()

    async with await asyncio.start_server(visit, "127.0.0.1", 0) as canary:
        host, port = canary.sockets[0].getsockname()
        for schema in ({"$ref": f"http://{host}:{port}/s.json"}, {"$schema": f"http://{host}:{port}/s.json"}):
            with pytest.raises(SchemaRefused):
                await chat.toil(Task("whisper", "Hi", schema))
        assert not visited.is_set()
        # The canary sings: it would have seen a visit.
        _reader, writer = await asyncio.open_connection(host, port)
        await visited.wait()
        writer.close()


async def test_a_schema_that_takes_for_ever_is_ended(chat: ChatEngine, own_settings: Settings) -> None:
    """References that double at each of 40 steps: the child runs out of its time, the loop here stays free."""
    doubling: dict[str, Json] = {
        f"d{n}": {"allOf": [{"$ref": f"#/$defs/d{n + 1}"}, {"$ref": f"#/$defs/d{n + 1}"}]} for n in range(40)
    }
    schema: dict[str, Json] = {"$defs": {**doubling, "d40": {"type": "string"}}, "$ref": "#/$defs/d0"}

    with pytest.raises(SchemaRefused, match="too long"):
        await toiled(chat, own_settings, schema, ('"x"',))


async def test_a_pattern_takes_linear_time(chat: ChatEngine, own_settings: Settings) -> None:
    """What sends backtracking engines away for ever is answered."""
    schema = {"type": "string", "pattern": "^(a+)+$"}
    hostile = json.dumps("a" * 5000 + "b")

    with pytest.raises(NonConforming, match="fails `pattern`"):
        await toiled(chat, own_settings, schema, (hostile,), (hostile,))


async def test_a_budget_that_ends_is_told(chat: ChatEngine, own_settings: Settings) -> None:
    """Half a value is no value."""
    with pytest.raises(BudgetExhausted):
        await toiled(chat, own_settings, CITY, ('{"city": "Ott', Finish("length")))


async def test_toil_outlives_the_model(chat: ChatEngine, own_settings: Settings) -> None:
    """It begins anew: a grammar cannot begin in the middle."""
    result, requests = await toiled(chat, own_settings, CITY, ('{"city": "Otta', Die()), OTTAWA)

    assert result.value == {"city": "Ottawa"}
    assert requests[0] == requests[1]


async def test_what_the_engine_refuses_is_passed_on(chat: ChatEngine, own_settings: Settings) -> None:
    """A schema that no engine can hold is the caller's to change."""
    with pytest.raises(SchemaRefused, match="at /x: not"):
        await toiled(chat, own_settings, CITY, (Fail(400, "unsupported_schema", "at /x: not"),))


async def test_bad_tasks(chat: ChatEngine) -> None:
    """No personality of that name; nothing to answer."""
    with pytest.raises(PersonalityUnknown):
        await chat.toil(Task("nobody", "Hi"))
    with pytest.raises(BadRequest):
        await chat.toil(Task("whisper", " "))


async def test_stop_strings_do_not_cut_json(chat: ChatEngine, own_settings: Settings) -> None:
    """They are for text."""
    async with serving(own_settings, OTTAWA) as model:
        result = await chat.toil(Task("whisper", "Hi", CITY, sampling=Sampling(stop=('"',), max_tokens=9)))

    assert "stop" not in model.requests[0]
    assert model.requests[0]["max_tokens"] == 9
    assert isinstance(result.usage, Usage)
