"""Schemas that are remembered over restarts, and their grammars."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from core.contract import Json
from core.errors import SchemaRefused
from core.model.worker.constrained import known_schemas
from core.model.worker.constrained.known_schemas import GrammarWarmUp, KnownSchemas
from tests.core.model.worker.support_loaded_model import answer, loaded_model

DAY_S = 86_400.0
ASK = [{"role": "user", "content": "Yes or no?"}]
FORMAT = {"type": "json_schema", "json_schema": {"name": "a", "schema": {"enum": ["yes", "no"]}, "strict": True}}


def known(folder: Path, model: str = "starter", now_s: float | None = None) -> KnownSchemas:
    return KnownSchemas(folder, model, 30 * DAY_S, *([] if now_s is None else [lambda: now_s]))


def use(schemas: KnownSchemas, *used: Json, times: int = 2) -> None:
    for schema in used:
        for _ in range(times):
            schemas.count_use(schema)


def test_a_schema_that_is_used_again_is_known_after_a_restart(tmp_path: Path) -> None:
    """One that was used once is not, nor is it known for another model."""
    use(known(tmp_path), {"const": "again"})
    use(known(tmp_path), {"const": "once"}, times=1)

    assert list(known(tmp_path).load()) == [{"const": "again"}]
    assert list(known(tmp_path, "another").load()) == []


def test_stored_schemas_are_private(tmp_path: Path) -> None:
    """Schemas can hold names: neither files nor their names show any, and only this account reads them."""
    folder = tmp_path / "schemas"
    use(known(folder), {"enum": ["Amina Roy"]})

    files = list(folder.iterdir())
    assert len(files) == 2
    for file in files:
        assert file.stat().st_mode & 0o077 == 0
        assert b"Amina" not in file.read_bytes() + file.name.encode()
    assert folder.stat().st_mode & 0o077 == 0


def test_damaged_and_exchanged_files_are_deleted(tmp_path: Path) -> None:
    """A file is believed under its own name only, and only whole."""
    use(known(tmp_path), {"const": 1}, {"const": 2}, {"const": 3})
    first, second, third = sorted(path for path in tmp_path.iterdir() if path.name != "key")
    first.write_bytes(first.read_bytes()[:-1])
    second.write_bytes(third.read_bytes())
    (tmp_path / "foreign").write_bytes(b"{}")

    assert len(list(known(tmp_path).load())) == 1
    assert {path.name for path in tmp_path.iterdir()} == {third.name, "key"}


def test_old_schemas_leave(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Schemas leave if nobody used them for the time that conversations are kept, or if newer ones need their place."""
    monkeypatch.setattr(known_schemas, "SCHEMAS_LIMIT", 2)
    for number in range(3):
        use(known(tmp_path), {"const": number})
        for path in tmp_path.iterdir():
            os.utime(path, (path.stat().st_atime, path.stat().st_mtime - 10))

    assert list(known(tmp_path).load()) == [{"const": 2}, {"const": 1}]
    assert list(known(tmp_path, now_s=tmp_path.stat().st_mtime + 31 * DAY_S).load()) == []
    assert [path.name for path in tmp_path.iterdir()] == ["key"]


def test_without_a_schema_nothing_is_written(tmp_path: Path) -> None:
    """Looking for known schemas makes no folder and no key."""
    assert list(known(tmp_path / "schemas").load()) == []
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_be_written_costs_nothing(tmp_path: Path) -> None:
    """Requests go on without it."""
    (tmp_path / "schemas").write_bytes(b"")
    schemas = known(tmp_path / "schemas")
    use(schemas, {"const": 1})

    assert list(schemas.load()) == []


def test_a_refused_schema_does_not_end_the_warm_up(tmp_path: Path) -> None:
    """The others are compiled."""
    use(known(tmp_path), {"const": 1}, {"not": {}}, {"const": 2})
    compiled: list[Json] = []

    def compile_one(schema: Json) -> None:
        if schema == {"not": {}}:
            raise SchemaRefused("not")
        compiled.append(schema)

    GrammarWarmUp(known(tmp_path), compile_one).wait()

    assert sorted(compiled, key=str) == [{"const": 1}, {"const": 2}]


async def test_a_restarted_model_compiles_known_schemas_before_a_request(starter_file: Path, tmp_path: Path) -> None:
    """The first request finds the grammar."""
    async with loaded_model(starter_file, tmp_path) as model:
        for _ in range(2):
            await answer(model, ASK, response_format=FORMAT)
    async with loaded_model(starter_file, tmp_path) as model:
        model.warm_up.wait()

        assert list(model.grammars._compiled) == ['{"enum": ["yes", "no"]}']
