"""The sources of an answer in the page: their list, their dates, and the citations that lead to them."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

import pytest
from playwright.async_api import expect

from core.contract import Source, Status, Text
from tests.web.pages.support_visit import DONE, Visiting
from tests.web.pages.test_access import violations

pytestmark = pytest.mark.asyncio(loop_scope="package")  # the browser lives in that loop

READ_AT = datetime(2026, 7, 27, 18, 5, tzinfo=UTC)
FORECAST = Source(1, "Forecast", "https://weather.example/x", "en", READ_AT)
NEWS = Source(2, "Nouvelles", "https://news.example/", "fr")


async def test_sources_are_listed_and_only_web_addresses_are_links(visiting: Visiting) -> None:
    """A link shows its address. A source without a title has the name of its site."""
    trap, nameless = Source(3, "Trap", "javascript:alert(1)"), Source(4, " ", "https://a.example/b")
    nothing = Source(5, "")
    async with visiting([FORECAST, trap, nameless, nothing, Text("Rain [1]."), DONE]) as visit:
        await visit.ask("weather?")
        await visit.wait_for_answer()

        entries = visit.page.locator(".sources li")
        assert await entries.evaluate_all("all => all.map(e => e.value)") == [1, 3, 4, 5]
        await expect(entries.locator("a")).to_have_count(2)
        await expect(entries.locator("a").first).to_have_attribute("href", "https://weather.example/x")
        await expect(entries.locator("a").first).to_contain_text("weather.example")
        await expect(entries.nth(2)).to_have_text("a.example (opens in a new tab)")
        await expect(entries.nth(3)).to_have_text("Source 5")


async def test_the_details_of_a_source_follow_the_interface(visiting: Visiting) -> None:
    """Language and time are rewritten after a switch. The title keeps the `lang` of its document."""
    async with visiting([FORECAST, NEWS, Text("Rain."), DONE], timezone_id="America/Toronto") as visit:
        await visit.ask("weather?")
        await visit.wait_for_answer()

        details = visit.page.locator(".sources .details")
        await expect(details).to_have_text(["in English, read on July 27, 2026 at 2:05 p.m.", "in French"])
        await visit.page.get_by_role("button", name="Français").click()
        await expect(details).to_have_text(["en anglais, consultée le 27 juillet 2026 à 14 h 05", "en français"])
        await expect(visit.page.locator(".sources a > span:first-child").last).to_have_attribute("lang", "fr")


async def test_citations_lead_to_their_source(visiting: Visiting) -> None:
    """Numbers in one bracket are separate links. Numbers without a source, in code or in a link stay text."""
    text = "Rain [1], news [1, 2], nothing [7], `list[1]`, [click](https://a.example/1)."
    async with visiting([FORECAST, NEWS, *map(Text, text), DONE], color_scheme="dark") as visit:
        await visit.ask("weather?")
        await visit.wait_for_answer()

        citations = visit.page.locator(".answer .body a.cite")
        await expect(citations).to_have_text(["1", "1", "2"])
        await expect(visit.page.get_by_role("link", name="Source 2")).to_have_count(1)
        await citations.last.click()
        await expect(visit.page.locator(".sources li:target")).to_contain_text("Nouvelles")
        await expect(visit.page.locator(".sources li:target")).to_be_in_viewport()
        await expect(visit.page.locator(".answer .body").last).to_contain_text(
            "[1], news [1, 2], nothing [7 (not a source)], list[1], c"
        )
        assert await violations(visit.page) == []


async def test_each_answer_has_its_own_sources(visiting: Visiting) -> None:
    """[1] in the second answer leads to the second answer's source. A source with a known number replaces it."""
    later = Source(1, "Later", "https://later.example/")
    async with visiting(lambda p: [FORECAST, *([later] if p.text == "b" else []), Text("So [1]."), DONE]) as visit:
        for question in ("a", "b"):
            await visit.ask(question)
            await expect(visit.page.locator(".question .body").last).to_have_text(question)
            await visit.wait_for_answer()
        await expect(visit.page.locator(".answer a.cite")).to_have_count(2)
        await visit.page.locator(".answer a.cite").last.click()
        await expect(visit.page.locator(".sources li:target")).to_contain_text("Later")
        await expect(visit.page.locator(".sources li")).to_have_count(2)


async def test_the_status_says_that_a_page_is_being_read(visiting: Visiting) -> None:
    """The text stays until the page has been read."""
    may_finish = asyncio.Event()
    async with visiting([Status("reading"), may_finish, FORECAST, Text("Rain."), DONE]) as visit:
        await visit.ask("What changed at https://weather.example/x ?")
        await expect(visit.page.locator("#status")).to_have_text("Whisper is reading…")
        may_finish.set()
        await visit.wait_for_answer()


async def test_a_number_leads_to_its_source_and_back(visiting: Visiting) -> None:
    """The way back is offered where the person came from, by keyboard too, and the focus returns to the number."""
    async with visiting([FORECAST, Text("Rain [1], and again [1]."), DONE]) as visit:
        await visit.ask("weather?")
        await visit.wait_for_answer()
        number = visit.page.locator(".answer a.cite").last
        await number.press("Enter")
        await visit.page.get_by_role("button", name="Back to number 1").press("Enter")
        await expect(number).to_be_focused()


@pytest.mark.parametrize(
    "heading",
    ["## Sources", "**Références :**", "Sources consultées :\n- https://fake.example/"],
    ids=["heading", "bold", "line"],
)
async def test_sources_of_the_model_are_told_from_those_of_the_service(visiting: Visiting, heading: str) -> None:
    """The model's own list has a note. The card below the answer has only what the service read."""
    answer = f"It rains [1].\n\n{heading}\n\n1. [Weather](https://fake.example/)\n"
    async with visiting([FORECAST, Text(answer), DONE]) as visit:
        await visit.ask("weather?")
        await visit.wait_for_answer()
        page = visit.page
        await expect(page.locator(".body .own-sources")).to_have_text(
            "The model wrote this list. The service has not checked it."
        )
        card = page.get_by_role("group", name="Sources checked by the service")
        await expect(card).to_contain_text("Forecast")
        await expect(card).not_to_contain_text("fake.example")
        assert await violations(page) == []
        await visit.open()
        await expect(page.locator(".body .own-sources")).to_have_count(1)


async def test_an_answer_about_sources_has_no_note(visiting: Visiting) -> None:
    """A sentence that begins with the word is no heading."""
    async with visiting(
        [Text("Sources of law are statutes.\n\n- Sources of energy\n\n**Sourcing** is slow."), DONE]
    ) as visit:
        await visit.ask("?")
        await visit.wait_for_answer()
        await expect(visit.page.get_by_role("button", name="Copy", exact=True)).to_be_visible()
        await expect(visit.page.locator(".own-sources, .sources-card")).to_have_count(0)
