"""One row's outcome from the engine: its value, or why there is none. Waits while the model is busy or away.

A row that fails is an outcome like any other. Only a model that is gone altogether ends the batch, which can then be
gone on with; so can one that the process is being stopped under.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import TypeVar

import structlog

from core.contract import Engine, Json, Usage
from core.errors import CspsError, ModelUnavailable, Overloaded, Stopping
from core.runtime.backoff import Backoff
from core.toil.batch.job import Job, id_of
from core.toil.batch.rows import AnyRow, Broken

log = structlog.get_logger()

Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class Outcome:
    """`line` is what is written of it; `code` is its error's, None where there is a value."""

    number: int
    line: dict[str, Json]
    code: str | None = None
    usage: Usage = field(default_factory=Usage)


@dataclass(frozen=True, slots=True)
class Patience(Backoff):
    """How often a row is asked while the model cannot take it, and how long is waited before each time but the first.

    The engine waits by itself for a model that is being restarted; this comes on top.
    """

    attempts: int = 5

    def pause_after(self, failures: int, error: CspsError) -> float:
        """Returns the pause in seconds. It is not shorter than the engine's Retry-After, up to `limit_s`."""
        return self.pause_s(failures, at_least_s=min(error.retry_after_s or 0.0, self.limit_s))


class Asker:
    """Asks again and again, and knows a model that is busy from one that is gone."""

    def __init__(self, engine: Engine, patience: Patience) -> None:
        self._engine = engine
        self._patience = patience

    async def ask(self, once: Callable[[], Awaitable[Result]]) -> Result:
        """Raises what `once` raises; ModelGone if there is no model to ask any more."""
        for attempt in range(self._patience.attempts):
            try:
                return await once()
            except Stopping as exc:
                raise ModelGone(exc.message) from exc
            except (Overloaded, ModelUnavailable) as exc:
                failure = exc
            log.info("row_waits", code=failure.code, attempt=attempt)
            if attempt + 1 < self._patience.attempts:
                await asyncio.sleep(self._patience.pause_after(attempt + 1, failure))
        await self._still_there()
        raise failure

    async def _still_there(self) -> None:
        # A model that answers others was killed, or kept busy, by this very row.
        try:
            await self._engine.ready()
        except CspsError as exc:
            raise ModelGone(exc.message) from exc


class ModelGone(ModelUnavailable):
    """No row can be answered any more."""


class ToilAnswers:
    """Outcomes as `{"row", "id"?, "value"}` or `{"row", "id"?, "error": {"code", "message"}}`."""

    def __init__(self, engine: Engine, job: Job, patience: Patience | None = None) -> None:
        self._engine = engine
        self._job = job
        self._asker = Asker(engine, patience or Patience())

    async def answer(self, row: AnyRow) -> Outcome:
        """Raises ModelGone, and nothing else on purpose."""
        if isinstance(row, Broken):
            return failed(row.number, None, row.error)
        name = id_of(row)
        try:
            task = self._job.task(row)
            toiled = await self._asker.ask(lambda: self._engine.toil(task))
        except ModelGone:
            raise
        except CspsError as exc:
            return failed(row.number, name, exc)
        except Exception:
            log.exception("row_failed", row=row.number)
            return failed(row.number, name, CspsError("something went wrong on our side"))
        return Outcome(row.number, {**head(row.number, name), "value": toiled.value}, usage=toiled.usage)


def failed(number: int, name: Json, error: CspsError) -> Outcome:
    line: dict[str, Json] = {**head(number, name), "error": {"code": error.code, "message": error.message}}
    return Outcome(number, line, error.code)


def head(number: int, name: Json) -> dict[str, Json]:
    return {"row": number} if name is None else {"row": number, "id": name}
