"""The model for calls that name none, as the settings say, or `csps-llm models use` while the service runs.

It matters for models behind URLs only: the model host chooses among the models of this machine by itself
(`core.model.library.choice`, in the same order).
"""

from __future__ import annotations

import asyncio
from pathlib import Path

import watchfiles

from core.configuration.settings import Settings
from core.model.library.selection import read_selection, selection_file

REREAD_MS = 2000  # a change before the watch began, or on a network's disk, is announced by nobody


class DefaultModel:
    """`id`: None if the own engine chooses."""

    def __init__(self, settings: Settings) -> None:
        model = settings.model
        is_file = bool(model.file or (model.huggingface_repo and model.huggingface_file))
        self._follows_selection = not (model.url or is_file or model.name)
        self._data_folder = settings.data_folder
        self.id = None if model.url or is_file else model.name
        self._read()

    async def watch(self) -> None:
        """Follows the selection until cancelled."""
        if not self._follows_selection:
            return
        file = selection_file(self._data_folder)
        await asyncio.to_thread(file.parent.mkdir, parents=True, exist_ok=True)
        changes = watchfiles.awatch(
            file.parent,
            watch_filter=lambda _change, path: Path(path).name == file.name,
            recursive=False,
            rust_timeout=REREAD_MS,
            yield_on_timeout=True,
        )
        async for _change in changes:
            await asyncio.to_thread(self._read)

    def _read(self) -> None:
        if self._follows_selection:
            self.id = read_selection(self._data_folder)
