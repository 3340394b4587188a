"""Answers one row by the engine: an outcome holds the value or the error. Retries while the model is busy or away.

A failed row is an outcome like any other. Only ModelGone ends the batch: no model is left, or the process is stopping.
The batch can then be resumed.
"""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import TypeVar

import structlog

from core.contract import Engine, Json, Usage
from core.errors import CspsError, ModelUnavailable, Overloaded, Stopping
from core.runtime.backoff import Backoff
from core.toil.batch.job import Job, row_id
from core.toil.batch.rows import AnyRow, Row, UnreadableRow

log = structlog.get_logger()

Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class Outcome:
    """`line` is the output line; `code` is its error code, None for a value."""

    number: int
    line: dict[str, Json]
    code: str | None = None
    usage: Usage = field(default_factory=Usage)


@dataclass(frozen=True, slots=True)
class RowRetryPolicy(Backoff):
    """Attempts for one row while the model cannot answer. They come on top of the engine's own wait for a restart."""

    attempts: int = 5

    def pause_after(self, failures: int, error: CspsError) -> float:
        """Returns the pause in seconds. It is not shorter than the engine's Retry-After, up to `limit_s`."""
        return self.pause_s(failures, at_least_s=min(error.retry_after_s or 0.0, self.limit_s))


class ModelGone(ModelUnavailable):
    """No row can be answered any more."""


class RowAnswers(ABC):
    """Answers the rows of a batch. A subclass chooses the request and the form of the lines."""

    id_field = "id"

    def __init__(self, engine: Engine, policy: RowRetryPolicy | None = None) -> None:
        self._engine = engine
        self._policy = policy or RowRetryPolicy()

    async def answer(self, row: AnyRow) -> Outcome:
        """Raises only ModelGone; every other error becomes an outcome."""
        if isinstance(row, UnreadableRow):
            return self._failure(row.number, None, row.error)
        name = row_id(row, self.id_field)
        try:
            return await self._answer(row, name)
        except ModelGone:
            raise
        except CspsError as exc:
            return self._failure(row.number, name, exc)
        except Exception:
            log.exception("row_failed", row=row.number)
            return self._failure(row.number, name, CspsError("something went wrong on our side"))

    async def _retry(self, attempt_once: Callable[[], Awaitable[Result]]) -> Result:
        """Raises the errors of `attempt_once`; ModelGone if no model is left."""
        for attempt in range(self._policy.attempts):
            try:
                return await attempt_once()
            except Stopping as exc:
                raise ModelGone(exc.message) from exc
            except (Overloaded, ModelUnavailable) as exc:
                failure = exc
            log.info("row_attempt_failed", code=failure.code, attempt=attempt)
            if attempt + 1 < self._policy.attempts:
                await asyncio.sleep(self._policy.pause_after(attempt + 1, failure))
        try:  # if the model answers others, this very row killed it or kept it busy
            await self._engine.ready()
        except CspsError as exc:
            raise ModelGone(exc.message) from exc
        raise failure

    @abstractmethod
    async def _answer(self, row: Row, name: Json) -> Outcome: ...

    @abstractmethod
    def _failure(self, number: int, name: Json, error: CspsError) -> Outcome: ...


class ToilAnswers(RowAnswers):
    """Outcomes as `{"row", "id"?, "value", "masked"?}` or `{"row", "id"?, "error": {"code", "message"}}`."""

    def __init__(self, engine: Engine, job: Job, policy: RowRetryPolicy | None = None) -> None:
        super().__init__(engine, policy)
        self._job = job

    async def _answer(self, row: Row, name: Json) -> Outcome:
        task = self._job.build_task(row)
        toiled = await self._retry(lambda: self._engine.toil(task))
        line = {**line_head(row.number, name), "value": toiled.value}
        if toiled.masked:
            line["masked"] = [{"kind": each.kind, "count": each.count} for each in toiled.masked]
        return Outcome(row.number, line, usage=toiled.usage)

    def _failure(self, number: int, name: Json, error: CspsError) -> Outcome:
        failure: Json = {"code": error.code, "message": error.message}
        return Outcome(number, {**line_head(number, name), "error": failure}, error.code)


def line_head(number: int, name: Json) -> dict[str, Json]:
    return {"row": number} if name is None else {"row": number, "id": name}
