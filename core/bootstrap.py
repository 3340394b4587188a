"""Builds the engine from settings. All wiring is in this module."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from functools import partial

import structlog
from pydantic import SecretStr

from core.administration.desk import AdministrationDesk
from core.configuration.personal_information import FILE as PERSONAL_INFORMATION
from core.configuration.personal_information import PersonalInformationPolicy
from core.configuration.personalities import Personalities, unknown_collections, unknown_models, unknown_sources
from core.configuration.settings import Settings
from core.conversation.forgotten_states import ForgottenStates, delete_local_states
from core.conversation.sessions import Sessions
from core.conversation.turn_claims import TurnClaims
from core.engine import ChatEngine
from core.errors import CspsError
from core.local_time import local_clock
from core.model.client import EngineMetrics, ModelClient, known_models, local_url
from core.rag.deciding import Decide
from core.rag.embeddings import (
    CountingEmbedder,
    Embedder,
    LocalEmbedder,
    UrlEmbedder,
    build_embedder,
    model_process_embedder,
)
from core.rag.facts.addition import ChildWriter
from core.rag.facts.collections import FILE, FactCollections
from core.rag.facts.editing import FactsEditing
from core.rag.facts.finder import FactsFinder
from core.rag.facts.glossary import Glossary
from core.rag.facts.origins import Origins
from core.rag.facts.refresh import CollectionRefresher
from core.rag.facts.refresh_ledger import RefreshLedger
from core.rag.facts.schedule import RefreshSchedule
from core.rag.facts.status import list_collections
from core.rag.facts.store import FactStore
from core.rag.fetching.fetch import Fetcher
from core.rag.fetching.site import FetchLimits
from core.rag.questions.rewriting import QuestionRewriter
from core.rag.reading.reader import Reader
from core.rag.retrieval import Retriever
from core.rag.sources.catalogue import Sources
from core.rag.sources.finder import SourceFinder
from core.receipts.store import ReceiptPolicy
from core.records import encrypting
from core.records.purge import RecordsPurge
from core.runtime.background_tasks import run_beside
from core.screening import Screener
from core.storage.database import Database
from core.storage.opening import open_database

log = structlog.get_logger()

FORGOTTEN_MARGIN = timedelta(days=1)  # the clocks of two machines differ
WARM_DELAY_LIMIT_S = 30.0  # that the choice among sources leaves to a model that is away
WARM_PAUSE_S = 3  # before the next request to a model that is away
ENCODER_THREADS = 1  # of the bundled encoder beside an engine for embeddings: others' texts wait
FETCH_DEADLINE_S = 4.5  # for a page with its redirects: a person is waiting
# Nobody waits for a document that is added to a collection, so it may be long.
SYNC_DEADLINE_S = 60.0
SYNC_CPU_LIMIT_S = 60.0
SYNC_TEXT_LIMIT_CHARS = 20_000_000
TEXT_LIMIT_CHARS = 200_000  # of one page or file: about a hundred passages to choose from


@dataclass(frozen=True, slots=True)
class Core:
    """The parts of the core that an adapter's process uses."""

    engine: ChatEngine
    personalities: Personalities
    database: Database
    editing: FactsEditing
    schedule: RefreshSchedule
    engine_metrics: EngineMetrics
    encoder: CountingEmbedder  # the bundled one
    screener: Screener
    desk: AdministrationDesk


@asynccontextmanager
async def run_engine(settings: Settings) -> AsyncGenerator[ChatEngine, None]:
    """The engine of `run_core`."""
    async with run_core(settings) as core:
        yield core.engine


