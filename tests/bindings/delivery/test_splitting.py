"""bindings.delivery.splitting: pages that stand alone, whatever the text."""

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
    """A platform that escapes three signs."""
    return len(text) + 4 * text.count("&") + 3 * text.count("<") + 3 * text.count(">")


def utf16(text: str) -> int:
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


measures = st.sampled_from([len, escaped, utf16])


def shortening(text: str) -> int:
    """A platform on which a page gets shorter once bold words are closed."""
    return len(re.sub(r"\*\*([^*]*)\*\*", r"\1", text)) + text.count("**") % 2 * 5


def squeezed(text: str) -> str:
    """Without white space and what pages repeat: signs of fences and quotes."""
    return re.sub(r"[\s`~>]|python|js", "", text)


@given(hostile, measures, st.integers(40, 200))
@settings(max_examples=150)
def test_no_page_is_longer_than_it_may_be(text: str, length: Measure, limit: int) -> None:
    """By the platform's own measure, closed fences and repeated headers included; and none is blank."""
    for page in split_pages(text, length, limit):
        assert length(page) <= limit
        assert page.strip()


@given(st.lists(st.sampled_from(LINES + SIGNS), max_size=60).map("\n".join), st.integers(60, 200))
@settings(max_examples=150)
def test_fits_also_where_the_measure_does_not_grow_with_the_text(text: str, limit: int) -> None:
    """A page that turns out longer than its beginning promised is made shorter."""
    bold = text.replace("words", "**words**")

    assert all(shortening(page) <= limit for page in split_pages(bold, shortening, limit))


@given(hostile, st.data(), measures, st.integers(40, 200))
@settings(max_examples=300)
@example("```\n" + "x" * 100 + "\n```\nmore words here", None, len, 60)
def test_text_that_is_added_changes_no_page_but_the_last(
    text: str, data: st.DataObject | None, length: Measure, limit: int
) -> None:
    """However much there is at the time of looking: what was settled is what it is in the end."""
    whole = split_pages(text, length, limit)
    for end in [data.draw(st.integers(0, len(text)))] if data else range(len(text)):
        before = split_pages(text[:end], length, limit)

        assert whole[: max(len(before) - 1, 0)] == before[:-1]


@given(st.lists(hostile, max_size=8), st.integers(40, 200))
@settings(max_examples=100)
def test_pieces_give_the_same_pages_as_the_whole(pieces: list[str], limit: int) -> None:
    """A streamed answer is split as it would be at once, and settled pages stay."""
    growing = PageSplitter(len, limit)
    for piece in pieces:
        growing.add(piece)
        settled = growing.all()[:-1]
        assert growing.settled[: len(settled)] == settled

    assert split_pages("".join(pieces), len, limit) == growing.all()


@given(st.text(st.characters(exclude_characters="`~>|#")), st.integers(20, 200))
@settings(max_examples=200)
def test_nothing_is_lost_but_white_space(text: str, limit: int) -> None:
    """Neither a character nor the order."""
    assert re.sub(r"\s", "", text) == re.sub(r"\s", "", "".join(split_pages(text, len, limit)))


@given(hostile.filter(lambda text: "|-" not in text), st.integers(60, 200))
@settings(max_examples=200)
@example("x" * 70 + "\n> ```\nwords and more words.\nwords and more words.", 82)
def test_nothing_is_lost_around_fences_either(text: str, limit: int) -> None:
    """Apart from what closes and opens code blocks and quotes."""
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
    """A parser that knows nothing of pages finds the same code on them as in the whole, and nothing else as code."""
    assert codes([text]) == codes(split_pages(text, len, limit))


def codes(texts: list[str]) -> list[tuple[str, str]]:
    """Each line that is code, and its info string."""
    fences = [token for text in texts for token in MarkdownIt().parse(text) if token.type in ("fence", "code_block")]
    return [(token.info, line) for token in fences for line in token.content.split("\n") if line.strip()]


def test_cuts_where_a_reader_would() -> None:
    """At a paragraph before a line, at a sentence before a word."""
    paragraphs = "First one here, of some length.\n\nSecond one here, of some length.\nIts line."
    sentences = "This is a sentence. This is another one, with more words"

    assert ["First one here, of some length.", "Second one here, of some length.\nIts line."] == split_pages(
        paragraphs, len, 60
    )
    assert ["This is a sentence.", "This is another one, with more words"] == split_pages(sentences, len, 36)


