"""bindings.delivery.splitting: pages that each stand alone, for any text."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from bindings.delivery.splitting import PageSplitter, split_pages

Measure = Callable[[str], int]

LINES = ["words and more words.", "# Heading", "- item", "  - nested item", "> quoted words", "| a | b |", "|---|---|"]
FENCES = ["```", "```python", "~~~", "````", "   ```", "> ```", "- ```js", "  ```"]
SIGNS = [
    "",
    "",
    "\n",
    "  ",
    "[link](http://a.b/c)",
    "`code`",
    "é",
    "e\u0301",
    "👩‍👩‍👧",
    "🇨🇦",
    "x" * 70,
    "&<>*_`~|-+",
    "\r",
]
hostile = st.lists(st.sampled_from(LINES + FENCES + SIGNS), max_size=60).map("\n".join) | st.text(max_size=400)


def escaped(text: str) -> int:
    """The length on a platform that escapes three signs."""
    return len(text) + 4 * text.count("&") + 3 * text.count("<") + 3 * text.count(">")


def utf16(text: str) -> int:
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


measures = st.sampled_from([len, escaped, utf16])


def shortening(text: str) -> int:
    """A length that shrinks once bold words are closed."""
    return len(re.sub(r"\*\*([^*]*)\*\*", r"\1", text)) + text.count("**") % 2 * 5


def squeezed(text: str) -> str:
    """The text without white space and the signs of fences and quotes, which pages repeat."""
    return re.sub(r"[\s`~>]|python|js", "", text)


@given(hostile, measures, st.integers(40, 200))
@settings(max_examples=150)
def test_no_page_exceeds_the_limit(text: str, length: Measure, limit: int) -> None:
    """The platform's length includes closed fences and repeated headers; no page is blank."""
    for page in split_pages(text, length, limit):
        assert length(page) <= limit
        assert page.strip()


@given(st.lists(st.sampled_from(LINES + SIGNS), max_size=60).map("\n".join), st.integers(60, 200))
@settings(max_examples=150)
def test_pages_fit_where_the_length_does_not_grow_with_the_text(text: str, limit: int) -> None:
    """A page that turns out too long is shortened."""
    bold = text.replace("words", "**words**")

    assert all(shortening(page) <= limit for page in split_pages(bold, shortening, limit))


@given(hostile, st.data(), measures, st.integers(40, 200))
@settings(max_examples=300)
@example("```\n" + "x" * 100 + "\n```\nmore words here", None, len, 60)
def test_added_text_changes_only_the_last_page(
    text: str, data: st.DataObject | None, length: Measure, limit: int
) -> None:
    """Settled pages stay the same, for any amount of text at the time."""
    whole = split_pages(text, length, limit)
    for end in [data.draw(st.integers(0, len(text)))] if data else range(len(text)):
        before = split_pages(text[:end], length, limit)

        assert whole[: max(len(before) - 1, 0)] == before[:-1]


@given(st.lists(hostile, max_size=8), st.integers(40, 200))
@settings(max_examples=100)
def test_streamed_text_gives_the_same_pages_as_the_whole(pieces: list[str], limit: int) -> None:
    """Settled pages stay."""
    growing = PageSplitter(len, limit)
    for piece in pieces:
        growing.add(piece)
        settled = growing.all()[:-1]
        assert growing.settled[: len(settled)] == settled

    assert split_pages("".join(pieces), len, limit) == growing.all()


@given(st.text(st.characters(exclude_characters="`~>|#")), st.integers(20, 200))
@settings(max_examples=200)
def test_only_white_space_is_lost(text: str, limit: int) -> None:
    """All other characters stay, in order."""
    assert re.sub(r"\s", "", text) == re.sub(r"\s", "", "".join(split_pages(text, len, limit)))


@given(hostile.filter(lambda text: "|-" not in text), st.integers(60, 200))
@settings(max_examples=200)
@example("x" * 70 + "\n> ```\nwords and more words.\nwords and more words.", 82)
def test_no_text_is_lost_around_fences(text: str, limit: int) -> None:
    """Only the signs that close and open code blocks and quotes differ."""
    assert squeezed(text) == squeezed("".join(split_pages(text, len, limit)))


blocks = st.one_of(
    st.sampled_from(["Some words. And more words, which go on.", "## A heading", "- one\n- two\n- three", "> said he"]),
    st.builds(
        lambda fence, info, lines: f"{fence}{info}\n" + "\n".join(lines) + f"\n{fence}",
        st.sampled_from(["```", "````", "~~~", "~~~~~"]),
        st.sampled_from(["", "python", "json title=x"]),
        st.lists(st.sampled_from(["x = 1", "    indented()", "", "``", "# no heading", "- no item"]), max_size=30),
    ),
)


@given(st.lists(blocks, max_size=8).map("\n\n".join), st.integers(80, 300))
@settings(max_examples=150)
def test_code_stays_code_with_its_language(text: str, limit: int) -> None:
    """A Markdown parser finds the same code on the pages as in the whole text, and nothing else as code."""
    assert codes([text]) == codes(split_pages(text, len, limit))


def codes(texts: list[str]) -> list[tuple[str, str]]:
    """Each line of code with its info string."""
    fences = [token for text in texts for token in MarkdownIt().parse(text) if token.type in ("fence", "code_block")]
    return [(token.info, line) for token in fences for line in token.content.split("\n") if line.strip()]


def test_cuts_prefer_paragraphs_then_sentences() -> None:
    """A paragraph is preferred to a line, and a sentence to a word."""
    paragraphs = "First one here, of some length.\n\nSecond one here, of some length.\nIts line."
    sentences = "This is a sentence. This is another one, with more words"

    assert ["First one here, of some length.", "Second one here, of some length.\nIts line."] == split_pages(
        paragraphs, len, 60
    )
    assert ["This is a sentence.", "This is another one, with more words"] == split_pages(sentences, len, 36)


