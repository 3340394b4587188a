"""Configuration that is read again while the service runs: all of it is swapped, or all stays as it was.

Knows nothing of what the files hold.
"""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable
from pathlib import Path

import structlog
import watchfiles

from core.errors import ConfigError, closest_name

log = structlog.get_logger()


class Reloaded(ABC):
    """`load` it once, then keep `watch` running."""

    what: str  # it is, in the log
    folder: Path

    @abstractmethod
    def load(self) -> None:
        """Take the files, or raise ConfigError with every problem of all of them and change nothing. In any thread."""

    @abstractmethod
    def concerns(self, file: Path) -> bool:
        """Whether it is one that `load` reads."""

    @abstractmethod
    def names(self) -> tuple[str, ...]:
        """Of what was loaded."""

    async def watch(self, swapped: Callable[[], None] = lambda: None) -> None:
        """Reload on every change, until cancelled. If a file is bad, all stay as they were and a log event says why."""
        async for _changes in watchfiles.awatch(self.folder, watch_filter=lambda _change, path: self.is_of(Path(path))):
            if await self.reload():
                swapped()

    async def reload(self) -> bool:
        """Load again; False if the files are bad and what was loaded before stays."""
        try:
            await asyncio.to_thread(self.load)
        except ConfigError as exc:
            log.error("config_kept", what=self.what, problem=exc.message)  # noqa: TRY400 - the operator's error, not ours
            return False
        log.info("config_loaded", what=self.what, names=self.names())
        return True

    def is_of(self, file: Path) -> bool:
        """Hidden ones are editors' working copies."""
        return not file.name.startswith(".") and self.concerns(file)


def unknown(what: str, name: str, known: Iterable[str]) -> str:
    """What is told of a name that is not there: the nearest, and those there are."""
    names = list(known)
    closest = closest_name(name, names)
    hint = f"did you mean {closest!r}? " if closest else ""
    return f"no {what} named {name!r}; {hint}There are: {', '.join(names) or 'none'}"
