"""A chat engine over a fake model, and questions for it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import aclosing, asynccontextmanager
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from core import PROJECT_ROOT
from core.configuration.personalities import Personalities, Personality
from core.configuration.settings import Settings
from core.contract import Event, Prompt, Text
from core.conversation.composition import describe_today
from core.conversation.sessions import Sessions
from core.engine import ChatEngine
from core.model.client import ModelClient
from core.rag.embeddings import Embedder
from core.rag.fetching.fetch import Fetcher
from core.rag.reading.reader import Reader
from core.rag.retrieval import Finder, Retriever
from core.screening import Screener
from core.storage.database import Database
from tests.support.fake_model import FakeModel, Step

NOW = datetime(2026, 11, 30, 14, 5, tzinfo=ZoneInfo("America/Toronto"))
TODAY = describe_today(NOW, "en")


@asynccontextmanager
async def chat_on(
    settings: Settings,
    reader: Reader | None = None,
    finders: tuple[Finder, ...] = (),
    encoder: Embedder | None = None,
    screener: Screener | None = None,
) -> AsyncIterator[ChatEngine]:
    """The engine without background tasks, which would send requests to the fake model."""
    personalities = Personalities(settings.config / "personalities")
    personalities.load()
    database, client = Database(settings.database_url), ModelClient.from_settings(settings)
    sessions = Sessions(database, NOW.timestamp)
    await database.upgrade()
    fetcher = Fetcher(None, settings.rag.allow, user_agent="csps-llm tests")
    retriever = Retriever(fetcher, reader or Reader(), finders)
    wait_s = settings.model.wait_s
    chat = ChatEngine(personalities, sessions, database, client, retriever, wait_s, lambda: NOW, encoder, screener)
    yield chat
    await chat.close()
    await client.close()
    await database.close()


def serving(settings: Settings, *answers: Sequence[Step], **options: Any) -> Any:
    return FakeModel(*answers, **options).serving(settings.model_socket)


async def events_of(chat: ChatEngine, prompt: Prompt) -> list[Event]:
    async with aclosing(chat.reply(prompt)) as events:
        return [event async for event in events]


async def ask(chat: ChatEngine, text: str, conversation: str | None = None, **fields: Any) -> list[Event]:
    return await events_of(chat, Prompt("whisper", text, conversation, **fields))


def text_of(events: Sequence[Event]) -> str:
    return "".join(event.text for event in events if isinstance(event, Text))


def shown(request: dict[str, Any]) -> str:
    return "\n".join(f"{message['role']}: {message['content']}" for message in request["messages"])


def whisper(**fields: Any) -> Personality:
    """The shipped personality, changed by `fields`."""
    personalities = Personalities(PROJECT_ROOT / "config" / "personalities")
    personalities.load()
    return personalities.get("whisper").model_copy(update=fields)
