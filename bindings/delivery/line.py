"""The line to the platform: one call at a time, with a deadline, and not too soon after one that failed."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

import structlog

from bindings.delivery.manner import Means
from bindings.delivery.outlet import DeliveryError, Gone, Refused, Throttled, Unreachable

log = structlog.get_logger()

Result = TypeVar("Result")


class Line:
    """Of one delivery. `free_at` is when it may be called again."""

    def __init__(self, means: Means) -> None:
        self._means = means
        self._failures = 0
        self.free_at = 0.0
        self.worked_at = 0.0

    async def call(self, act: Callable[[], Awaitable[Result]]) -> Result:
        """One attempt. Raises Throttled, Unreachable, Gone or Refused; what else the adapter raises is a Refused."""
        try:
            async with asyncio.timeout(self._means.patience.call_s):
                result = await act()
        except (Throttled, Unreachable, Gone, Refused) as exc:
            self._failed(exc)
            raise
        except TimeoutError as exc:
            limit_s = self._means.patience.call_s
            raise self._failed(Unreachable(f"the platform did not answer within {limit_s:g} s")) from exc
        except Exception as exc:
            log.exception("outlet_failed")
            raise self._failed(Refused("the adapter failed; the line above says where")) from exc
        self._worked()
        return result

    async def insist(self, act: Callable[[], Awaitable[Result]]) -> Result:
        """Does `act`, which makes calls, again until it succeeds or all patience is over. Raises as `call`."""
        begun_at = self._means.pace.clock()
        while True:
            try:
                return await act()
            except (Throttled, Unreachable):
                if self.gives_up(begun_at):
                    raise
            await self.pause()

    async def pause(self) -> None:
        """Until it may be called again."""
        await asyncio.sleep(max(0.0, self.free_at - self._means.pace.clock()))

    def gives_up(self, since: float) -> bool:
        """Whether trying again would be beyond all patience, counted from `since` or from the last success."""
        return self.free_at > max(since, self.worked_at) + self._means.patience.final_s

    def _worked(self) -> None:
        self._failures = 0
        self.worked_at = self._means.pace.clock()
        self._means.health.worked()

    def _failed(self, error: DeliveryError) -> DeliveryError:
        if isinstance(error, (Throttled, Unreachable)):
            self._failures += 1
            pause_s = max(self._means.patience.pause_s(self._failures), error.retry_after_s or 0.0)
            self.free_at = self._means.pace.clock() + pause_s
            self._means.health.failed(error)
        return error
