"""What /v1/models says of each model."""

from __future__ import annotations

from pathlib import Path
from typing import cast

from core.model.host.downloads import Downloads
from core.model.host.listing import list_models
from core.model.host.local_models import LocalModel, LocalModels
from core.model.host.model_host import ModelHost
from core.model.library.download.progress import DownloadProgress
from core.model.library.specs import HubFile, LocalFile, ModelSpec, Starter
from core.model.worker.announcements import WorkerFailed
from tests.core.model.host.support_workers import Workers, deployment, settle

HALF = DownloadProgress("downloading", 5, 10, 2.0, 2.5)
STARTER = LocalModel(ModelSpec("starter", "Starter", Starter()), deployment("starter", starter=True))


def hub_model(model_id: str, *, here: bool = True, window: int | None = None) -> LocalModel:
    spec = ModelSpec(model_id, model_id.title(), HubFile(f"owner/{model_id}", f"{model_id}.gguf"), window)
    return LocalModel(spec, deployment(model_id, window=window) if here else None)


class FakeDownloads:
    def __init__(self, **progress: DownloadProgress) -> None:
        self._progress = progress

    def progress(self, source: HubFile) -> DownloadProgress | None:
        return self._progress.get(source.repo.removeprefix("owner/"))


async def listed(
    models: LocalModels, downloads: FakeDownloads | None = None, failed: str | None = None
) -> dict[str, dict[str, object]]:
    """Loads the starter, and lists."""
    workers = Workers(budget=100)

    async def find() -> LocalModels:
        return models

    host = ModelHost(workers.pool, find, workers.clock)
    await host.refresh()
    workers.pool.preload(cast(object, STARTER.deployment))  # type: ignore[arg-type]
    await workers.load("starter")
    if failed:
        workers.pool.request(models.others[failed].deployment)  # type: ignore[arg-type]
        await settle()
        workers.latest(failed).end("exit code 2", failure=WorkerFailed("it is cut", permanent=True))
        await settle()
    entries = list_models(host, cast(Downloads, downloads or FakeDownloads()))
    return {str(entry["id"]): entry for entry in entries}  # type: ignore[call-overload, index]


async def test_a_download_shows_its_progress_and_the_starter_stands_in() -> None:
    """The default is the first, then the model that answers in its place."""
    models = LocalModels(hub_model("large", here=False), STARTER, {})
    entries = await listed(models, FakeDownloads(large=HALF))

    assert ["large", "starter"] == list(entries)
    assert ("downloading", "loaded") == (entries["large"]["state"], entries["starter"]["state"])
    assert {
        "done_bytes": 5,
        "total_bytes": 10,
        "bytes_per_s": 2.0,
        "expected_s": 2.5,
        "problem": None,
        "fault": None,
        "problem_in_french": None,
    } == entries["large"]["download"]


async def test_each_state_has_its_name() -> None:
    """A model whose download has not begun is on its way too."""
    others = {each.spec.id: each for each in (hub_model("idle", window=512), hub_model("cut"))}
    others |= {"coming": hub_model("coming", here=False), "refused": hub_model("refused", here=False)}
    failure = DownloadProgress("failed", 0, 0, problem="its terms")
    entries = await listed(LocalModels(STARTER, STARTER, others), FakeDownloads(refused=failure), failed="cut")

    states = {model_id: entry["state"] for model_id, entry in entries.items()}
    assert {
        "starter": "loaded",
        "idle": "available",
        "cut": "failed",
        "coming": "downloading",
        "refused": "failed",
    } == states
    assert {"problem": "it is cut", "fault": "load"} == entries["cut"]["download"]
    assert (512, 4096) == (entries["idle"]["max_model_len"], entries["starter"]["max_model_len"])
    assert "max_model_len" not in entries["coming"]
    assert (True, False) == (entries["starter"]["starter"], entries["idle"]["starter"])


async def test_a_file_that_is_away_is_a_failure() -> None:
    """Nobody downloads it."""
    away = LocalModel(ModelSpec("away", "Away", LocalFile(Path("/away.gguf"))), None)
    entries = await listed(LocalModels(away, STARTER, {}))

    assert ("failed", {"problem": "there is no file away.gguf", "fault": "load"}) == (
        entries["away"]["state"],
        entries["away"]["download"],
    )


async def test_a_starter_whose_file_is_being_made_is_loading() -> None:
    """That takes seconds at the first start on a machine that is not installed."""
    unprepared = LocalModel(STARTER.spec, None)
    entries = await listed(LocalModels(unprepared, unprepared, {}))

    assert "loading" == entries["starter"]["state"]
