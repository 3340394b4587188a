"""Background tasks end with their engine. Starting deletes what nobody else would."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from core.bootstrap import keep_sources_warm, run_core
from core.configuration import settings
from core.errors import ModelUnavailable


class Gathering:
    """A finder whose parts raise an error when they are cancelled, as an opening connection may.

    `gather` then raises that error, and not CancelledError.
    """

    def __init__(self) -> None:
        self.started = asyncio.Event()

    async def warm(self) -> None:
        await asyncio.gather(self._part(), self._part())

    async def _part(self) -> None:
        self.started.set()
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            raise ModelUnavailable("the model cannot be reached") from None


async def test_warming_ends_when_it_is_cancelled() -> None:
    """Before, it never ended, so `toil run` and a web process on SIGTERM waited for ever."""
    finder: Any = Gathering()
    warming = asyncio.create_task(keep_sources_warm(finder, asyncio.Event()))
    await finder.started.wait()
    warming.cancel()
    await asyncio.wait([warming], timeout=30)
    assert warming.cancelled()


@pytest.mark.parametrize(("variables", "stays"), [({}, True), ({"LLM_URL": "http://127.0.0.1:9/v1"}, False)])
async def test_states_of_local_models_go_when_remote_engines_answer(
    tmp_path: Path, variables: dict[str, str], stays: bool
) -> None:
    """They hold what people wrote, and only a local worker would delete them with their conversations."""
    state = tmp_path / "suspended" / "model" / "state"
    state.parent.mkdir(parents=True)
    state.write_bytes(b"x")
    async with run_core(settings.load({"CSPS_LLM_DATA": str(tmp_path), "LLM_AUTO": "off", **variables}), warms=False):
        assert state.exists() is stays
