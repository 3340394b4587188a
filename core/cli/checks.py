"""The checks of `csps-llm doctor` on the machine, the model and the configuration. Each yields findings.

A problem's finding says how to solve it. `hardware` and `core.model.library.gguf_header` supply the facts.
"""

from __future__ import annotations

import base64
import hashlib
import importlib.metadata
import os
import platform
import shutil
import sys
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import httpx

from core.cli import hardware, startup_checks
from core.configuration import settings as settings_module
from core.configuration.personalities import Personalities, unknown_collections, unknown_models, unknown_sources
from core.configuration.settings import Settings
from core.contract import Language
from core.errors import ConfigError, CspsError, StorageError
from core.model.client import ModelClient, known_models
from core.model.hardware.gpus import find_gpus
from core.model.hardware.memory import read_memory
from core.model.hardware.processor import choose_threads, cpu_features
from core.model.hardware.sizing import WINDOW_LIMIT_TOKENS, choose_window
from core.model.library import gguf_header
from core.model.library.starter import STARTER_NAME, STARTER_PACKAGE, bundled_starter
from core.rag.facts.collections import FILE, load_collections
from core.rag.facts.document_rows import collection_sizes
from core.rag.sources.catalogue import Sources
from core.runtime.http_server import reachable_url
from core.runtime.network_errors import explain_cause, without_credentials
from core.storage.database import Database
from core.texts import text

PACKAGES = ("csps-llm", "llama-cpp-python", "llguidance", "aiohttp", "pydantic")
LOW_DISK_BYTES = 1 << 30
NO_DISK_BYTES = 100 << 20
REQUEST_DEADLINE_S = 2.0

FindingState = Literal["ok", "warn", "problem"]


@dataclass(frozen=True)
class Finding:
    """One row of the doctor's table."""

    check: str
    state: FindingState
    found: str
    advice: str = ""


@dataclass(frozen=True)
class FindingBuilder:
    """Builds findings in one language."""

    language: Language

    def __call__(
        self, check: str, state: FindingState, found: str, advice: str | None = None, **values: object
    ) -> Finding:
        """`check` and `advice` are the last parts of keys, `values` are those of the advice; `found` is a text."""
        advice_text = text(f"cli-advice-{advice}", self.language, **values) if advice else ""
        return Finding(text(f"cli-check-{check}", self.language), state, found, advice_text)

    def found(self, key: str, **values: object) -> str:
        return text(f"cli-found-{key}", self.language, **values)


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


def check_cpu(build: FindingBuilder) -> Iterator[Finding]:
    features = cpu_features()
    found = ", ".join([platform.machine(), *features])
    slow = not {"AVX2", "NEON"} & set(features)
    yield build("cpu", "warn" if slow else "ok", found, "cpu" if slow else None)


def check_cores(build: FindingBuilder, settings: Settings) -> Iterator[Finding]:
    physical, threads = choose_threads(), settings.model.cpu_threads
    found = build.found("cores", physical=physical, threads=threads or physical)
    if threads is not None and threads > physical:
        yield build("cores", "warn", found, "cores", physical=physical)
    else:
        yield build("cores", "ok", found)


def check_gpu(build: FindingBuilder) -> Iterator[Finding]:
    names, offloads = [gpu.name for gpu in find_gpus()], hardware.engine_offloads()
    found = ", ".join(names) or build.found("gpu_none")
    if offloads is None:
        yield build("engine", "problem", build.found("engine_dead"), "engine")
    elif names and not offloads:
        yield build("gpu", "warn", found, "gpu")
    else:
        yield build("gpu", "ok", f"{found}; {build.found('engine_gpu' if offloads else 'engine_cpu')}")


