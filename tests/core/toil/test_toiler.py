"""Toil: one conforming value, or the reason why not."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from typing import Any

import pytest

from core.configuration.settings import Settings
from core.contract import Attachment, Json, Sampling, Task, Text, TextDiscarded, ToilResult, Usage
from core.engine import ChatEngine
from core.errors import BadRequest, BudgetExhausted, ModelRefused, NonConforming, PersonalityUnknown, SchemaRefused
from tests.core.test_engine import chat_on, serving, shown
from tests.support.fakes import Die, Fail, Finish, Step

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


def held(request: dict[str, Any]) -> dict[str, Any]:
    """The schema that a request held the model to."""
    schema: dict[str, Any] = request["response_format"]["json_schema"]["schema"]
    return schema


async def toiled(
    chat: ChatEngine, settings: Settings, schema: Any, *answers: Sequence[Step]
) -> tuple[ToilResult, list[dict[str, Any]]]:
    async with serving(settings, *answers) as model:
        return await chat.toil(Task("whisper", "Which city?", schema)), model.requests


async def test_a_conforming_value(chat: ChatEngine, own_settings: Settings) -> None:
    """The engine is held to the schema, and the value is returned with who wrote it."""
    result, requests = await toiled(chat, own_settings, CITY, OTTAWA)

    assert result == ToilResult({"city": "Ottawa"}, "fake-model", result.usage)
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
        '{"city": "\\ud800"}',
        '{"city": ' + "[" * 2000,
        '{"city": 1e999}',
        '{"city": ' + "9" * 5000 + "}",
        "",
    ],
)
async def test_a_wrong_value_is_asked_for_again(chat: ChatEngine, own_settings: Settings, wrong: str) -> None:
    """The model is told what it wrote and what was wrong; a third failure is NonConforming."""
    result, requests = await toiled(chat, own_settings, CITY, (wrong,), OTTAWA)

    assert result.value == {"city": "Ottawa"}
    assert "Your answer was refused" in shown(requests[1])
    assert result.usage.prompt_tokens > len(shown(requests[0]).split()) / 2

    with pytest.raises(NonConforming) as caught:
        await toiled(chat, own_settings, CITY, (wrong,), (wrong,), (wrong,))
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


async def test_a_schema_that_unfolds_for_ever_is_refused(chat: ChatEngine, own_settings: Settings) -> None:
    """References that double at each of 40 steps."""
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
        await toiled(chat, own_settings, schema, (hostile,), (hostile,), (hostile,))


async def test_a_pattern_that_takes_for_ever_is_ended(chat: ChatEngine, own_settings: Settings) -> None:
    """Lookaround needs an engine that backtracks; the kernel ends it, also under `not`, and others do not notice."""
    hostile = json.dumps("a" * 60 + "c")
    with pytest.raises(SchemaRefused, match="takes too long"):
        await toiled(chat, own_settings, {"not": {"pattern": "(?!x)(a|a)*$(?<=b)"}}, (hostile,))

    assert (await toiled(chat, own_settings, CITY, OTTAWA))[0].value == {"city": "Ottawa"}


async def test_a_pattern_with_lookaround_is_served(chat: ChatEngine, own_settings: Settings) -> None:
    """The model is held to what is left of it, the answer to all of it."""
    schema = {"type": "string", "pattern": "^(?!no)[a-z]+$"}
    result, requests = await toiled(chat, own_settings, schema, ('"nono"',), ('"yes"',))

    assert result.value == "yes"
    assert held(requests[0])["pattern"] == "^(?:)[a-z]+$"
    assert "fails `pattern`" in shown(requests[1])


async def test_the_model_is_told_what_is_asked_for(chat: ChatEngine, own_settings: Settings) -> None:
    """The place, the keyword and what it asks for, hotter each time; the last time it is held to less."""
    schema: dict[str, Json] = {"type": "array", "items": {"type": "integer", "maximum": 5}, "uniqueItems": True}
    async with serving(own_settings, ("[1,1]",), ("[9]",), ("[2]",)) as model:
        result = await chat.toil(Task("whisper", "Numbers?", schema, sampling=Sampling(temperature=0.1, seed=3)))
        requests = model.requests

    assert result.value == [2]
    assert "the root fails `uniqueItems`" in shown(requests[1])
    assert "/0 fails `maximum`: 5" in shown(requests[2])
    assert [0.1, 0.3, 0.5] == pytest.approx([request["temperature"] for request in requests])
    assert ["maxItems" in held(request) for request in requests] == [False, False, True]


async def test_an_answer_that_is_too_long_is_asked_for_with_less(chat: ChatEngine, own_settings: Settings) -> None:
    """Names that nobody declared are left out then."""
    schema = {"type": "object", "properties": {"a": {"type": "integer"}}}
    result, requests = await toiled(chat, own_settings, schema, ('{"a": 1, "b', Finish("length")), ('{"a": 1}',))

    assert result.value == {"a": 1}
    assert held(requests[1])["allOf"] == [{"properties": {"a": True}, "additionalProperties": False}]


async def test_a_schema_that_the_engine_refuses_is_relaxed(chat: ChatEngine, own_settings: Settings) -> None:
    """What its reason names is held no more, and is checked; the next answer begins there."""
    no_format = Fail(422, "schema_refused", "Unknown format: date")
    schema = {"type": "string", "format": "date"}
    async with serving(own_settings, (no_format,), ('"today"',), ('"2026-01-01"',), ('"2026-01-02"',)) as model:
        first = await chat.toil(Task("whisper", "When?", schema))
        second = await chat.toil(Task("whisper", "When?", schema))

    assert [first.value, second.value] == ["2026-01-01", "2026-01-02"]
    assert [held(request).get("format") for request in model.requests] == ["date", None, None, None]


async def test_a_key_given_twice_counts_once(chat: ChatEngine, own_settings: Settings) -> None:
    """No engine sees a repetition among names that nobody declared; the last one counts, and is checked."""
    schema = {"type": "object", "additionalProperties": {"type": "integer"}}
    result, requests = await toiled(chat, own_settings, schema, ('{"b": 1, "b": 2}',))

    assert {"b": 2} == result.value
    assert 1 == len(requests)


async def test_a_number_beyond_a_float_is_answered_by_declared_keys_only(
    chat: ChatEngine, own_settings: Settings
) -> None:
    """What Python cannot hold is asked for again, held to less."""
    schema = {"type": "object", "properties": {"a": {"type": "integer"}}}
    result, requests = await toiled(chat, own_settings, schema, ('{"b": 9e999}',), ('{"a": 1}',))

    assert {"a": 1} == result.value
    assert [False, True] == ["allOf" in held(request) for request in requests]


async def test_a_narrowed_schema_that_nothing_satisfies_is_not_used(chat: ChatEngine, own_settings: Settings) -> None:
    """It is ours, not the caller's: the wider one is held then."""
    nothing = Fail(422, "schema_refused", "Unsatisfiable schema: types")
    schema: dict[str, Json] = {"type": "array", "uniqueItems": True}
    twice = ("[1,1]",)
    result, requests = await toiled(chat, own_settings, schema, twice, twice, (nothing,), ("[1]",))

    assert result.value == [1]
    assert held(requests[3]) == {"type": "array"}


