"""A person's settings: colours and modes, kept in the browser; contrast and text spacing."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from playwright.async_api import expect

from core.contract import Text
from tests.web.pages.support_visit import DONE, Visiting
from tests.web.pages.test_access import RICH, WIDE, violations

STYLES = Path("web/pages/styles")
COLOUR = re.compile(r"(--[\w-]+): light-dark\((#\w{6}), (#\w{6})\)")
BACKGROUND = "() => getComputedStyle(document.body).backgroundColor"
LIGHT, DARK = "rgb(251, 251, 249)", "rgb(20, 24, 27)"


@pytest.mark.asyncio(loop_scope="package")
async def test_a_theme_is_chosen_and_kept(visiting: Visiting) -> None:
    """It holds at once and after a reload, before the first module runs, against the theme of the system."""
    async with visiting([DONE], color_scheme="light") as visit:
        page = visit.page
        assert await page.evaluate(BACKGROUND) == LIGHT
        await page.get_by_role("button", name="Settings").click()
        await page.get_by_label("Dark").check()
        assert await page.evaluate(BACKGROUND) == DARK
        assert await violations(page) == []
        await page.keyboard.press("Escape")
        await expect(page.get_by_role("button", name="Settings")).to_be_focused()
        await page.route("**/page*.js", lambda route: route.abort())
        visit.expected = "ERR_FAILED"
        await page.reload()
        assert await page.evaluate(BACKGROUND) == DARK
        await page.unroute("**/page*.js")
        await visit.open()
        await page.get_by_role("button", name="Settings").click()
        await page.get_by_label("As on this device").check()
        assert await page.evaluate(BACKGROUND) == LIGHT
        await page.emulate_media(color_scheme="dark")
        assert await page.evaluate(BACKGROUND) == DARK


@pytest.mark.asyncio(loop_scope="package")
async def test_a_mode_is_chosen_by_keyboard(visiting: Visiting) -> None:
    """Quiet mode holds for the next answer, also after a reload and in French."""
    async with visiting([Text("Yes."), DONE], locale="fr-CA") as visit:
        page = visit.page
        await page.get_by_role("button", name="Paramètres").press("Enter")
        await page.get_by_label("Affichées pendant leur rédaction. Le lecteur d’écran annonce").focus()
        await page.keyboard.press("ArrowUp")  # radio buttons are a ring
        await expect(page.get_by_label("Affichées et annoncées une fois terminées.")).to_be_checked()
        await page.get_by_role("dialog").get_by_role("button", name="Fermer").press("Enter")
        await visit.open()
        await expect(page.locator("html")).to_have_attribute("data-reading", "quiet")


@pytest.mark.asyncio(loop_scope="package")
async def test_wider_text_spacing_loses_nothing(visiting: Visiting) -> None:
    """WCAG 1.4.12: with the spacing of a reader's own style, no text is cut off, and the page needs no wider window."""
    async with visiting([Text(RICH + WIDE), DONE], viewport={"width": 360, "height": 740}) as visit:
        await visit.ask("first")
        await visit.wait_for_answer()
        cut = await visit.page.evaluate(
            """() => {
                const style = new CSSStyleSheet();
                style.replaceSync(`* { line-height: 1.5 !important; letter-spacing: 0.12em !important;
                    word-spacing: 0.16em !important; } p { margin-bottom: 2em !important; }`);
                document.adoptedStyleSheets.push(style);
                const isCut = (e) => getComputedStyle(e).overflow === 'hidden' && e.scrollWidth > e.clientWidth + 1;
                const all = [...document.querySelectorAll('body *:not(.unseen):not(.unseen *)')];
                return all.filter((e) => e.checkVisibility() && isCut(e)).map((e) => e.outerHTML.slice(0, 200));
            }"""
        )
        assert cut == []
        assert await visit.page.evaluate("() => document.documentElement.scrollWidth") <= 360


def luminance(colour: str) -> float:
    """The relative luminance of WCAG 2.2 of a colour such as #1f5f6b."""
    shares = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (s / 12.92 if s <= 0.04045 else ((s + 0.055) / 1.055) ** 2.4 for s in shares)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    darker, lighter = sorted((luminance(one), luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_contrast_is_enough(theme: str) -> None:
    """Each colour of text has 4.5:1 on each paper, and the borders of controls have 3:1."""
    rules = "".join(css.read_text() for css in STYLES.glob("*.css"))
    found = COLOUR.findall(rules)
    colours = {name: light if theme == "light" else dark for name, light, dark in found}
    papers = ("--paper", "--raised", "--question")
    used = set(re.findall(r"[ {;]color: var\((--[\w-]+)\)", rules))
    texts = (used & colours.keys()) - {"--on-accent", "--paper"}
    pairs = [(text, paper, 4.5) for text in sorted(texts) for paper in papers if not text.startswith("--code")]
    pairs += [(text, "--raised", 4.5) for text in texts if text.startswith("--code")]
    pairs += [
        ("--on-accent", "--accent", 4.5),
        ("--warning", "--warning-paper", 4.5),
        ("--ink", "--warning-paper", 4.5),
    ]
    pairs += [(edge, paper, 3) for edge in ("--edge", "--accent") for paper in ("--paper", "--raised")]

    assert {"--ink", "--soft", "--accent", "--warning"} <= texts
    faint = [(*pair, round(contrast(colours[pair[0]], colours[pair[1]]), 2)) for pair in pairs]
    assert [each for each in faint if each[3] < each[2]] == []
