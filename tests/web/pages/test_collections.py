"""Files that editors add to collections from the page."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import expect

from core.rag.facts.editing import Editor, FactsEditing
from tests.core.rag.facts.support_fakes import open_editing
from tests.web.pages.support_visit import Visiting
from tests.web.pages.test_access import violations
from tests.web.pages.test_files import FileEngine, attach, expect_chips

pytestmark = pytest.mark.asyncio(loop_scope="package")  # the browser lives in that loop

FACTS = """
[leave]
title = { en = "Leave", fr = "Congés" }
facts_editors = ["web:ana"]
[desk]
title = { en = "Desk", fr = "Bureau" }
facts_editors = ["web:ana"]
"""
WEB = {"trusted": ("127.0.0.1",), "user_header": "X-User"}
ANA = Editor("web", frozenset({"ana"}), "key")


@pytest_asyncio.fixture(loop_scope="package")
async def editing(tmp_path: Path) -> AsyncIterator[FactsEditing]:
    async with open_editing(tmp_path, FACTS) as editing:
        yield editing


def as_person(editing: FactsEditing, person: str, **options: Any) -> dict[str, Any]:
    return {"editing": editing, "web_settings": WEB, "extra_http_headers": {"X-User": person}, **options}


@pytest.mark.parametrize(
    ("locale", "button", "confirm", "title", "said"),
    [
        ("en-CA", "Add plan.txt to a collection", "Add", "Leave", "plan.txt was added to “Leave” (1 passage)."),
        (
            "fr-CA",
            "Ajouter plan.txt à une collection",
            "Ajouter",
            "Congés",
            "plan.txt a été ajouté à «\u00a0Congés\u00a0» (1 passage).",
        ),
    ],
)
async def test_an_editor_adds_a_file_by_keyboard(
    visiting: Visiting, editing: FactsEditing, locale: str, button: str, confirm: str, title: str, said: str
) -> None:
    """The dialog is accessible, screen readers hear the result, and the focus returns to the button."""
    async with visiting(FileEngine(), **as_person(editing, "ana", locale=locale)) as visit:
        await attach(visit, "plan.txt")
        offer = visit.page.get_by_role("button", name=button)
        await offer.focus()
        await visit.page.keyboard.press("Enter")
        dialog = visit.page.get_by_role("dialog")
        await expect(dialog).to_be_visible()
        problems = await violations(visit.page)
        await dialog.get_by_role("combobox").select_option(label=title)
        await dialog.get_by_role("button", name=confirm, exact=True).press("Enter")
        await expect(visit.page.locator("#file-announcements p").last).to_have_text(said)
        await expect(visit.page.locator("#status")).to_have_text(said)
        await expect(offer).to_be_focused()
        problems += await violations(visit.page)

    assert [] == problems
    assert ["plan"] == [each.title for each in await editing.documents(ANA, "leave")]


async def test_a_cancelled_dialog_adds_nothing(visiting: Visiting, editing: FactsEditing) -> None:
    """Escape closes it. The file stays attached."""
    async with visiting(FileEngine(), **as_person(editing, "ana")) as visit:
        await attach(visit, "plan.txt")
        await visit.page.get_by_role("button", name="Add plan.txt to a collection").click()
        await visit.page.keyboard.press("Escape")
        await expect(visit.page.get_by_role("dialog")).to_be_hidden()
        await expect_chips(visit, "read")

    assert [] == await editing.documents(ANA, "leave")


async def test_others_do_not_see_it(visiting: Visiting, editing: FactsEditing) -> None:
    """Nor does anybody where nobody is identified."""
    for options in (as_person(editing, "eve"), {}):
        async with visiting(FileEngine(), **options) as visit:
            await attach(visit, "plan.txt")
            await expect_chips(visit, "read")
            await visit.page.wait_for_load_state("networkidle")
            await expect(visit.page.locator(".offer")).to_have_count(0)


async def test_a_refusal_is_said(visiting: Visiting, editing: FactsEditing) -> None:
    """The person was an editor when the page asked."""
    async with visiting(FileEngine(), **as_person(editing, "ana")) as visit:
        visit.expected = "403"
        await attach(visit, "plan.txt")
        await visit.page.get_by_role("button", name="Add plan.txt to a collection").click()
        editing._collections.file.write_text(FACTS.replace("web:ana", "web:bob"), encoding="utf-8")
        editing._collections.load()
        await visit.page.get_by_role("dialog").get_by_role("button", name="Add", exact=True).click()
        await expect(visit.page.locator("#status")).to_have_text("You may not change “Desk”. plan.txt was not added.")
