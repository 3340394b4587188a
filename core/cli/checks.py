"""The checks of `csps-llm doctor` on the machine and the configuration. Each yields findings.

A problem's finding says how to solve it. `model_checks` looks at the model.
"""

from __future__ import annotations

import importlib.metadata
import os
import platform
import shutil
import sys
from collections.abc import Iterator, Mapping
from contextlib import suppress

import httpx

from core.cli import startup_checks
from core.cli.findings import Finding, FindingBuilder
from core.configuration import settings as settings_module
from core.configuration.personalities import Personalities, unknown_collections, unknown_models, unknown_sources
from core.configuration.settings import Settings
from core.errors import ConfigError, CspsError, StorageError
from core.model.client import known_models
from core.rag.facts.collections import FILE, load_collections
from core.rag.facts.document_rows import collection_sizes
from core.rag.sources.catalogue import Sources
from core.runtime.addresses import reachable_url
from core.storage.opening import open_database
from core.texts import text

PACKAGES = ("csps-llm", "llama-cpp-python", "llguidance", "aiohttp", "pydantic")
LOW_DISK_BYTES = 1 << 30
NO_DISK_BYTES = 100 << 20
REQUEST_DEADLINE_S = 2.0


def check_versions(build: FindingBuilder) -> Iterator[Finding]:
    python = platform.python_version()
    new_enough = sys.version_info >= (3, 11)
    yield build("python", "ok" if new_enough else "problem", python, None if new_enough else "python")
    missing, found = [], []
    for package in PACKAGES:
        try:
            found.append(f"{package} {importlib.metadata.version(package)}")
        except importlib.metadata.PackageNotFoundError:
            missing.append(package)
    if missing:
        yield build("packages", "problem", build.found("packages_missing", names=", ".join(missing)), "packages")
    else:
        yield build("packages", "ok", ", ".join(found))


async def check_port(build: FindingBuilder, settings: Settings) -> list[Finding]:
    """The port is free, or this service answers there."""
    web = settings.web
    try:
        startup_checks.require_free_port(web.host, web.port, build.language)
    except ConfigError as exc:
        if await is_our_service(reachable_url(web.host, web.port)):
            return [build("port", "ok", build.found("port_ours", port=str(web.port)))]
        return [Finding(text("cli-check-port", build.language), "problem", f"{web.host}:{web.port}", exc.message)]
    return [build("port", "ok", build.found("port_free", port=str(web.port)))]


async def is_our_service(base_url: str) -> bool:
    try:
        async with httpx.AsyncClient(base_url=base_url, trust_env=False, timeout=REQUEST_DEADLINE_S) as client:
            answer = await client.get("/healthz")
            return answer.status_code == httpx.codes.OK and answer.json() == {"status": "ok"}
    except (httpx.HTTPError, ValueError):
        return False


def check_disk(build: FindingBuilder, settings: Settings) -> Iterator[Finding]:
    folder = settings.data_folder
    existing = next(parent for parent in (folder, *folder.parents) if parent.exists())
    if not existing.is_dir():
        yield build("disk", "problem", build.found("disk_file", place=str(existing)), "disk_file")
        return
    free = shutil.disk_usage(existing).free
    found = build.found("disk", folder=str(folder), free=free)
    if not os.access(existing, os.W_OK | os.X_OK):
        yield build("disk", "problem", found, "disk_unwritable")
    elif free < LOW_DISK_BYTES:
        yield build("disk", "problem" if free < NO_DISK_BYTES else "warn", found, "disk_low")
    else:
        yield build("disk", "ok", found)


async def check_database(build: FindingBuilder, settings: Settings) -> list[Finding]:
    try:
        database = open_database(settings)
        try:
            await database.examine_schema()  # an older version of the code must not use a newer database
        finally:
            await database.close()
    except CspsError as exc:
        return [build("database", "problem", exc.message, "database")]
    return [build("database", "ok", build.found("database"))]


def check_settings(build: FindingBuilder, environ: Mapping[str, str]) -> tuple[list[Finding], Settings | None]:
    """Returns the findings on the settings, and the settings if they are valid."""
    try:
        settings = settings_module.load(environ)
    except ConfigError as exc:
        return [build("settings", "problem", exc.message, "settings")], None
    return [build("settings", "ok", str(settings.file))], settings


async def check_personalities(build: FindingBuilder, settings: Settings) -> list[Finding]:
    """Checks the personalities, and the sources, collections and models that they name."""
    personalities = Personalities(settings.config_file("personalities"))
    sources = Sources(settings.config_file("sources.toml"), settings.rag.allow)
    findings = [check_file("personalities", personalities, build), check_file("sources", sources, build)]
    if all(finding.state == "ok" for finding in findings):
        unknown = unknown_sources(personalities, sources.names())
        unknown += unknown_collections(personalities, await known_collections(settings))
        unknown += unlisted_models(personalities, settings)
        findings += [build("personalities", "warn", problem, "unknown_name") for problem in unknown]
    return findings


def unlisted_models(personalities: Personalities, settings: Settings) -> tuple[str, ...]:
    """One sentence for each unknown model. None if models.toml cannot be read: another check says so."""
    try:
        known = known_models(settings, personalities.model_ids())
    except ConfigError:
        return ()
    return () if known is None else unknown_models(personalities, known)


def check_file(check: str, file: Personalities | Sources, build: FindingBuilder) -> Finding:
    try:
        file.load()
    except ConfigError as exc:
        return build(check, "problem", exc.message, "settings")
    return build(check, "ok", ", ".join(file.names()))


async def known_collections(settings: Settings) -> list[str]:
    """The names of the collections that are configured or stored. Other checks report what fails here."""
    names: list[str] = []
    with suppress(ConfigError):
        names += load_collections(settings.config_file(FILE))
    database = open_database(settings)
    try:
        names += [size.name for size in await database.read(collection_sizes)]
    except StorageError:
        pass  # the tables do not exist yet
    finally:
        await database.close()
    return names
