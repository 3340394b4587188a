"""Pages as Slack's blocks."""

from __future__ import annotations

import json
from typing import cast

import pytest

from bindings.delivery.context import DeliveryOptions
from bindings.delivery.final_pages import build_final_pages
from bindings.delivery.outlet import Closing, Outlet, Page, PageLimits
from bindings.delivery.partial_answer import PartialAnswer
from bindings.selftest.slack_rules import find_block_error, find_update_error
from bindings.slack.formatting import (
    PAGE_CHARS,
    TEXT_CHARS,
    build_blocks,
    build_closing_blocks,
    link_source,
    page_length,
    page_text,
    question_blocks,
    updated_text,
)
from bindings.slack.markup import escape, unescape
from core.contract import Source, Text


class MeasuringOutlet:
    form = ""
    ai_label = False
    limits = PageLimits(PAGE_CHARS, 0.0)

    def length(self, page: Page) -> int:
        return page_length(page)


def test_an_answer_ends_with_sources_footer_and_buttons() -> None:
    """Feedback carries the answer's id, and labels have the page's language."""
    sources = (Source(1, "Congés", "https://canada.ca/a?b=1&c=2"), Source(2, "Interne"))
    closing = Closing("ans-1", "Rédigé par une IA (modèle m).", note="Coupé.", notice="Première fois?", sources=sources)
    made = build_blocks(Page("Voilà.", "fr", final=True, closing=closing))

    kinds = ["markdown", "context", "section", "context", "context", "context_actions", "actions"]
    assert kinds == [each["type"] for each in made]
    expected = "*Sources*\n1. <https://canada.ca/a?b=1&amp;c=2|Congés> (canada.ca)\n2. Interne"
    assert expected == made[2]["text"]["text"]
    judge = made[5]["elements"][0]
    assert ("good ans-1", "bad ans-1") == (judge["positive_button"]["value"], judge["negative_button"]["value"])
    assert "Bonne réponse" == judge["positive_button"]["accessibility_label"]
    assert ("Recommencer", "ans-1") == (made[6]["elements"][0]["text"]["text"], made[6]["elements"][0]["value"])
    assert find_block_error(made) is None


def test_a_notice_has_no_buttons() -> None:
    """A notice is not an answer to rate."""
    assert [] == build_closing_blocks(Page("Stopped.", "en", final=True, closing=Closing("", "")))


def test_a_hostile_title_is_escaped() -> None:
    """It neither closes its link nor pings, and the host stands beside it."""
    shown = link_source(Source(1, "> <!here> | canada.ca", "https://evil.example/?q=<a|b>"))

    assert "<https://evil.example/?q=%3Ca%7Cb%3E|&gt; &lt;!here&gt; ¦ canada.ca> (evil.example)" == shown


def test_only_web_addresses_are_linked() -> None:
    """A source without an address, or with another scheme, is only named."""
    assert "T" == link_source(Source(1, "T", "javascript:alert(1)")) == link_source(Source(1, "T"))


@pytest.mark.parametrize(
    "address",
    ["https://canada.ca/" + "é" * 700, "https://canada.ca/?" + "&" * 800, "https://[bad", "https://℀.ca/", "http://"],
)
def test_an_address_that_slack_refuses_is_not_linked(address: str) -> None:
    """One such address would make Slack refuse the whole message."""
    closing = Closing("a", "f", sources=(Source(1, "A title", address),))
    made = build_blocks(Page("As said [1].", "en", final=True, closing=closing))

    assert find_block_error(made) is None
    assert "A title" in made[1]["text"]["text"]