def test_cuts_before_an_item_rather_than_within_it() -> None:
    """The items are longer than a line."""
    text = "- one, which\n  goes on\n- two, which\n  goes on\n- three"

    assert ["- one, which\n  goes on", "- two, which\n  goes on\n- three"] == split_pages(text, len, 42)


def test_a_heading_goes_with_what_follows() -> None:
    """It does not stand alone at the end of a page."""
    assert "Some words of text." == split_pages("Some words of text.\n\n## Title\n\n" + "x" * 80, len, 40)[0]


def test_a_fence_in_a_list_continues_at_no_indentation() -> None:
    """Four spaces would make the continuation of a list's code something else."""
    text = "1. Do this:\n   - and that:\n     ```bash\n" + "     echo hello\n" * 6 + "     ```\n   - and then."
    first, second, *_ = split_pages(text, len, 90)

    assert first.endswith("     echo hello\n     ```")
    assert second.startswith("```bash\necho hello\n")
    assert [("bash", "echo hello")] * 6 == codes(split_pages(text, len, 90))


def test_lines_of_code_stay_whole() -> None:
    """Even if that leaves more than half of a page unused."""
    line = "call(" + "one argument, " * 5 + "last)"
    text = f"```\nshort()\n{line}\n{line}\n```"

    assert ["```\nshort()\n```", f"```\n{line}\n```", f"```\n{line}\n```"] == split_pages(text, len, 88)


def test_a_fence_in_a_quote_continues_in_a_quote() -> None:
    """And ends where the quote ends."""
    text = "> ```js\n" + "> let x = 1\n" * 10 + "\nNot quoted."
    found = split_pages(text, len, 60)

    assert found[1].startswith("> ```js\n> let x = 1\n")
    assert found[0].endswith("\n> ```")
    assert "Not quoted." in found[-1].split("\n")


def test_a_table_repeats_its_header() -> None:
    """On each page that has rows of it."""
    text = "| name | age |\n|---|---|\n" + "| somebody | 42 |\n" * 10 + "\nThe end."
    found = split_pages(text, len, 100)

    assert len(found) > 2
    assert all(page.startswith("| name | age |\n|---|---|\n| somebody | 42 |") for page in found)
    assert sum(page.count("somebody") for page in found) == 10


def test_links_and_code_within_a_line_stay_whole() -> None:
    """As long as there is another place in the second half of the page."""
    text = "Some words to begin with [a link of four words](http://example.org/page) and more"
    code = "Some words to begin with, then `a b c d e f g h` and more"

    assert any("[a link of four words](http://example.org/page)" in page for page in split_pages(text, len, 50))
    assert any("`a b c d e f g h`" in page for page in split_pages(code, len, 36))


def test_no_cut_makes_a_list_of_a_dash() -> None:
    """What stands at the start of a page context what it meant within its line."""
    found = split_pages("words and words - and some more words that go on # and on 1. and on > until the end", len, 22)

    assert not any(page[0] in "-#>1" for page in found)


@pytest.mark.parametrize("sign", ["e\u0301\u0323", "👩‍👩‍👧", "🇨🇦", "👍🏽", "🏴󠁧󠁢󠁳󠁣󠁴󠁿", "각", "क्षि"])
def test_no_visible_character_is_torn(sign: str) -> None:
    """Also where there is nothing else to cut at."""
    found = split_pages(sign * 40, len, 25)

    assert all(not page.replace(sign, "") for page in found)
    assert "".join(found) == sign * 40


def test_a_character_without_end_is_torn_after_all() -> None:
    """Thousands of accents on one letter."""
    found = split_pages("a" + "\u0301" * 1000, len, 100)

    assert len("".join(found)) == 1001
    assert all(unicodedata.category(char) in ("Mn", "Ll") for page in found for char in page)


def test_a_page_of_code_always_gets_on() -> None:
    """Also where little more than the fence fits, and there is no good place in it."""
    found = split_pages("```python\n" + "e" + "\u0301" * 100, lambda page: len(page) + 9 * page.count("\u0301"), 45)

    assert 100 == "".join(found).count("\u0301")


def test_what_is_too_long_to_repeat_is_not_repeated() -> None:
    """An info string or a header of thousands of characters would leave no room for anything else."""
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
def test_work_grows_with_the_text_and_no_faster(bomb: str) -> None:
    """What is measured, altogether, is so many times the text; a search that explodes meets the time limit."""
    text = bomb * (100_000 // len(bomb))
    measured = 0

    def length(page: str) -> int:
        nonlocal measured
        measured += len(page)
        return len(page)

    split_pages(text, length, 2000)

    assert measured < 30 * len(text)
