"""Reloads configuration files while the service runs: all, or none if one is bad. Knows nothing of their content."""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable
from pathlib import Path

import structlog
import watchfiles

from core.errors import ConfigError, closest_name

log = structlog.get_logger()


class WatchedConfig(ABC):
    """Configuration files in a folder. Call `load` once, then keep `watch` running."""

    what: str  # its name in log events
    folder: Path

    @abstractmethod
    def load(self) -> None:
        """Loads all files. If one is bad, changes nothing and raises ConfigError with all problems. Thread-safe."""

    @abstractmethod
    def concerns(self, file: Path) -> bool:
        """True if `load` reads this file."""

    @abstractmethod
    def names(self) -> tuple[str, ...]:
        """The names of the loaded entries."""

    async def watch(self, swapped: Callable[[], None] = lambda: None) -> None:
        """Reloads on every change, until cancelled. If a file is bad, keeps the old files and logs the reason."""
        async for _changes in watchfiles.awatch(self.folder, watch_filter=lambda _change, path: self.is_of(Path(path))):
            if await self.reload():
                swapped()

    async def reload(self) -> bool:
        """Loads again. False: a file is bad, and the old configuration stays."""
        try:
            await asyncio.to_thread(self.load)
        except ConfigError as exc:
            log.error("config_reload_failed", what=self.what, problem=exc.message)  # noqa: TRY400 - the operator's error, not ours
            return False
        log.info("config_loaded", what=self.what, names=self.names())
        return True

    def is_of(self, file: Path) -> bool:
        """True for a file that `load` reads. Hidden files are editors' working copies."""
        return not file.name.startswith(".") and self.concerns(file)


def unknown(what: str, name: str, known_names: Iterable[str]) -> str:
    """The message about an unknown name: the nearest name, and all names."""
    names = list(known_names)
    closest = closest_name(name, names)
    hint = f"; did you mean {closest!r}?" if closest else "."
    return f"no {what} named {name!r}{hint} There are: {', '.join(names) or 'none'}"
