"""Unknown sources and collections in personalities, at start and after a change."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, cast

from structlog.testing import capture_logs

from core import PROJECT_ROOT
from core.bootstrap import WatchedParts, warn_unknown_names
from core.configuration.personal_information import PersonalInformationPolicy
from core.configuration.personalities import Personalities, unknown_collections, unknown_models, unknown_sources
from core.configuration.settings import load
from core.model.client import known_models
from core.rag.facts.collections import FactCollections
from core.rag.facts.document_rows import CollectionSize
from core.rag.facts.store import FactStore
from core.rag.sources.catalogue import Sources

GUIDE = (PROJECT_ROOT / "config" / "personalities" / "whisper.toml").read_text(encoding="utf-8")


def folder(tmp_path: Path, line: str) -> Personalities:
    """A folder with one personality that starts with `line`."""
    kept = "\n".join(text for text in GUIDE.splitlines() if not text.startswith(("sources", "collections")))
    (tmp_path / "odd.toml").write_text(f"{line}\n{kept}", encoding="utf-8")
    personalities = Personalities(tmp_path)
    personalities.load()
    return personalities


def test_a_misspelt_source_is_reported_with_its_place(tmp_path: Path) -> None:
    """The message also suggests the nearest name."""
    personalities = folder(tmp_path, 'sources = ["news", "wether"]')
    [problem] = unknown_sources(personalities, ("weather", "news"))

    assert problem.startswith(f"{tmp_path / 'odd.toml'}:1: no source named 'wether'; did you mean 'weather'?")
    assert unknown_sources(personalities, ("weather", "news", "wether")) == ()


def test_an_unknown_collection_is_reported_with_the_command_that_creates_it(tmp_path: Path) -> None:
    """This also holds if there is no collection at all."""
    [problem] = unknown_collections(folder(tmp_path, 'collections = ["leave"]'), ())

    assert "odd.toml:1: no collection named 'leave'. There are: none. `csps-llm facts add` makes one" in problem


def test_an_unknown_model_is_reported_with_its_place(tmp_path: Path) -> None:
    """The message suggests the nearest id and lists all. A table needs no entry, and no model is the default one."""
    [problem] = unknown_models(folder(tmp_path, 'model = "ministral-3"'), ("starter", "ministral-3b"))

    assert f"{tmp_path / 'odd.toml'}:1: no model named 'ministral-3'; did you mean 'ministral-3b'?" in problem
    assert "There are: starter, ministral-3b" in problem
    assert unknown_models(folder(tmp_path, 'model = { repo = "a/b", file = "c.gguf" }'), ()) == ()
    assert unknown_models(folder(tmp_path, "facts = []"), ()) == ()


def test_the_starter_and_an_address_on_the_hub_are_known_models(tmp_path: Path) -> None:
    """With LLM_URL the engine alone knows its models."""
    named = ("starter", "a/b/c.gguf", "ministral-3")
    known = known_models(load({"CSPS_LLM_DATA": str(tmp_path)}), named)

    assert known is not None
    assert [name for name in named if name not in known] == ["ministral-3"]
    assert known_models(load({"CSPS_LLM_DATA": str(tmp_path), "LLM_URL": "http://localhost:1"}), named) is None


class Facts:
    """A fact store with these collections."""

    def __init__(self, *names: str) -> None:
        self.names: Sequence[str] = names

    async def collections(self) -> list[CollectionSize]:
        return [CollectionSize(name, 1, 1, ()) for name in self.names]


async def test_references_are_checked_again_after_a_change(tmp_path: Path) -> None:
    """The result is a log event, because nobody watches a terminal after editing a file."""
    sources = Sources(PROJECT_ROOT / "config" / "sources.toml")
    sources.load()
    personalities, changed = folder(tmp_path, 'sources = ["weather"]'), asyncio.Event()
    store = cast(FactStore, Facts("leave"))
    settings = load({"CSPS_LLM_DATA": str(tmp_path)})
    with capture_logs() as logs:
        policy = PersonalInformationPolicy(tmp_path / "personal_information.toml")
        watched = WatchedParts(personalities, sources, FactCollections(tmp_path / "facts.toml"), policy)
        telling = asyncio.create_task(warn_unknown_names(watched, store, settings, changed))
        await until(lambda: bool(changed._waiters))
        assert warnings(logs) == []

        folder(tmp_path, 'collections = ["leve"]\nmodel = "ministral-3"')
        personalities.load()
        changed.set()
        await until(lambda: len(warnings(logs)) == 2)
        telling.cancel()

    assert "did you mean 'leave'?" in warnings(logs)[0]
    assert "did you mean 'ministral-3b'?" in warnings(logs)[1]


async def until(so: Callable[[], bool]) -> None:
    while not so():
        await asyncio.sleep(0.001)  # a thread reads models.toml


def warnings(logs: Sequence[Any]) -> list[str]:
    return [each["problem"] for each in logs if each["event"] == "personality_reference_unknown"]
