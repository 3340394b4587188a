"""The checks of `csps-llm doctor` on collections that stay fresh: their file, and whether they are up to date."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from core.cli.findings import Finding, FindingBuilder
from core.configuration.settings import Settings
from core.errors import ConfigError, StorageError
from core.rag.facts.collections import FILE, ConfiguredCollection, load_collections
from core.rag.facts.refresh_ledger import RefreshLedger, RefreshState
from core.storage.opening import open_database


async def check_facts(build: FindingBuilder, settings: Settings) -> list[Finding]:
    """Finds nothing if no collection is configured, or if the tables are missing: `check_database` reports those."""
    try:
        collections = load_collections(settings.config_file(FILE))
    except ConfigError as exc:
        return [build("facts", "problem", exc.message, "settings")]
    unknown = list(check_web_editors(build, settings, collections))
    if not collections:
        return unknown
    database = open_database(settings)
    try:
        states, now = await RefreshLedger(database).states()
    except StorageError:
        states, now = {}, 0.0
    finally:
        await database.close()
    findings = unknown + [
        finding
        for name, collection in collections.items()
        for finding in check_collection(build, collection, states.get(name, RefreshState(name)), now)
    ]
    return findings or [build("facts", "ok", ", ".join(collections))]


def check_web_editors(
    build: FindingBuilder, settings: Settings, collections: Mapping[str, ConfiguredCollection]
) -> Iterator[Finding]:
    """Warns of editors on the page while no WEB_USER_HEADER names them: the page knows nobody as an editor then."""
    named = [
        *settings.rag.facts_editors,
        *(each for one in collections.values() for each in one.section.facts_editors or ()),
    ]
    if settings.web.user_header is None and any(each.startswith("web:") for each in named):
        yield build("facts", "warn", build.found("facts_web"), "facts_web")


def check_collection(
    build: FindingBuilder, collection: ConfiguredCollection, state: RefreshState, now: float
) -> Iterator[Finding]:
    name = collection.name
    if state.is_running(now):
        return
    if state.failures:
        found = build.found("facts_failing", name=name, count=state.failures, problem=state.problem or "")
        yield build("facts", "warn", found, "facts_failing")
    elif state.is_overdue(collection.interval_s, now):
        found = build.found("facts_never" if state.succeeded_at is None else "facts_overdue", name=name)
        yield build("facts", "warn", found, "facts_overdue")
    elif state.problem:
        yield build("facts", "warn", f"{name}: {state.problem}", "facts_partly")