async def test_an_engine_that_holds_nothing_is_checked_all_the_same(chat: ChatEngine, own_settings: Settings) -> None:
    """It knows no response_format, and refuses by a code of its own."""
    refusal = (Fail(400, "invalid_request_error", "no response_format"),)
    result, requests = await toiled(chat, own_settings, CITY, refusal, ('{"city": 5}',), OTTAWA)

    assert result.value == {"city": "Ottawa"}
    assert "response_format" not in requests[1]


async def test_an_engine_that_only_refuses_is_told(chat: ChatEngine, own_settings: Settings) -> None:
    """Not asked for ever."""
    with pytest.raises(ModelRefused):
        await toiled(chat, own_settings, CITY, *[(Fail(400, "invalid_request_error", "no"),)] * 9)


async def test_a_budget_that_ends_is_told(chat: ChatEngine, own_settings: Settings) -> None:
    """Half a value is no value."""
    with pytest.raises(BudgetExhausted):
        await toiled(chat, own_settings, CITY, ('{"city": "Ott', Finish("length")))


async def test_toil_outlives_the_model(chat: ChatEngine, own_settings: Settings) -> None:
    """It begins anew: a grammar cannot begin in the middle."""
    result, requests = await toiled(chat, own_settings, CITY, ('{"city": "Otta', Die()), OTTAWA)

    assert result.value == {"city": "Ottawa"}
    assert requests[0] == requests[1]


async def test_a_schema_that_the_engine_finds_unsatisfiable_is_refused(
    chat: ChatEngine, own_settings: Settings
) -> None:
    """Holding the model to less would only make it fail the check."""
    with pytest.raises(SchemaRefused, match="Unsatisfiable"):
        await toiled(chat, own_settings, CITY, (Fail(422, "schema_refused", "Unsatisfiable schema: types"),))


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


async def test_events_tell_what_is_void(chat: ChatEngine, own_settings: Settings) -> None:
    """The text of an attempt that fails the check is declared void, and the value comes last."""
    schema = {**CITY, "not": {"properties": {"city": {"pattern": "^O(?=t)"}}}}
    async with serving(own_settings, OTTAWA, ('{"city": "Iqaluit"}',)):
        events = [event async for event in chat.toil_events(Task("whisper", "Which city?", schema))]

    void = events.index(TextDiscarded())
    assert "".join(OTTAWA) == "".join(event.text for event in events[:void] if isinstance(event, Text))
    assert isinstance(events[-1], ToilResult)
    assert {"city": "Iqaluit"} == events[-1].value


async def test_a_task_is_a_turn_of_its_session(chat: ChatEngine, own_settings: Settings) -> None:
    """Toil in a session knows what was said there, and what it answered is known afterwards."""
    session = await chat.open("whisper")
    async with serving(own_settings, OTTAWA, OTTAWA) as model:
        await chat.toil(Task("whisper", "Which city?", CITY, conversation=session))
        await chat.toil(Task("whisper", "And now?", CITY, conversation=session))
        turns = await chat.resume(session, "whisper")

    assert ["Which city?", '{"city": "Ottawa"}', "And now?", '{"city": "Ottawa"}'] == [turn.text for turn in turns]
    assert "Which city?" in shown(model.requests[-1])


async def test_text_is_data(chat: ChatEngine, own_settings: Settings) -> None:
    """The text of a task is quoted as a document, in front of the prompt."""
    task = Task("whisper", "Which city?", CITY, attachments=(Attachment("text", "Ottawa lies on a river."),))
    async with serving(own_settings, OTTAWA) as model:
        await chat.toil(task)

    asked = shown(model.requests[0])
    assert asked.index("Ottawa lies on a river.") < asked.index("Which city?")
    assert "Document «text»" in asked


async def test_rows_of_a_batch_begin_alike(chat: ChatEngine, own_settings: Settings) -> None:
    """What differs between two tasks of one schema comes last, so that the rest is computed once."""
    async with serving(own_settings, OTTAWA, OTTAWA) as model:
        for row in ("Which city?", "Where?"):
            await chat.toil(Task("whisper", row, CITY))

    first, second = (request["messages"] for request in model.requests)
    assert first[:-1] == second[:-1]
    assert "Where?" == second[-1]["content"]
