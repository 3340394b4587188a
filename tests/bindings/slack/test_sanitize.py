"""Forty hostile texts of a model: none pings, unfurls, masks a link or breaks out of its block."""

from __future__ import annotations

import html
import re
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from bindings.delivery.outlet import Closing, Page
from bindings.slack.formatting import build_blocks
from bindings.slack.sanitize import sanitize_markdown, split_code, stable_prefix

COMMONMARK = MarkdownIt("commonmark").enable("table")

# A control sequence to any of Slack's parsers, in any order of decoding.
SEQUENCE = re.compile(r"<\s*(?:[@#!]|[a-z][a-z0-9+.-]*:[^<>\s]*\|)", re.IGNORECASE)
COMPLETE = re.compile(r"<(?:[@#][A-Za-z0-9]|![a-z]+[\^|>])", re.IGNORECASE)  # code may contain the start of one
BROADCAST = re.compile(r"(?<![\w.%+-])@(?:here|channel|everyone)\b", re.IGNORECASE)
MASKED = re.compile(r"\]\(|\]\[|^\s{0,3}\[[^\]]*\]:", re.MULTILINE)

HOSTILE = [
    "<!channel>",
    "<!here>",
    "<!everyone>",
    "<!here|here>",
    "<!subteam^S012AB3CD>",
    "<!subteam^S012AB3CD|@admins>",
    "<!date^1392734382^{date}^https://evil.example|today>",
    "<@U0ANN>",
    "<@W0ANN|ann>",
    "<#C0001|general>",
    "@here @channel @Everyone",
    "(@here)",
    "Hello @channel!",
    "`<!here>`",
    "```\n<!here> <@U0ANN>\n```",
    "~~~\n<!channel>\n~~~",
    "    <!here>",
    "> <!here>",
    "**<!here>**",
    "<\u200b!here>",
    "<\u2060!here>",
    "<\u200d!here>",
    "@\u200bhere",
    "<\\!here>",
    "\\<!here>",
    "<&#33;here>",
    "<&excl;here>",
    "&lt;!here&gt;",
    "&#60;!here&#62;",
    "&#x3C;!here>",
    "&amp;lt;!here&amp;gt;",
    "&amp;amp;lt;@U0ANN>",
    "<https://evil.example|https://canada.ca>",
    "[https://canada.ca](https://evil.example)",
    "![a picture](https://evil.example/?secret)",
    "[canada.ca][1]\n\n[1]: https://evil.example",
    '[a](https://evil.example "https://canada.ca")',
    "[a](<https://evil.example/x y>)",
    "[a [b] c](https://evil.example)",
    "[![img](https://evil.example/i.png)](https://evil.example)",
    "<mailto:ann@example.ca|write here>",
    "``` \n```\n<!here>\n```",
    "```\nnever closed <!here>",
    "`` ` <!here>",
    "```` ``` <!here> ```` ```",
    "<a href='https://evil.example'>canada.ca</a> <!here>",
    "<script>alert(1)</script><img src=https://evil.example><@U0ANN>",
    "\r\n<!here>\u2028<!channel>",
    "‮>ereh!<",
    "|<!here>|\n|-|\n|[a](https://evil.example)|",
    "\U000e0001<!here>",
    "<<!here>>",
    "<" * 50 + "!here>",
]

LINK = "[canada.ca](https://evil.example)"
NOT_CODE_TO_MARKDOWN = [
    f"- ```\n  ls\n  ```\nSee {LINK}",
    f"1. ```sh\n   ls\n   ```\n2. See {LINK} &lt;!channel&gt;",
    f"> ```\nSee {LINK}",
    f"> ```\n> x\n\nSee {LINK}",
    f"- a\n\n  ```\n  x\n- {LINK}",
    f"```\n> ```\n```\n{LINK}",
    f"    ```\n\n{LINK}",
    f"`a\n# h\n{LINK}`",
    f"`a\n- {LINK} `",
    f"> `a\n>\n> {LINK} `",
    f"| ` | {LINK} |\n|---|---|\n| ` | x |",
    rf"\\`a` {LINK} `",
    rf"\``a`{LINK}`",
    "- a\n\n  ```\n  x\n- [canada.ca](\n  https://evil.example)",
    "- a\n\n  ```\n  x\n- [canada.ca][1]\n\n[1]: https://evil.example",
]


def decodings(text: str) -> list[str]:
    """The text as parsers see it that decode entities, backslashes or invisible characters first."""
    seen = [text]
    for _ in range(3):
        seen.append(html.unescape(seen[-1]))
    seen += [re.sub(r"\\(?=[!-/:-@\[-`{-~])", "", each) for each in seen]
    invisible = {"Cf", "Mn"}
    shown = ["".join(c for c in each if c == "\u2060" or unicodedata.category(c) not in invisible) for each in seen]
    return [*seen, *shown]


