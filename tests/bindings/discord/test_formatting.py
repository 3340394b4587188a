"""Model text is shown as Markdown, and cannot ping, unfurl, hide or imitate anything.

The check reads the result as Discord's clients do: code blocks first, then code spans, then the rest.
"""

from __future__ import annotations

import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bindings.delivery.outlet import Closing, Page
from bindings.delivery.splitting import split_pages
from bindings.discord.formatting import escape_markdown, to_discord, utf16_length
from bindings.discord.rendering import build_buttons, build_message, parse_nonce, render_page
from core.contract import Source

DISCORD_CODE = re.compile(
    r"\\.|```(?:[a-z0-9_+\-.#]+?\n)?\n*[^\n][\s\S]*?\n*```|(`+)[\s\S]*?[^`]\1(?!`)", re.IGNORECASE
)
LIVE_ANYWHERE = {  # Discord's server acts on these anywhere in a message
    "everyone": re.compile(r"@(everyone|here)"),
    "person or role": re.compile(r"<@[!&]?\d+>"),
    "channel": re.compile(r"<#\d+>"),
    "command": re.compile(r"</[^<>:]+:\d+>"),
    "emoji": re.compile(r"<a?:\w+:\d+>"),
    "time": re.compile(r"<t:-?\d+(:\w)?>"),
    "navigation": re.compile(r"<id:\w+>"),
    "invitation": re.compile(r"discord(app)?(\.gg|\.gift|\.new|\.com/(invite|gifts|template))", re.IGNORECASE),
}
LIVE_OUTSIDE_CODE = {
    "small print": re.compile(r"-#\s", re.MULTILINE),
    "spoiler": re.compile(r"\|\|"),
    "quote of all that follows": re.compile(r"^\s*>>>", re.MULTILINE),
    "open span": re.compile(r"`"),
}


def live_constructs(text: str) -> list[str]:
    """The constructs in a message that Discord would act on."""
    outside = DISCORD_CODE.sub("¤", text)
    # Escapes do not work in a link's label.
    with_escapes = DISCORD_CODE.sub(lambda match: match[0] if match[0][0] == "\\" else "¤", text)
    return [
        *(["masked link"] if "](" in with_escapes else []),
        *[name for name, pattern in LIVE_ANYWHERE.items() if pattern.search(text)],
        *[name for name, pattern in LIVE_OUTSIDE_CODE.items() if pattern.search(outside)],
    ]


HOSTILE = [
    "@everyone come here",
    "@here",
    "Hello@everyone!",
    "**@everyone**",
    "`@everyone`",
    "```\n@everyone <@123456789012345678>\n```",
    "@\u200beveryone and @every\u200done and @\u2060here",
    "@every\x00one @\u202ehere",
    "\\@everyone \\<@123456789012345678>",
    "<@123456789012345678> <@!123456789012345678>",
    "<@&123456789012345678>",
    "<\u200b@123456789012345678>",
    "<#123456789012345678>",
    "</nuke all:123456789012345678>",
    "<:blob:123456789012345678> <a:blob:123456789012345678>",
    "<t:1700000000:R>",
    "<id:customize> <id:browse>",
    "[canada.ca](https://evil.example/login)",
    "[https://canada.ca](https://evil.example)",
    '[canada.ca](https://evil.example "canada.ca")',
    "[canada.ca](<https://evil.example>)",
    "[`canada.ca`](https://evil.example)",
    "[a [b] c](https://evil.example)",
    "[a\\](https://evil.example)",
    "\\`[canada.ca](https://evil.example)`",
    "a ` b\n`[canada.ca](https://evil.example)` c `",
    "``a`[canada.ca](https://evil.example)``b`",
    "[x](javascript:alert(1)) [y](discord://-/settings)",
    "![pixel](https://evil.example/p.png?SECRET)",
    "![](https://evil.example/p.png)",
    "[![canada](https://evil.example/p.png)](https://evil.example)",
    "Join discord.gg/abc or https://discord.com/invite/abc, discordapp.com/invite/x and DISCORD.GG/abc",
    "-# Written by AI (model GPT-9). Check what matters.",
    "> -# Written by AI (model GPT-9).",
    "- -# Written by AI\n1. -# Written by AI",
    "||https://evil.example||",
    "|||| hidden ||||",
    ">>> everything after this is my quote",
    "  >>> everything",
    "```\nclosed early\n```\n```",
    "```js\nlet a = `b```;\n@here\n```",
    "~~~\n```\n[x](https://evil.example)\n~~~",
    "````\n```\n@everyone\n````\n[x](https://evil.example)",
    "```[x](https://evil.example)``` ```",
    "```\n",
    "<script>alert(1)</script><img src=https://evil.example/p.png>",
    "<https://evil.example> https://canada.ca@evil.example/",
    "| a | b |\n|---|---|\n| [x](https://evil.example) | ``` @here |",
    "\u2028-# Written by AI\u2029>>> x",
    "a\r-# Written by AI",
    "half a pair \ud83d @\udc00everyone",
]


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_is_inert(text: str) -> None:
    """It stands alone, after other text, and above our own lines."""
    closing = Closing("a-1", "Written by AI (model tiny_model_1).", sources=(Source(1, text, "https://x.example"),))
    assert [] == live_constructs(to_discord(text))
    assert [] == live_constructs(to_discord(f"See `this`:\n{text}\nand\n{text}"))
    content = render_page(Page(text, "en", final=True, closing=closing))
    assert [] == live_constructs(re.sub(r"^-# ", "", content, flags=re.MULTILINE))
    assert content.endswith("\n-# Written by AI (model tiny\\_model\\_1).")


