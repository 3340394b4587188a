"""The engines that answer for one model: which one is asked, and which one next if it fails.

A request that no engine has begun to answer goes to the next engine. An answer that broke off is raised: the caller
continues it (`core.conversation.generation`), and no text is sent twice. Knows no HTTP.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import AsyncGenerator, Callable, Coroutine, Iterable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import replace
from typing import Literal, TypeVar

import structlog

from core.contract import EngineHealth, ModelProgress
from core.errors import CspsError, ModelUnavailable, Overloaded
from core.model.client import failures
from core.model.client.balancer import Balancer
from core.model.client.chat_request import ChatRequest
from core.model.client.circuit_breaker import BreakerState, CircuitBreaker
from core.model.client.engine_connection import EngineConnection
from core.model.client.served_models import ModelInfo, ServedModels
from core.model.client.silence import watch_silence
from core.openai.chat_protocol import Message, StreamEvent, StreamFinished, TextDelta
from core.openai.dialects import EngineCapabilities

log = structlog.get_logger()
Result = TypeVar("Result")

BUSY_ATTEMPTS = 2
STATES: Mapping[BreakerState, Literal["up", "returning", "away"]] = {
    "closed": "up",
    "half_open": "returning",
    "open": "away",
}
OTHERS_WAIT_S = 0.5  # for the windows of the other engines, after the first one answered


class Attempts:
    """The engines that one request was sent to, and their refusals."""

    def __init__(self) -> None:
        self.refusals: dict[str, CspsError] = {}
        self._sent: Counter[str] = Counter()

    def add(self, label: str, refusal: CspsError) -> None:
        self.refusals[label] = refusal
        self._sent[label] += 1

    def allow(self, label: str) -> bool:
        """True if the engine may get the request. A busy engine may get it once more, after it waited elsewhere."""
        was_busy = isinstance(self.refusals.get(label), Overloaded)
        return not self._sent[label] or (was_busy and self._sent[label] < BUSY_ATTEMPTS)

    def prefer_new(self, labels: Sequence[str]) -> Sequence[str]:
        return [label for label in labels if not self._sent[label]] or labels


class EnginePool:
    """One per model. `weights`: of the engines, by label; 1 if it is missing.

    `name`: the id of a model behind URLs, and `title` what people see of it; None: the engine's own.
    With one engine there is no choice: it is always asked, and its errors are raised as they are.
    """

    def __init__(
        self,
        engines: Sequence[EngineConnection],
        weights: Mapping[str, float] | None = None,
        name: str | None = None,
        title: str | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.engines = {engine.label: engine for engine in engines}
        self.name = name
        self._title = title or name
        self.breakers = {label: CircuitBreaker(clock) for label in self.engines}
        self._balancer = Balancer({label: (weights or {}).get(label, 1.0) for label in self.engines})
        # Called after each whole answer, with the model that the caller named.
        self.on_answer: Callable[[EngineConnection, str | None], None] = lambda _engine, _model: None
        self._answered: Counter[str] = Counter()
        self._failed: Counter[str] = Counter()
        self._checks: dict[str, asyncio.Task[None]] = {}  # running health checks of engines whose breaker is open

    async def close(self) -> None:
        for check in self._checks.values():
            check.cancel()
        await asyncio.gather(*(engine.close() for engine in self.engines.values()))

    def health(self) -> list[EngineHealth]:
        """The health of each engine behind a URL."""
        return [
            EngineHealth(
                self.name,
                label,
                STATES[self.breakers[label].state],
                self._balancer.outstanding(label),
                self._answered[label],
                self._failed[label],
                self.breakers[label].problem,
            )
            for label, engine in self.engines.items()
            if not engine.is_local
        ]

    def forget_models(self) -> None:
        for engine in self.engines.values():
            engine.forget_models()

    async def stream(self, request: ChatRequest, model: str | None = None) -> AsyncGenerator[StreamEvent, None]:
        """The events of one answer, from the first engine that begins one. Raises what `ModelClient.stream` raises."""
        attempts = Attempts()
        while True:
            label = await self._choose(request, model, attempts)
            has_text = False
            try:
                with self._balancer.sending(label, request.prompt_cache_key):
                    async with aclosing(self._stream_from(label, request, model)) as events:
                        async for event in events:
                            has_text = has_text or isinstance(event, TextDelta)
                            yield self._named(event, label)
            except CspsError as exc:
                self._record(label, exc)
                if has_text or self._is_single or not failures.may_ask_another(exc):
                    raise
                log.info("request_failed_over", engine=label, code=exc.code, problem=exc.message)
                attempts.add(label, exc)
            else:
                self._record(label, None)
                self.on_answer(self.engines[label], model)
                return

    async def _stream_from(
        self, label: str, request: ChatRequest, model: str | None
    ) -> AsyncGenerator[StreamEvent, None]:
        """The engine's events. Where others could answer instead, a silent engine's health is checked."""
        engine = self.engines[label]
        async with (
            aclosing(engine.stream(request, model)) as events,
            aclosing(events if self._is_single else watch_silence(events, engine.ready)) as watched,
        ):
            async for event in watched:
                yield event

    def _named(self, event: StreamEvent, label: str) -> StreamEvent:
        """The last event with the remote engine's label, and our name of the model: each engine may have another."""
        if not isinstance(event, StreamFinished) or self.engines[label].is_local:
            return event
        return replace(event, model=self.name or event.model, engine=label)

    def listed(self, name: str) -> ModelInfo | None:
        """The model of this name in the latest list; None for an unknown one, and for a model behind several URLs."""
        return None if self.name else next(iter(self.engines.values())).listed(name)

    async def info(self, model: str | None = None) -> ModelInfo:
        """The model, with the smallest window of the engines that answer. Raises ModelUnavailable, ModelRefused."""
        infos = await self._ask_at_once(self._askable(), lambda engine: engine.info(model), OTHERS_WAIT_S)
        found = min(infos, key=lambda info: info.window)
        return replace(found, name=self.name, title=self.title(self.name)) if self.name else found

    def enforces_schemas(self, model: str | None = None) -> bool:
        """True if each engine is known to enforce a schema while this model writes."""
        return all(engine.capabilities(model).enforces_schemas for engine in self.engines.values())

    async def progress(self, model: str | None = None) -> ModelProgress | None:
        """The progress of `model` while another one answers in its place; None for a model behind URLs."""
        return await next(iter(self.engines.values())).progress(model) if self.name is None else None

    async def served(self) -> ServedModels:
        """The models of the first engine that answers, as listed a moment ago."""
        return (await self._ask_at_once(self._askable(), lambda engine: engine.served()))[0]

    def title(self, name: str) -> str:
        """The title of the model that an answer names."""
        return self._title or next(iter(self.engines.values())).title(name)

    async def count(self, messages: Sequence[Message], model: str | None = None) -> int | None:
        """The tokens of the messages as a prompt, by the first engine that counts. None: none does."""
        refusals: dict[str, CspsError] = {}
        for label in self._askable():
            try:
                count = await self.engines[label].count(messages, model)
            except CspsError as exc:
                refusals[label] = exc
            else:
                if count is not None:
                    return count
        if len(refusals) == len(self.engines):
            raise self._combine(refusals)
        return None

    async def ready(self) -> None:
        """Returns if an engine answers now. Raises ModelUnavailable if none does, ModelRefused if none ever will."""
        await self._ask_at_once(list(self.engines), self._ready)

    async def _ready(self, engine: EngineConnection) -> None:
        await engine.ready()
        self.breakers[engine.label].record_healthy()

    @property
    def _is_single(self) -> bool:
        return len(self.engines) == 1

    async def _choose(self, request: ChatRequest, model: str | None, attempts: Attempts) -> str:
        """The engine to ask next. Raises the errors of all engines as one if none is left."""
        if self._is_single:
            return next(iter(self.engines))
        while True:
            self._start_checks()
            if usable := self._usable(attempts):
                able = self._able(attempts.prefer_new(usable), request, model)
                return self._balancer.choose(able, request.prompt_cache_key)
            running = [check for label, check in self._checks.items() if attempts.allow(label)]
            if not running:
                raise self._combine(self._reasons(attempts.refusals))
            await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)

    def _usable(self, attempts: Attempts | None = None) -> list[str]:
        """The engines that may be asked. One that just came back gets one request, unless there is no other."""
        free = {
            label: breaker
            for label, breaker in self.breakers.items()
            if breaker.state != "open" and not breaker.busy_s and (attempts is None or attempts.allow(label))
        }
        proven = [
            label
            for label, breaker in free.items()
            if breaker.state == "closed" or not self._balancer.outstanding(label)
        ]
        return proven or list(free)

    def _able(self, labels: Sequence[str], request: ChatRequest, model: str | None) -> Sequence[str]:
        """The engines that can do what the request needs, as far as is known; all of them if none can."""
        able = [label for label in labels if can_serve(self.engines[label].capabilities(model), request)]
        return able or labels

    def _reasons(self, refusals: Mapping[str, CspsError]) -> dict[str, CspsError]:
        """The reason of each engine: its refusal of this request, or why it is not asked."""
        reasons = dict(refusals)
        for label, breaker in self.breakers.items():
            if label not in reasons and breaker.busy_s:
                reasons[label] = Overloaded("the model is busy", retry_after_s=breaker.busy_s)
            elif label not in reasons:
                reasons[label] = ModelUnavailable(breaker.problem or "it did not answer in time")
        return reasons

    def _start_checks(self) -> None:
        """Starts a health check of each engine whose pause is over, beside the request, which need not wait for it."""
        for label, breaker in self.breakers.items():
            if breaker.needs_check and label not in self._checks:
                self._checks[label] = check = asyncio.create_task(self._check(label))
                check.add_done_callback(lambda _, label=label: self._checks.pop(label, None))  # type: ignore[misc]

    async def _check(self, label: str) -> None:
        try:
            await self.engines[label].ready()
        except CspsError as exc:
            self.breakers[label].record_unhealthy(exc.message)
        else:
            self.breakers[label].record_healthy()

    def _record(self, label: str, error: CspsError | None) -> None:
        """Tells the breaker how a request ended, and logs what changes by it: once for each change."""
        breaker = self.breakers[label]
        state = breaker.state
        if error is None:
            breaker.record_success()
            self._answered[label] += 1
        else:
            self._failed[label] += 1
            failures.record(error, breaker)
        if breaker.state != state and not self._is_single:
            event = "engine_back" if breaker.state == "closed" else "engine_away"
            log.warning(event, model=self.name, engine=label, problem=breaker.problem)

    def _askable(self) -> list[str]:
        """The engines to ask for anything but an answer: all of them if none may be asked for one."""
        return self._usable() or list(self.engines)

    async def _ask_at_once(
        self,
        labels: Sequence[str],
        ask: Callable[[EngineConnection], Coroutine[None, None, Result]],
        others_wait_s: float = 0.0,
    ) -> list[Result]:
        """Asks the engines at once. Returns the first result, and those that come `others_wait_s` later.

        Raises the engines' errors as one if all failed.
        """
        asked = {asyncio.create_task(ask(self.engines[label])): label for label in labels}
        try:
            running: set[asyncio.Task[Result]] = set(asked)
            while running and not any(map(succeeded, asked)):
                _, running = await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
            if running and others_wait_s:
                await asyncio.wait(running, timeout=others_wait_s)
        finally:
            await cancel_all(asked)
        refusals = {label: error for task, label in asked.items() if (error := error_of(task))}
        for label, error in refusals.items():
            self._record(label, error)
        results = [task.result() for task in asked if succeeded(task)]
        if not results:
            raise self._combine(self._reasons(refusals))
        return results

    def _combine(self, refusals: Mapping[str, CspsError]) -> CspsError:
        """One error with the reason of each engine; the only engine's own error."""
        if self._is_single:
            return next(iter(refusals.values()))
        return failures.combine(self.name or "default", refusals)


def can_serve(capabilities: EngineCapabilities, request: ChatRequest) -> bool:
    """False if the engine is known not to enforce the request's schema, or not to continue its answer."""
    needs_schema, needs_continuation = bool(request.response_format), request.continue_last
    lacks_schema = needs_schema and capabilities.enforces_schemas is False
    return not (lacks_schema or (needs_continuation and capabilities.continues is False))


def succeeded(task: asyncio.Task[Result]) -> bool:
    return task.done() and not task.cancelled() and task.exception() is None


def error_of(task: asyncio.Task[Result]) -> CspsError | None:
    """The error of a task that ended with one of ours. Raises any other error: it is a defect."""
    error = task.exception() if task.done() and not task.cancelled() else None
    if error is not None and not isinstance(error, CspsError):
        raise error
    return error


async def cancel_all(tasks: Iterable[asyncio.Task[Result]]) -> None:
    """Returns when all tasks ended."""
    running = [task for task in tasks if not task.done()]
    for task in running:
        task.cancel()
    if running:
        await asyncio.wait(running)
