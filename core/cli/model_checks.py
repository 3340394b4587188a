"""The checks of `csps-llm doctor` on the default model: the choice, its file, its memory, the catalogue."""

from __future__ import annotations

import base64
import hashlib
import importlib.metadata
from collections.abc import Iterator
from pathlib import Path

from core.cli.findings import Finding, FindingBuilder
from core.cli.hardware_checks import check_placement
from core.cli.model_survey import ModelRow, ModelSurvey, survey_models
from core.cli.model_texts import describe_progress, describe_speed
from core.configuration.settings import Settings
from core.errors import ConfigError
from core.model.hardware.memory import read_memory
from core.model.hardware.model_shape import ModelShape
from core.model.hardware.sizing import WINDOW_LIMIT_TOKENS, choose_window
from core.model.library import gguf_header
from core.model.library.choice import STARTER
from core.model.library.gguf_shape import read_shape
from core.model.library.specs import LocalFile
from core.model.library.starter import STARTER_PACKAGE, bundled_starter, starter_path
from core.texts import text


def check_models(build: FindingBuilder, settings: Settings) -> Iterator[Finding]:
    """Inspects the machine. Blocks for up to seconds."""
    try:
        survey = survey_models(settings)
    except ConfigError as exc:
        yield build("models", "problem", exc.message, "settings")
        return
    default = survey.row(survey.choice.spec)
    yield check_choice(build, survey, default)
    if survey.choice.remote_id:  # whatever this machine lacks, its engines answer (`engine_checks`)
        return
    if survey.choice.ignored:
        ignored = text("cli-models-ignored", build.language, id=survey.choice.ignored)
        yield build("models", "warn", ignored, "models")
    answering = (
        default if default.path or isinstance(default.spec.source, LocalFile) else survey.row(survey.choice.interim)
    )
    yield from check_file(build, settings, survey, answering)
    yield check_catalogue(build, survey)


def check_choice(build: FindingBuilder, survey: ModelSurvey, row: ModelRow) -> Finding:
    """Which model answers, and why."""
    choice = survey.choice
    found = text(f"cli-models-choice-{choice.reason}", build.language, title=choice.title)
    if choice.remote_id:
        return build("models", "ok", found)
    if choice.spec == STARTER:
        return build("models", "warn", found, "models")
    if row.path is None and not isinstance(row.spec.source, LocalFile):
        if row.progress:
            found = describe_progress(choice.spec.title, row.progress, build.language)
        return build("models", "warn", found, "model_download", interim=choice.interim.title)
    return build("models", "ok", found)


def check_catalogue(build: FindingBuilder, survey: ModelSurvey) -> Finding:
    """The number of models that fit this machine, and what limits the others."""
    verdicts = survey.verdicts.values()
    fitting = sum(verdict.fits for verdict in verdicts)
    bandwidth = survey.resources.bandwidth_bytes_per_s
    found = build.found("catalogue", fitting=fitting, count=len(verdicts), bandwidth=bandwidth)
    return build("catalogue", "ok" if fitting else "warn", found, None if fitting else "catalogue")


def check_file(build: FindingBuilder, settings: Settings, survey: ModelSurvey, row: ModelRow) -> Iterator[Finding]:
    """Checks the file that is loaded now, and whether it fits into memory."""
    starter = row.spec == STARTER
    source = row.spec.source
    path = row.path or (source.path if isinstance(source, LocalFile) else starter_path(survey.models))
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
    yield from check_memory(build, settings, row.size_bytes or size_bytes, find_shape(path))
    yield check_placement(build, settings, path)
    if row.verdict:
        yield build("speed", "ok", describe_speed(row.verdict, build.language))


def check_memory(
    build: FindingBuilder, settings: Settings, size_bytes: int, shape: ModelShape | None
) -> Iterator[Finding]:
    """Compares the weights and the smallest useful KV cache with the machine's memory."""
    memory = read_memory()
    if memory is None:
        return
    window = settings.model.context_window or choose_window(
        None, (shape.context_length if shape else 0) or WINDOW_LIMIT_TOKENS
    )
    cells = max(settings.model.cache_tokens or 0, window)
    cache_bytes = int(cells * shape.kv_bytes_per_token(settings.model.kv_type or "f16")) if shape else 0
    needed = size_bytes + cache_bytes
    available, total = memory.available_bytes, memory.usable_bytes
    found = build.found("memory", needed=needed, cache=cache_bytes, available=available, total=total)
    if needed > total:
        yield build("memory", "problem", found, "memory_short")
    elif needed > available:
        yield build("memory", "warn", found, "memory_busy")
    else:
        yield build("memory", "ok", found)


def find_shape(path: Path) -> ModelShape | None:
    """Returns the model's sizes; None if they are damaged, which loading it would explain."""
    try:
        return read_shape(path)
    except (OSError, gguf_header.InvalidGguf):
        return None


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
