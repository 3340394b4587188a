"""Citations in a conversation: they exist, and still mean the same in the next answer."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any, ClassVar

import pytest

from core.configuration.settings import Settings
from core.contract import Attachment, Source, Task
from core.conversation.tables import exchange_documents
from core.engine import ChatEngine
from core.rag.documents import Passage
from core.rag.retrieval import Lookup
from core.rag.retrieved import RetrievedDocument
from tests.core.support_chatting import TODAY, ask, chat_on, serving, shown, text_of
from tests.support.databases import dump_tables

POOL = RetrievedDocument("Pool", (Passage("The pool is green."),), Source(0, "Pool", "https://pool.example/"))
RINK = RetrievedDocument("Rink", (Passage("The rink is cold."),), Source(0, "Rink", "https://rink.example/"))
PARK = RetrievedDocument("Park", (Passage("The park is wide."),), Source(0, "Park", "https://park.example/"))


class ListedFinder:
    """Finds the documents of a list, one lookup after another."""

    is_public: ClassVar[bool] = False

    def __init__(self, *found: tuple[RetrievedDocument, ...]) -> None:
        self._found = list(found)

    async def find(self, *_question: Any) -> Lookup:
        return Lookup(self._found.pop(0) if self._found else ())


@pytest.fixture
def finder() -> ListedFinder:
    return ListedFinder((POOL, RINK), (PARK,))


@pytest.fixture
async def chat(own_settings: Settings, finder: ListedFinder) -> AsyncIterator[ChatEngine]:
    async with chat_on(own_settings, finders=(finder,)) as built:
        yield built


def numbers_of(events: list[Any]) -> dict[str, int]:
    return {event.title: event.number for event in events if isinstance(event, Source)}


async def test_a_cited_document_stays_under_its_number(chat: ChatEngine, own_settings: Settings) -> None:
    """The next prompt shows what the answer cited; a new document gets the next free number."""
    async with serving(own_settings, ("It is cold [2].",), ("Yes [1].",)) as model:
        name = await chat.open("whisper")
        first = await ask(chat, "How is the rink?", name)
        second = await ask(chat, "And outside?", name)

    assert numbers_of(first) == {"Pool": 1, "Rink": 2}
    assert numbers_of(second) == {"Park": 1, "Rink": 2}
    said = shown(model.requests[1])
    assert "«[2] Rink»" in said
    assert "The rink is cold." in said
    assert "The pool is green." not in said


async def test_a_question_may_name_a_number(chat: ChatEngine, own_settings: Settings) -> None:
    """The person saw the list of sources, also of those that the answer does not cite."""
    async with serving(own_settings, ("Here.",), ("Yes.",)) as model:
        name = await chat.open("whisper")
        await ask(chat, "What is there?", name)
        second = await ask(chat, "What does source 1 say?", name)

    assert numbers_of(second) == {"Pool": 1, "Park": 2}
    assert "The pool is green." in shown(model.requests[1])


async def test_only_the_last_answer_counts(chat: ChatEngine, own_settings: Settings) -> None:
    """An older citation is out of the prompt."""
    async with serving(own_settings, ("It is green [1].",), ("Hello.",), ("Well.",)) as model:
        name = await chat.open("whisper")
        for question in ("Which colour?", "Hi!", "And?"):
            await ask(chat, question, name)

    assert "The pool is green." in shown(model.requests[1])
    assert "The pool is green." not in shown(model.requests[2])


async def test_an_answer_cites_only_what_exists(chat: ChatEngine, own_settings: Settings) -> None:
    """Other numbers are dropped from the streamed and from the stored answer; code stays."""
    async with serving(own_settings, ("It is ", "green [1][7", "], says `list[9]`.")):
        name = await chat.open("whisper")
        events = await ask(chat, "Which colour?", name)
        stored = await chat.resume(name, "whisper")

    assert text_of(events) == stored[-1].text == "It is green [1], says `list[9]`."


@pytest.mark.parametrize("how", ["forget", "again"])
async def test_stored_documents_go_with_their_exchange(chat: ChatEngine, own_settings: Settings, how: str) -> None:
    """Nothing remains of a forgotten conversation, nor of an answer that is written again."""
    async with serving(own_settings, ("It is green [1].",), ("Hello.",)):
        await ask(chat, "Which colour?", "slack:T:C:1", key="m1")
        before = dump_tables(own_settings.database_url)[exchange_documents.name]
        if how == "forget":
            await chat.forget("slack:T:C:1")
        else:
            await ask(chat, "Which colour?", "slack:T:C:1", key="m1", again=True)
    after = dump_tables(own_settings.database_url)[exchange_documents.name]

    assert "The pool is green." in str(before)
    assert "The pool is green." not in str(after)


async def test_attachments_have_numbers(own_settings: Settings) -> None:
    """They are sources without an address, and keep their place in the conversation."""
    files = (Attachment("a.txt", "The pool is green."), Attachment("b.txt", "The rink is cold."))
    async with chat_on(own_settings) as chat, serving(own_settings, ("It is cold [2].",)) as model:
        name = await chat.open("whisper")
        first = await ask(chat, "How is the rink?", name, attachments=files)
        second = await ask(chat, "And the pool?", name)

    assert numbers_of(first) == numbers_of(second) == {"a.txt": 1, "b.txt": 2}
    assert text_of(first) == "It is cold [2]."
    assert "«[2] b.txt»" in shown(model.requests[1])


async def test_json_has_no_citations(own_settings: Settings) -> None:
    """The model is not asked for them, and is told the date."""
    task = Task("whisper", "Which colour?", attachments=(Attachment("text", "The pool is green."),))
    async with chat_on(own_settings) as chat, serving(own_settings, ('{"colour": "green"}',)) as model:
        await chat.toil(task)

    said = shown(model.requests[0])
    assert "by number" not in said
    assert TODAY in said


async def test_the_part_of_a_file_that_did_not_fit_is_said(own_settings: Settings) -> None:
    """The person learns how many passages the model was shown, once; the model each time."""
    file = Attachment("report.txt", "\n\n".join(f"Lane {number} is painted green. " * 30 for number in range(80)))
    async with chat_on(own_settings) as chat, serving(own_settings) as model:
        name = await chat.open("whisper")
        first = await ask(chat, "Summarize this document.", name, attachments=(file,))
        second = await ask(chat, "Which colour is lane 70?", name)

    notice = text_of(first).partition("\n\n")[0]
    assert notice.startswith("(I read report.txt only in part: ")
    assert notice.endswith(" of 80 passages, spread over the whole.)")
    assert text_of(second) == "Hello there."
    covered, asked = (shown(request) for request in model.requests)
    assert "Lane 0 " in covered
    assert any(f"Lane {number} " in covered for number in range(70, 80))
    assert "[…]" in covered
    assert "Lane 70 " in asked
    assert "those that fit the question best" in asked
