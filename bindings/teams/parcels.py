"""Files that wait until a person lets them into their OneDrive. On disk, for that may be after a restart.

Owns how long they wait and how many. One is kept under a name that cannot be guessed, and handed out in the
conversation that it was meant for.
"""

from __future__ import annotations

import asyncio
import json
import re
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, TypeVar

from bindings.delivery.outlet import Upload
from core.errors import StorageError
from core.runtime.atomic_files import write_atomically

KEEP_S = 24 * 3600.0
PARCELS_LIMIT = 500
NAME_BYTES = 18
HEAD_LIMIT_BYTES = 8192
NAME = re.compile(r"[A-Za-z0-9_-]{24}")

Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class Parcel:
    upload: Upload
    conversation: str


class Parcels:
    """`clock` gives seconds since 1970. Methods raise StorageError."""

    def __init__(self, folder: Path, clock: Callable[[], float] = time.time) -> None:
        self._folder = folder
        self._clock = clock

    async def put(self, parcel: Parcel) -> str:
        """Its name. Durable when it returns."""
        return await self._off_loop(lambda: self._put(parcel))

    async def take(self, name: str, conversation: str) -> Parcel | None:
        """None: it is not there any more, or not for that conversation. It stays until it is removed."""
        return await self._off_loop(lambda: self._take(name, conversation))

    async def remove(self, name: str) -> None:
        await self._off_loop(lambda: self._file(name).unlink(missing_ok=True) if is_name(name) else None)

    async def remove_of(self, conversation: str) -> None:
        """All that wait in a conversation."""
        await self._off_loop(lambda: self._remove_of(conversation))

    async def sweep(self) -> None:
        """What waited too long goes, and the oldest if there are too many."""
        await self._off_loop(self._sweep)

    async def _off_loop(self, act: Callable[[], Result]) -> Result:
        try:
            return await asyncio.to_thread(act)
        except OSError as exc:
            raise StorageError(f"{self._folder}: {exc.strerror}; check the disk and the permissions") from exc

    def _put(self, parcel: Parcel) -> str:
        self._sweep()
        name = secrets.token_urlsafe(NAME_BYTES)
        upload = parcel.upload
        head = {"name": upload.name, "media_type": upload.media_type, "conversation": parcel.conversation}
        write_atomically(self._file(name), json.dumps(head).encode() + b"\n" + upload.body, durable=True)
        return name

    def _take(self, name: str, conversation: str) -> Parcel | None:
        if not is_name(name) or not self._file(name).is_file():
            return None
        with self._file(name).open("rb") as file:
            head = head_of(file)
            if head["conversation"] != conversation:
                return None
            return Parcel(Upload(head["name"], head["media_type"], file.read()), conversation)

    def _remove_of(self, conversation: str) -> None:
        for path in filter(lambda path: is_name(path.name), self._files()):
            with path.open("rb") as file:
                is_there = head_of(file)["conversation"] == conversation
            if is_there:
                path.unlink(missing_ok=True)

    def _sweep(self) -> None:
        waiting = sorted(((file.stat().st_mtime, file) for file in self._files()), reverse=True)
        for number, (since, file) in enumerate(waiting):
            if number >= PARCELS_LIMIT or since < self._clock() - KEEP_S:
                file.unlink(missing_ok=True)

    def _files(self) -> list[Path]:
        return list(self._folder.iterdir()) if self._folder.is_dir() else []

    def _file(self, name: str) -> Path:
        return self._folder / name


def head_of(file: BinaryIO) -> dict[str, str]:
    head: dict[str, str] = json.loads(file.readline(HEAD_LIMIT_BYTES))
    return head


def is_name(name: str) -> bool:
    """Of a parcel, and not a path that a caller made up."""
    return NAME.fullmatch(name) is not None
