"""`csps-llm receipts show | replay`: what an answer was made with, and the same answer again.

Exit status of `replay`: 0 for the same text, 3 for another one, 4 if the answer cannot be made again.
"""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Callable, Iterator
from dataclasses import asdict, replace
from datetime import UTC, datetime

import typer

from core import bootstrap
from core.cli.localization import locale_language
from core.cli.records.session import administrator
from core.configuration import settings as settings_module
from core.configuration.settings import Settings
from core.contract import Json, Language
from core.errors import NotFound
from core.local_time import local_clock
from core.model.library.file_digests import find_known
from core.receipts.receipt import AnsweringModel, DocumentReceipt, Receipt, describe_sampling
from core.receipts.replay import Obstacle, Replay
from core.receipts.store import ReceiptStore, StoredReceipt
from core.records.accesses import record_access
from core.runtime import log
from core.storage.opening import open_database
from core.texts import format_number, text

DIFFERENT, IMPOSSIBLE = 3, 4
SHOWN_CHARS = 120  # of two texts, from the place where they part


def show(receipt: str, *, as_json: bool) -> None:
    """Prints a receipt. Raises NotFound, StorageError, ConfigError."""
    settings, language = load_settings("receipts"), locale_language(os.environ)
    found = asyncio.run(load_receipt(settings, receipt, language))
    if as_json:
        print_json({**found.receipt.to_json(), "answer_stored": found.exchange is not None})
        return
    for line in describe(found, language, settings.time.zone):
        typer.echo(log.escape_control(line))


def replay(receipt: str, *, as_json: bool) -> int:
    """Makes the answer again. Returns the exit status. Raises CspsError."""
    settings, language = load_settings("replay"), locale_language(os.environ)
    outcome = asyncio.run(replay_receipt(settings, receipt, language))
    if as_json:
        print_json({**asdict(outcome), "same_chars": outcome.same_chars})
    else:
        for line in describe_replay(outcome, language):
            typer.echo(log.escape_control(line))
    return {"same": 0, "different": DIFFERENT, "impossible": IMPOSSIBLE}[outcome.outcome]


def load_settings(process: str) -> Settings:
    settings = settings_module.load(os.environ)
    log.configure(settings.log.model_copy(update={"level": "error"}), process)
    return settings


def print_json(value: Json) -> None:
    typer.echo(json.dumps(value, ensure_ascii=False, indent=2))


async def load_receipt(settings: Settings, receipt: str, language: Language) -> StoredReceipt:
    """Raises NotFound."""
    database = open_database(settings)
    try:
        await database.upgrade()
        found = await ReceiptStore(database).load(receipt)
    finally:
        await database.close()
    return require(complete(found, settings), receipt, language)


async def replay_receipt(settings: Settings, receipt: str, language: Language) -> Replay:
    embedder = bootstrap.build_own_embedder(settings)  # that of the model process would be missing while it is away
    async with bootstrap.run_core(settings, warms=False, embedder=embedder) as core:
        found = complete(await core.engine.receipts.load(receipt), settings)
        known = require(found, receipt, language)
        await record_access(core.database, administrator(), "replay", f"receipt {known.receipt.id}")
        return await core.engine.replay(known)


def require(found: StoredReceipt | None, receipt: str, language: Language) -> StoredReceipt:
    if found is None:
        raise NotFound(text("cli-receipts-unknown", language, receipt=receipt))
    return found


def complete(found: StoredReceipt | None, settings: Settings) -> StoredReceipt | None:
    """Adds the digest of the model's file, if it was still being computed when the answer was written."""
    model = found.receipt.model if found else None
    if found is None or model is None or model.file is None or model.file.sha256:
        return found
    file = model.file
    sha256 = find_known(settings.data_folder, file.name, file.size_bytes, file.changed_ns)
    named = replace(model, file=replace(file, sha256=sha256))
    return replace(found, receipt=replace(found.receipt, model=named))


# ---------------------------------------------------------------- in words


