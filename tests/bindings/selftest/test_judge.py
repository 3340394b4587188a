"""bindings.selftest.judge: which outcomes of a step are problems."""

from __future__ import annotations

import pytest

from bindings.selftest.judge import judge
from bindings.selftest.recording import RecordedMessage, VisibleMessage
from bindings.selftest.script import Step
from core.texts import text

STOPPED = text("delivery-stopped", "en")
QUESTION = "What is a statement of work?"


def step(does: str = "ask", **more: object) -> Step:
    return Step.model_validate(
        {"id": "a", "title": {"en": "A", "fr": "A"}, "does": does, "text": QUESTION, "of": "", **more}
    )


def answer(shown: str, *, deleted: bool = False, writing: bool = False, small: str = "") -> RecordedMessage:
    lines = (small,) if small else ()
    message = VisibleMessage(shown, "Whisper", True, "#general", shown, small_lines=lines, writing=writing)
    return RecordedMessage(message, "a", 1.0, deleted_s=2.0 if deleted else None)


@pytest.mark.parametrize(
    ("does", "messages", "expected"),
    [
        ("ask", [answer("A long answer.")], []),
        ("ask", [], ["lost"]),
        ("ask", [answer("A long answer.", deleted=True)], ["lost"]),
        ("ask", [answer("", small="…")], ["lost"]),
        ("ask", [answer("A long answ", writing=True)], ["unfinished"]),
        ("ask", [answer("A long answer."), answer("A long answer. And")], ["doubled"]),
        ("ask", [answer("The first page of it."), answer("The second page of it.")], []),
        ("ask", [answer("A long answ", deleted=True), answer("A long answer.")], []),
        ("stop", [answer("A long answ", small=f"*{STOPPED}*")], []),
        ("stop", [answer(f"A long answ\n_{STOPPED}_")], []),
        ("stop", [answer("A long answer.")], ["not_stopped"]),
        ("delete", [answer("A long answ", deleted=True)], []),
        ("delete", [answer("A long answ")], ["kept"]),
    ],
)
def test_what_people_see_is_judged(does: str, messages: list[RecordedMessage], expected: list[str]) -> None:
    """Deleted messages count as not there; pages of one answer are not doubles; a stump beside the answer is one."""
    assert expected == judge(step(does), messages, echoes=False)


@pytest.mark.parametrize(("shown", "expected"), [(QUESTION, []), (f"**{QUESTION}**", []), ("What is a", ["cut"])])
def test_an_echo_shows_the_whole_question(shown: str, expected: list[str]) -> None:
    assert expected == judge(step(), [answer(shown)], echoes=True)


def test_an_echo_shows_the_file() -> None:
    """The bot downloaded it, and the model saw its text."""
    asked = step(file={"name": "a.txt", "text": "The director approves."})

    assert ["unread"] == judge(asked, [answer(QUESTION)], echoes=True)
    assert [] == judge(asked, [answer(f"The director approves. {QUESTION}")], echoes=True)


def test_an_edit_of_an_answered_question_is_silent() -> None:
    edited = Step.model_validate(
        {"id": "b", "title": {"en": "B", "fr": "B"}, "does": "edit", "text": QUESTION, "of": "a"}
    )

    assert [] == judge(edited, [], echoes=False)
    assert ["unexpected"] == judge(edited, [answer("A long answer.")], echoes=False)
