"""Toil: one conforming value, or an error with the reason."""

from __future__ import annotations

import asyncio
import json
from contextlib import aclosing
from typing import Any

import pytest

from core.configuration.settings import Settings
from core.contract import ConformingText, Json, Sampling, Task, Text, TextDiscarded, ToilResult
from core.engine import ChatEngine
from core.errors import BadRequest, BudgetExhausted, NonConforming, PersonalityUnknown, SchemaRefused
from tests.core.support_chatting import serving, shown
from tests.core.toil.support_toil import CITY, NAMED_CITY, OTTAWA, enforced_schema, run_toil
from tests.support.fake_model import Die, Finish


async def test_conforming_value_is_returned(chat: ChatEngine, own_settings: Settings) -> None:
    """The engine enforces the schema, and the result names the model."""
    result, requests = await run_toil(chat, own_settings, CITY, OTTAWA)

    assert result == ToilResult({"city": "Ottawa"}, "fake-model", result.usage)
    assert requests[0]["response_format"] == {
        "type": "json_schema",
        "json_schema": {"name": "answer", "schema": CITY, "strict": True},
    }
    assert "Answer with JSON only." in shown(requests[0])


@pytest.mark.parametrize(
    ("schema", "conforms"),
    [(NAMED_CITY, True), (CITY, False)],
)
async def test_text_of_an_enforced_schema_can_only_conform(
    chat: ChatEngine, own_settings: Settings, schema: Any, conforms: bool
) -> None:
    """Callers learn whether the text that they see may still be refused."""
    async with (
        serving(own_settings, OTTAWA),
        aclosing(chat.toil_events(Task("whisper", "Which city?", schema))) as all_,
    ):
        texts = [event async for event in all_ if isinstance(event, Text)]

    assert [ConformingText(part) if conforms else Text(part) for part in OTTAWA] == texts


async def test_without_a_schema_any_object_is_accepted(chat: ChatEngine, own_settings: Settings) -> None:
    """Other values are refused."""
    result, requests = await run_toil(chat, own_settings, None, ("[1]",), ('{"a": 1}',))

    assert result.value == {"a": 1}
    assert requests[0]["response_format"] == {"type": "json_object"}


async def test_schema_true_accepts_any_value(chat: ChatEngine, own_settings: Settings) -> None:
    """`true` is a schema."""
    assert (await run_toil(chat, own_settings, True, ("[1]",)))[0].value == [1]


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
async def test_rejected_value_is_retried_with_feedback(chat: ChatEngine, own_settings: Settings, wrong: str) -> None:
    """The retry quotes the answer and its violations; the third failure is NonConforming."""
    result, requests = await run_toil(chat, own_settings, CITY, (wrong,), OTTAWA)

    assert result.value == {"city": "Ottawa"}
    assert "Your answer was refused" in shown(requests[1])
    assert result.usage.prompt_tokens > len(shown(requests[0]).split()) / 2

    with pytest.raises(NonConforming) as caught:
        await run_toil(chat, own_settings, CITY, (wrong,), (wrong,), (wrong,))
    assert len(caught.value.message) < 400


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
async def test_invalid_schema_is_refused_with_its_place(chat: ChatEngine, schema: Any, place: str) -> None:
    """No model is called: none is served here."""
    with pytest.raises(SchemaRefused) as caught:
        await chat.toil(Task("whisper", "Hi", schema))

    assert place in caught.value.message


async def test_deeply_nested_schema_is_refused(chat: ChatEngine) -> None:
    """Deep nesting breaks every recursive reader."""
    schema: dict[str, Json] = {}
    for _ in range(5000):
        schema = {"not": schema}

    with pytest.raises(SchemaRefused, match="deep"):
        await chat.toil(Task("whisper", "Hi", schema))


