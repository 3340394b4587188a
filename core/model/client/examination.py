"""Examines an engine for an operator: whether it answers, with which model, and what it can do."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from core.errors import CspsError, ModelTooSlow
from core.model.client.capability_learner import CapabilityLearner
from core.model.client.engine_connection import EngineConnection
from core.model.client.served_models import ModelInfo
from core.openai.dialects import Feature

DEADLINE_S = 60.0  # a large model on a slow engine thinks for long


@dataclass(frozen=True, slots=True)
class EngineExamination:
    """`model`: the id in models.toml; None for LLM_URL. `missing`: what it lacks. `problem`: it cannot be used."""

    model: str | None
    engine: str
    info: ModelInfo | None = None
    missing: tuple[Feature, ...] = ()
    problem: CspsError | None = None


async def examine(model: str | None, engine: EngineConnection, learner: CapabilityLearner) -> EngineExamination:
    """Tries out what nobody knows yet. Raises nothing: a failure is a finding."""
    try:
        async with asyncio.timeout(DEADLINE_S):
            await engine.ready()
            info = await engine.info()
            capabilities = engine.capabilities() if engine.is_declared else await learner.learn(engine, info.name)
    except CspsError as exc:
        return EngineExamination(model, engine.label, problem=exc)
    except TimeoutError:
        return EngineExamination(model, engine.label, problem=ModelTooSlow(f"it took more than {DEADLINE_S:g} s"))
    return EngineExamination(model, engine.label, info, capabilities.missing())
