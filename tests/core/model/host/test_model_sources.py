"""The choice of the running host: with the facts of its start, and with what it learns later."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import watchfiles

from core.configuration import settings
from core.model.hardware.placement import Room
from core.model.host.assembly import concerns_models
from core.model.host.model_sources import ModelSources
from core.model.library import resources
from core.model.library.fit import Resources
from tests.core.model.library.test_installed import store

GIB = 1 << 30
ROOM = Room(8 * GIB)
BUSY = Resources(16 * GIB, 12 * GIB, 8e9, 100 * GIB)


class Inspections:
    """What the next inspections of the machine find; the last one stays."""

    def __init__(self) -> None:
        self.found = [BUSY]

    def __call__(self, *_: object) -> Resources:
        return self.found.pop(0) if len(self.found) > 1 else self.found[0]


@pytest.fixture
def inspections(monkeypatch: pytest.MonkeyPatch) -> Inspections:
    found = Inspections()
    monkeypatch.setattr(resources, "find_resources", found)
    return found


@pytest.fixture
def sources(tmp_path: Path, inspections: Inspections) -> ModelSources:
    return ModelSources(settings.load({"CSPS_LLM_DATA": str(tmp_path), "LLM_AUTO": "on"}), ROOM)


def test_a_choice_at_a_busy_start_is_made_again(sources: ModelSources, inspections: Inspections) -> None:
    """The faster value counts. The memory that models take meanwhile does not, and a slower value never does."""
    inspections.found = [
        BUSY,
        replace(BUSY, memory_available_bytes=GIB, bandwidth_bytes_per_s=50e9),
        replace(BUSY, memory_available_bytes=GIB, bandwidth_bytes_per_s=1e9),
        replace(BUSY, memory_total_bytes=32 * GIB, memory_available_bytes=30 * GIB, bandwidth_bytes_per_s=70e9),
    ]
    found = [sources.find().default.spec.id]
    for _ in range(3):
        sources.measure_again()
        found.append(sources.find().default.spec.id)

    assert ["qwen-1-5b", "ministral-8b", "ministral-8b", "ministral-14b"] == found


def test_nothing_is_measured_for_a_configured_model(tmp_path: Path, inspections: Inspections) -> None:
    inspections.found = []
    sources = ModelSources(settings.load({"CSPS_LLM_DATA": str(tmp_path), "LLM_MODEL": "ministral-3b"}), ROOM)
    sources.measure_again()

    assert "ministral-3b" == sources.find().default.spec.id


def test_a_model_that_arrives_while_the_host_runs_counts(sources: ModelSources, inspections: Inspections) -> None:
    """It answers until the better one is here, instead of the starter."""
    inspections.found = [replace(BUSY, bandwidth_bytes_per_s=50e9)]
    before = sources.find()
    model = sources.catalogue.get("ministral-3b")
    store(sources.settings.data_folder / "models", model.file, repo=model.repo)
    after = sources.find()

    assert (None, "ministral-3b") == (before.interim, after.interim and after.interim.spec.id)
    assert "ministral-8b" == before.default.spec.id == after.default.spec.id


@pytest.mark.parametrize(
    ("change", "name", "expected"),
    [
        (watchfiles.Change.modified, "selected.json", True),
        (watchfiles.Change.deleted, "someone--A-Model-GGUF", True),  # `csps-llm models remove`
        (watchfiles.Change.added, "someone--A-Model-GGUF", False),
        (watchfiles.Change.deleted, "other.json", False),
    ],
)
def test_which_changes_of_the_models_folder_count(change: watchfiles.Change, name: str, expected: bool) -> None:
    """Another selection, and a model that was removed: it is unloaded."""
    assert expected == concerns_models(change, f"/srv/models/{name}")
