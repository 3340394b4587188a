"""The check of `doctor` on collections that stay fresh."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.cli.facts_check import check_facts
from core.cli.findings import FindingBuilder
from core.configuration import settings
from core.rag.facts.refresh_ledger import RefreshLedger
from core.storage.database import Database

FACTS = """
[hr]
title = { en = "Staff", fr = "Personnel" }
[hr.origins]
handbook = { place = "documents" }
"""
Found = list[tuple[str, str]]  # state, what was found


@pytest.fixture
def loaded(tmp_path: Path) -> settings.Settings:
    """The settings of a folder with one collection."""
    (tmp_path / "facts.toml").write_text(FACTS, encoding="utf-8")
    return settings.load({"CSPS_LLM_DATA": str(tmp_path / "var"), "CSPS_LLM_CONFIG": str(tmp_path)})


async def check(loaded: settings.Settings) -> Found:
    return [(each.state, each.found) for each in await check_facts(FindingBuilder("en"), loaded)]


async def test_a_collection_that_was_never_synchronised_is_a_warning(loaded: settings.Settings) -> None:
    """Also before the tables exist."""
    assert [("warn", "hr: never synchronised")] == await check(loaded)


async def test_the_latest_outcome_decides(loaded: settings.Settings) -> None:
    """Failures and overdue collections are warnings, with the reason; a success is none."""
    database, now = Database(loaded.database_url), [1000.0]
    await database.upgrade()
    ledger = RefreshLedger(database, lambda _db: now[0])

    claim = await ledger.claim("hr", None, only_due=False)
    assert claim is not None
    await ledger.fail(claim, "there is no such folder")
    assert [("warn", "hr: the last synchronisation failed: there is no such folder")] == await check(loaded)
    claim = await ledger.claim("hr", None, only_due=False)
    assert claim is not None
    await ledger.succeed(claim, (), None)
    assert [("warn", "hr: not synchronised in time")] == await check(loaded)  # it was in 1970
    claim = await RefreshLedger(database).claim("hr", None, only_due=False)
    assert claim is not None
    await RefreshLedger(database).succeed(claim, (), None)
    assert [("ok", "hr")] == await check(loaded)
    await database.close()


async def test_a_mistake_in_the_file_is_a_problem(loaded: settings.Settings) -> None:
    """It has its line; without collections nothing is checked."""
    file = loaded.config / "facts.toml"
    file.write_text("[hr]\n", encoding="utf-8")
    assert [("problem", f"{file}:1: `hr.title` is missing")] == await check(loaded)
    file.write_text("", encoding="utf-8")
    assert [] == await check(loaded)


async def test_editors_of_the_page_need_its_header(tmp_path: Path) -> None:
    """Otherwise their button never appears, and nothing says why."""
    environ = {"CSPS_LLM_DATA": str(tmp_path / "var"), "FACTS_EDITORS": "slack:U1, web:ana"}
    found = await check(settings.load(environ))

    assert [("warn", "editors of the page are named, but nobody is identified there")] == found
    assert [] == await check(settings.load({**environ, "WEB_USER_HEADER": "X-Forwarded-User"}))
