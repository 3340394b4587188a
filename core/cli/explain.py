"""`csps-llm explain`: shows the prompt of a question, what was looked up for it, and what was cut."""

from __future__ import annotations

import asyncio
import json
import mimetypes
import os
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path

import typer

from core import bootstrap
from core.access.names import OPERATORS
from core.cli.localization import locale_language
from core.configuration import settings as settings_module
from core.configuration.settings import Settings
from core.contract import Language, Prompt
from core.conversation.explanation import ExplainedDocument, ExplainedPassage, Explanation, TokenBudget
from core.errors import ConfigError
from core.model.client import ASSUMED_WINDOW_TOKENS
from core.runtime import log
from core.texts import describe_omissions, format_number, text

UNKNOWN_TYPE = "application/octet-stream"


def explain(question: str, personality: str | None, files: Sequence[Path], url: str | None, *, as_json: bool) -> None:
    """Prints the explanation of one question. Asks no model to answer, and stores nothing. Raises CspsError."""
    settings, language = settings_module.load(os.environ), locale_language(os.environ)
    log.configure(settings.log.model_copy(update={"level": "error"}), "explain")
    explanation = asyncio.run(explain_question(settings, question, personality, files, url))
    if as_json:
        typer.echo(json.dumps(asdict(explanation), ensure_ascii=False, indent=2))
        return
    for line in describe(explanation, language):
        typer.echo(log.escape_control(line))


async def explain_question(
    settings: Settings, question: str, personality: str | None, files: Sequence[Path], url: str | None
) -> Explanation:
    bodies = [read_body(file) for file in files]
    # The encoder of the model process would be missing while that is away.
    embedder = bootstrap.build_own_embedder(settings)
    window = settings.model.context_window or ASSUMED_WINDOW_TOKENS
    async with bootstrap.run_core(settings, warms=False, embedder=embedder) as core:
        attachments = tuple([await core.engine.read(*file) for file in bodies])
        asked = f"{url} {question}".strip() if url else question
        name = personality or core.engine.personalities()[0]
        return await core.engine.explain(Prompt(name, asked, attachments=attachments, names=OPERATORS), window)


def read_body(file: Path) -> tuple[str, bytes, str]:
    """The file's name, content and media type. Raises ConfigError."""
    try:
        return file.name, file.read_bytes(), mimetypes.guess_type(file.name)[0] or UNKNOWN_TYPE
    except OSError as exc:
        raise ConfigError(f"{file}: {exc.strerror}") from exc


def describe(explanation: Explanation, language: Language) -> Iterator[str]:
    yield from describe_lookup(explanation, language)
    yield ""
    yield text("cli-explain-documents", language)
    if not explanation.documents:
        yield f"  {text('cli-explain-none', language)}"
    for document in explanation.documents:
        yield from describe_document(document, language)
    yield ""
    yield from describe_budget(explanation.budget, language)
    for message in explanation.messages:
        yield ""
        yield f"=== {message.role} ==="
        yield from message.content.splitlines()


def describe_lookup(explanation: Explanation, language: Language) -> Iterator[str]:
    """Yields the sources and facts that were considered, and what could not be read."""
    for kind in ("source", "fact"):
        yield text(f"cli-explain-{kind}s", language)
        found = [each for each in explanation.considered if each.kind == kind]
        if not found:
            yield f"  {text('cli-explain-none', language)}"
        for each in sorted(found, key=lambda each: -each.score):
            outcome = text("cli-explain-read" if each.read else "cli-explain-not-read", language)
            yield f"  {format_number(each.score, language, 2):>6}  {outcome}  {each.name}"
    for name in explanation.unread:
        yield text("cli-explain-unread", language, name=name)
    for part in explanation.partly_read:
        read = describe_omissions(part.omissions, language)
        yield text("source-partly-read", language, name=part.name, read=read)


def describe_document(document: ExplainedDocument, language: Language) -> Iterator[str]:
    shown = sum(each.shown for each in document.passages)
    number = f"[{document.number}]" if document.number else "[–]"
    yield f"  {number} {document.name}" + (f" <{document.url}>" if document.url else "")
    if document.whole:
        yield f"    {text('cli-explain-whole', language)}"
        return
    yield f"    {text('cli-explain-passages', language, shown=shown, total=len(document.passages))}"
    for each in sorted(document.passages, key=lambda each: -(each.score or 0)):
        yield describe_passage(each, language)


def describe_passage(passage: ExplainedPassage, language: Language) -> str:
    outcome = text("cli-explain-shown" if passage.shown else "cli-explain-cut", language)
    score = format_number(passage.score or 0, language, 2)
    return f"    {score:>6}  {outcome}  {' '.join(filter(None, (passage.heading, passage.beginning))).splitlines()[0]}"


def describe_budget(budget: TokenBudget, language: Language) -> Iterator[str]:
    numbers = {key: getattr(budget, key) for key in ("window", "answer", "prompt", "system")}
    yield text("cli-explain-budget", language, **numbers)
    if not budget.counted:
        yield text("cli-explain-estimated", language)
    if budget.exchanges_dropped:
        yield text("cli-explain-dropped", language, count=budget.exchanges_dropped)
