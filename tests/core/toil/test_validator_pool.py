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
from core.toil.validator_pool import CHILDREN_LIMIT, ValidatorPool, Violation

NUMBER: dict[str, Json] = {"type": "object", "properties": {"n": {"type": "integer", "maximum": 5}}}
DRAFTS = [
    "http://json-schema.org/draft-04/schema#",
    "http://json-schema.org/draft-06/schema",
    "http://json-schema.org/draft-07/schema#",
    "https://json-schema.org/draft/2019-09/schema",
    "https://json-schema.org/draft/2020-12/schema",
]


@pytest.fixture
async def validators() -> AsyncIterator[ValidatorPool]:
    built = ValidatorPool()
    yield built
    await built.close()


async def test_problems_say_where_which_and_what(validators: ValidatorPool) -> None:
    """In the schema's words; what the value holds is not repeated."""
    assert await validators.validate(NUMBER, {"n": 3}) == ()
    (problem,) = await validators.validate(NUMBER, {"n": 1234})

    assert problem == Violation("/n", "maximum", "5")
    assert "1234" not in problem.explanation


@pytest.mark.parametrize("draft", DRAFTS)
async def test_formats_are_asserted_in_every_draft(validators: ValidatorPool, draft: str) -> None:
    """Also where the specification has them as annotations."""
    schema: dict[str, Json] = {"$schema": draft, "format": "ipv4"}

    assert await validators.validate(schema, "127.0.0.1") == ()
    assert [problem.keyword for problem in await validators.validate(schema, "home")] == ["format"]


async def test_children_live_on(validators: ValidatorPool) -> None:
    """One after another, all questions go to the same child; at once, to a few."""
    for number in range(20):
        await validators.validate(NUMBER, {"n": number})
    one = len(validators._children._idle)
    await asyncio.gather(*(validators.validate(NUMBER, {"n": number}) for number in range(50)))

    assert one == 1
    assert len(validators._children._idle) <= CHILDREN_LIMIT


async def test_a_child_knows_many_schemas(validators: ValidatorPool) -> None:
    """More than it keeps: it asks for those that it forgot."""
    schemas: list[dict[str, Any]] = [{"const": number} for number in range(100)]
    for _ in range(2):
        for number, schema in enumerate(schemas):
            assert await validators.validate(schema, number) == ()


async def test_a_child_that_was_killed_is_replaced(validators: ValidatorPool) -> None:
    """The next question gets a new one."""
    await validators.validate(NUMBER, {})
    child = validators._children._idle[0]
    os.kill(child.pid, signal.SIGKILL)
    await child.wait()

    assert await validators.validate(NUMBER, {"n": 1}) == ()


async def test_a_cancelled_question_leaves_no_answer_behind(validators: ValidatorPool) -> None:
    """Its child is ended: what it might still say would be taken for the next answer."""
    asking = asyncio.create_task(validators.validate(NUMBER, {"n": 9}))
    await asyncio.sleep(0)
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking

    assert await validators.validate(NUMBER, {"n": 1}) == ()


async def test_a_bomb_costs_its_child_and_nobody_else(validators: ValidatorPool) -> None:
    """Others are answered meanwhile."""
    bomb: dict[str, Json] = {"pattern": "(?!x)(a|a)*$(?<=b)"}
    exploding = asyncio.create_task(validators.validate(bomb, "a" * 60 + "c"))
    for number in range(5):
        assert await validators.validate(NUMBER, {"n": number}) == ()
    assert not exploding.done()

    with pytest.raises(SchemaRefused, match="too long"):
        await exploding
    assert await validators.validate(NUMBER, {"n": 1}) == ()


async def test_no_file_is_read(validators: ValidatorPool, tmp_path: Path) -> None:
    """A reference to a schema on this machine is refused, also to one that is there."""
    file = tmp_path / "s.json"
    file.write_text('{"type": "string"}')
    schemas: list[dict[str, Any]] = [{"$ref": file.as_uri()}, {"$id": f"{tmp_path.as_uri()}/", "$ref": "s.json"}]
    for schema in schemas:
        with pytest.raises(SchemaRefused):
            await validators.plan(schema)
        with pytest.raises(SchemaRefused):
            await validators.validate(schema, "x")


async def test_a_plan_is_made_once(validators: ValidatorPool) -> None:
    """The same schema gets the same plan, without a child."""
    first = await validators.plan(NUMBER)
    await validators.close()

    assert await validators.plan(dict(NUMBER)) is first


async def test_a_remote_reference_is_refused_by_its_place() -> None:
    """Who wrote it is told where it stands and what to do instead."""
    validators = ValidatorPool()
    try:
        with pytest.raises(SchemaRefused, match=r"^/properties/a/\$ref: .* put its definition under `\$defs`"):
            await validators.plan({"properties": {"a": {"$ref": "http://127.0.0.1:9/x"}}})
    finally:
        await validators.close()