@pytest.mark.parametrize("text", [*HOSTILE, *NOT_CODE_TO_MARKDOWN])
def test_no_link_hides_its_address(text: str) -> None:
    """A Markdown parser finds no link or image, wherever it sees code."""
    tokens = [child for each in COMMONMARK.parse(sanitize_markdown(text)) for child in each.children or ()]

    assert [] == [each.type for each in tokens if each.type in ("link_open", "image")]
    assert not SEQUENCE.search(html.unescape(sanitize_markdown(text)))


@pytest.mark.parametrize("text", HOSTILE)
def test_nothing_pings_or_masks(text: str) -> None:
    """No parser finds a control sequence, broadcast or masked link, whatever it decodes first."""
    shown = sanitize_markdown(text)

    for seen in decodings(shown):
        assert not SEQUENCE.search(seen), seen
        assert not BROADCAST.search(seen), seen
    for code, piece in split_code(shown):
        assert code or not MASKED.search(piece), piece


@pytest.mark.parametrize("text", HOSTILE)
def test_text_stays_in_its_block(text: str) -> None:
    """Footer, note and buttons are blocks of types that Markdown cannot produce."""
    closing = Closing("ans-1", "Written by AI", note="cut")
    made = build_blocks(Page(text, "en", final=True, closing=closing))

    first, *others = (each["type"] for each in made)
    assert first in ("markdown", "table")
    assert ["context", "context", "context_actions", "actions"] == others
    assert ["cut", "Written by AI"] == [each["elements"][0]["text"] for each in made[1:3]]


def test_there_are_forty_hostile_texts() -> None:
    """The number that the requirements ask for."""
    assert len(HOSTILE) >= 40


@pytest.mark.parametrize(
    "text",
    [
        "Plain, **bold**, *italic*, ~~gone~~, `code`.",
        "# Title\n\n- one\n- two\n\n1. a\n2. b\n\n> quote\n\n---",
        "| a | b |\n|---|---|\n| 1 | 2 |",
        "a < b and c > d, x<3, List<String>, a <- b, <= and =>",
        "```python\n@decorator\ndef f(a: list[int]) -> None:\n    return d[k](x) if a < b else m[i][j]\n```",
        "```html\n<!DOCTYPE html>\n<!-- comment --><p>&lt;b&gt; &amp;</p>\n```",
        "Use `Vec<&str>` and `a[0](1)`.",
        "- ```py\n  if a[0]: b[1](x)\n  ```\n- `a[k]: int`\n\n> ```\n> a[i][j]\n> ```",
        "See https://canada.ca/en.html, or write to ann@example.ca.",
        "Emoji 👩‍💻 and accents: é è ç œ.",
        "R&D &amp; AT&T",
    ],
)
def test_harmless_text_does_not_change(text: str) -> None:
    """Formatting, code, comparisons and bare addresses stay."""
    assert text == sanitize_markdown(text)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("[Canada](https://canada.ca)", "Canada (https://canada.ca)"),
        ("[https://canada.ca](https://canada.ca)", "https://canada.ca"),
        ("<https://canada.ca>", "https://canada.ca"),
        ("![](https://e.example/x)", "https://e.example/x"),
        ("[wiki](https://e.example/a_(b)) end", "wiki (https://e.example/a_(b)) end"),
        ("hello <!here>", "hello ‹!here>"),
    ],
)
def test_addresses_of_links_are_visible(text: str, shown: str) -> None:
    """A reader sees the address that a click opens."""
    assert shown == sanitize_markdown(text)


@pytest.mark.parametrize(
    "text",
    [
        *HOSTILE,
        *NOT_CODE_TO_MARKDOWN,
        "Some `code` and [a link](https://canada.ca/x), then\n```py\nx = 1\n```\nthe end.",
    ],
)
def test_streamed_text_never_changes(text: str) -> None:
    """Each prefix extends the previous one, or is a part of it."""
    streamed = ""
    for end in range(len(text) + 1):
        shown = sanitize_markdown(stable_prefix(text[:end]))
        assert shown.startswith(streamed) or streamed.startswith(shown)
        streamed = max(streamed, shown, key=len)
    assert sanitize_markdown(text).startswith(streamed.rstrip("\n"))


fragments = st.lists(
    st.sampled_from(
        [
            "<",
            "!here>",
            "@",
            "here",
            "[a]",
            "(https://e.ca)",
            "`",
            "```\n",
            "\n",
            " ",
            "word",
            "&lt;",
            "]:",
            "\\",
            "~~~\n",
        ]
    ),
    max_size=14,
)


@given(parts=fragments)
def test_any_text_is_sanitized(parts: list[str]) -> None:
    """Random combinations of the fragments, not only the listed texts."""
    shown = sanitize_markdown("".join(parts))

    assert not COMPLETE.search(shown)
    assert not BROADCAST.search(shown)


@given(parts=fragments)
def test_a_fence_that_delivery_closed_is_not_streamed(parts: list[str]) -> None:
    """An unfinished page has its fence closed; the stream continues inside it."""
    text = "```py\n" + "".join(parts).replace("`", "").replace("~", "").strip("\n") + "\nx"

    assert sanitize_markdown(stable_prefix(text + " = 1\n```")).startswith(
        sanitize_markdown(stable_prefix(text + "\n```"))
    )
