"""bindings.selftest.pages: the transcript as HTML and as text."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import pairwise

import pytest
from bs4 import BeautifulSoup

from bindings.selftest.judge import StepResult
from bindings.selftest.pages import write_html, write_text
from bindings.selftest.recording import RecordedCall, RecordedMessage, VisibleMessage
from bindings.selftest.script import Step
from bindings.selftest.transcript import LoggedProblem, Transcript, summarize
from core.contract import Language

HOSTILE = "<script>alert(1)</script><img src=x onerror=alert(1)> {{ 7 * 7 }}"
STEPS = tuple(
    Step.model_validate(
        {"id": name, "title": {"en": name, "fr": name}, "does": "ask", "text": "Why?", "language": language}
    )
    for name, language in (("first", "fr"), ("second", "en"))
)


def build(language: Language = "en", *problems: str) -> Transcript:
    shown = VisibleMessage("1", HOSTILE, True, HOSTILE, HOSTILE, "0", (HOSTILE,), (HOSTILE,), (HOSTILE,), private=True)
    results = [
        StepResult(STEPS[0], (), 1, 1.5, 0.25, 0.5),
        StepResult(STEPS[1], problems, 0, 2.0, 0.75),  # type: ignore[arg-type]
    ]
    return Transcript(
        platform="slack",
        language=language,
        at=datetime(2026, 7, 1, 14, 5, tzinfo=UTC),
        model=HOSTILE,
        personalities=("whisper",),
        results=results,
        messages=[RecordedMessage(shown, "first", 1.0, 1.2, 1.3, 1.4, 2)],
        calls=[
            RecordedCall("first", 1.0, "POST /x", 200, "", 0.1),
            RecordedCall("first", 2.0, HOSTILE, 429, HOSTILE, 0.1),
        ],
        problems=[LoggedProblem("delivery_refused", HOSTILE, 3)],
    )


@pytest.mark.parametrize("language", ["en", "fr"])
def test_nothing_that_was_written_becomes_markup(language: Language) -> None:
    """Names, texts, buttons, files, calls and log lines are all text in the page, which has no script at all."""
    page = BeautifulSoup(write_html(build(language)), "html.parser")

    assert [] == page.find_all(["script", "img", "link", "iframe"])
    assert [] == [tag for tag in page.find_all(True) if any(name.startswith("on") for name in tag.attrs)]
    assert 8 <= page.get_text().count(HOSTILE)


@pytest.mark.parametrize("language", ["en", "fr"])
def test_the_page_is_accessible(language: Language) -> None:
    """It has a language, one first heading, ordered headings, captions, header cells, and targets for its links."""
    page = BeautifulSoup(write_html(build(language, "lost")), "html.parser")
    levels = [int(tag.name[1]) for tag in page.find_all(["h1", "h2", "h3"])]
    ids = [tag["id"] for tag in page.find_all(id=True)]

    assert f"{language}-CA" == page.html["lang"]  # type: ignore[index]
    assert page.title
    assert page.title.text
    assert [1] == [level for level in levels if level == 1]
    assert all(after - before <= 1 for before, after in pairwise(levels))
    assert all(table.caption and table.caption.text.strip() for table in page.find_all("table"))
    assert all(cell.get("scope") in ("col", "row") for cell in page.find_all("th"))
    assert all(link["href"][1:] in ids for link in page.find_all("a"))
    assert len(ids) == len(set(ids))
    assert all(region.get("aria-labelledby") in ids for region in page.find_all(role="region"))
    assert {"fr-CA"} == {tag["lang"] for tag in page.select(".messages [lang]")}  # the language of the step


def test_the_marks_of_a_message_are_named() -> None:
    """People see whether it was private, changed or deleted, in both forms."""
    for page in (write_html(build()), write_text(build())):
        for mark in ("reply", "only for the person", "changed 2 times", "deleted at 1.40 s"):
            assert mark in page


def test_failed_steps_are_named_first() -> None:
    """The verdict names the step and its problem."""
    passed, failed = write_text(build()).splitlines()[1], write_text(build("en", "lost")).splitlines()[1]

    assert "All 2 steps came out as expected." == passed
    assert "A step did not come out as expected: second (no answer)" == failed


def test_the_summary_counts() -> None:
    """An answer is lost or counted, never both; a call with a reason or an error status is refused."""
    summary = summarize(build("en", "lost", "doubled"))

    assert (2, 1, 1, 1, 1) == (summary.steps, summary.failed, summary.answers, summary.lost, summary.doubled)
    assert (2, 1) == (summary.calls, summary.refused_calls)
    assert (0.5, 0.75) == (summary.ack_median_s, summary.ack_longest_s)
    assert (0.5, 0.5) == (summary.words_median_s, summary.words_longest_s)
