"""The database, the settings and the administrator of a `csps-llm records` command."""

from __future__ import annotations

import asyncio
import getpass
import os
import socket
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, TypeVar

import typer

from core.cli.localization import locale_language
from core.configuration import settings as settings_module
from core.configuration.settings import Settings
from core.contract import Language
from core.errors import ConfigError
from core.records.accesses import record_access
from core.runtime import log
from core.storage.database import Database
from core.storage.opening import open_database
from core.texts import text

Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class RecordsSession:
    database: Database
    settings: Settings
    who: str  # the administrator's account

    @property
    def language(self) -> Language:
        return locale_language(os.environ)

    def print(self, key: str, /, **values: object) -> None:
        typer.echo(log.escape_control(text(key, self.language, **values)))

    def tell(self, key: str, /, **values: object) -> None:
        """Prints on stderr, beside results for programs."""
        typer.echo(log.escape_control(text(key, self.language, **values)), err=True)

    async def enter(self, action: str, subject: str) -> None:
        """Enters an access in the log, before it happens. Raises StorageError."""
        await record_access(self.database, self.who, action, subject)


def run(work: Callable[[RecordsSession], Coroutine[Any, Any, Result]]) -> Result:
    """Opens the database of the settings and runs `work` with it. Raises CspsError."""
    loaded = settings_module.load(os.environ)
    log.configure(loaded.log.model_copy(update={"level": "warning"}), "records")

    async def open_and_run() -> Result:
        database = open_database(loaded)
        try:
            await database.upgrade()
            return await work(RecordsSession(database, loaded, administrator()))
        finally:
            await database.close()

    return asyncio.run(open_and_run())


def administrator() -> str:
    """The account that runs the command, and the one behind `sudo`."""
    account = getpass.getuser()
    behind = os.environ.get("SUDO_USER")
    return f"{behind} ({account})@{socket.gethostname()}" if behind else f"{account}@{socket.gethostname()}"


def parse_day(option: str, value: str | None, days: int = 0) -> float | None:
    """The first second of a local day such as 2026-04-01, in seconds since 1970; `days` later. Raises ConfigError."""
    if value is None:
        return None
    try:
        day = date.fromisoformat(value) + timedelta(days=days)
    except (ValueError, OverflowError) as exc:
        raise ConfigError(f"{option}: expected a day such as 2026-04-01") from exc
    return datetime(day.year, day.month, day.day).astimezone().timestamp()


def show_time(at: float) -> str:
    """A short form that both languages have (CAN/CSA-Z234.4), in local time."""
    return f"{datetime.fromtimestamp(at).astimezone():%Y-%m-%d %H:%M}"