def test_cuts_fall_before_a_list_item() -> None:
    """The items are longer than a line."""
    text = "- one, which\n  goes on\n- two, which\n  goes on\n- three"

    assert ["- one, which\n  goes on", "- two, which\n  goes on\n- three"] == split_pages(text, len, 42)


def test_a_heading_stays_with_its_section() -> None:
    """It does not stand alone at the end of a page."""
    assert "Some words of text." == split_pages("Some words of text.\n\n## Title\n\n" + "x" * 80, len, 40)[0]


def test_a_fence_in_a_list_continues_without_indentation() -> None:
    """Four spaces would turn the continuation into an indented block."""
    text = "1. Do this:\n   - and that:\n     ```bash\n" + "     echo hello\n" * 6 + "     ```\n   - and then."
    first, second, *_ = split_pages(text, len, 90)

    assert first.endswith("     echo hello\n     ```")
    assert second.startswith("```bash\necho hello\n")
    assert [("bash", "echo hello")] * 6 == codes(split_pages(text, len, 90))


def test_lines_of_code_stay_whole() -> None:
    """This holds even if more than half of a page stays empty."""
    line = "call(" + "one argument, " * 5 + "last)"
    text = f"```\nshort()\n{line}\n{line}\n```"

    assert ["```\nshort()\n```", f"```\n{line}\n```", f"```\n{line}\n```"] == split_pages(text, len, 88)


def test_a_fence_in_a_quote_continues_in_a_quote() -> None:
    """It ends where the quote ends."""
    text = "> ```js\n" + "> let x = 1\n" * 10 + "\nNot quoted."
    found = split_pages(text, len, 60)

    assert found[1].startswith("> ```js\n> let x = 1\n")
    assert found[0].endswith("\n> ```")
    assert "Not quoted." in found[-1].split("\n")


def test_a_table_repeats_its_header() -> None:
    """Each page with rows of it has the header."""
    text = "| name | age |\n|---|---|\n" + "| somebody | 42 |\n" * 10 + "\nThe end."
    found = split_pages(text, len, 100)

    assert len(found) > 2
    assert all(page.startswith("| name | age |\n|---|---|\n| somebody | 42 |") for page in found)
    assert sum(page.count("somebody") for page in found) == 10


def test_links_and_inline_code_stay_whole() -> None:
    """This holds if the second half of the page offers another cut."""
    text = "Some words to begin with [a link of four words](http://example.org/page) and more"
    code = "Some words to begin with, then `a b c d e f g h` and more"

    assert any("[a link of four words](http://example.org/page)" in page for page in split_pages(text, len, 50))
    assert any("`a b c d e f g h`" in page for page in split_pages(code, len, 36))


def test_no_cut_turns_text_into_a_list() -> None:
    """Text at the start of a page keeps the meaning that it had within its line."""
    found = split_pages("words and words - and some more words that go on # and on 1. and on > until the end", len, 22)

    assert not any(page[0] in "-#>1" for page in found)


@pytest.mark.parametrize("sign", ["e\u0301\u0323", "👩‍👩‍👧", "🇨🇦", "👍🏽", "🏴󠁧󠁢󠁳󠁣󠁴󠁿", "각", "क्षि"])
def test_no_visible_character_is_split(sign: str) -> None:
    """The text offers no other cut."""
    found = split_pages(sign * 40, len, 25)

    assert all(not page.replace(sign, "") for page in found)
    assert "".join(found) == sign * 40


def test_an_endless_character_is_split() -> None:
    """One letter has thousands of accents."""
    found = split_pages("a" + "\u0301" * 1000, len, 100)

    assert len("".join(found)) == 1001
    assert all(unicodedata.category(char) in ("Mn", "Ll") for page in found for char in page)


def test_splitting_code_always_advances() -> None:
    """Little more than the fence fits on a page, and its text offers no good cut."""
    found = split_pages("```python\n" + "e" + "\u0301" * 100, lambda page: len(page) + 9 * page.count("\u0301"), 45)

    assert 100 == "".join(found).count("\u0301")


def test_long_openings_are_not_repeated() -> None:
    """A long info string or header would leave no room for other text."""
    code = "```" + "i" * 300 + "\n" + "x\n" * 300
    table = "|" + "h" * 90 + "|\n|---|\n" + "| row |\n" * 40

    assert not any("i" in page for page in split_pages(code, len, 120)[4:])
    assert split_pages(table, len, 120)[2].startswith("| row |")


BOMBS = {
    "line ends": "\n",
    "spaces": " ",
    "one word": "a",
    "fences": "```\n",
    "two kinds of fences": "~~~\n```\n",
    "fences in quotes": "> ```\n",
    "brackets": "[",
    "links": "[](",
    "brackets in lines": "[" * 119 + "\n",
    "ticks": "`",
    "accents": "\u0301",
    "flags": "🇨",
    "tables": "|\n|-\n",
    "blank lines": " " * 999 + "\n",
    "bullets": "- ",
    "dots": ". ",
    "angles": "<",
    "digits": "1",
    "nested": "".join(" " * depth + "- x\n" for depth in range(100)),
}


@pytest.mark.parametrize("bomb", BOMBS.values(), ids=BOMBS.keys())
def test_work_grows_linearly_with_the_text(bomb: str) -> None:
    """The measured length is bounded by a multiple of the text; an explosive search meets the time limit."""
    text = bomb * (100_000 // len(bomb))
    measured = 0

    def length(page: str) -> int:
        nonlocal measured
        measured += len(page)
        return len(page)

    split_pages(text, length, 2000)

    assert measured < 30 * len(text)
