"""The check's children: long-lived, replaced when they die, and nothing is ever fetched by them."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from core.contract import Json
from core.errors import SchemaRefused
from core.toil.validator_pool import AT_ONCE, Judge, Problem

NUMBER: dict[str, Json] = {"type": "object", "properties": {"n": {"type": "integer", "maximum": 5}}}
DRAFTS = [
    "http://json-schema.org/draft-04/schema#",
    "http://json-schema.org/draft-06/schema",
    "http://json-schema.org/draft-07/schema#",
    "https://json-schema.org/draft/2019-09/schema",
    "https://json-schema.org/draft/2020-12/schema",
]


@pytest.fixture
async def judge() -> AsyncIterator[Judge]:
    built = Judge()
    yield built
    await built.close()


async def test_problems_say_where_which_and_what(judge: Judge) -> None:
    """In the schema's words; what the value holds is not repeated."""
    assert await judge.problems(NUMBER, {"n": 3}) == ()
    (problem,) = await judge.problems(NUMBER, {"n": 1234})

    assert problem == Problem("/n", "maximum", "5")
    assert "1234" not in problem.told


@pytest.mark.parametrize("draft", DRAFTS)
async def test_formats_are_asserted_in_every_draft(judge: Judge, draft: str) -> None:
    """Also where the specification has them as annotations."""
    schema: dict[str, Json] = {"$schema": draft, "format": "ipv4"}

    assert await judge.problems(schema, "127.0.0.1") == ()
    assert [problem.keyword for problem in await judge.problems(schema, "home")] == ["format"]


async def test_children_live_on(judge: Judge) -> None:
    """One after another, all questions go to the same child; at once, to a few."""
    for number in range(20):
        await judge.problems(NUMBER, {"n": number})
    one = len(judge._children._idle)
    await asyncio.gather(*(judge.problems(NUMBER, {"n": number}) for number in range(50)))

    assert one == 1
    assert len(judge._children._idle) <= AT_ONCE


async def test_a_child_knows_many_schemas(judge: Judge) -> None:
    """More than it keeps: it asks for those that it forgot."""
    schemas: list[dict[str, Any]] = [{"const": number} for number in range(100)]
    for _ in range(2):
        for number, schema in enumerate(schemas):
            assert await judge.problems(schema, number) == ()


async def test_a_child_that_was_killed_is_replaced(judge: Judge) -> None:
    """The next question gets a new one."""
    await judge.problems(NUMBER, {})
    child = judge._children._idle[0]
    os.kill(child.pid, signal.SIGKILL)
    await child.wait()

    assert await judge.problems(NUMBER, {"n": 1}) == ()


async def test_a_cancelled_question_leaves_no_answer_behind(judge: Judge) -> None:
    """Its child is ended: what it might still say would be taken for the next answer."""
    asking = asyncio.create_task(judge.problems(NUMBER, {"n": 9}))
    await asyncio.sleep(0)
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking

    assert await judge.problems(NUMBER, {"n": 1}) == ()


async def test_a_bomb_costs_its_child_and_nobody_else(judge: Judge) -> None:
    """Others are answered meanwhile."""
    bomb: dict[str, Json] = {"pattern": "(?!x)(a|a)*$(?<=b)"}
    exploding = asyncio.create_task(judge.problems(bomb, "a" * 60 + "c"))
    for number in range(5):
        assert await judge.problems(NUMBER, {"n": number}) == ()
    assert not exploding.done()

    with pytest.raises(SchemaRefused, match="too long"):
        await exploding
    assert await judge.problems(NUMBER, {"n": 1}) == ()


async def test_no_file_is_read(judge: Judge, tmp_path: Path) -> None:
    """A reference to a schema on this machine is refused, also to one that is there."""
    file = tmp_path / "s.json"
    file.write_text('{"type": "string"}')
    schemas: list[dict[str, Any]] = [{"$ref": file.as_uri()}, {"$id": f"{tmp_path.as_uri()}/", "$ref": "s.json"}]
    for schema in schemas:
        with pytest.raises(SchemaRefused):
            await judge.plan(schema)
        with pytest.raises(SchemaRefused):
            await judge.problems(schema, "x")


async def test_a_plan_is_made_once(judge: Judge) -> None:
    """The same schema gets the same plan, without a child."""
    first = await judge.plan(NUMBER)
    await judge.close()

    assert await judge.plan(dict(NUMBER)) is first


async def test_a_remote_reference_is_refused_by_its_place() -> None:
    """Who wrote it is told where it stands and what to do instead."""
    judge = Judge()
    try:
        with pytest.raises(SchemaRefused, match=r"^/properties/a/\$ref: .* put what it refers to under `\$defs`"):
            await judge.plan({"properties": {"a": {"$ref": "http://127.0.0.1:9/x"}}})
    finally:
        await judge.close()