def describe(found: StoredReceipt, language: Language, zone: str | None) -> Iterator[str]:
    receipt = found.receipt
    moment = moment_formatter(zone)
    values: dict[str, str] = {
        "id": receipt.id,
        "channel": receipt.channel,
        "personality": f"{receipt.personality}  sha256 {receipt.personality_sha256}",
        **describe_model(receipt.model, language),
        "sampling": ", ".join(f"{name} {value}" for name, value in sampling_of(receipt).items()),
        **describe_times(receipt, moment),
        "ending": text(f"cli-receipts-ending-{receipt.reason}", language),
        "tokens": describe_tokens(receipt, language),
        "prompt": f"sha256 {receipt.prompt_sha256}" if receipt.prompt_sha256 else "",
        "program": f"csps-llm {receipt.program}",
        "answer": text("cli-receipts-stored" if found.exchange else "cli-receipts-not-stored", language),
    }
    yield from (f"{text(f'cli-receipts-{key}', language)}  {value}" for key, value in values.items() if value)
    for document in receipt.documents:
        yield describe_document(document, language, moment)


def sampling_of(receipt: Receipt) -> dict[str, object]:
    return describe_sampling(receipt.sampling) if receipt.sampling else {}


def describe_model(model: AnsweringModel | None, language: Language) -> dict[str, str]:
    if model is None:
        return {}
    lines = {"model": model.title if model.title == model.name else f"{model.title} ({model.name})"}
    if model.engine:
        lines["engine"] = model.engine + (f"  {model.fingerprint}" if model.fingerprint else "")
    if file := model.file:
        digest = f"sha256 {file.sha256}" if file.sha256 else text("cli-receipts-digest-unknown", language)
        lines["file"] = f"{file.name}  {digest}"
    return lines


def describe_times(receipt: Receipt, moment: Callable[[float], str]) -> dict[str, str]:
    first = receipt.first_text_at
    return {"asked": moment(receipt.asked_at), "first": moment(first) if first else "", "done": moment(receipt.done_at)}


def describe_tokens(receipt: Receipt, language: Language) -> str:
    usage = receipt.usage
    if usage is None:
        return ""
    counts = {"read": usage.prompt_tokens, "written": usage.completion_tokens, "cached": usage.cached_tokens}
    return text("cli-receipts-token-counts", language, **counts)


def describe_document(document: DocumentReceipt, language: Language, moment: Callable[[float], str]) -> str:
    kind = text(f"cli-receipts-document-{document.kind}", language)
    fetched = f"  {moment(document.fetched_at.timestamp())}" if document.fetched_at else ""
    return f"[{document.number}] {kind}  sha256 {document.sha256}{fetched}" + (
        f"  {document.url}" if document.url else ""
    )


def moment_formatter(zone: str | None) -> Callable[[float], str]:
    """Returns what writes seconds since 1970 in the service's time zone, to the millisecond: ISO 8601."""
    found = local_clock(zone)().tzinfo or UTC
    return lambda seconds: datetime.fromtimestamp(seconds, found).isoformat(" ", "milliseconds")


def describe_replay(outcome: Replay, language: Language) -> Iterator[str]:
    yield text(f"cli-replay-{outcome.outcome}", language)
    for each in outcome.obstacles:
        yield f"- {describe_obstacle(each, language)}"
    if outcome.outcome != "different" or outcome.stored is None or outcome.text is None:
        return
    at = outcome.same_chars
    yield text("cli-replay-differs-at", language, place=format_number(at + 1, language))
    yield f"  {text('cli-replay-stored', language)} {' '.join(outcome.stored[at : at + SHOWN_CHARS].split())}"
    yield f"  {text('cli-replay-again', language)} {' '.join(outcome.text[at : at + SHOWN_CHARS].split())}"


def describe_obstacle(obstacle: Obstacle, language: Language) -> str:
    return text(f"cli-replay-reason-{obstacle.reason}", language, detail=obstacle.detail)
