"""The text of an answer: links, hidden characters, citations, formulas, code and languages."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.async_api import expect

from core.contract import Source, Text
from tests.web.pages.support_visit import DONE, Visiting
from tests.web.pages.test_access import violations

pytestmark = pytest.mark.asyncio(loop_scope="package")  # the browser lives in that loop

LINKS = {
    "[bank](https://a.example/)": "bank (a.example)",
    "https://a.example/b": "https://a.example/b",
    "[a.example](https://a.example)": "a.example",
    "[a.example](https://evil.example)": "a.example (evil.example)",
    "https://b\u0430nk.example/": "https://b\u0430nk.example/ (b\u0430nk.example, xn--bnk-6cd.example)",
    "[x](https://xn--bnk-6cd.example)": "x (b\u0430nk.example, xn--bnk-6cd.example)",
    "[x](https://m\u00fcnchen.example)": "x (m\u00fcnchen.example, xn--mnchen-3ya.example)",
    "[a.example](https://a.example@evil.example)": "a.example (evil.example)",
    "[bank\u202egro.live](https://evil.example)": "bank⟨U+202E⟩gro.live (evil.example)",
    "[x](mailto:me@a.example)": "x (me@a.example)",
    "[x](mailto:me@b\u0430nk.example)": "x (me@b\u0430nk.example, me@xn--bnk-6cd.example)",
}
NO_LINKS = ["[x](javascript:pwned=1)", "[x](data:text/html,x)", "[x](//evil.example)", "[x](https://a\u202eb.example/)"]


async def test_links_show_where_they_lead(visiting: Visiting) -> None:
    """The host stands beside other text: in letters and in Punycode if they differ. Other addresses are no links."""
    text = "\n\n".join([*LINKS, *NO_LINKS])
    async with visiting([Text(text), DONE]) as visit:
        await visit.ask("links")
        await visit.wait_for_answer()

        shown = (
            await visit.page.locator(".answer")
            .last.locator("a")
            .evaluate_all(
                """all => all.map((link) => {
                const copy = link.cloneNode(true);
                copy.querySelectorAll('.unseen').forEach((notice) => notice.remove());
                return copy.textContent;
            })"""
            )
        )
        assert shown == list(LINKS.values())
        await visit.page.locator(".answer .body").last.evaluate("body => getSelection().selectAllChildren(body)")
        copied = await visit.page.evaluate("() => String(getSelection())")
        assert "a.example" in copied
        assert "new tab" not in copied


HIDDEN = {
    "a\u202eb": "a⟨U+202E⟩b",
    "z\u200bw\u2066x\u2069": "z⟨U+200B⟩w⟨U+2066⟩x⟨U+2069⟩",
    "t\U000e0041g": "t⟨U+E0041⟩g",
    "`code\u200f`": "code⟨U+200F⟩",
    "\U0001f469\u200d\U0001f4bb ok": "\U0001f469\u200d\U0001f4bb ok",  # an emoji that a joiner makes
    "\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645": "\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645",  # Persian
    "caf\u00e9\u202f?": "caf\u00e9\u202f?",
}


async def test_hidden_characters_are_visible(visiting: Visiting) -> None:
    """Each has its number, and a word for screen readers. Joiners that writing needs stay."""
    async with visiting([Text("\n\n".join(HIDDEN)), DONE]) as visit:
        await visit.ask("hidden")
        await visit.wait_for_answer()

        body = visit.page.locator(".answer .body").last
        await expect(body.locator(".control .unseen").first).to_have_text("invisible character")
        shown = await body.locator("p").evaluate_all(
            "all => all.map((each) => each.textContent.replaceAll('invisible character ', ''))"
        )
        assert shown == list(HIDDEN.values())


@pytest.mark.parametrize("options", [{"color_scheme": "dark"}, {"locale": "fr-CA"}], ids=["dark", "French"])
async def test_what_is_no_source_says_so(visiting: Visiting, options: dict[str, Any]) -> None:
    """Numbers without a source say it, whatever the model defines. Only the service's exact mark is a badge."""
    text = "So [1] and [2]. “Invented” [not found in the sources] and « inventé » [introuvable dans les sources], "
    text += (
        "[not found in the source], [not found in the sources](https://evil.example).\n\n[2]: https://evil.example\n"
    )
    async with visiting([Source(1, "One", "https://one.example/"), Text(text), DONE], **options) as visit:
        await visit.ask("sources")
        await visit.wait_for_answer()

        body = visit.page.locator(".answer .body").last
        await expect(body.locator("a.cite")).to_have_text(["1"])
        await expect(body.locator(".uncited")).to_have_count(1)
        await expect(body.locator(".unfounded")).to_have_text(
            ["not found in the sources", "introuvable dans les sources"]
        )
        assert await violations(visit.page) == []


