"""The conversation on paper: a PDF of Chromium, read back."""

from __future__ import annotations

import io

import pypdfium2
import pytest
from playwright.async_api import expect

from core.contract import Source, Text
from tests.web.pages.support_visit import DONE, Visiting

pytestmark = pytest.mark.asyncio(loop_scope="package")  # the browser lives in that loop

LEAVE = Source(1, "Parental leave", "https://leave.example/rules", "en")
WIDE = "\n".join(
    [
        f"| {' | '.join(f'column{at}' for at in range(14))} |",
        f"|{'---|' * 14}",
        f"| {' | '.join(f'cell{at}' for at in range(14))} |",
    ]
)
PRINTED = ("endofquestion", "https://a.example/x", "https://leave.example/rules", "cell13", "endofline", "The very end")
CONTROLS = ("Answer again", "Not helpful", "Save or print", "Attach a file", "Enter sends", "Show all")


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_paper_has_the_whole_text_and_no_controls(visiting: Visiting, scheme: str) -> None:
    """Folded questions, wide code and tables, addresses of links and sources are printed, black on white."""
    code = "```\n" + "word " * 60 + "endofline\n```"
    answer = f"See [the rules](https://a.example/x) [1].\n\n{WIDE}\n\n{code}\n\n" + "A line.\n\n" * 90 + "The very end."
    async with visiting([LEAVE, Text(answer), DONE], color_scheme=scheme) as visit:
        await visit.ask("begin " + "word " * 3000 + "endofquestion")
        await visit.wait_for_answer()
        await expect(visit.page.get_by_role("button", name="Answer again")).to_be_visible()
        await visit.page.emulate_media(media="print")
        assert await visit.page.evaluate("() => getComputedStyle(document.body).color") == "rgb(0, 0, 0)"
        assert (
            await visit.page.evaluate("() => getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
        )
        printed = text_of(await visit.page.pdf(format="Letter"))

    for part in PRINTED:
        assert part in printed
    for control in CONTROLS:
        assert control not in printed
    assert printed.count("The very end") == 1


def text_of(pdf: bytes) -> str:
    """Returns the text of all pages without its line breaks: long words are broken."""
    pages = pypdfium2.PdfDocument(io.BytesIO(pdf))
    texts = [page.get_textpage().get_text_range() for page in pages]
    return "".join(texts).replace("\r\n", " ").replace("\ufffe", "")
