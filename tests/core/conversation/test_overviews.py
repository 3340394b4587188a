"""Questions about whole documents: which ones they mean, how they are covered, and which cut the person is told."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from core.contract import Attachment, Omission, Prompt
from core.conversation.composition import PromptContext, build_context, build_request, partly_shown
from core.conversation.draft import PromptDraft
from core.conversation.exchanges import Conversation, Exchange, Question
from core.rag.documents import Passage
from core.rag.retrieved import RetrievedDocument
from tests.core.support_chatting import whisper

SHOWN = 12


def long_file(name: str, sections: int = 60, subject: str = "Rule") -> Attachment:
    parts = [
        f"# {subject} {number}\n\nThis document says {number}. {'More words. ' * 60}" for number in range(sections)
    ]
    return Attachment(name, "\n\n".join(parts))


def asked(
    question: str, new: Sequence[Attachment] = (), earlier: Sequence[Attachment] = (), **facts: RetrievedDocument
) -> tuple[PromptContext, PromptDraft]:
    """The draft of a second question, in whose conversation no file is part of the lead context."""
    exchanges = (Exchange(Question("Hello"), "Hello."), Exchange(Question("Here.", tuple(earlier)), "Thanks."))
    context = build_context(
        Prompt("whisper", question, attachments=tuple(new)), whisper(), Conversation(1, exchanges=exchanges)
    )
    return context, build_request(context, tuple(facts.values())).draft


def shown_of(draft: PromptDraft) -> dict[str, list[int]]:
    return {each.document.name: list(each.document.positions) for each in draft.documents(SHOWN)}


@pytest.mark.parametrize("question", ["Summarize this document.", "Fais un résumé du document joint", "key points?"])
def test_a_file_of_an_earlier_question_is_covered_evenly(question: str) -> None:
    """Each quarter has its share, and the person learns how much was read."""
    context, draft = asked(question, earlier=[long_file("rules.md")])
    positions = shown_of(draft)["rules.md"]
    total = len(draft.candidates.documents[0].passages)

    assert [sum(at * 4 // total == quarter for at in positions) for quarter in range(4)] == [SHOWN // 4] * 4
    (partly,) = partly_shown(draft, SHOWN, context)
    assert (partly.name, partly.omissions) == ("rules.md", (Omission("coverage", SHOWN, total),))


def test_a_question_about_a_subject_repeats_no_notice_of_an_earlier_file() -> None:
    """The person was told when the file came."""
    context, draft = asked("What is rule 7?", earlier=[long_file("rules.md")])

    assert partly_shown(draft, SHOWN, context) == ()


@pytest.mark.parametrize(
    ("question", "meant"),
    [
        ("Summarize this document.", {"new.md"}),
        ("Summarize older.md", {"older.md"}),
        ("Résume le document « OLDER »", {"older.md"}),
        ("Compare new.md and older.md", {"new.md", "older.md"}),
    ],
)
def test_the_question_chooses_between_files(question: str, meant: set[str]) -> None:
    """It means those that it names, else those that come with it."""
    _, draft = asked(question, [long_file("new.md")], [long_file("older.md")])

    assert set(shown_of(draft)) == meant


def test_two_files_are_covered_alike() -> None:
    """Each gets half; a short one is whole and leaves the rest to the other."""
    _, draft = asked("Summarize both documents", [long_file("a.md"), long_file("b.md")])
    assert [len(each) for each in shown_of(draft).values()] == [SHOWN // 2] * 2

    _, draft = asked("Summarize both documents", [long_file("a.md"), Attachment("b.md", "The pool is green.")])
    assert {name: len(each) for name, each in shown_of(draft).items()} == {"a.md": SHOWN - 1, "b.md": 1}


def test_files_come_before_what_was_looked_up() -> None:
    """Facts that were found for a question about a file only fill the room that the file leaves."""
    facts = RetrievedDocument("Facts", tuple(Passage(f"Fact {number}.") for number in range(30)))
    _, draft = asked("Summarize the document", earlier=[long_file("rules.md")], facts=facts)
    assert set(shown_of(draft)) == {"rules.md"}

    _, draft = asked("Summarize the document", earlier=[Attachment("note.md", "The pool is green.")], facts=facts)
    assert {name: len(each) for name, each in shown_of(draft).items()} == {"note.md": 1, "Facts": SHOWN - 1}


def test_files_of_one_name_are_told_apart() -> None:
    """The notice covers the one that was cut and the one that is not shown, whatever their order."""
    long, short = long_file("Document.pdf", subject="Rink"), Attachment("Document.pdf", "The pool is green.")
    for files in ([long, short], [short, long]):
        context, draft = asked("What is rink 7?", files)
        (partly,) = partly_shown(draft, 3, context)

        assert partly.name == "Document.pdf"
        assert {each.read for each in partly.omissions} == {3, 0}
