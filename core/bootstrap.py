"""Puts the engine together from settings. The one place where all wiring is to be seen."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from functools import partial

import structlog
from pydantic import SecretStr

from core.configuration.personalities import Personalities
from core.configuration.reference_checks import unknown_collections, unknown_sources
from core.configuration.settings import Settings
from core.conversation.sessions import Sessions
from core.engine import ChatEngine
from core.errors import CspsError
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
from core.runtime.background_tasks import run_beside
from core.storage.database import Database
from core.storage.purging import purge_daily

log = structlog.get_logger()

WARM_PAUSE_S = 3  # before a model that is not there yet is asked again
FETCH_DEADLINE_S = 4.5  # of a page, redirects included: somebody is waiting
TEXT_LIMIT_CHARS = 200_000  # of one page or file: some hundred passages to choose from


@dataclass(frozen=True, slots=True)
class Core:
    """What an adapter's process is given."""

    engine: ChatEngine
    personalities: Personalities
    database: Database


@asynccontextmanager
async def engine(settings: Settings) -> AsyncGenerator[ChatEngine, None]:
    """As `core`, for whoever needs no more than the engine."""
    async with core(settings) as built:
        yield built.engine


@asynccontextmanager
async def core(settings: Settings, *, warms: bool = True) -> AsyncGenerator[Core, None]:
    """The engine with its chores running; on leaving, what is being stored is stored first.

    `warms`: has the personalities' prefixes computed, which one process of a service is enough for. Raises ConfigError
    and StorageError. The model need not be there yet.
    """
    personalities = Personalities(settings.config_file("personalities"))
    personalities.load()
    database = Database(settings.database_url)
    client = ModelClient.from_settings(settings)
    sessions = Sessions(database)
    embedder = shared_embedder(settings)
    facts = FactStore(database, embedder, Glossary.load(settings.config_file("glossary.toml")))
    sources = Sources(settings.config_file("sources.toml"), settings.rag.allow)
    sources.load()
    fetcher, reader = fetcher_of(settings), Reader(text_limit_chars=TEXT_LIMIT_CHARS)
    finder = SourceFinder(sources, fetcher, reader, embedder, lambda *asked: chat.decide(*asked))
    retriever = Retriever(fetcher, reader, (finder, FactsFinder(facts)))
    chat = ChatEngine(personalities, sessions, database, client, retriever, settings.model.wait_s)
    try:
        await database.upgrade()
        await facts.detect_vector_backend()
        chores = run_chores(chat, personalities, sessions, sources, facts, finder, settings, warms=warms)
        async with run_beside(chores):
            yield Core(chat, personalities, database)
    finally:
        await chat.close()
        await embedder.close()
        await client.close()
        await database.close()


def embedder_for(settings: Settings) -> Embedder:
    """The one that the settings name, or the bundled encoder; in this process. Raises ConfigError."""
    of = settings.rag
    return build_embedder(of.embeddings_url, of.embeddings_model, revealed(of.embeddings_api_key))


def shared_embedder(settings: Settings) -> Embedder:
    """As `embedder_for`, but by the local model process if there is one, so that it is in memory once."""
    model = settings.model
    if settings.rag.embeddings_url or model.url:
        return embedder_for(settings)
    if model.listen:
        return model_process_embedder(f"{local_url(model.listen)}/v1", revealed(model.api_key), socket=None)
    return model_process_embedder("http://model/v1", None, socket=str(settings.model_socket))


def revealed(secret: SecretStr | None) -> str | None:
    return secret.get_secret_value() if secret else None


def fetcher_of(settings: Settings) -> Fetcher:
    """Sites are told who asks, and by `contact` whom to write to."""
    of = settings.rag
    agent = f"csps-llm (+{of.contact})" if of.contact else "csps-llm"
    return Fetcher(
        settings.data_folder / "pages",
        of.allow,
        user_agent=agent,
        deny=of.deny,
        limits=FetchLimits(deadline_s=FETCH_DEADLINE_S),
    )


async def run_chores(
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
    """Until cancelled. A chore that fails is a defect: it is logged, and answers go on without the chores."""
    changed, named = asyncio.Event(), asyncio.Event()
    try:
        async with asyncio.TaskGroup() as chores:
            chores.create_task(personalities.watch(each(chat.cold.set, named.set)))
            chores.create_task(sources.watch(each(changed.set, named.set)))
            chores.create_task(tell_unknown_names(personalities, sources, facts, named))
            chores.create_task(
                purge_daily("sessions", partial(sessions.purge, timedelta(days=settings.data.keep_days)))
            )
            chores.create_task(keep_sources_warm(finder, changed))
            if warms and settings.model.url is None:  # a remote engine's cache is its own affair
                chores.create_task(chat.keep_warm())
    except Exception:
        log.exception("chores_failed")


def each(*told: Callable[[], None]) -> Callable[[], None]:
    """Calls all of them."""

    def tell() -> None:
        for one in told:
            one()

    return tell


async def tell_unknown_names(
    personalities: Personalities, sources: Sources, facts: FactStore, changed: asyncio.Event
) -> None:
    """A warning for each source and collection that a personality names and that is not there, after every change."""
    while True:
        try:
            collections = [size.name for size in await facts.collections()]
            problems = unknown_sources(personalities, sources.names())
            problems += unknown_collections(personalities, collections)
        except CspsError as exc:
            log.debug("names_not_checked", problem=exc.message)
            problems = ()
        for problem in problems:
            log.warning("personality_names_nothing", problem=problem)
        await changed.wait()
        changed.clear()


async def keep_sources_warm(finder: SourceFinder, changed: asyncio.Event) -> None:
    """So that the first question does not wait for what every choice among sources needs."""
    while True:
        try:
            await finder.warm()
        except CspsError as exc:
            if being_cancelled():
                raise asyncio.CancelledError from exc
            log.debug("sources_not_warmed", problem=exc.message)
            await asyncio.sleep(WARM_PAUSE_S)
            continue
        await changed.wait()
        changed.clear()


def being_cancelled() -> bool:
    """`asyncio.gather` prefers an error of one of its own to the cancellation of all: who loops has to look."""
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0
