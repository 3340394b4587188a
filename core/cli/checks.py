"""What `doctor` looks at: each check gives findings, with what to do about what is wrong. Shows nothing itself.

A check takes the settings it needs and the words; facts come from `machine` and `gguf`.
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import os
import platform
import shutil
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import httpx

from core.cli import bot_checks, gguf, machine, preflight
from core.cli.report import Finding, Report
from core.cli.words import Words
from core.configuration import settings as settings_module
from core.configuration.personalities import Personalities, unknown_collections, unknown_sources
from core.configuration.settings import Settings
from core.errors import ConfigError, CspsError, StorageError
from core.model import catalog
from core.model.client import ModelClient
from core.model.sizing import WINDOW_LIMIT_TOKENS, choose_window, physical_cores
from core.rag.facts.document_rows import collection_sizes
from core.rag.sources.catalogue import Sources
from core.runtime.http_server import reachable_url
from core.runtime.network_errors import explain_cause, without_credentials
from core.storage.database import Database

PACKAGES = ("csps-llm", "llama-cpp-python", "llguidance", "aiohttp", "pydantic")
LOW_DISK_BYTES = 1 << 30
NO_DISK_BYTES = 100 << 20
ASK_DEADLINE_S = 2.0


def versions(report: Report) -> Iterator[Finding]:
    python = platform.python_version()
    new_enough = sys.version_info >= (3, 11)
    yield report("python", "ok" if new_enough else "problem", python, None if new_enough else "python_old")
    missing, found = [], []
    for package in PACKAGES:
        try:
            found.append(f"{package} {importlib.metadata.version(package)}")
        except importlib.metadata.PackageNotFoundError:
            missing.append(package)
    if missing:
        yield report("packages", "problem", report.say("missing", names=", ".join(missing)), "install")
    else:
        yield report("packages", "ok", ", ".join(found))


def cpu(report: Report) -> Iterator[Finding]:
    features = machine.features()
    found = ", ".join([platform.machine(), *features])
    slow = not {"AVX2", "NEON"} & set(features)
    yield report("cpu", "warn" if slow else "ok", found, "cpu_slow" if slow else None)


def cores(report: Report, settings: Settings) -> Iterator[Finding]:
    physical, threads = physical_cores(), settings.model.cpu_threads
    found = report.say("cores_found", physical=physical, threads=threads or physical)
    too_many = threads is not None and threads > physical
    yield report("cores", "warn" if too_many else "ok", found, "cores_many" if too_many else None, physical=physical)


def gpu(report: Report) -> Iterator[Finding]:
    names, offloads = machine.nvidia_gpus(), machine.offloads()
    found = ", ".join(names) or report.say("gpu_none")
    if offloads is None:
        yield report("engine", "problem", report.say("engine_dead"), "engine_dead_advice")
    elif names and not offloads:
        yield report("gpu", "warn", found, "gpu_unused")
    else:
        yield report("gpu", "ok", f"{found}; {report.say('gpu_built' if offloads else 'gpu_not_built')}")


def model(report: Report, settings: Settings) -> Iterator[Finding]:
    """The file that would be loaded, and whether it fits into memory."""
    path, starter = model_file(settings)
    if path is None:
        yield report("model", "warn", str(settings.model.huggingface_repo), "model_to_fetch")
        return
    try:
        head = gguf.read_head(path)
    except FileNotFoundError:
        if starter:
            yield report("model", "warn", report.say("starter_to_come", path=path), "no_starter")
        else:
            yield report("model", "problem", report.say("no_file", path=path), "no_model_file")
        return
    except OSError as exc:
        yield report("model", "problem", f"{path}: {exc.strerror}", "no_model_file")
        return
    except gguf.NotGguf as exc:
        yield report("model", "problem", f"{path}: {exc}", "bad_starter" if starter else "bad_model_file")
        return
    found = f"{path} ({megabytes(path.stat().st_size)}, {head.architecture}, {head.name})"
    yield report("model", "warn" if starter else "ok", found, "is_starter" if starter else None)
    yield from memory(report, settings, path.stat().st_size, head)


def model_file(settings: Settings) -> tuple[Path | None, bool]:
    """(the file, whether it is the starter); no file where one has to be fetched first."""
    asked = settings.model
    if asked.file:
        return Path(asked.file).expanduser(), False
    models = settings.data_folder / "models"
    if asked.huggingface_repo and asked.huggingface_file:
        place = models / asked.huggingface_repo.replace("/", "--")
        return next(iter(sorted(place.rglob(asked.huggingface_file))), None), False
    return models / f"{catalog.STARTER_NAME}-Q8_0.gguf", True


def memory(report: Report, settings: Settings, size_bytes: int, head: gguf.Head) -> Iterator[Finding]:
    """Weights and the smallest useful KV cache, against what the machine has."""
    there = machine.memory()
    if there is None:
        return
    window = settings.model.context_window or choose_window(None, head.context_length or WINDOW_LIMIT_TOKENS)
    cache_bytes = max(settings.model.cache_tokens or 0, window) * (head.kv_bytes_per_token or 0)
    needed = size_bytes + cache_bytes
    found = report.say(
        "memory_found",
        needed=megabytes(needed),
        cache=megabytes(cache_bytes),
        available=megabytes(there.available_bytes),
        total=megabytes(there.total_bytes),
    )
    if needed > there.total_bytes:
        yield report("memory", "problem", found, "memory_short")
    elif needed > there.available_bytes:
        yield report("memory", "warn", found, "memory_busy")
    else:
        yield report("memory", "ok", found)


def checksum(report: Report) -> Iterator[Finding]:
    """The bundled starter against the sum that its package states."""
    try:
        path = catalog.bundled_starter()
        stated = stated_sha256(path)
    except (ConfigError, OSError) as exc:
        yield report("checksum", "problem", exc.message if isinstance(exc, ConfigError) else str(exc), "install_anew")
        return
    with path.open("rb") as file:
        actual = hashlib.file_digest(file, "sha256").digest()
    if stated and actual != stated:
        yield report("checksum", "problem", f"{path.name}: {actual.hex()}", "install_anew")
    else:
        yield report("checksum", "ok", f"{path.name}: sha256 {actual.hex()[:16]}…")


def stated_sha256(path: Path) -> bytes | None:
    """From the package's RECORD, which states it in base64."""
    import base64

    for file in importlib.metadata.files(catalog.STARTER_PACKAGE) or []:
        if file.name == path.name and file.hash and file.hash.mode == "sha256":
            return base64.urlsafe_b64decode(file.hash.value + "=")
    return None


