"""A growing answer: Markdown signs stay hidden until their meaning is clear."""

from __future__ import annotations

import asyncio

import pytest
from playwright.async_api import expect

from core.contract import Text
from tests.web.pages.support_visit import DONE, Visiting

pytestmark = pytest.mark.asyncio(loop_scope="package")  # the browser lives in that loop

CLOSED = {
    "1. **Clear": "1. **Clear**",
    "**Clear ": "**Clear**",
    "**bold *both": "**bold *both***",
    "**bold*": "**bold**",  # the second "*" of its end has not arrived
    "_so": "_so_",
    "~~gone": "~~gone~~",
    "use `a` and ``b`": "use `a` and ``b``",
    "- **a**: b\n- **c": "- **a**: b\n- **c**",
    "**over\ntwo lines": "**over\ntwo lines**",
    "see [the guide](https://www.can": "see the guide",
    "see **[the guide](https://www.can": "see **the guide**",
    "see [the guide": "see the guide",
    "see [1": "see ",
    "Hello **": "Hello ",
    "Here:\n-": "Here:",
    "text\n--": "text",
    "text\n\n| a | b |\n|--": "text\n\n",
}
UNCHANGED = [
    "**Clear** words",
    "see [1]",
    "see [the guide](https://www.canada.ca) and",
    "![chart](https://www.can",
    "snake_case, 2*3, a * b, ~5 and \\*not",
    "```\n**a",
    "- x\n\n  ```js\n  a*b **c",
    "before **open\n\nafter",
    "| a | b |\n|--|--|\n| 1 |",
    "*a *b *c *d *e *f *g *h",  # stray signs stay as they are
]


async def test_open_markup_is_closed(visiting: Visiting) -> None:
    """Open emphasis, code, links and blocks are drawn as if they were complete. Other text is unchanged."""
    async with visiting([DONE]) as visit:
        closed = await visit.page.evaluate(
            """async (texts) => {
                const { closeOpenMarkup } = await import('/static/markdown/partial_markdown.js');
                return texts.map(closeOpenMarkup);
            }""",
            [*CLOSED, *UNCHANGED],
        )

    assert dict(zip([*CLOSED, *UNCHANGED], closed, strict=True)) == CLOSED | {text: text for text in UNCHANGED}


async def test_markdown_signs_are_never_visible(visiting: Visiting) -> None:
    """This holds for every prefix of an answer."""
    text = "1. **Clear words** help [a *lot*](https://lot.example/).\n2. Use `code`, *not* **_signs_**.\n\n"
    text += "- **One**: 1 * 2"
    async with visiting([DONE]) as visit:
        drawings = await visit.page.evaluate(
            """async (text) => {
                const { Answer } = await import('/static/messages/answer.js');
                const place = document.createElement('div');
                const shown = [];
                const answer = new Answer(place, () => shown.push(place.textContent), () => null);
                for (const letter of text) {
                    const drawn = shown.length;
                    answer.add(letter);
                    while (shown.length === drawn) await new Promise(requestAnimationFrame);
                }
                await answer.finish();
                return [...shown, place.textContent];
            }""",
            text,
        )

    assert [
        drawing for drawing in drawings if any(sign in drawing for sign in ("**", "*lot", "*not", "`", "_", "[", "]"))
    ] == []
    assert drawings[-2] == drawings[-1]


async def test_markup_that_stays_open_is_drawn_as_text(visiting: Visiting) -> None:
    """The temporary closing marks are not part of the finished answer."""
    more = asyncio.Event()
    async with visiting([Text("**half"), more, DONE]) as visit:
        await visit.ask("?")
        body = visit.page.locator(".answer .body").last
        await expect(body.locator("strong")).to_have_text("half")
        more.set()
        await visit.wait_for_answer()
        await expect(body).to_have_text("**half")


HOSTILE = [
    "*a ",
    "**a ",
    "_a ",
    "`a ",
    "``a ` ",
    "[a](",
    "[a](x y ",
    '[a](x "b ',
    "[",
    "[a]",
    " ",
    "> ",
    "- ",
    "|",
    "\n",
]


async def test_closing_takes_linear_time(visiting: Visiting) -> None:
    """A model that repeats a sign a million times cannot block the page."""
    async with visiting([DONE]) as visit:
        lengths = await visit.page.evaluate(
            """async (pieces) => {
                const { closeOpenMarkup } = await import('/static/markdown/partial_markdown.js');
                return pieces.map((piece) => closeOpenMarkup(`${piece.repeat(1_000_000 / piece.length)}x`).length);
            }""",
            HOSTILE,
        )

    assert len(lengths) == len(HOSTILE)  # in quadratic time, each would take an hour