@asynccontextmanager
async def run_core(
    settings: Settings, *, warms: bool = True, embedder: Embedder | None = None
) -> AsyncGenerator[Core, None]:
    """The engine with its background tasks. Leaving waits until all running writes are stored.

    `warms`: lets the model compute the personalities' prefixes, and has collections synchronised when they are due; one
    process of a service is enough for that. The model may still be away. `embedder`: None shares the model process's.
    Raises ConfigError, StorageError.
    """
    personalities = Personalities(settings.config_file("personalities"))
    personalities.load()
    if settings.model.url:
        delete_local_states(settings.data_folder)
    database = open_database(settings)
    client = ModelClient.from_settings(settings)
    forgotten = ForgottenStates(database, client, settings.retention["states"] + FORGOTTEN_MARGIN)
    purge = RecordsPurge(database, settings.retention, settings.data_folder)
    embedder = embedder or build_shared_embedder(settings)
    encoder = build_bundled_encoder(settings, embedder)
    facts = FactStore(database, embedder, Glossary.load(settings.config_file("glossary.toml")))
    sources = Sources(settings.config_file("sources.toml"), settings.rag.allow)
    sources.load()
    collections = FactCollections(settings.config_file(FILE))
    collections.load()
    policy = PersonalInformationPolicy(settings.config_file(PERSONAL_INFORMATION))
    policy.load()
    screener = Screener(policy)
    fetcher, reader = build_fetcher(settings), Reader(text_limit_chars=TEXT_LIMIT_CHARS)
    sessions = Sessions(database, forget_pages=fetcher.forget)
    decide: Decide = lambda *question: chat.decide(*question)  # noqa: E731  # the engine is built below
    finder = SourceFinder(sources, fetcher, reader, embedder, decide)
    retriever = Retriever(fetcher, reader, (finder, FactsFinder(facts)), QuestionRewriter(decide))
    clock = local_clock(settings.time.zone)
    claims = TurnClaims(database) if database.serves_several else None
    chat = ChatEngine(
        *(personalities, sessions, database, client, retriever, settings.model.wait_s),
        clock=clock,
        encoder=encoder,
        screener=screener,
        claims=claims,
        allow_lists=collections.allow_lists,
        receipts=ReceiptPolicy(settings.records.receipts_days is None, settings.records.receipts_unstored),
    )
    ledger = RefreshLedger(database)
    schedule = RefreshSchedule(facts, ledger, collections)
    desk = AdministrationDesk(settings, database, chat, partial(list_collections, facts, ledger, collections))
    writer = ChildWriter()
    editing = FactsEditing(facts, collections, fetcher, writer, settings.rag.facts_editors)
    watched = WatchedParts(personalities, sources, collections, policy)
    try:
        await database.upgrade()
        await facts.detect_vector_backend()
        tasks = run_background_tasks(
            chat, client, watched, sessions, forgotten, database, purge, facts, finder, schedule, settings, warms=warms
        )
        keeping = claims.run() if claims else asyncio.sleep(0)
        async with run_beside(tasks), run_beside(keeping):
            yield Core(
                chat, personalities, database, editing, schedule, EngineMetrics(client.engines), encoder, screener, desk
            )
    finally:
        await chat.close()
        if claims:
            await claims.leave()
        await writer.close()
        await embedder.close()
        if encoder is not embedder:
            await encoder.close()
        await client.close()
        await database.close()


def build_own_embedder(settings: Settings, threads: int | None = None) -> Embedder:
    """The engine that the settings name, or the bundled encoder in this process. Raises ConfigError."""
    rag = settings.rag
    return build_embedder(rag.embeddings_url, rag.embeddings_model, reveal(rag.embeddings_api_key), threads)


@dataclass(frozen=True, slots=True)
class FactsWriter:
    """The parts of the core that fill collections. `origins`: for places that a person typed."""

    store: FactStore
    ledger: RefreshLedger
    refresher: CollectionRefresher
    origins: Origins


@asynccontextmanager
async def open_facts_writer(
    settings: Settings, collections: FactCollections, threads: int | None = None
) -> AsyncGenerator[FactsWriter, None]:
    """`threads`: of the bundled encoder; None: one for each core. Raises ConfigError, StorageError."""
    fetcher = build_fetcher(settings, SYNC_DEADLINE_S)
    try:
        async with open_store(settings, lambda own: build_own_embedder(own, threads)) as (store, reader):
            ledger = RefreshLedger(store.database)
            refresher = CollectionRefresher(store, Origins(fetcher, reader, collections.folder), ledger)
            yield FactsWriter(store, ledger, refresher, Origins(fetcher, reader))
    finally:
        await fetcher.close()


@asynccontextmanager
async def open_store(
    settings: Settings, build: Callable[[Settings], Embedder]
) -> AsyncGenerator[tuple[FactStore, Reader], None]:
    """A store of facts and a reader of long documents. Raises ConfigError, StorageError."""
    async with AsyncExitStack() as closing:
        embedder = build(settings)
        closing.push_async_callback(embedder.close)
        database = open_database(settings)
        closing.push_async_callback(database.close)
        store = FactStore(database, embedder, Glossary.load(settings.config_file("glossary.toml")))
        await database.upgrade()
        await store.detect_vector_backend()
        reader = Reader(cpu_limit_s=SYNC_CPU_LIMIT_S, text_limit_chars=SYNC_TEXT_LIMIT_CHARS)
        closing.push_async_callback(reader.close)
        yield store, reader


def build_shared_embedder(settings: Settings) -> Embedder:
    """The local model process if there is one, so that the encoder is in memory once; else `build_own_embedder`."""
    model = settings.model
    return build_own_embedder(settings) if settings.rag.embeddings_url or model.url else connect_encoder(settings)


def build_bundled_encoder(settings: Settings, shared: Embedder) -> CountingEmbedder:
    """The bundled encoder, also where another engine makes the embeddings. `shared`: taken if it is this encoder."""
    if isinstance(shared, LocalEmbedder):
        return shared
    return LocalEmbedder(ENCODER_THREADS) if settings.model.url else connect_encoder(settings)


