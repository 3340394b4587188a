"""The engines behind URLs: the findings of `doctor` about them, and the lines of `models show`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from core.cli.findings import Finding, FindingBuilder
from core.configuration.settings import Settings
from core.contract import Language
from core.errors import ConfigError
from core.model.client import EngineExamination, ModelClient
from core.runtime import log
from core.runtime.network_errors import explain_cause
from core.texts import text

OPTIONAL = ("embeddings", "tokenize")  # without them nothing is slower for a person, and nothing wrong


async def check_engines(build: FindingBuilder, settings: Settings) -> list[Finding]:
    """Checks the engine of LLM_URL and those of models.toml; none if there are none."""
    log.configure(settings.log.model_copy(update={"level": "error"}), "doctor")  # its report says the same
    try:
        client = ModelClient.from_settings(settings)
    except ConfigError as exc:
        return [build("remote", "problem", exc.message, "remote_key")]
    try:
        return [build_finding(build, each) for each in await client.examine()]
    finally:
        await client.close()


def build_finding(build: FindingBuilder, examined: EngineExamination) -> Finding:
    if examined.problem is not None:
        advice = "remote" if examined.model is None else "remote_model"
        return build("remote", "problem", describe(examined, build.language), advice)
    if set(examined.missing) - set(OPTIONAL):
        return build("remote", "warn", describe(examined, build.language), "remote_lacks")
    return build("remote", "ok", describe(examined, build.language))


def describe(examined: EngineExamination, language: Language) -> str:
    """One line: the engine, and its model with what it lacks, or its problem."""
    if examined.info is None:
        problem = explain_cause(examined.problem, language) if examined.problem else ""
        return text("cli-engine-problem", language, engine=examined.engine, problem=problem)
    values = {"engine": examined.engine, "model": examined.info.title, "window": examined.info.window}
    if not examined.missing:
        return text("cli-engine-able", language, **values)
    return text("cli-engine-lacks", language, **values, missing=", ".join(list_missing(examined.missing, language)))


def list_missing(missing: Sequence[str], language: Language) -> list[str]:
    return [text(f"cli-engine-feature-{feature}", language) for feature in missing]


def as_row(examined: EngineExamination, language: Language) -> dict[str, Any]:
    """One object of `models show --json`."""
    info, problem = examined.info, examined.problem
    return {
        "engine": examined.engine,
        "model": info.name if info else None,
        "context_window": info.window if info else None,
        "missing": list(examined.missing),
        "problem": explain_cause(problem, language) if problem else None,
    }


async def examine_model(model_id: str, settings: Settings) -> list[EngineExamination]:
    """Examines the engines of one model of models.toml. Raises ConfigError."""
    log.configure(settings.log.model_copy(update={"level": "error"}), "models")
    client = ModelClient.from_settings(settings)
    try:
        return await client.examine(model_id)
    finally:
        await client.close()
