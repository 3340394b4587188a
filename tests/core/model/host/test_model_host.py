"""Which version answers: takeovers, models that are not here, fallbacks to the starter."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest
from aiohttp import web
from structlog.testing import capture_logs

from core.errors import ConfigError, ModelRefused, ModelUnavailable
from core.model.host import model_host
from core.model.host.deployment import Deployment
from core.model.host.local_models import LocalModel, LocalModels
from core.model.host.model_host import ModelHost
from core.model.library.specs import HubFile, LocalFile, ModelSpec, Starter
from core.model.worker.announcements import WorkerFailed
from tests.core.model.host.support_workers import Workers, deployment, settle

STARTER = deployment("starter", starter=True)
LARGE, SMALL, HUGE = deployment("large"), deployment("small"), deployment("huge", 1000)


def local(model_id: str, here: Deployment | None = None) -> LocalModel:
    source = Starter() if model_id == "starter" else HubFile(f"owner/{model_id}", f"{model_id}.gguf")
    return LocalModel(ModelSpec(model_id, model_id.title(), source), here)


def models(
    default: LocalModel, others: Mapping[str, LocalModel] | None = None, starter: Deployment | None = STARTER
) -> LocalModels:
    return LocalModels(default, local("starter", starter), others or {})


class Served:
    """A host with fake workers, and the models that it finds at its next look."""

    def __init__(self, first: LocalModels, budget: int = 100) -> None:
        self.workers = Workers(budget)
        self.found = first
        self.looks = 0
        self.host = ModelHost(self.workers.pool, self._find, self.workers.clock)

    async def _find(self) -> LocalModels:
        self.looks += 1
        return self.found

    async def apply(self, found: LocalModels) -> None:
        self.found = found
        await self.host.refresh()
        await settle()

    async def answering(self, model_id: str | None = None) -> str | None:
        """The model that a request gets now; None if it waits."""
        ticket = await self.host.request(model_id)
        try:
            worker = await ticket.wait(0)
            return worker.options.model_id if worker else None
        finally:
            ticket.release()


@pytest.fixture(autouse=True)
def unchanged_files(monkeypatch: pytest.MonkeyPatch) -> None:
    """The files of these models exist nowhere."""
    monkeypatch.setattr(model_host, "is_outdated", lambda _deployment: False)


async def serving(first: LocalModels, budget: int = 100) -> Served:
    served = Served(first, budget)
    await served.apply(first)
    return served


async def test_the_default_is_loaded_before_anybody_asks() -> None:
    """/health is "loading" until then."""
    served = await serving(models(local("large", LARGE)))
    before = served.host.status
    await served.workers.load("large")

    assert ("loading", "ok") == (before, served.host.status)
    assert "large" == await served.answering()
    assert "large" == await served.answering("large")


async def test_a_download_takes_over_once_it_is_loaded() -> None:
    """The starter answers until then; its answers end on it, then it is unloaded."""
    served = await serving(models(local("large")))
    await served.workers.load("starter")
    assert "starter" == await served.answering()
    running = await served.host.request(None)
    await served.apply(models(local("large", LARGE)))
    assert "starter" == await served.answering(), "the new one is loading"
    await served.workers.load("large")
    assert "large" == await served.answering()
    assert {"starter", "large"} == served.workers.loaded
    running.release()
    await settle()

    assert {"large"} == served.workers.loaded


async def test_a_new_version_of_a_file_takes_over() -> None:
    """The old one answers while the new one loads."""
    served = await serving(models(local("starter", STARTER), {"small": local("small", SMALL)}))
    await served.workers.load("starter")
    assert await served.answering("small") is None
    old = await served.workers.load("small")
    await served.apply(models(local("starter", STARTER), {"small": local("small", deployment("small", version=2))}))
    assert "small" == await served.answering("small")
    await settle()
    new = await served.workers.load("small")
    await settle()

    assert new is not old
    assert (True, False) == (old.stopped, new.stopped)


async def test_without_room_for_both_the_old_version_ends_first() -> None:
    """Requests then wait for the new one; no answer is cut."""
    served = await serving(models(local("large", LARGE)), budget=12)
    await served.workers.load("large")
    running = await served.host.request(None)
    await served.apply(models(local("large", deployment("large", version=2))))
    assert "large" == await served.answering()
    await served.workers.pass_time(60)
    waiting = await served.host.request(None)
    assert waiting.is_waiting
    running.release()
    await settle()
    await served.workers.load("large")

    assert not waiting.is_waiting
    assert 2 == served.workers.pool.loads


async def test_the_default_answers_for_a_model_that_is_not_here() -> None:
    """Once it is here and loaded, it answers itself."""
    served = await serving(models(local("large", LARGE), {"small": local("small")}))
    await served.workers.load("large")
    assert "large" == await served.answering("small")
    await served.apply(models(local("large", LARGE), {"small": local("small", SMALL)}))
    assert "large" == await served.answering("small")
    await settle()
    await served.workers.load("small")

    assert "small" == await served.answering("small")


async def test_the_default_answers_for_a_model_that_cannot_be_loaded() -> None:
    """Its file may be cut, or it may need more memory than all models may take."""
    served = await serving(models(local("large", LARGE), {"small": local("small", SMALL), "huge": local("huge", HUGE)}))
    await served.workers.load("large")
    assert await served.answering("small") is None
    await settle()
    served.workers.latest("small").end("exit code 2", failure=WorkerFailed("small.gguf is cut", permanent=True))
    await settle()

    assert ["large", "large"] == [await served.answering("small"), await served.answering("huge")]


async def test_requests_that_wait_for_a_model_that_fails_to_load_get_the_default() -> None:
    """They wait for the starter if it is the default that fails, and get the reason if no model is left."""
    served = await serving(models(local("large", LARGE), {"small": local("small", SMALL)}))
    for_small, for_large = await served.host.request("small"), await served.host.request(None)
    await settle()
    served.workers.latest("small").end("exit code 2", failure=WorkerFailed("small.gguf is cut", permanent=True))
    await settle()
    assert ("large", True) == (for_small.deployment.model_id, for_small.is_waiting)
    served.workers.latest("large").end("exit code 2", failure=WorkerFailed("large.gguf is cut", permanent=True))
    await settle()
    assert ["starter", "starter"] == [for_small.deployment.model_id, for_large.deployment.model_id]
    served.workers.latest("starter").end("exit code 2", failure=WorkerFailed("starter.gguf is cut", permanent=True))

    for ticket in (for_small, for_large):
        with pytest.raises(ModelRefused, match=r"starter\.gguf is cut"):
            await ticket.wait(5)
        ticket.release()


async def test_a_lesser_model_answers_until_the_default_is_here() -> None:
    """It precedes the starter. If it cannot be loaded, the starter answers."""
    small = local("small", SMALL)
    found = LocalModels(local("large"), local("starter", STARTER), {"small": small}, small)
    served = await serving(found)
    await served.workers.load("small")

    assert "small" == await served.answering()
    assert ["large", "small", "starter"] == [each.spec.id for each in found.listed()]

    broken = await serving(found)
    broken.workers.latest("small").end("exit code 2", failure=WorkerFailed("small.gguf is cut", permanent=True))
    await settle()
    await broken.workers.load("starter")
    assert "starter" == await broken.answering()


async def test_the_starter_answers_for_a_default_that_cannot_be_loaded() -> None:
    """One log line says why."""
    served = await serving(models(local("large", LARGE)))
    with capture_logs() as logs:
        served.workers.latest("large").end("exit code 2", failure=WorkerFailed("large.gguf is cut", permanent=True))
        await settle()
        await served.workers.load("starter")
        assert "starter" == await served.answering()

    (line,) = [each for each in logs if each["event"] == "starter_answers_instead"]
    assert ("large", "large.gguf is cut") == (line["model"], line["problem"])
    assert "ok" == served.host.status


async def test_the_starter_answers_for_a_default_whose_file_is_away() -> None:
    """The log has its path."""
    away = LocalModel(ModelSpec("away", "Away", LocalFile(Path("/away.gguf"))), None)
    with capture_logs() as logs:
        served = await serving(models(away))
        await served.workers.load("starter")

    assert "starter" == await served.answering()
    (line,) = [each for each in logs if each["event"] == "starter_answers_instead"]
    assert ("there is no file away.gguf", "/away.gguf") == (line["problem"], line["path"])


async def test_a_host_without_any_model_gives_up() -> None:
    """The error is the starter's, for the operator."""
    served = await serving(models(local("starter", STARTER)))
    served.workers.latest("starter").end("exit code 2", failure=WorkerFailed("starter.gguf is cut", permanent=True))
    await settle()

    with pytest.raises(ConfigError, match=r"starter\.gguf is cut"):
        await served.host.hopeless


