"""Builds the engine from settings. All wiring is in this module."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from functools import partial

import structlog
from pydantic import SecretStr

from core.configuration.personalities import Personalities, unknown_collections, unknown_sources
from core.configuration.settings import Settings
from core.conversation.sessions import Sessions
from core.engine import ChatEngine
from core.errors import CspsError
from core.local_time import local_clock
from core.model.client import ModelClient, local_url
from core.rag.embeddings import Embedder, build_embedder, model_process_embedder
from core.rag.facts.finder import FactsFinder
from core.rag.facts.glossary import Glossary
from core.rag.facts.store import FactStore
from core.rag.fetching.fetch import Fetcher
from core.rag.fetching.site import FetchLimits
from core.rag.reading.reader import Reader
from core.rag.retrieval import Retriever
from core.rag.sources.catalogue import Sources
from core.rag.sources.finder import SourceFinder
from core.runtime.background_tasks import purge_daily, run_beside
from core.storage.database import Database

log = structlog.get_logger()

WARM_PAUSE_S = 3  # before the next request to a model that is away
FETCH_DEADLINE_S = 4.5  # for a page with its redirects: a person is waiting
TEXT_LIMIT_CHARS = 200_000  # of one page or file: about a hundred passages to choose from


@dataclass(frozen=True, slots=True)
class Core:
    """The parts of the core that an adapter's process uses."""

    engine: ChatEngine
    personalities: Personalities
    database: Database


@asynccontextmanager
async def run_engine(settings: Settings) -> AsyncGenerator[ChatEngine, None]:
    """The engine of `run_core`."""
    async with run_core(settings) as core:
        yield core.engine


@asynccontextmanager
async def run_core(settings: Settings, *, warms: bool = True) -> AsyncGenerator[Core, None]:
    """The engine with its background tasks. Leaving waits until all running writes are stored.

    `warms`: lets the model compute the personalities' prefixes; one process of a service is enough for that. The model
    may still be away. Raises ConfigError, StorageError.
    """
    personalities = Personalities(settings.config_file("personalities"))
    personalities.load()
    database = Database(settings.database_url)
    client = ModelClient.from_settings(settings)
    sessions = Sessions(database)
    embedder = build_shared_embedder(settings)
    facts = FactStore(database, embedder, Glossary.load(settings.config_file("glossary.toml")))
    sources = Sources(settings.config_file("sources.toml"), settings.rag.allow)
    sources.load()
    fetcher, reader = build_fetcher(settings), Reader(text_limit_chars=TEXT_LIMIT_CHARS)
    finder = SourceFinder(sources, fetcher, reader, embedder, lambda *question: chat.decide(*question))
    retriever = Retriever(fetcher, reader, (finder, FactsFinder(facts)))
    clock = local_clock(settings.time.zone)
    chat = ChatEngine(personalities, sessions, database, client, retriever, settings.model.wait_s, clock)
    try:
        await database.upgrade()
        await facts.detect_vector_backend()
        tasks = run_background_tasks(chat, personalities, sessions, sources, facts, finder, settings, warms=warms)
        async with run_beside(tasks):
            yield Core(chat, personalities, database)
    finally:
        await chat.close()
        await embedder.close()
        await client.close()
        await database.close()


def build_own_embedder(settings: Settings) -> Embedder:
    """The engine that the settings name, or the bundled encoder in this process. Raises ConfigError."""
    rag = settings.rag
    return build_embedder(rag.embeddings_url, rag.embeddings_model, reveal(rag.embeddings_api_key))


def build_shared_embedder(settings: Settings) -> Embedder:
    """The local model process if there is one, so that the encoder is in memory once; else `build_own_embedder`."""
    model = settings.model
    if settings.rag.embeddings_url or model.url:
        return build_own_embedder(settings)
    if model.listen:
        return model_process_embedder(f"{local_url(model.listen)}/v1", reveal(model.api_key), socket=None)
    return model_process_embedder("http://model/v1", None, socket=str(settings.model_socket))


def reveal(secret: SecretStr | None) -> str | None:
    return secret.get_secret_value() if secret else None


def build_fetcher(settings: Settings) -> Fetcher:
    """A fetcher whose User-Agent header names this service and the operator's contact."""
    rag = settings.rag
    agent = f"csps-llm (+{rag.contact})" if rag.contact else "csps-llm"
    return Fetcher(
        settings.data_folder / "pages",
        rag.allow,
        user_agent=agent,
        deny=rag.deny,
        limits=FetchLimits(deadline_s=FETCH_DEADLINE_S),
    )


async def run_background_tasks(
    chat: ChatEngine,
    personalities: Personalities,
    sessions: Sessions,
    sources: Sources,
    facts: FactStore,
    finder: SourceFinder,
    settings: Settings,
    *,
    warms: bool,
) -> None:
    """Runs until cancelled. A task that fails is a defect: it ends all of them, is logged, and answers continue."""
    sources_changed, names_changed = asyncio.Event(), asyncio.Event()
    try:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(personalities.watch(call_all(chat.needs_warming.set, names_changed.set)))
            tasks.create_task(sources.watch(call_all(sources_changed.set, names_changed.set)))
            tasks.create_task(warn_unknown_names(personalities, sources, facts, names_changed))
            tasks.create_task(purge_daily("sessions", partial(sessions.purge, timedelta(days=settings.data.keep_days))))
            tasks.create_task(keep_sources_warm(finder, sources_changed))
            if warms and settings.model.url is None:  # a remote engine manages its own cache
                tasks.create_task(chat.keep_warm())
    except Exception:
        log.exception("background_tasks_failed")


def call_all(*functions: Callable[[], None]) -> Callable[[], None]:
    """One function that calls all of them."""

    def call() -> None:
        for function in functions:
            function()

    return call


async def warn_unknown_names(
    personalities: Personalities, sources: Sources, facts: FactStore, changed: asyncio.Event
) -> None:
    """Logs a warning for each unknown source and collection that a personality names, at start and after changes."""
    while True:
        try:
            collections = [size.name for size in await facts.collections()]
            problems = unknown_sources(personalities, sources.names())
            problems += unknown_collections(personalities, collections)
        except CspsError as exc:
            log.debug("reference_check_failed", problem=exc.message)
            problems = ()
        for problem in problems:
            log.warning("personality_reference_unknown", problem=problem)
        await changed.wait()
        changed.clear()


async def keep_sources_warm(finder: SourceFinder, changed: asyncio.Event) -> None:
    """Prepares the choice among sources, so that the first question does not wait for it."""
    while True:
        try:
            await finder.warm()
        except CspsError as exc:
            if is_being_cancelled():
                raise asyncio.CancelledError from exc
            log.debug("sources_warming_failed", problem=exc.message)
            await asyncio.sleep(WARM_PAUSE_S)
            continue
        await changed.wait()
        changed.clear()


def is_being_cancelled() -> bool:
    """True while this task is being cancelled. `gather` may raise a child's error instead: check in loops."""
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0
