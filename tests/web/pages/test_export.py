"""Saving a conversation from the page as Markdown and as JSON."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from playwright.async_api import expect

from core.contract import Source, Text
from tests.web.pages.support_visit import DONE, Visit, Visiting
from tests.web.pages.test_access import violations

pytestmark = pytest.mark.asyncio(loop_scope="package")  # the browser lives in that loop

LEAVE = Source(1, "Parental [leave]", "https://leave.example/rules", "en")


async def save(visit: Visit, name: str) -> tuple[str, str]:
    """Saves the conversation by the menu's entry `name`. Returns the file's name and text."""
    async with visit.page.expect_download() as download:
        await visit.page.locator("#export summary").press("Enter")
        await visit.page.get_by_role("button", name=name).click()
    file = await download.value
    return file.suggested_filename, Path(await file.path()).read_text("utf-8")


async def test_a_conversation_is_saved(visiting: Visiting) -> None:
    """Both files have questions, answers, sources with addresses, and the model. A name has title and date."""
    async with visiting([LEAVE, Text("**Eighteen** months [1]."), DONE]) as visit:
        page = visit.page
        await expect(page.locator("#export")).to_be_hidden()
        await visit.ask("How long: a/b?\nThanks")
        await visit.wait_for_answer()
        name, text = await save(visit, "Save as Markdown")
        assert re.fullmatch(r"How long a b_? \d{4}-\d\d-\d\d\.md", name)
        for part in (
            "# How long: a/b?\n",
            "## You\n\nHow long: a/b?\nThanks\n",
            "## Whisper (AI)\n\n**Eighteen** months [1].",
            "- [1] [Parental \\[leave\\]](<https://leave.example/rules>)",
            "Model: fake-model",
        ):
            assert part in text
        name, text = await save(visit, "Save as JSON")
        saved = json.loads(text)
        assert name.endswith(".json")
        assert [turn["role"] for turn in saved["turns"]] == ["assistant", "user", "assistant"]
        answer = saved["turns"][-1]
        assert (answer["text"], answer["model"], answer["reason"]) == ("**Eighteen** months [1].", "fake-model", "stop")
        assert answer["sources"] == [
            {"number": 1, "title": "Parental [leave]", "url": "https://leave.example/rules", "language": "en"}
        ]


async def test_the_menu_works_by_keyboard(visiting: Visiting) -> None:
    """Escape closes it and the focus stays at its button. French names are French."""
    async with visiting([Text("Oui."), DONE], locale="fr-CA", viewport={"width": 320, "height": 640}) as visit:
        page, button = visit.page, visit.page.locator("#export summary")
        await visit.ask("Alors?")
        await visit.wait_for_answer()
        await button.press("Enter")
        await expect(page.get_by_role("button", name="Imprimer ou enregistrer en PDF")).to_be_visible()
        assert await violations(page) == []
        await page.keyboard.press("Tab")
        await page.keyboard.press("Escape")
        await expect(button).to_be_focused()
        await expect(page.locator("#export ul")).to_be_hidden()
