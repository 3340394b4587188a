"""What personalities name and is not there, at a start and after a change."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, cast

from structlog.testing import capture_logs

from core import PROJECT_ROOT
from core.bootstrap import warn_unknown_names
from core.configuration.personalities import Personalities
from core.configuration.reference_checks import unknown_collections, unknown_sources
from core.rag.facts.document_rows import CollectionSize
from core.rag.facts.store import FactStore
from core.rag.sources.catalogue import Sources

GUIDE = (PROJECT_ROOT / "config" / "personalities" / "whisper.toml").read_text(encoding="utf-8")


def folder(tmp_path: Path, line: str) -> Personalities:
    """With one personality, whose first line this is."""
    kept = "\n".join(text for text in GUIDE.splitlines() if not text.startswith(("sources", "collections")))
    (tmp_path / "odd.toml").write_text(f"{line}\n{kept}", encoding="utf-8")
    personalities = Personalities(tmp_path)
    personalities.load()
    return personalities


def test_a_misspelt_source_is_told_with_its_place(tmp_path: Path) -> None:
    """And with the one that was probably meant."""
    personalities = folder(tmp_path, 'sources = ["news", "wether"]')
    [problem] = unknown_sources(personalities, ("weather", "news"))

    assert problem.startswith(f"{tmp_path / 'odd.toml'}:1: no source named 'wether'; did you mean 'weather'?")
    assert unknown_sources(personalities, ("weather", "news", "wether")) == ()


def test_a_collection_that_is_not_there_yet_is_told_how_to_make(tmp_path: Path) -> None:
    """Where there are none at all, too."""
    [problem] = unknown_collections(folder(tmp_path, 'collections = ["leave"]'), ())

    assert "odd.toml:1: no collection named 'leave'; There are: none. `csps-llm facts add` makes one" in problem


class Facts:
    """A store with these collections."""

    def __init__(self, *names: str) -> None:
        self.names: Sequence[str] = names

    async def collections(self) -> list[CollectionSize]:
        return [CollectionSize(name, 1, 1, ()) for name in self.names]


async def test_after_a_change_it_is_told_again(tmp_path: Path) -> None:
    """In the log: nobody looks at a terminal when a file is changed."""
    sources = Sources(PROJECT_ROOT / "config" / "sources.toml")
    sources.load()
    personalities, changed = folder(tmp_path, 'sources = ["weather"]'), asyncio.Event()
    store = cast(FactStore, Facts("leave"))
    with capture_logs() as logs:
        telling = asyncio.create_task(warn_unknown_names(personalities, sources, store, changed))
        await until(lambda: bool(changed._waiters))
        assert warnings(logs) == []

        folder(tmp_path, 'collections = ["leve"]')
        personalities.load()
        changed.set()
        await until(lambda: bool(warnings(logs)))
        telling.cancel()

    assert "did you mean 'leave'?" in warnings(logs)[0]


async def until(so: Callable[[], bool]) -> None:
    while not so():
        await asyncio.sleep(0)


def warnings(logs: Sequence[Any]) -> list[str]:
    return [each["problem"] for each in logs if each["event"] == "personality_reference_unknown"]