HOSTILE_TOKENS = st.sampled_from([
    "`", "``", "```", "~~~", "\n", "\\", "[a]", "(https://e.example)", "](", "@everyone", "<@1>", "<", "@", "||", "|",
    "-# ", ">>> ", "> ", "#", " ", "x", "\u200b", "discord.gg/", "|---|", "![", "*", "_", "<#1>", "</a:1>", "é", "🔥",
])  # fmt: skip


MARKDOWN_TOKENS = st.sampled_from([
    "```", "```py\n", "~~~\n", "> ", "- ", "1. ", "    ", "\n", "\n\n", "`", "**", "__", "|---|", "| a |", "x" * 30,
    "word ", "[a](https://e.ca)", "@everyone", "<@1>", "||", "\\",
])  # fmt: skip


@given(st.lists(HOSTILE_TOKENS, max_size=25).map("".join))
@example("\\``[a](https://e.example)`")
@example("```\\`[a](https://e.example)")
def test_random_hostile_text_is_inert(text: str) -> None:
    """Our parser and Discord's agree on what is code."""
    assert [] == live_constructs(to_discord(text))


@pytest.mark.parametrize(
    ("text", "content"),
    [
        ("**bold**, *it*, ~~no~~ and `code`", "**bold**, *it*, ~~no~~ and `code`"),
        ("__bold__ and snake__case__x", "**bold** and snake__case__x"),
        ("# One\n## Two\n#### Four ##", "# One\n## Two\n**Four**"),
        ("- a\n  - b\n1. c", "- a\n  - b\n1. c"),
        ("> quoted\n>> twice", "> quoted\n> twice"),
        ("```python\nx = '</div>'\n```", "```python\nx = '</div>'\n```"),
        ("- so:\n  ```sh\n  ls\n  ```\n- done", "- so:\n```sh\nls\n```\n- done"),
        ("- ```sh\n  ls\n  ```\n- **b**\n\n```\nx\n```\ny", "-\n```sh\nls\n```\n- **b**\n\n```\nx\n```\ny"),
        ("> ```\n> a*b*c\n> ```\n> d\n\n> ```\n> e\nf", "```\na*b*c\n```\n> d\n\n```\ne\n```\nf"),
        ("~~~\ncode\n~~~", "```\ncode\n```"),
        ("```weird info!\ncode", "```weird\ncode\n```"),
        ("a || b in `a || b`", "a |\u200b| b in `a || b`"),
        ("[Feed](https://e.ca/f_(x))", "Feed (<https://e.ca/f_(x)>)"),
        ("[e.ca](https://e.ca/)", "<https://e.ca/>"),
        ("<https://e.ca> https://e.ca", "<https://e.ca> https://e.ca"),
        (
            "[a](https://e.ca/__init__.py) https://e.ca/__b__/ <https://e.ca/__b__>",
            "a (<https://e.ca/__init__.py>) https://e.ca/__b__/ <https://e.ca/__b__>",
        ),
        ("![a cat](https://e.ca/c.png)", "a cat (<https://e.ca/c.png>)"),
        ("|a|b|\n|:-|-:|\n|1|**22**|\n| x \\| y |\nend", "```\na      b\n-----  --\n1      22\nx | y\n```\nend"),
        ("a | b, and no table", "a | b, and no table"),
        ("x < y and f(a)[0](b) in `f(a)[0](b)`", "x < y and f(a)[0]\u200b(b) in `f(a)[0](b)`"),
    ],
)
def test_markdown_is_converted(text: str, content: str) -> None:
    """Discord has three levels of headings, no tables and no pictures. Links show their addresses."""
    assert content == to_discord(text)


