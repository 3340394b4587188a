"""/facts: who may add files to collections; the metrics of collections."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, cast

import pytest
from aiohttp import ClientSession

from core.configuration.settings import Settings
from core.rag.facts.editing import Editor, FactsEditing
from core.rag.facts.schedule import RefreshSchedule
from core.rag.facts.status import CollectionStatus
from tests.core.rag.facts.support_fakes import open_editing
from tests.web.support_site import site

FACTS = """
[leave]
title = { en = "Leave", fr = "Congés" }
facts_editors = ["web:ana"]
[desk]
title = { en = "Desk", fr = "Bureau" }
facts_editors = ["web:bob"]
"""
IDENTIFIED = {"trusted": ("127.0.0.1",), "user_header": "X-User"}
ANA = Editor("web", frozenset({"ana"}), "key")


@pytest.fixture
async def editing(tmp_path: Path) -> AsyncIterator[FactsEditing]:
    async with open_editing(tmp_path, FACTS) as editing:
        yield editing


async def add(http: ClientSession, collection: str, person: str = "ana", **headers: str) -> tuple[int, dict[str, Any]]:
    """Status and JSON."""
    sent = {"X-User": person, "Content-Type": "text/markdown", **headers}
    request = http.post(f"/facts/{collection}", params={"name": "plan.md"}, data=b"# Plan\n\nAsk first.", headers=sent)
    async with request as response:
        return response.status, await response.json(content_type=None)


async def names(http: ClientSession, **headers: str) -> list[str]:
    async with http.get("/facts", headers=headers) as response:
        return [each["name"] for each in (await response.json())["collections"]]


async def test_an_editor_adds_a_file(own_settings: Settings, editing: FactsEditing) -> None:
    """The answer says what was read. Only the person's own collections are listed."""
    async with site(own_settings, editing=editing, **IDENTIFIED) as running:
        assert ["leave"] == await names(running.http, **{"X-User": "ana"})
        added = {"title": "Plan", "passages": 1, "omissions": [], "is_new": True}
        assert (200, added) == await add(running.http, "leave")

    [document] = await editing.documents(ANA, "leave")
    assert ("Plan", "added:web") == (document.title, document.origin)


@pytest.mark.parametrize(
    ("collection", "person", "web_settings"),
    [
        ("desk", "ana", IDENTIFIED),
        ("nothing", "ana", IDENTIFIED),
        ("leave", "eve", IDENTIFIED),
        ("leave", "", IDENTIFIED),
        ("leave", "ana", {**IDENTIFIED, "trusted": ("10.0.0.1",)}),
        ("leave", "ana", {**IDENTIFIED, "user_header": None}),
    ],
    ids=["another's", "unknown", "no editor", "nobody", "not by a proxy", "no header"],
)
async def test_others_are_refused(
    own_settings: Settings, editing: FactsEditing, collection: str, person: str, web_settings: dict[str, Any]
) -> None:
    """The problem has status 403 and names no collection of others."""
    async with site(own_settings, editing=editing, **web_settings) as running:
        status, problem = await add(running.http, collection, person)

    assert (403, "not_an_editor") == (status, problem["code"])
    assert "desk" not in problem["detail"]
    assert [] == await editing.documents(ANA, "leave")


async def test_another_site_cannot_add(own_settings: Settings, editing: FactsEditing) -> None:
    """A browser tells whose page sends a request; without an editing, nobody may add."""
    async with site(own_settings, editing=editing, **IDENTIFIED) as running:
        for header in ({"Origin": "https://evil.example"}, {"Sec-Fetch-Site": "cross-site"}):
            assert (403, "origin_refused") == status_and_code(await add(running.http, "leave", **header))
    async with site(own_settings, **IDENTIFIED) as running:
        assert (403, "not_an_editor") == status_and_code(await add(running.http, "leave"))
        assert [] == await names(running.http, **{"X-User": "ana"})


async def test_a_file_that_cannot_be_read_is_a_problem(own_settings: Settings, editing: FactsEditing) -> None:
    """As with /read."""
    async with site(own_settings, editing=editing, **IDENTIFIED) as running:
        twice = await add(running.http, "leave", **{"Content-Type": "multipart/form-data"})
        async with running.http.post(
            "/facts/leave", params={"name": "a.png"}, data=b"\x89PNG\r\n", headers={"X-User": "ana"}
        ) as response:
            problem = await response.json(content_type=None)

    assert (415, "media_type") == status_and_code(twice)
    assert (400, "unreadable", "picture") == (response.status, problem["code"], problem["reason"])


def status_and_code(answer: tuple[int, dict[str, Any]]) -> tuple[int, str]:
    return answer[0], answer[1]["code"]


class FixedSchedule:
    """A schedule that looked once."""

    statuses = (
        CollectionStatus("leave", 3, 9, (), "daily", {"en": "Leave"}, 1000.0, failures=2, is_overdue=True),
        CollectionStatus("by-hand", 1, 1, ()),
    )


async def test_collections_have_metrics(own_settings: Settings) -> None:
    """Those of config/facts.toml; their names are the operator's."""
    schedule = cast(RefreshSchedule, FixedSchedule())
    async with site(own_settings, schedule=schedule) as running, running.http.get("/metrics") as response:
        lines = [line for line in (await response.text()).splitlines() if line.startswith("csps_facts")]

    label = '{collection="leave"}'
    assert [
        f"csps_facts_documents{label} 3.0",
        f"csps_facts_last_success_timestamp_seconds{label} 1000.0",
        f"csps_facts_failures{label} 2.0",
        f"csps_facts_overdue{label} 1.0",
    ] == lines
