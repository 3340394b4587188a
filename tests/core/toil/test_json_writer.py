"""The engine refuses a schema, a part of it, or the field for it."""

from __future__ import annotations

from contextlib import aclosing

import pytest

from core.configuration.settings import Settings
from core.contract import Json, Task, Text
from core.engine import ChatEngine
from core.errors import ModelRefused, SchemaRefused
from tests.core.support_chatting import serving
from tests.core.toil.support_toil import CITY, NAMED_CITY, OTTAWA, enforced_schema, run_toil
from tests.support.fake_model import Fail


async def test_text_is_not_conforming_where_the_engine_refused_a_part(chat: ChatEngine, own_settings: Settings) -> None:
    """The relaxed schema allows more than the caller's."""
    refusal = Fail(422, "schema_refused", "Unknown format")
    task = Task("whisper", "Which city?", NAMED_CITY)
    async with serving(own_settings, [refusal], OTTAWA), aclosing(chat.toil_events(task)) as events:
        texts = [event async for event in events if isinstance(event, Text)]

    assert [Text(part) for part in OTTAWA] == texts


async def test_schema_refused_by_the_engine_is_relaxed(chat: ChatEngine, own_settings: Settings) -> None:
    """The refused keyword is only validated; the next task starts with the relaxed schema."""
    no_format = Fail(422, "schema_refused", "Unknown format: date")
    schema = {"type": "string", "format": "date"}
    async with serving(own_settings, (no_format,), ('"today"',), ('"2026-01-01"',), ('"2026-01-02"',)) as model:
        first = await chat.toil(Task("whisper", "When?", schema))
        second = await chat.toil(Task("whisper", "When?", schema))

    assert [first.value, second.value] == ["2026-01-01", "2026-01-02"]
    assert [enforced_schema(request).get("format") for request in model.requests] == ["date", None, None, None]


async def test_unsatisfiable_narrowed_schema_falls_back(chat: ChatEngine, own_settings: Settings) -> None:
    """The last attempt uses the wider schema."""
    nothing = Fail(422, "schema_refused", "Unsatisfiable schema: types")
    schema: dict[str, Json] = {"type": "array", "uniqueItems": True}
    twice = ("[1,1]",)
    result, requests = await run_toil(chat, own_settings, schema, twice, twice, (nothing,), ("[1]",))

    assert result.value == [1]
    assert enforced_schema(requests[3]) == {"type": "array"}


async def test_engine_without_response_format_is_still_validated(chat: ChatEngine, own_settings: Settings) -> None:
    """The engine refuses the parameter with its own code."""
    refusal = (Fail(400, "invalid_request_error", "no response_format"),)
    result, requests = await run_toil(chat, own_settings, CITY, refusal, ('{"city": 5}',), OTTAWA)

    assert result.value == {"city": "Ottawa"}
    assert "response_format" not in requests[1]


async def test_engine_that_always_refuses_is_an_error(chat: ChatEngine, own_settings: Settings) -> None:
    """The retries are limited."""
    with pytest.raises(ModelRefused):
        await run_toil(chat, own_settings, CITY, *[(Fail(400, "invalid_request_error", "no"),)] * 9)


async def test_schema_unsatisfiable_for_the_engine_is_refused(chat: ChatEngine, own_settings: Settings) -> None:
    """A relaxed schema would only fail the validation."""
    with pytest.raises(SchemaRefused, match="Unsatisfiable"):
        await run_toil(chat, own_settings, CITY, (Fail(422, "schema_refused", "Unsatisfiable schema: types"),))
