"""What the model is to see of a conversation."""

from __future__ import annotations

from core.dialogue import compose
from core.rag.documents import Passage
from core.rag.material import Reading
from core.rag.shelf import Shelf
from core.sessions import Conversation, Question
from tests.core.chatting import whisper


def linked(url: str) -> Reading:
    return Reading("Notice", (Passage("The same on every page.", "Notice", url),))


def test_texts_that_differ_in_their_links_alone() -> None:
    """Are the same on the shelf, and each shown with its own link, in one question as in the next."""
    shelf, conversation = Shelf(), Conversation(1)
    for urls in (["https://a.example/", "https://b.example/"], ["https://c.example/"]):
        draft = compose(whisper(), conversation, Question("What is the same?"), [*map(linked, urls)], shelf=shelf)
        text = draft.material.shown(2).text
        assert all(url in text for url in urls)
