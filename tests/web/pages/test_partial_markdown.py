"""An answer while it is written: Markdown's signs are not seen before they mean something."""

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
    "**bold*": "**bold**",  # the second half of its end is on its way
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
AS_WRITTEN = [
    "**Clear** words",
    "see [1]",
    "see [the guide](https://www.canada.ca) and",
    "![chart](https://www.can",
    "snake_case, 2*3, a * b, ~5 and \\*not",
    "```\n**a",
    "- x\n\n  ```js\n  a*b **c",
    "before **open\n\nafter",
    "| a | b |\n|--|--|\n| 1 |",
    "*a *b *c *d *e *f *g *h",  # stray signs are not worth guessing at
]


async def test_what_is_open_is_closed(visiting: Visiting) -> None:
    """Emphasis, code, links and blocks that have begun are drawn as what they will be, all else as it is."""
    async with visiting([DONE]) as visit:
        drawn = await visit.page.evaluate(
            """async (texts) => {
                const { closeOpenMarkup } = await import('/static/partial_markdown.js');
                return texts.map(closeOpenMarkup);
            }""",
            [*CLOSED, *AS_WRITTEN],
        )

    assert dict(zip([*CLOSED, *AS_WRITTEN], drawn, strict=True)) == CLOSED | {text: text for text in AS_WRITTEN}


async def test_no_sign_is_seen_on_the_way(visiting: Visiting) -> None:
    """Wherever an answer may stand still, none of its signs is drawn."""
    text = "1. **Clear words** help [a *lot*](https://lot.example/).\n2. Use `code`, *not* **_signs_**.\n\n"
    text += "- **One**: 1 * 2"
    async with visiting([DONE]) as visit:
        seen = await visit.page.evaluate(
            """async (text) => {
                const [{ render }, { closeOpenMarkup }] =
                    await Promise.all(['markdown', 'partial_markdown'].map((name) => import(`/static/${name}.js`)));
                const shown = [...text].map((_, end) => render(closeOpenMarkup(text.slice(0, end + 1))).textContent);
                return [...shown, render(text).textContent];
            }""",
            text,
        )

    assert [shown for shown in seen if any(sign in shown for sign in ("**", "*lot", "*not", "`", "_", "[", "]"))] == []
    assert seen[-2] == seen[-1]


async def test_an_answer_that_stops_half_way_is_drawn_as_it_is(visiting: Visiting) -> None:
    """What was closed for the moment is not part of the answer."""
    more = asyncio.Event()
    async with visiting([Text("**half"), more, DONE]) as visit:
        await visit.ask("?")
        body = visit.page.locator(".answer .body").last
        await expect(body.locator("strong")).to_have_text("half")
        more.set()
        await visit.answered()
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


async def test_its_time_grows_with_the_length(visiting: Visiting) -> None:
    """Each sign is looked at a bounded number of times: a model that repeats one cannot hold the page up."""
    async with visiting([DONE]) as visit:
        lengths = await visit.page.evaluate(
            """async (pieces) => {
                const { closeOpenMarkup } = await import('/static/partial_markdown.js');
                return pieces.map((piece) => closeOpenMarkup(`${piece.repeat(1_000_000 / piece.length)}x`).length);
            }""",
            HOSTILE,
        )

    assert len(lengths) == len(HOSTILE)  # quadratic, each would take an hour