def check_model(build: FindingBuilder, settings: Settings) -> Iterator[Finding]:
    """Checks the file that the engine would load, and whether it fits into memory."""
    path, starter = find_model_file(settings)
    if path is None:
        yield build("model", "warn", str(settings.model.huggingface_repo), "model_download")
        return
    try:
        header = gguf_header.read_header(path)
    except FileNotFoundError:
        if starter:
            yield build("model", "warn", build.found("starter_absent", path=str(path)), "starter_absent")
        else:
            yield build("model", "problem", build.found("model_absent", path=str(path)), "model_file")
        return
    except OSError as exc:
        yield build("model", "problem", f"{path}: {exc.strerror}", "model_file")
        return
    except gguf_header.InvalidGguf as exc:
        fault = text(f"cli-gguf-{exc.fault}", build.language, value=exc.value)
        yield build("model", "problem", f"{path}: {fault}", "starter_damaged" if starter else "model_damaged")
        return
    size_bytes = path.stat().st_size
    values = {"path": str(path), "bytes": size_bytes, "architecture": header.architecture, "name": header.name}
    found = build.found("model", **values)
    yield build("model", "warn" if starter else "ok", found, "starter" if starter else None)
    yield from check_memory(build, settings, size_bytes, header)


def find_model_file(settings: Settings) -> tuple[Path | None, bool]:
    """The model file and whether it is the starter; no file if it must be downloaded first."""
    model = settings.model
    if model.file:
        return Path(model.file).expanduser(), False
    models = settings.data_folder / "models"
    if model.huggingface_repo and model.huggingface_file:
        folder = models / model.huggingface_repo.replace("/", "--")
        return next(iter(sorted(folder.rglob(model.huggingface_file))), None), False
    return models / f"{STARTER_NAME}-Q8_0.gguf", True


def check_memory(
    build: FindingBuilder, settings: Settings, size_bytes: int, header: gguf_header.GgufHeader
) -> Iterator[Finding]:
    """Compares the weights and the smallest useful KV cache with the machine's memory."""
    memory = read_memory()
    if memory is None:
        return
    window = settings.model.context_window or choose_window(None, header.context_length or WINDOW_LIMIT_TOKENS)
    cache_bytes = max(settings.model.cache_tokens or 0, window) * (header.kv_bytes_per_token or 0)
    needed = size_bytes + cache_bytes
    available, total = memory.available_bytes, memory.total_bytes
    found = build.found("memory", needed=needed, cache=cache_bytes, available=available, total=total)
    if needed > total:
        yield build("memory", "problem", found, "memory_short")
    elif needed > available:
        yield build("memory", "warn", found, "memory_busy")
    else:
        yield build("memory", "ok", found)


def check_checksum(build: FindingBuilder) -> Iterator[Finding]:
    """Compares the bundled starter with the checksum that its package states."""
    try:
        path = bundled_starter()
        stated = stated_sha256(path)
    except (ConfigError, OSError) as exc:
        found = exc.message if isinstance(exc, ConfigError) else str(exc)
        yield build("checksum", "problem", found, "reinstall")
        return
    with path.open("rb") as file:
        actual = hashlib.file_digest(file, "sha256").digest()
    if stated and actual != stated:
        yield build("checksum", "problem", f"{path.name}: {actual.hex()}", "reinstall")
    else:
        yield build("checksum", "ok", f"{path.name}: sha256 {actual.hex()[:16]}…")


def stated_sha256(path: Path) -> bytes | None:
    """The checksum in the package's RECORD, which writes it in base64 without padding."""
    for file in importlib.metadata.files(STARTER_PACKAGE) or []:
        if file.name == path.name and file.hash and file.hash.mode == "sha256":
            return base64.urlsafe_b64decode(file.hash.value + "=")
    return None


async def check_remote_engine(build: FindingBuilder, settings: Settings) -> list[Finding]:
    """Checks the engine behind LLM_URL."""
    client, url = ModelClient.from_settings(settings), without_credentials(settings.model.url or "")
    try:
        await client.ready()
        found = (await client.info()).name
    except CspsError as exc:
        return [build("remote", "problem", f"{url}: {explain_cause(exc, build.language)}", "remote")]
    finally:
        await client.close()
    return [build("remote", "ok", f"{url}: {found}")]


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
        database = Database(settings.database_url)
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
    database = Database(settings.database_url)
    try:
        names += [size.name for size in await database.read(collection_sizes)]
    except StorageError:
        pass  # the tables do not exist yet
    finally:
        await database.close()
    return names