async def test_an_unloaded_default_is_loaded_again_when_somebody_asks() -> None:
    """/health stays "ok" meanwhile: a request waits, and is answered."""
    served = await serving(models(local("large", LARGE), {"small": local("small", SMALL)}), budget=12)
    await served.workers.load("large")
    ticket = await served.host.request("small")
    await settle()
    await served.workers.load("small")
    ticket.release()
    await settle()

    assert {"small"} == served.workers.loaded
    assert "ok" == served.host.status
    assert (await served.host.request(None)).is_waiting


async def test_an_unknown_model_is_looked_up_once_more_and_refused() -> None:
    """A personality may have been written a moment ago. Looking for each wrong request would cost too much."""
    served = await serving(models(local("large", LARGE)))
    looks = served.looks
    for _ in range(3):
        with pytest.raises(web.HTTPNotFound) as refused:
            await served.host.request("other")
    assert looks + 1 == served.looks
    assert "'large', 'starter'" in str(refused.value.reason)
    served.workers.clock.now += 60
    served.found = models(local("large", LARGE), {"other": local("other", deployment("other"))})

    assert (await served.host.request("other")).is_waiting


async def test_a_replaced_file_is_noticed_at_the_next_request(monkeypatch: pytest.MonkeyPatch) -> None:
    """At most once a second: looking costs a system call."""
    served = await serving(models(local("large", LARGE)))
    await served.workers.load("large")
    served.workers.clock.now += 60
    monkeypatch.setattr(model_host, "is_outdated", lambda _deployment: True)
    looks = served.looks
    for _ in range(3):
        await served.answering()
    await settle()

    assert looks + 1 == served.looks


async def test_a_removed_file_leaves_the_list_at_the_next_look(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing announces it. A model that is idle then leaves the memory too."""
    served = Served(models(local("large", LARGE), {"small": local("small", SMALL)}))
    await served.host.refresh()
    served.workers.pool.preload(SMALL)
    await served.workers.load("small")
    monkeypatch.setattr(model_host, "is_outdated", lambda each: each == SMALL)
    served.found = models(local("large", LARGE))
    await served.host.refresh_outdated()
    await settle()

    assert served.host.models is not None
    assert ["large", "starter"] == [each.spec.id for each in served.host.models.listed()]
    assert "small" not in served.workers.loaded


async def test_before_the_first_look_requests_are_to_come_again() -> None:
    """With Retry-After."""
    served = Served(models(local("large", LARGE)))

    with pytest.raises(ModelUnavailable) as refused:
        await served.host.request(None)
    assert refused.value.retry_after_s
