"""`csps-llm keys create | list | revoke`: the API keys of programs. Each change is in the log of accesses."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass

import typer

from core.access.api_keys import ApiKey, Scope, make_key
from core.access.key_store import ApiKeyStore
from core.cli.records.session import RecordsSession, show_time
from core.contract import Language
from core.errors import ConfigError
from core.texts import format_number, text


@dataclass(frozen=True, slots=True)
class WantedKey:
    name: str
    scopes: tuple[Scope, ...]
    names: tuple[str, ...]
    requests_per_minute: float | None
    tokens_per_day: int | None
    expires_at: float | None  # seconds since 1970


async def create(session: RecordsSession, wanted: WantedKey) -> None:
    """Prints the key alone on stdout, once, and what to do with it on stderr. Raises ConfigError."""
    now = time.time()
    if wanted.expires_at is not None and wanted.expires_at <= now:
        raise ConfigError("--expires: this day is over")
    key_id, secret = make_key()
    await session.enter("create key", f"key {wanted.name}")
    await ApiKeyStore(session.database).create(ApiKey(key_id, **asdict(wanted), created_at=now), secret)
    typer.echo(secret)
    session.tell("cli-keys-created", name=wanted.name, scopes=", ".join(wanted.scopes))


async def show(session: RecordsSession, *, as_json: bool) -> None:
    found = await ApiKeyStore(session.database).list()
    if as_json:
        typer.echo(json.dumps([asdict(each) for each in found], ensure_ascii=False, indent=1))
        return
    if not found:
        session.print("cli-keys-none")
    for key in found:
        typer.echo("  ".join(key_cells(key, session.language, time.time())))


def key_cells(key: ApiKey, language: Language, now: float) -> Iterator[str]:
    yield from (key.name, f"csps_{key.id}_…", ",".join(key.scopes))
    if key.names:
        yield ",".join(key.names)
    if key.requests_per_minute is not None:
        rate = format_number(key.requests_per_minute, language)
        yield text("cli-keys-rate", language, rate=rate)
    if key.tokens_per_day is not None:
        yield text("cli-keys-tokens", language, tokens=format_number(key.tokens_per_day, language))
    used = text("cli-keys-unused", language) if key.used_at is None else show_time(key.used_at)
    yield text("cli-keys-used", language, at=used)
    if key.revoked_at is not None:
        yield text("cli-keys-revoked-at", language, at=show_time(key.revoked_at))
    elif key.expires_at is not None:
        yield text(
            "cli-keys-expired" if key.expires_at <= now else "cli-keys-expires", language, at=show_time(key.expires_at)
        )


async def revoke(session: RecordsSession, name: str) -> None:
    """Raises NotFound."""
    await session.enter("revoke key", f"key {name}")
    await ApiKeyStore(session.database).revoke(name)
    session.print("cli-keys-revoked", name=name)
