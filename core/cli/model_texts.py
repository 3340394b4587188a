"""Writes choices, obstacles and downloads for people, in the language of the terminal. Prints nothing."""

from __future__ import annotations

from collections.abc import Iterator

from core.contract import Language
from core.model.library.catalogue import ModelCatalogue
from core.model.library.choice import Choice
from core.model.library.download.progress import LOAD_FAULT, DownloadProgress
from core.model.library.fit import Obstacle, Verdict
from core.model.library.specs import HubFile
from core.texts import text

FULL, EMPTY = "█", "░"
BAR_CELLS = 24


def describe_obstacle(obstacle: Obstacle, language: Language) -> str:
    values = {"needed": obstacle.needed, "available": obstacle.available}
    return text(f"cli-models-obstacle-{obstacle.kind}", language, **values)


def describe_speed(verdict: Verdict, language: Language) -> str:
    if verdict.tokens_per_s is None:
        return text("cli-models-speed-gpu", language)
    return text("cli-models-speed", language, rate=verdict.tokens_per_s)


def explain_choice(
    choice: Choice, catalogue: ModelCatalogue, language: Language, *, is_here: bool, offline: bool = False
) -> Iterator[str]:
    """Yields lines: which model, why, its licence, why no better one, and what to do for another."""
    if choice.ignored:
        yield text("cli-models-ignored", language, id=choice.ignored)
    yield text(f"cli-models-choice-{choice.reason}", language, title=choice.title)
    if model := catalogue.by_id.get(choice.id):
        yield text("cli-models-licence", language, licence=model.licence, url=model.licence_url)
    if not is_here and isinstance(choice.spec.source, HubFile):
        interim = choice.interim.title
        if offline:
            yield text("cli-models-absent-offline", language, interim=interim)
        elif model:
            yield text("cli-models-absent", language, bytes=model.size_bytes, interim=interim)
        else:
            yield text("cli-models-absent-size_unknown", language, interim=interim)
    for verdict in better_verdicts(choice, catalogue):
        why = describe_obstacle(verdict.obstacles[0], language)
        yield text("cli-models-better", language, title=catalogue.get(verdict.id).title, why=why)
    if choice.reason == "automatic":
        yield text("cli-models-decline", language)


def better_verdicts(choice: Choice, catalogue: ModelCatalogue) -> Iterator[Verdict]:
    """Yields the verdicts on the chat models that precede the chosen one."""
    for verdict in choice.verdicts:
        if verdict.id == choice.spec.id:
            return
        if catalogue.get(verdict.id).kind == "chat":
            yield verdict


def describe_progress(title: str, progress: DownloadProgress, language: Language) -> str:
    """One line for any state of a download."""
    values: dict[str, object] = {"title": title, "share": share(progress), "total": progress.total_bytes}
    if progress.fault == LOAD_FAULT:
        return text("cli-models-unloadable", language, title=title, problem=progress.explain(language))
    if progress.state in ("waiting", "failed"):
        return text(f"cli-download-{progress.state}", language, **values, problem=progress.explain(language))
    if progress.state == "downloading" and progress.expected_s is not None:
        rate = {"rate": progress.bytes_per_s, "seconds": max(progress.expected_s, 1.0)}
        return text("cli-download-downloading", language, **values, **rate)
    state = "starting" if progress.state == "downloading" else progress.state
    return text(f"cli-download-{state}", language, **values)


def share(progress: DownloadProgress) -> float:
    """Returns whole hundredths, rounded down: 100 % is complete."""
    done = min(progress.done_bytes, progress.total_bytes)
    return 100 * done // progress.total_bytes / 100 if progress.total_bytes else 0.0


def draw_bar(progress: DownloadProgress) -> str:
    full = round(share(progress) * BAR_CELLS)
    return FULL * full + EMPTY * (BAR_CELLS - full)
