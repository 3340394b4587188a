"""Long answers in the page: only what changes is drawn, and no text blocks the page."""

from __future__ import annotations

import asyncio

import pytest
from playwright.async_api import expect

from core.contract import Text
from tests.web.pages.support_visit import DONE, Visit, Visiting

pytestmark = pytest.mark.asyncio(loop_scope="package")  # the browser lives in that loop


async def body_html(visit: Visit) -> str:
    return await visit.page.locator(".answer .body").last.inner_html()


async def test_a_growing_answer_keeps_its_nodes(visiting: Visiting) -> None:
    """The focus, a selection and the elements stay when more text comes, and when the answer ends."""
    more = asyncio.Event()
    text = "See [the guide](https://guide.example/) and [the rules].\n\n- one\n- two\n\n"
    async with visiting([Text(text), more, Text("end\n\n[the rules]: https://rules.example/"), DONE]) as visit:
        await visit.ask("?")
        body = visit.page.locator(".answer .body").last
        await expect(body.locator("li")).to_have_text(["one", "two"])
        await body.locator("a").focus()
        await body.evaluate(
            """body => {
                globalThis.kept = [...body.querySelectorAll('p, ul, li, a')];
                getSelection().selectAllChildren(body.querySelector('li'));
            }"""
        )
        more.set()
        await visit.wait_for_answer()

        await expect(body.locator("a")).to_have_count(2)  # the address of the second came last
        assert await visit.page.evaluate("() => globalThis.kept.every((each) => each.isConnected)")
        assert await visit.page.evaluate("() => String(getSelection())") == "one"


LONG = {
    "ol": ("", "".join(f"{number}. item\n" for number in range(7, 300)), "li", 293),
    "table": ("| a | b |\n|---|---|\n", "| x | **y** |\n" * 250, "tbody tr", 250),
    "pre": ("```text\n", "line\n" * 250, None, 0),
}


@pytest.mark.parametrize("kind", LONG)
async def test_a_long_block_looks_the_same_however_it_came(visiting: Visiting, kind: str) -> None:
    """A long list, table or code block in many pieces has the elements of one that came at once, in any order."""
    head, lines, selector, count = LONG[kind]
    text = f"before\n\n{head}{lines}"
    pieces = [text[start : start + 37] for start in range(0, len(text), 37)]
    answers = [[*map(Text, pieces), Text("```\n\nafter" if kind == "pre" else "\nafter"), DONE]]
    answers.append([Text("".join(pieces) + ("```\n\nafter" if kind == "pre" else "\nafter")), DONE])
    async with visiting(lambda _: answers.pop(0)) as visit:
        await visit.ask("in pieces")
        await visit.wait_for_answer()
        in_pieces = await body_html(visit)
        await visit.ask("at once")
        await expect(visit.page.locator(".question")).to_have_count(2)
        await visit.wait_for_answer()

        assert await body_html(visit) == in_pieces
        body = visit.page.locator(".answer .body").last
        await expect(body.locator("p").last).to_have_text("after")
        if selector:
            await expect(body.locator(selector)).to_have_count(count)
        else:
            assert await body.locator("pre").text_content() == lines
        if kind == "ol":
            last = body.locator("ol").last
            assert await last.evaluate("list => list.start + list.children.length - 1") == 299
        if kind == "table":
            await expect(body.get_by_role("cell", name="y")).to_have_count(250)


HOSTILE = {
    "emphasis": "*_a" * 16_000,
    "brackets": "[a](" * 16_000,
    "quotes": "> " * 5_000 + "a",
    "lists": "- " * 5_000 + "a",
    "columns": f"|{'a|' * 500}\n|{'-|' * 500}\n|{'b|' * 500}\n",
}


async def test_hostile_text_is_shown_as_it_is_written(visiting: Visiting) -> None:
    """Thousands of open marks stay text, and the text behind them is drawn as usual."""
    async with visiting(lambda prompt: [Text(f"{HOSTILE[prompt.text]}\n\n**after**"), DONE]) as visit:
        for count, name in enumerate(HOSTILE, 1):
            await visit.ask(name)
            await expect(visit.page.locator(".question")).to_have_count(count)
            await visit.wait_for_answer()
            body = visit.page.locator(".answer .body").last
            assert (await body.text_content() or "").startswith(HOSTILE[name].strip()[:1000])
            await expect(body.locator("em, a, blockquote, li, td")).to_have_count(0)


async def test_a_worker_that_takes_too_long_is_replaced(visiting: Visiting) -> None:
    """Its text is shown as it is written, and later answers are drawn by another worker."""
    async with visiting(lambda prompt: [Text(f"**{prompt.text}**"), DONE]) as visit:
        stuck = "self.postMessage({ isReady: true }); onmessage = () => { for (;;); };"
        await visit.page.route(
            "**/markdown/worker.js*", lambda route: route.fulfill(body=stuck, content_type="text/javascript")
        )
        await visit.ask("slow")
        await visit.wait_for_answer()
        await expect(visit.page.locator(".answer .body").last).to_have_text("**slow**")
        await visit.page.unroute("**/markdown/worker.js*")
        await visit.ask("fast")
        await expect(visit.page.locator(".answer strong")).to_have_text("fast")
        await visit.wait_for_answer()