async def remote(report: Report, settings: Settings) -> Iterator[Finding]:
    """The engine behind LLM_URL."""
    client, url = ModelClient.from_settings(settings), without_credentials(settings.model.url or "")
    try:
        await client.ready()
        found = (await client.info()).name
    except CspsError as exc:
        return iter([report("remote", "problem", f"{url}: {explain_cause(exc, report.words.language)}", "remote_away")])
    finally:
        await client.close()
    return iter([report("remote", "ok", f"{url}: {found}")])


async def port(report: Report, settings: Settings) -> Iterator[Finding]:
    """Free, or ours."""
    web = settings.web
    try:
        preflight.require_port(web.host, web.port, report.words)
    except ConfigError as exc:
        if await is_ours(reachable_url(web.host, web.port)):
            return iter([report("port", "ok", report.say("port_ours", port=web.port))])
        return iter([Finding(report.say("port"), "problem", f"{web.host}:{web.port}", exc.message)])
    return iter([report("port", "ok", report.say("port_free", port=web.port))])


async def is_ours(base: str) -> bool:
    try:
        async with httpx.AsyncClient(base_url=base, trust_env=False, timeout=ASK_DEADLINE_S) as client:
            answer = await client.get("/healthz")
            return answer.status_code == httpx.codes.OK and answer.json() == {"status": "ok"}
    except (httpx.HTTPError, ValueError):
        return False


def disk(report: Report, settings: Settings) -> Iterator[Finding]:
    folder = settings.data_folder
    there = next(parent for parent in (folder, *folder.parents) if parent.exists())
    if not there.is_dir():
        yield report("disk", "problem", report.say("disk_file", place=there), "disk_no_folder")
        return
    free = shutil.disk_usage(there).free
    found = report.say("disk_found", folder=folder, free=megabytes(free))
    if not os.access(there, os.W_OK | os.X_OK):
        yield report("disk", "problem", found, "disk_unwritable")
    elif free < LOW_DISK_BYTES:
        yield report("disk", "problem" if free < NO_DISK_BYTES else "warn", found, "disk_low")
    else:
        yield report("disk", "ok", found)


async def database(report: Report, settings: Settings) -> Iterator[Finding]:
    try:
        opened = Database(settings.database_url)
        try:
            await opened.examine_schema()  # an older version of the code must not use a newer database
        finally:
            await opened.close()
    except CspsError as exc:
        return iter([report("database", "problem", exc.message, "database_advice")])
    return iter([report("database", "ok", report.say("database_opens"))])


def configuration(report: Report, environ: Mapping[str, str]) -> tuple[list[Finding], Settings | None]:
    """Findings on the settings, and the settings if they can be used."""
    try:
        settings = settings_module.load(environ)
    except ConfigError as exc:
        return [report("settings", "problem", exc.message, "settings_advice")], None
    return [report("settings", "ok", str(settings.file))], settings


async def personalities(report: Report, settings: Settings) -> list[Finding]:
    """And the sources and collections that they name."""
    there = Personalities(settings.config_file("personalities"))
    sources = Sources(settings.config_file("sources.toml"), settings.rag.allow)
    findings = [loaded("personalities", there, report), loaded("sources", sources, report)]
    if all(finding.state == "ok" for finding in findings):
        absent = unknown_sources(there, sources.names())
        absent += unknown_collections(there, await collections(settings))
        findings += [report("personalities", "warn", problem, "absent") for problem in absent]
    return findings


def loaded(check: str, there: Personalities | Sources, report: Report) -> Finding:
    try:
        there.load()
    except ConfigError as exc:
        return report(check, "problem", exc.message, "settings_advice")
    return report(check, "ok", ", ".join(there.names()))


async def collections(settings: Settings) -> list[str]:
    """None where the service has not made its tables yet; whether the database opens is another check's."""
    database = Database(settings.database_url)
    try:
        return [size.name for size in await database.read(collection_sizes)]
    except StorageError:
        return []
    finally:
        await database.close()


def megabytes(size_bytes: int) -> str:
    return f"{size_bytes / 1e9:.1f} GB" if size_bytes >= 1e9 else f"{size_bytes / 1e6:.0f} MB"


async def all_of(environ: Mapping[str, str], words: Words) -> list[Finding]:
    """Every check that makes sense here, in the order in which they are shown."""
    report = Report(words)
    configured, settings = configuration(report, environ)
    findings = [*versions(report), *cpu(report), *gpu(report), *configured]
    if settings is None:
        return findings
    findings += [*cores(report, settings), *await personalities(report, settings)]
    if settings.model.url:
        findings += await remote(report, settings)
    else:
        findings += model(report, settings)
        findings += checksum(report)
    findings += [*await port(report, settings), *disk(report, settings), *await database(report, settings)]
    return [*findings, *await bot_checks.bots(report, settings)]
