"""The child processes of the validator: reused, replaced when they die, and without network or files."""

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
from core.toil.schema.plan import plan
from core.toil.validator_pool import CHILDREN_LIMIT, ValidatorPool
from core.toil.violation import Violation

NUMBER: dict[str, Json] = {"type": "object", "properties": {"n": {"type": "integer", "maximum": 5}}}
DRAFTS = [
    "http://json-schema.org/draft-04/schema#",
    "http://json-schema.org/draft-06/schema",
    "http://json-schema.org/draft-07/schema#",
    "https://json-schema.org/draft/2019-09/schema",
    "https://json-schema.org/draft/2020-12/schema",
]


@pytest.fixture
async def pool() -> AsyncIterator[ValidatorPool]:
    built = ValidatorPool()
    yield built
    await built.close()


async def test_violation_has_pointer_keyword_and_expected_value(pool: ValidatorPool) -> None:
    """It also has the value's kind and its beginning."""
    assert await pool.validate(NUMBER, {"n": 3}) == ()
    (violation,) = await pool.validate(NUMBER, {"n": 1234})

    assert violation == Violation("/n", "maximum", "5", "number 1234")


@pytest.mark.parametrize("draft", DRAFTS)
async def test_formats_are_asserted_in_every_draft(pool: ValidatorPool, draft: str) -> None:
    """This includes drafts whose specification makes them annotations."""
    schema: dict[str, Json] = {"$schema": draft, "format": "ipv4"}

    assert await pool.validate(schema, "127.0.0.1") == ()
    assert [violation.keyword for violation in await pool.validate(schema, "home")] == ["format"]


async def test_children_are_reused(pool: ValidatorPool) -> None:
    """Sequential calls use one child; concurrent calls use a few."""
    for number in range(20):
        await pool.validate(NUMBER, {"n": number})
    one = len(pool._children._idle)
    await asyncio.gather(*(pool.validate(NUMBER, {"n": number}) for number in range(50)))

    assert one == 1
    assert len(pool._children._idle) <= CHILDREN_LIMIT


async def test_child_asks_for_evicted_schemas(pool: ValidatorPool) -> None:
    """The test uses more schemas than its cache holds."""
    schemas: list[dict[str, Any]] = [{"const": number} for number in range(100)]
    for _ in range(2):
        for number, schema in enumerate(schemas):
            assert await pool.validate(schema, number) == ()


async def test_killed_child_is_replaced(pool: ValidatorPool) -> None:
    """The next question gets a new one."""
    await pool.validate(NUMBER, {})
    child = pool._children._idle[0]
    os.kill(child.pid, signal.SIGKILL)
    await child.wait()

    assert await pool.validate(NUMBER, {"n": 1}) == ()


async def test_cancelled_question_ends_its_child(pool: ValidatorPool) -> None:
    """Its late answer would be taken for the next one."""
    asking = asyncio.create_task(pool.validate(NUMBER, {"n": 9}))
    await asyncio.sleep(0)
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking

    assert await pool.validate(NUMBER, {"n": 1}) == ()


async def test_bomb_ends_only_its_child(pool: ValidatorPool) -> None:
    """Other calls are answered meanwhile."""
    bomb: dict[str, Json] = {"pattern": "(?!x)(a|a)*$(?<=b)"}
    exploding = asyncio.create_task(pool.validate(bomb, "a" * 60 + "c"))
    for number in range(5):
        assert await pool.validate(NUMBER, {"n": number}) == ()
    assert not exploding.done()

    with pytest.raises(SchemaRefused, match="too long"):
        await exploding
    assert await pool.validate(NUMBER, {"n": 1}) == ()


async def test_large_patterns_are_compiled(pool: ValidatorPool) -> None:
    """A thousand repetitions of a Unicode class take 50 MB."""
    schemas: list[dict[str, Json]] = [
        {"pattern": rf"^[\p{{L}} {n}]{{1,{limit}}}$"} for n, limit in enumerate((50, 200, 900))
    ]
    for schema in schemas * 2:
        assert (await pool.plan(schema)).exact
        assert await pool.validate(schema, "École") == ()
        assert [violation.keyword for violation in await pool.validate(schema, "École!")] == ["pattern"]


async def test_file_reference_is_refused(pool: ValidatorPool, tmp_path: Path) -> None:
    """A reference to an existing file is refused too."""
    file = tmp_path / "s.json"
    file.write_text('{"type": "string"}')
    schemas: list[dict[str, Any]] = [{"$ref": file.as_uri()}, {"$id": f"{tmp_path.as_uri()}/", "$ref": "s.json"}]
    for schema in schemas:
        with pytest.raises(SchemaRefused):
            await pool.plan(schema)
        with pytest.raises(SchemaRefused):
            await pool.validate(schema, "x")


async def test_plan_is_cached(pool: ValidatorPool) -> None:
    """The same schema gets the same plan, without a child."""
    first = await pool.plan(NUMBER)
    await pool.close()

    assert await pool.plan(dict(NUMBER)) is first


async def test_plan_crosses_the_process_border_whole(pool: ValidatorPool) -> None:
    """The pool's plan equals the one that is built in this process."""
    unique: Json = {"type": "array", "uniqueItems": True}

    assert await pool.plan(NUMBER) == plan(NUMBER)
    assert await pool.plan(unique) == plan(unique)


async def test_remote_reference_is_refused_with_its_place() -> None:
    """The error names the place and the remedy."""
    pool = ValidatorPool()
    try:
        with pytest.raises(SchemaRefused, match=r"^/properties/a/\$ref: .* put its definition under `\$defs`"):
            await pool.plan({"properties": {"a": {"$ref": "http://127.0.0.1:9/x"}}})
    finally:
        await pool.close()