def test_many_sources_fit() -> None:
    """They take several pages, because a section has at most 3,000 characters. No source is left out."""
    sources = tuple(Source(n, "t" * 500, f"https://canada.ca/{'x' * 300}{n}") for n in range(1, 60))
    draft, outlet = PartialAnswer(DeliveryOptions("en", "a"), len, PAGE_CHARS), cast(Outlet, MeasuringOutlet())
    draft.add(Text("x" * 9000))
    draft.sources = list(sources)
    draft.end("delivered")
    made = [build_blocks(page) for page in build_final_pages(draft, outlet, DeliveryOptions("en", "a"))]

    assert [None] * len(made) == [find_block_error(each) for each in made]
    shown = json.dumps(made)
    assert all(f"\\n{source.number}. <" in shown or f'"{source.number}. <' in shown for source in sources)


def test_an_empty_page_has_a_block() -> None:
    """Slack refuses an empty message."""
    assert find_block_error(build_blocks(Page("", "en"))) is None
    assert 1 == len(build_blocks(Page("", "en")))


def test_a_status_is_a_context_block() -> None:
    """It stands in place of the text, or below it."""
    assert ["context"] == [each["type"] for each in build_blocks(Page("", "en", status="You are number 3."))]
    assert ["markdown", "context"] == [
        each["type"] for each in build_blocks(Page("So far", "en", status="Reconnecting."))
    ]


def test_slack_accepts_a_full_page() -> None:
    """The limit covers everything below the text too."""
    closing = Closing("a" * 40, "f" * 300, note="n" * 300, notice="p" * 600)
    page = Page("x" * (PAGE_CHARS - 1200), "en", final=True, closing=closing)

    assert PAGE_CHARS == page_length(page)
    assert find_block_error(build_blocks(page)) is None


def test_screen_readers_get_the_whole_page() -> None:
    """They read the text in place of the blocks: answer, note, sources, notice and AI label, in this order."""
    closing = Closing("a", "Written by AI.", "Cut.", "First time?", (Source(1, "Pay", "https://canada.ca/pay"),))
    answer = "word " * 1500
    text = page_text(Page(answer, "en", final=True, closing=closing))

    below = "Cut.\n*Sources*\n1. <https://canada.ca/pay|Pay> (canada.ca)\nFirst time?\nWritten by AI."
    assert f"{answer}\n\n{below}" == text


def test_the_text_is_escaped() -> None:
    """Slack parses it as mrkdwn, and cuts it: no entity is cut in two."""
    assert "‹!here&gt; &amp; b" == page_text(Page("<!here> & b", "en"))
    assert "&lt;!here&gt;" == page_text(Page("", "en", status="<!here>"))
    cut = page_text(Page("&" * 9000, "en"))
    assert len(cut) <= TEXT_CHARS
    assert escape(unescape(cut)) == cut


@pytest.mark.parametrize("sign", ["日", "&", "<", "👍", "x&"])
def test_an_update_has_a_text_that_slack_accepts_or_none(sign: str) -> None:
    """Slack refuses a long one. Without one it builds it from the blocks."""
    assert updated_text(Page(sign * 9000, "en")) is None
    text = updated_text(Page(sign * 400, "en"))
    assert text is not None
    assert find_update_error(text) is None


def test_the_table_of_a_finished_page_is_a_block() -> None:
    """The text around it stays Markdown. A growing table does too."""
    markdown = "Before.\n\n| a | b |\n|---|--:|\n| 1 | **2** |\n\nAfter."
    made = build_blocks(Page(markdown, "en", final=True))

    assert ["markdown", "table", "markdown"] == [each["type"] for each in made]
    assert ["Before.", "After."] == [each["text"] for each in made if each["type"] == "markdown"]
    assert find_block_error(made) is None
    assert ["markdown"] == [each["type"] for each in build_blocks(Page(markdown, "en"))]
    assert ["markdown"] == [each["type"] for each in build_blocks(Page(markdown, "en", final=True), table=False)]


def test_a_question_by_command_pings_nobody() -> None:
    """It is plain text, which has no control sequences."""
    made = question_blocks("ann", "<!here> " + "x" * 5000)

    assert "plain_text" == made[1]["text"]["type"] == made[0]["elements"][0]["type"]
    assert find_block_error(made) is None