FORMULAS = {
    "so $a_1 * b_2$ and": ["$a_1 * b_2$"],
    "$$\nx\n= y_1 * _z_\n$$": ["$$\nx\n= y_1 * _z_\n$$"],
    "\\[\na\n- b\n\\]": ["\\[\na\n- b\n\\]"],
    "\\(f(x)\\) is": ["\\(f(x)\\)"],
    "$5 and $10, 5 $ et 10 $, (5$) ou (6$), US$5": [],
    "`$x$`": [],
}


async def test_formulas_stay_as_they_are_written(visiting: Visiting) -> None:
    """Markdown rules change nothing in them. Sums of money are text."""
    async with visiting(lambda prompt: [*map(Text, prompt.text), DONE]) as visit:
        for count, (text, formulas) in enumerate(FORMULAS.items(), 1):
            await visit.ask(text)
            await expect(visit.page.locator(".question")).to_have_count(count)
            await visit.wait_for_answer()
            found = visit.page.locator(".answer").last.locator(".formula")
            assert await found.evaluate_all("all => all.map((each) => each.textContent)") == formulas
            assert formulas or await visit.page.locator(".answer .body").last.text_content() == text.strip("`")


CODE = "```python\ndef f(x):  # note\n    return 'text' + str(1)\n```\n\n```unknown\nplain\n```\n"


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_closed_code_has_colours(visiting: Visiting, scheme: str) -> None:
    """Code of a known language has classes, enough contrast and unchanged text; grammars load when they are needed."""
    async with visiting([Text(CODE), DONE], color_scheme=scheme) as visit:
        assert not [url for url in visit.requests if "/highlight/" in url or "/worker.js" in url]
        await visit.ask("code")
        await visit.wait_for_answer()

        known, unknown = await visit.page.locator(".answer .code pre").all()
        for name in ("comment", "keyword", "string", "number", "title"):
            await expect(known.locator(f".code-{name}").first).to_be_visible()
        assert await known.text_content() == "def f(x):  # note\n    return 'text' + str(1)\n"
        await expect(unknown.locator("[class^=code-]")).to_have_count(0)
        assert await violations(visit.page) == []


async def test_only_wide_blocks_are_tab_stops(visiting: Visiting) -> None:
    """A table or code that scrolls is reached by keyboard; one that fits is not. This follows the window's size."""
    text = f"| a | b |\n|---|---|\n| 1 | 2 |\n\n```\n{'word ' * 10}\n```\n"
    async with visiting([Text(text), DONE], viewport={"width": 1200, "height": 700}) as visit:
        await visit.ask("wide")
        await visit.wait_for_answer()
        stops = visit.page.locator(".answer .wide[tabindex='0'][role=group]")
        await expect(stops).to_have_count(0)
        await visit.page.set_viewport_size({"width": 360, "height": 740})
        await expect(stops).to_have_count(1)
        await expect(visit.page.get_by_role("group", name="Code")).to_be_visible()
        await expect(visit.page.locator("td.number").first).to_have_css("text-align", "end")


ENGLISH = "The rules of this agreement are clear, and the manager may approve it for you."
FRENCH = "Les règles de cette convention sont claires, et le gestionnaire peut les approuver pour vous."


async def test_an_answer_has_its_own_language(visiting: Visiting) -> None:
    """`lang` is that of the text, also of a paragraph in the other language. A text of no clear language has the
    personality's. Headings follow the answer's own outline."""
    async with visiting(lambda prompt: [*map(Text, prompt.text.split("|")), DONE]) as visit:
        body = visit.page.locator(".answer .body").last
        cases = [
            (FRENCH, "fr"),
            (f"{ENGLISH}\n\n> {FRENCH} {FRENCH}\n\n{ENGLISH} {ENGLISH}", "en"),
            ("### One|\n\n# Two\n\n#### Three\n\n## Four", "en"),
        ]
        for count, (text, language) in enumerate(cases, 1):
            await visit.ask(text)
            await expect(visit.page.locator(".question")).to_have_count(count)
            await visit.wait_for_answer()
            await expect(body).to_have_attribute("lang", language)
        assert await visit.page.locator(".answer [lang=fr]").evaluate_all("all => all.map((e) => e.tagName)") == [
            "DIV",
            "BLOCKQUOTE",
        ]
        headings = body.locator("h4, h5, h6")
        assert await headings.evaluate_all("all => all.map((e) => e.tagName)") == ["H4", "H4", "H5", "H5"]
