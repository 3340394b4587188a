"""Decides which deployment answers a request for a model, and swaps it when configuration or files change.

A model's new version, or a new default model, is loaded while the old one answers. Once loaded it takes over; the old
one ends its answers and is unloaded. While a model is not here, the default answers; while that cannot, its substitute.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable

import structlog
from aiohttp import web

from core.errors import ConfigError, CspsError, ModelRefused, ModelUnavailable
from core.model.host.deploying import identify
from core.model.host.deployment import Deployment
from core.model.host.local_models import LocalModel, LocalModels
from core.model.host.pool import ModelPool
from core.model.host.tickets import Ticket
from core.model.library.specs import LocalFile

log = structlog.get_logger()

DEFAULT = ""  # the role of the default model, whichever it is
CHECK_INTERVAL_S = 1.0  # between two looks at a model's file, and at the configuration for unknown models
LOADING_RETRY_AFTER_S = 2.0

Find = Callable[[], Awaitable[LocalModels]]


class ModelHost:
    """`find` reads configuration and files. `hopeless` fails if not even the starter can be loaded at the start."""

    def __init__(self, pool: ModelPool, find: Find, clock: Callable[[], float] = time.monotonic) -> None:
        self.pool = pool
        self.models: LocalModels | None = None
        self.was_ready = False  # the default, or what answers in its place
        self.hopeless: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._find = find
        self._clock = clock
        self._serving: dict[str, Deployment] = {}  # by role: what was loaded last
        self._checked_at: dict[str, float] = {}
        self._refreshing: asyncio.Task[None] | None = None
        self._is_stale = False
        self._reported: tuple[str, str] | None = None  # the default model whose problem was logged
        pool.on_change(self._settle)

    # --- requests ----------------------------------------------------------------------------------------------------

    async def request(self, model_id: str | None) -> Ticket:
        """Raises web.HTTPNotFound for an unknown id, and what `ModelPool.request` raises."""
        if self.models is None:
            raise ModelUnavailable("the model is loading", retry_after_s=LOADING_RETRY_AFTER_S)
        model = self.models.find(model_id)
        if model is None and self._is_due("configuration"):
            await self.refresh()  # somebody wrote it just now
            model = self.models.find(model_id)
        if model is None:
            ids = ", ".join(repr(each.spec.id) for each in self.models.listed())
            raise web.HTTPNotFound(reason=f"no such model is configured here; there are: {ids}")
        self._check_file(model)
        return self.pool.request(self._choose(model), lambda: self._choose_again(model_id))

    def _choose_again(self, model_id: str | None) -> Deployment | None:
        """Returns the version for a request whose first one failed to load; None if there is none."""
        model = self.models.find(model_id) if self.models else None
        try:
            return self._choose(model) if model else None
        except ModelUnavailable:
            return None

    def _choose(self, model: LocalModel) -> Deployment:
        """Returns the version to answer now. Raises ModelUnavailable if there is none."""
        goal = self._goal(model)
        if goal is None:
            raise ModelUnavailable("no model is here yet", retry_after_s=LOADING_RETRY_AFTER_S)
        serving = self._serving.get(self._role(model))
        if self.pool.worker(goal) or serving is None or not self.pool.is_open(serving):
            return goal
        if not self.pool.refusal(goal):
            self.pool.preload(goal)
        return serving

    def _goal(self, model: LocalModel) -> Deployment | None:
        """Returns the version that should answer once it is loaded."""
        assert self.models is not None
        wanted = model.deployment
        if wanted and not self.pool.refusal(wanted):
            return wanted
        if self._role(model) != DEFAULT:
            return self._goal(self.models.default) or wanted
        substitutes = [each.deployment for each in self.models.substitutes()]
        usable = next((each for each in substitutes if each and not self.pool.refusal(each)), None)
        return usable or self.models.starter.deployment or wanted

    def _role(self, model: LocalModel) -> str:
        return DEFAULT if self.models and model is self.models.default else model.spec.id

    def _check_file(self, model: LocalModel) -> None:
        """Looks for another version of the file, at most once a second."""
        if model.deployment and self._is_due(model.spec.id) and is_outdated(model.deployment):
            self.refresh_soon()

    async def refresh_outdated(self) -> None:
        """Notices files that were replaced or removed; looks at most once a second."""
        deployments = [each.deployment for each in self.models.listed() if each.deployment] if self.models else []
        if deployments and self._is_due("files") and any(map(is_outdated, deployments)):
            await self.refresh()

    def _is_due(self, what: str) -> bool:
        now = self._clock()
        due = now >= self._checked_at.get(what, 0.0) + CHECK_INTERVAL_S
        if due:
            self._checked_at[what] = now
        return due

    # --- changes -----------------------------------------------------------------------------------------------------

    async def refresh(self) -> None:
        """Reads configuration and files, and swaps what changed. Callers at the same time share one run."""
        self.refresh_soon()
        assert self._refreshing is not None
        await asyncio.shield(self._refreshing)

    def refresh_soon(self) -> None:
        """Starts what `refresh` waits for. A change during a run starts another one."""
        self._is_stale = True
        if self._refreshing is None or self._refreshing.done():
            self._refreshing = asyncio.create_task(self._refresh())

    async def _refresh(self) -> None:
        try:
            while self._is_stale:
                self._is_stale = False
                self.apply(await self._find())
        except CspsError as exc:
            log.error("models_refresh_failed", problem=exc.message)  # noqa: TRY400 - the operator's error, not ours

    def apply(self, models: LocalModels) -> None:
        self.models = models
        self._settle()

    def _settle(self) -> None:
        """Notes what is loaded, loads the default beforehand, and unloads what no request means any more."""
        if self.models is None:
            return
        models = [self.models.default, *self.models.others.values()]
        goals = {self._role(model): goal for model in models if (goal := self._goal(model))}
        for role, goal in goals.items():
            if self.pool.worker(goal):
                self._serving[role] = goal
        self._serving = {role: each for role, each in self._serving.items() if role in goals}
        self.was_ready = self.was_ready or DEFAULT in self._serving
        self._report_failure()
        self._give_up()
        self.pool.keep([*goals.values(), *self._serving.values()])
        default = goals.get(DEFAULT)
        if default and default != self._serving.get(DEFAULT) and not self.pool.refusal(default):
            self.pool.preload(default)

    def _report_failure(self) -> None:
        """Logs once that the starter answers for a default model, and why."""
        assert self.models is not None
        default = self.models.default
        problem = self.problem(default)
        if problem is None:
            self._reported = None
        elif (default.spec.id, problem) != self._reported and default.spec != self.models.starter.spec:
            place = {"path": str(default.spec.source.path)} if isinstance(default.spec.source, LocalFile) else {}
            log.error("starter_answers_instead", model=default.spec.id, problem=problem, **place)
            self._reported = (default.spec.id, problem)

    def _give_up(self) -> None:
        """Ends the host if neither the default model nor the starter can be loaded, and nothing ever was."""
        assert self.models is not None
        starter = self.models.starter.deployment or self.models.default.deployment
        refusal = self.pool.refusal(starter) if starter else None
        if refusal and not self.was_ready and not self.hopeless.done():
            self.hopeless.set_exception(ConfigError(refusal.message) if isinstance(refusal, ModelRefused) else refusal)

    def problem(self, model: LocalModel) -> str | None:
        """The reason why the model cannot answer, unless it is being downloaded."""
        if model.deployment:
            refusal = self.pool.refusal(model.deployment)
            return refusal.message if refusal else None
        source = model.spec.source
        return f"there is no file {source.path.name}" if isinstance(source, LocalFile) else None

    # --- state -------------------------------------------------------------------------------------------------------

    @property
    def status(self) -> str:
        """ "ok" once something can answer requests for the default model: one that was unloaded is loaded again."""
        return "ok" if self.was_ready else "loading"


def is_outdated(deployment: Deployment) -> bool:
    try:
        return identify(deployment.path) != deployment.file
    except OSError:
        return True
