"""A data folder with a database, in which people talked on the page and to a bot."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from bindings.incoming import IncomingMessage, Place
from bindings.store import Store
from core.contract import Attachment, Rating, Source
from core.conversation.exchanges import Question
from core.conversation.owned import OwnedConversations
from core.conversation.sessions import Sessions
from core.storage.database import Database

NOW = 1_700_000_000.0
DAY_S = 86_400.0
ANA, BOB = "person:ana@example.gc.ca", "person:bob@example.gc.ca"


class Clock:
    now = NOW

    def __call__(self) -> float:
        return self.now


@dataclass
class People:
    """The stores that adapters use, on one database."""

    database: Database
    clock: Clock

    @property
    def sessions(self) -> Sessions:
        return Sessions(self.database, self.clock)

    @property
    def store(self) -> Store:
        return Store(self.database, self.clock)

    async def ask(self, owner: str, words: str) -> str:
        """A conversation on the page with an exchange that has a file, a source and a rating. Returns its id."""
        name = await self.sessions.open("whisper", owner)
        conversation = await self.sessions.resume(name, "whisper", owner)
        question = Question(words, (Attachment("notes.txt", f"file {words}"),))
        key = await self.sessions.begin_exchange(conversation.id, question, f"context {words}")
        source = Source(1, f"title {words}", "https://example.gc.ca/leave")
        await self.sessions.finish_exchange(key, f"answer {words}", "stop", (source,), model="toy")
        owned = OwnedConversations(self.database, self.clock)
        await owned.rate(Rating(name, key.number, "bad", f"comment {words}"), owner)
        await owned.change(name, owner, title=f"named {words}")
        return name

    async def ask_bot(self, user: str, words: str, number: int = 1, thread: str = "1.0") -> IncomingMessage:
        """A message to the bot in a thread, its answer, and feedback on it."""
        place = Place("slack", "T1", "C1", thread, "channel")
        incoming = IncomingMessage(f"slack:T1:C1:{number}", place, str(number), user, words)
        delivery = await self.store.take(incoming, "message")
        assert delivery is not None
        entered = await self.sessions.enter(place.conversation, "whisper", key=incoming.event)
        key = await self.sessions.begin_exchange(entered.id, Question(words), key=incoming.event)
        await self.sessions.finish_exchange(key, f"answer {words}", "stop")
        await self.store.finish(delivery, "done")
        await self.store.save_feedback(delivery.answer_id, incoming.speaker, "bad", f"comment {words}")
        return incoming


def found_in(folder: Path, words: str) -> list[str]:
    """The files whose raw bytes contain the words."""
    return sorted(path.name for path in folder.rglob("*") if path.is_file() and words.encode() in path.read_bytes())
