"""Asks a model internal questions, such as which sources to read, with one attempt each.

The starter model is too weak. So is a model whose engine ignores `response_format`: after an answer that does not
conform, it is not asked again for RECHECK_S.
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Mapping

import structlog

from core.configuration.personalities import Personality
from core.contract import Json, Sampling, Task, ToilResult
from core.errors import BudgetExhausted, ModelRefused, NonConforming, SchemaRefused
from core.model.client import ModelClient

log = structlog.get_logger()

DECISION_TOKENS = 128
RECHECK_S = 3600.0


class Decisions:
    """One per engine. `toil`: makes one attempt at a task."""

    def __init__(
        self,
        client: ModelClient,
        toil: Callable[[Task], Awaitable[ToilResult]],
        now_s: Callable[[], float] = time.monotonic,
    ) -> None:
        self._client = client
        self._toil = toil
        self._now_s = now_s
        self._failed_s: dict[str, float] = {}  # by model: the time of its last answer that did not conform

    async def decide(self, personality: Personality, prompt: str, schema: Mapping[str, Json]) -> Json:
        """Returns a value that conforms to the schema, or None if the model cannot decide. Raises ModelError."""
        model = await self._client.info(personality.model)
        failed_s = self._failed_s.get(model.name)
        if model.starter or (failed_s is not None and self._now_s() - failed_s < RECHECK_S):
            return None
        task = Task(personality.name, prompt, schema, sampling=Sampling(temperature=0, max_tokens=DECISION_TOKENS))
        try:
            return (await self._toil(task)).value
        except (NonConforming, BudgetExhausted, SchemaRefused, ModelRefused) as exc:
            log.warning("model_cannot_decide", code=exc.code, recheck_s=RECHECK_S)
            self._failed_s[model.name] = self._now_s()
            return None