async def test_remote_reference_is_never_fetched(chat: ChatEngine) -> None:
    """A server at the reference's address gets no connection."""
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
        # Proves that the server would have noticed a connection.
        _reader, writer = await asyncio.open_connection(host, port)
        await visited.wait()
        writer.close()


async def test_exponentially_unfolding_schema_is_refused(chat: ChatEngine, own_settings: Settings) -> None:
    """Its references double at each of 40 steps."""
    doubling: dict[str, Json] = {
        f"d{n}": {"allOf": [{"$ref": f"#/$defs/d{n + 1}"}, {"$ref": f"#/$defs/d{n + 1}"}]} for n in range(40)
    }
    schema: dict[str, Json] = {"$defs": {**doubling, "d40": {"type": "string"}}, "$ref": "#/$defs/d0"}

    with pytest.raises(SchemaRefused, match="too long"):
        await run_toil(chat, own_settings, schema, ('"x"',))


async def test_pattern_takes_linear_time(chat: ChatEngine, own_settings: Settings) -> None:
    """A pattern that stalls backtracking engines is answered."""
    schema = {"type": "string", "pattern": "^(a+)+$"}
    hostile = json.dumps("a" * 5000 + "b")

    with pytest.raises(NonConforming, match=r"a text that matches \^\(a\+\)\+\$ was expected"):
        await run_toil(chat, own_settings, schema, (hostile,), (hostile,), (hostile,))


async def test_endless_pattern_is_killed(chat: ChatEngine, own_settings: Settings) -> None:
    """Lookaround needs a backtracking engine; the kernel ends it, also under `not`, and other tasks go on."""
    hostile = json.dumps("a" * 60 + "c")
    with pytest.raises(SchemaRefused, match="takes too long"):
        await run_toil(chat, own_settings, {"not": {"pattern": "(?!x)(a|a)*$(?<=b)"}}, (hostile,))

    assert (await run_toil(chat, own_settings, CITY, OTTAWA))[0].value == {"city": "Ottawa"}


async def test_pattern_with_lookaround_is_validated(chat: ChatEngine, own_settings: Settings) -> None:
    """The engine enforces the rest of the pattern, and the validator all of it."""
    schema = {"type": "string", "pattern": "^(?!no)[a-z]+$"}
    result, requests = await run_toil(chat, own_settings, schema, ('"nono"',), ('"yes"',))

    assert result.value == "yes"
    assert enforced_schema(requests[0])["pattern"] == "^(?:)[a-z]+$"
    assert 'This was written: string "nono"' in shown(requests[1])


async def test_feedback_holds_pointer_keyword_and_expected_value(chat: ChatEngine, own_settings: Settings) -> None:
    """The temperature rises with each attempt; the last one uses the narrowed schema."""
    schema: dict[str, Json] = {"type": "array", "items": {"type": "integer", "maximum": 5}, "uniqueItems": True}
    async with serving(own_settings, ("[1,1]",), ("[9]",), ("[2]",)) as model:
        result = await chat.toil(Task("whisper", "Numbers?", schema, sampling=Sampling(temperature=0.1, seed=3)))
        requests = model.requests

    assert result.value == [2]
    assert "The value: items that differ from one another were expected. This was written: array [1, 1]" in shown(
        requests[1]
    )
    assert "/0: at most 5 was expected. This was written: number 9" in shown(requests[2])
    assert [0.1, 0.3, 0.5] == pytest.approx([request["temperature"] for request in requests])
    assert ["maxItems" in enforced_schema(request) for request in requests] == [False, False, True]


async def test_too_long_answer_is_retried_narrowed(chat: ChatEngine, own_settings: Settings) -> None:
    """The narrowed schema leaves out optional properties that only validation can check."""
    schema = {"type": "object", "properties": {"a": {"type": "integer"}, "b": {"uniqueItems": True, "minItems": 9}}}
    result, requests = await run_toil(chat, own_settings, schema, ('{"a": 1, "b', Finish("length")), ('{"a": 1}',))

    assert result.value == {"a": 1}
    assert enforced_schema(requests[1])["properties"] == {"a": {"type": "integer"}, "b": False}


