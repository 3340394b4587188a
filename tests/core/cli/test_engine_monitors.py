"""`up` watches the engines that models.toml names now."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

from core.cli.engine_monitors import monitor_engines
from core.configuration.settings import load

TABLE = '[large]\ntitle = "Large"\nengines = [{{ url = "http://127.0.0.1:{port}/v1" }}]\n'


class Events:
    """Collects the URLs of engines that are away."""

    def __init__(self) -> None:
        self.urls: asyncio.Queue[str] = asyncio.Queue()

    def write_event(self, event: str, message: str, **values: Any) -> None:
        assert "models.toml, [large]" in message
        assert event == "engine_away"
        self.urls.put_nowait(values["url"])


async def test_a_changed_file_changes_what_is_watched(tmp_path: Path) -> None:
    """An engine that left the file is watched no more; one that came is, without a restart of `up`."""
    file, events = tmp_path / "models.toml", Events()
    file.write_text(TABLE.format(port=1))
    settings = load({"CSPS_LLM_DATA": str(tmp_path), "CSPS_LLM_CONFIG": str(tmp_path)})
    task = asyncio.create_task(monitor_engines(settings, {}, events, "en"))
    try:
        async with asyncio.timeout(30):
            assert await events.urls.get() == "127.0.0.1:1"
            file.write_text("[large]\n")  # a mistake changes nothing
            file.write_text(TABLE.format(port=2))
            assert await events.urls.get() == "127.0.0.1:2"
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