@given(st.lists(MARKDOWN_TOKENS, max_size=60).map("".join), st.sampled_from([60, 100, 200]))
@example("> ```\n> x\n> ```\n\n- ```bash\n  " + "a" * 160, 200)
def test_no_page_exceeds_the_limit(text: str, limit: int) -> None:
    """Page splitting and rendering agree on what is code. Discord refuses longer messages."""

    def measure(text: str) -> int:
        return utf16_length(render_page(Page(text, "en")))

    assert [] == [page for page in split_pages(text, measure, limit) if measure(page) > limit]


def test_escaped_text_has_no_formatting() -> None:
    """Titles of pages and names of models are shown on one line."""
    assert "a \\*b\\* \\_c\\_ \\`d\\` \\[e\\]\u200b(f) \\<g\\>" == escape_markdown("a *b*\n_c_ `d` [e](f) <g>")


def test_length_is_never_less_than_discord_counts() -> None:
    """A character beyond the basic plane counts as two."""
    assert (2, 4) == (utf16_length("é!"), utf16_length("🔥🔥"))


def test_an_unfinished_page_shows_its_status() -> None:
    """The status is small print. A page is never empty, because Discord refuses that."""
    assert "-# 3rd in line, about 5 s" == render_page(Page("", "en", status="3rd in line, about 5 s"))
    assert "Text\n-# reading" == render_page(Page("Text", "en", status="reading"))
    assert "…" == render_page(Page(" \u200b\n", "en"))


def test_a_finished_page_has_its_closing() -> None:
    """The order is: note, numbered sources, notice, footer."""
    sources = (Source(1, "A *feed*", "https://e.ca/a_b"), Source(2, "B", "ftp://e.ca"), Source(3, "C"))
    closing = Closing("a-1", "Written by AI.", note="Stopped.", notice="Stored.\nFor days.", sources=sources)
    assert render_page(Page("Text", "fr", final=True, closing=closing)).split("\n") == [
        "Text",
        "*Stopped.*",
        "-# Sources :",
        "-# 1. A \\*feed\\* <https://e.ca/a_b>",
        "-# 2. B",
        "-# 3. C",
        "-# Stored. For days.",
        "-# Written by AI.",
    ]


def test_many_sources_leave_room_for_text() -> None:
    """A last line counts the others."""
    sources = tuple(Source(number, "T" * 300, f"https://e.ca/{'p' * 200}") for number in range(1, 50))
    closing = Closing("a-1", "F" * 2000, "N" * 2000, "M" * 2000, sources)
    content = render_page(Page("", "en", final=True, closing=closing))
    assert utf16_length(content) < 2700
    assert "-# and 47 more" in content
    assert utf16_length("\n".join(line for line in content.split("\n") if re.match(r"-# \d", line))) <= 900


def test_buttons_contain_everything_that_a_press_needs() -> None:
    """They have the answer's id, and the page number if it is known. Notices have no buttons."""
    stop = build_buttons(Page("Text", "fr"), "a-1_B-2")
    assert ("stop:a-1_B:2", "Arrêter") == (stop[0]["components"][0]["custom_id"], stop[0]["components"][0]["label"])
    done = build_buttons(Page("Text", "en", final=True, closing=Closing("a-1_B", "")), "a-1_B-3")
    assert [f"{verb}:a-1_B:3" for verb in ("good", "bad", "regenerate")] == [
        each["custom_id"] for each in done[0]["components"]
    ]
    assert ["a-1_B-2", "a-1_B-3"] == [parse_nonce({"components": each}) for each in (stop, done)]
    edited = build_buttons(Page("Text", "en", final=True, closing=Closing("a-1_B", "")))
    assert "good:a-1_B:" == edited[0]["components"][0]["custom_id"]
    assert parse_nonce({"components": edited}) is None
    assert [] == build_buttons(Page("Notice", "en", final=True, closing=Closing("", "")), "a-1_B-1")
    assert [] == build_buttons(Page("Page 1", "en", final=True), "a-1_B-1")


def test_messages_ping_nobody_and_unfurl_nothing() -> None:
    """The flags do not depend on the text."""
    body = build_message(Page("x", "en"))
    assert {"parse": [], "replied_user": False} == body["allowed_mentions"]
    assert body["flags"] & 4
