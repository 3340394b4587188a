"""Keyboard shortcuts: with Alt and Shift everywhere, alone outside of fields, and listed by `?`."""

from __future__ import annotations

import pytest
from playwright.async_api import Locator, expect

from core.contract import Text
from tests.web.pages.support_visit import DONE, Visit, Visiting
from tests.web.pages.test_access import violations

pytestmark = pytest.mark.asyncio(loop_scope="package")  # the browser lives in that loop

ANSWER = (Text("One.\n\n" * 60), DONE)


def shortcut_list(visit: Visit) -> Locator:
    return visit.page.get_by_role("dialog", name="Keyboard shortcuts")


async def test_shortcuts_work_in_the_field_and_outside(visiting: Visiting) -> None:
    """With Alt and Shift everywhere; alone only outside of fields, where a letter is no text."""
    async with visiting(ANSWER) as visit:
        page, field = visit.page, visit.page.locator("#question")
        await visit.ask("first")
        await visit.wait_for_answer()
        await field.press("k")
        await expect(field).to_have_value("k")
        await page.keyboard.press("Alt+Shift+K")
        await expect(page.locator(".answer h3").last).to_be_focused()
        await page.keyboard.press("k")
        await expect(page.locator(".question h3")).to_be_focused()
        await expect(page.locator(".question h3")).to_be_in_viewport()
        await page.keyboard.press("j")
        await expect(page.locator(".answer h3").last).to_be_focused()
        await page.keyboard.press("Control+k")  # the browser's own
        await expect(page.locator(".answer h3").last).to_be_focused()
        await page.keyboard.press("l")
        await expect(page.locator(".answer p").last).to_be_in_viewport()
        await page.keyboard.press("q")
        await expect(field).to_be_focused()
        await expect(field).to_have_value("k")


async def test_the_list_opens_and_switches_single_keys_off(visiting: Visiting) -> None:
    """`?` opens it and Escape closes it, with the focus where it was. Keys that are off stay off in later visits."""
    async with visiting(ANSWER) as visit:
        page, new = visit.page, visit.page.locator("#new")
        await new.focus()
        await page.keyboard.press("?")
        await expect(shortcut_list(visit).get_by_role("row", name="Next message")).to_contain_text("Alt + Shift + J")
        assert await violations(page) == []
        await shortcut_list(visit).get_by_role("checkbox").uncheck()
        await page.keyboard.press("q")  # the dialog keeps it
        await page.keyboard.press("Escape")
        await expect(shortcut_list(visit)).to_have_count(0)
        await expect(new).to_be_focused()
        for _ in ("at once", "after a reload"):
            await new.focus()
            await page.keyboard.press("?")
            await page.keyboard.press("q")
            await expect(new).to_be_focused()
            await page.keyboard.press("Alt+Shift+?")
            await expect(shortcut_list(visit).get_by_role("checkbox")).not_to_be_checked()
            await page.keyboard.press("Escape")
            await visit.open()


async def test_a_button_opens_the_list_in_french(visiting: Visiting) -> None:
    """It names the keys as French keyboards do, and needs no horizontal scrolling on a small screen."""
    async with visiting(ANSWER, locale="fr-CA", viewport={"width": 320, "height": 640}) as visit:
        await visit.page.get_by_role("button", name="Raccourcis clavier").click()
        dialog = visit.page.get_by_role("dialog", name="Raccourcis clavier")
        await expect(dialog).to_contain_text("Alt + Maj + N")
        assert await dialog.evaluate("dialog => dialog.scrollWidth <= dialog.clientWidth")
        await dialog.get_by_role("button", name="Fermer").click()
        await expect(dialog).to_have_count(0)