def connect_encoder(settings: Settings) -> UrlEmbedder:
    """The bundled encoder of the local model process."""
    model = settings.model
    if model.listen:
        return model_process_embedder(f"{local_url(model.listen)}/v1", reveal(model.api_key), socket=None)
    return model_process_embedder("http://model/v1", None, socket=str(settings.model_socket))


def reveal(secret: SecretStr | None) -> str | None:
    return secret.get_secret_value() if secret else None


def build_fetcher(settings: Settings, deadline_s: float = FETCH_DEADLINE_S) -> Fetcher:
    """A fetcher whose User-Agent header names this service and the operator's contact."""
    rag = settings.rag
    agent = f"csps-llm (+{rag.contact})" if rag.contact else "csps-llm"
    return Fetcher(
        settings.data_folder / "pages",
        rag.allow,
        user_agent=agent,
        deny=rag.deny,
        limits=FetchLimits(deadline_s=deadline_s, body_bytes=rag.document_limit_bytes),
        retention=settings.retention["pages"],
    )


@dataclass(frozen=True, slots=True)
class WatchedParts:
    """The configuration that is loaded again when its files change."""

    personalities: Personalities
    sources: Sources
    collections: FactCollections
    policy: PersonalInformationPolicy

    async def unknown_names(self, facts: FactStore, settings: Settings) -> Sequence[str]:
        """A sentence for each unknown source, collection and model that a personality names, and for each unknown
        personality of the policy on personal information. Raises CspsError.
        """
        stored = [size.name for size in await facts.collections()]
        models = await asyncio.to_thread(known_models, settings, self.personalities.model_ids())
        return (
            *unknown_sources(self.personalities, self.sources.names()),
            *unknown_collections(self.personalities, (*stored, *self.collections.names())),
            *(() if models is None else unknown_models(self.personalities, models)),
            *self.policy.unknown_personalities(self.personalities.names()),
        )


async def run_background_tasks(
    chat: ChatEngine,
    client: ModelClient,
    watched: WatchedParts,
    sessions: Sessions,
    forgotten: ForgottenStates,
    database: Database,
    purge: RecordsPurge,
    facts: FactStore,
    finder: SourceFinder,
    schedule: RefreshSchedule,
    settings: Settings,
    *,
    warms: bool,
) -> None:
    """Runs until cancelled. A task that fails is a defect: it ends all of them, is logged, and answers continue."""
    sources_changed, names_changed = asyncio.Event(), asyncio.Event()
    try:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(watched.personalities.watch(call_all(chat.warmer.forget, names_changed.set)))
            tasks.create_task(watched.sources.watch(call_all(sources_changed.set, names_changed.set)))
            tasks.create_task(watched.collections.watch(call_all(schedule.changed.set, names_changed.set)))
            tasks.create_task(watched.policy.watch(names_changed.set))
            tasks.create_task(warn_unknown_names(watched, facts, settings, names_changed))
            tasks.create_task(purge.run())
            tasks.create_task(encrypting.run(database))
            tasks.create_task(forgotten.run(sessions.deleted))
            delay = partial(wait_first_answers, chat, client) if warms else None
            tasks.create_task(keep_sources_warm(finder, sources_changed, delay))
            tasks.create_task(client.run())
            tasks.create_task(chat.statistics.run())
            if warms:
                tasks.create_task(schedule.run())
            if warms and settings.model.url is None:  # a remote engine manages its own cache
                tasks.create_task(chat.warmer.run())
    except Exception:
        log.exception("background_tasks_failed")


def call_all(*functions: Callable[[], None]) -> Callable[[], None]:
    """One function that calls all of them."""

    def call() -> None:
        for function in functions:
            function()

    return call


async def warn_unknown_names(
    watched: WatchedParts, facts: FactStore, settings: Settings, changed: asyncio.Event
) -> None:
    """Logs a warning for each unknown name in a personality, at start and after changes."""
    while True:
        try:
            problems = await watched.unknown_names(facts, settings)
        except CspsError as exc:
            log.debug("reference_check_failed", problem=exc.message)
            problems = ()
        for problem in problems:
            log.warning("personality_reference_unknown", problem=problem)
        await changed.wait()
        changed.clear()


async def wait_first_answers(chat: ChatEngine, client: ModelClient) -> None:
    """Returns when a model answers and nobody waits for it, or is late: its first answer needs the processor more."""
    with suppress(CspsError):
        await client.wait_ready(WARM_DELAY_LIMIT_S)
    await asyncio.sleep(0)  # the requests that waited for the model
    await chat.warmer.wait_idle()


async def keep_sources_warm(
    finder: SourceFinder, changed: asyncio.Event, delay: Callable[[], Awaitable[None]] | None = None
) -> None:
    """Prepares the choice among sources, after `delay`: a question before that chooses by its words alone."""
    if delay:
        finder.expect_warming()
        await delay()
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
