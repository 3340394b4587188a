"""Asks a model internal questions, such as which sources to read, with one attempt each.

The starter model is too weak. So is a model whose engine ignores `response_format`: after an answer that does not
conform, it is not asked again for RECHECK_S. One that needs more than DEADLINE_S is not asked for SLOW_RECHECK_S,
because people would wait for it at every question.
"""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Awaitable, Callable, Mapping

import structlog

from core.configuration.personalities import Personality
from core.contract import Json, Sampling, Task, ToilResult
from core.errors import BudgetExhausted, ModelRefused, NonConforming, SchemaRefused
from core.model.client import ModelClient
from core.rag.deciding import DEADLINE_S

log = structlog.get_logger()

DECISION_TOKENS = 128
RECHECK_S = 3600.0
SLOW_RECHECK_S = 300.0


class Decisions:
    """One per engine. `toil`: makes one attempt at a task."""

    def __init__(
        self,
        client: ModelClient,
        toil: Callable[[Task], Awaitable[ToilResult]],
        now_s: Callable[[], float] = time.monotonic,
        deadline_s: float = DEADLINE_S,
    ) -> None:
        self._client = client
        self._toil = toil
        self._now_s = now_s
        self._deadline_s = deadline_s
        self._asked_again_s: dict[str, float] = {}  # by model that failed: the time from which it is asked again

    async def decide(self, personality: Personality, prompt: str, schema: Mapping[str, Json]) -> Json:
        """Returns a value that conforms to the schema, or None if the model cannot decide. Raises ModelError."""
        task = Task(personality.name, prompt, schema, sampling=Sampling(temperature=0, max_tokens=DECISION_TOKENS))
        name = ""  # of the model, once it is known
        try:
            async with asyncio.timeout(self._deadline_s):
                model = await self._client.info(personality.model_id)
                name = model.name
                if model.starter or self._now_s() < self._asked_again_s.get(name, -math.inf):
                    return None
                return (await self._toil(task)).value
        except (NonConforming, BudgetExhausted, SchemaRefused, ModelRefused) as exc:
            self._pause(name, exc.code, RECHECK_S)
        except TimeoutError:
            self._pause(name, "slow", SLOW_RECHECK_S)
        return None

    def _pause(self, model: str, problem: str, recheck_s: float) -> None:
        log.warning("model_cannot_decide", code=problem, recheck_s=recheck_s)
        self._asked_again_s[model] = self._now_s() + recheck_s
