"""Steps in the list of conversations and in the directory of assistants, in a window of any width."""

from __future__ import annotations

from playwright.async_api import Locator, Page, expect


async def show_list(page: Page) -> Locator:
    """Shows the list, if it is hidden. Returns its entries."""
    if not await page.locator(".side").is_visible():
        await page.click("#conversations")
    await expect(page.locator(".side footer")).to_be_visible()
    return page.locator(".entry")


async def act(page: Page, entry: Locator, action: str) -> None:
    """Chooses an action of an entry."""
    await entry.locator(".more").click()
    await entry.get_by_role("button", name=action, exact=True).click()


async def ask_to_delete(page: Page) -> None:
    """Chooses to delete the open conversation. The dialog that asks for a confirmation is open then."""
    entries = await show_list(page)
    await entries.filter(has=page.locator("[aria-current]")).locator(".more").click()
    await page.locator(".entry .actions button").last.click()
    await expect(page.locator("#confirm")).to_be_visible()


async def delete_open(page: Page) -> None:
    await ask_to_delete(page)
    await page.click("#confirm-action")


async def choose(page: Page, personality: str) -> None:
    """Chooses a personality in the directory."""
    await page.click("#personality")
    await page.locator(".directory").get_by_role("button", name=f"Choose {personality.title()}").click()