async def test_repeated_key_counts_once(chat: ChatEngine, own_settings: Settings) -> None:
    """No engine tracks undeclared keys; the last one counts and is validated."""
    schema = {"type": "object", "additionalProperties": {"type": "integer"}}
    result, requests = await run_toil(chat, own_settings, schema, ('{"b": 1, "b": 2}',))

    assert {"b": 2} == result.value
    assert 1 == len(requests)


async def test_number_beyond_a_float_is_retried_narrowed(chat: ChatEngine, own_settings: Settings) -> None:
    """Python cannot hold the number."""
    schema = {"type": "object", "properties": {"a": {"type": "number"}, "b": {"pattern": r"(.)\1"}}}
    result, requests = await run_toil(chat, own_settings, schema, ('{"a": 9e999}',), ('{"a": 1}',))

    assert {"a": 1} == result.value
    assert [True, False] == [enforced_schema(request)["properties"]["b"] is not False for request in requests]


async def test_listed_number_beyond_a_float_is_restored(chat: ChatEngine, own_settings: Settings) -> None:
    """The engine writes the nearest float, which stands for the number."""
    result, requests = await run_toil(chat, own_settings, {"enum": [2**53 + 1]}, (str(2**53),))

    assert 2**53 + 1 == result.value
    assert enforced_schema(requests[0]) == {"enum": [2**53]}


async def test_exhausted_budget_is_an_error(chat: ChatEngine, own_settings: Settings) -> None:
    """Half a value is no value."""
    with pytest.raises(BudgetExhausted):
        await run_toil(chat, own_settings, CITY, ('{"city": "Ott', Finish("length")))


async def test_toil_survives_a_model_restart(chat: ChatEngine, own_settings: Settings) -> None:
    """It starts again: a grammar cannot start in the middle."""
    result, requests = await run_toil(chat, own_settings, CITY, ('{"city": "Otta', Die()), OTTAWA)

    assert result.value == {"city": "Ottawa"}
    assert requests[0] == requests[1]


async def test_invalid_tasks_are_refused(chat: ChatEngine) -> None:
    """An unknown personality, a blank prompt."""
    with pytest.raises(PersonalityUnknown):
        await chat.toil(Task("nobody", "Hi"))
    with pytest.raises(BadRequest):
        await chat.toil(Task("whisper", " "))


async def test_rejected_text_is_discarded(chat: ChatEngine, own_settings: Settings) -> None:
    """TextDiscarded follows a rejected attempt, and the value comes last."""
    schema = {**CITY, "not": {"properties": {"city": {"pattern": "^O(?=t)"}}}}
    async with serving(own_settings, OTTAWA, ('{"city": "Iqaluit"}',)):
        events = [event async for event in chat.toil_events(Task("whisper", "Which city?", schema))]

    void = events.index(TextDiscarded())
    assert "".join(OTTAWA) == "".join(event.text for event in events[:void] if isinstance(event, Text))
    assert isinstance(events[-1], ToilResult)
    assert {"city": "Iqaluit"} == events[-1].value


async def test_task_is_a_turn_of_its_session(chat: ChatEngine, own_settings: Settings) -> None:
    """Toil knows the session's earlier turns, and later turns know its answer."""
    session = await chat.open("whisper")
    async with serving(own_settings, OTTAWA, OTTAWA) as model:
        await chat.toil(Task("whisper", "Which city?", CITY, conversation=session))
        await chat.toil(Task("whisper", "And now?", CITY, conversation=session))
        turns = await chat.resume(session, "whisper")

    assert ["Which city?", '{"city": "Ottawa"}', "And now?", '{"city": "Ottawa"}'] == [turn.text for turn in turns]
    assert "Which city?" in shown(model.requests[-1])
