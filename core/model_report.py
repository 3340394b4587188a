"""The models in the report of /readyz: those that answer now, and those that others stand in for."""

from __future__ import annotations

import asyncio
from dataclasses import asdict
from typing import Any

from core.contract import DESCRIBE_WAIT_S, Description, Engine
from core.errors import CspsError


async def report_models(engine: Engine) -> dict[str, Any]:
    """Returns `models` (names) and `next_models` (as in /describe) of all personalities, each model once.

    Also `engines` if some are behind URLs.
    """
    found = await asyncio.gather(*(describe(engine, name) for name in engine.personalities()))
    described = [each for each in found if each]
    engines = [asdict(each) for each in engine.engines()]
    return {
        "models": list(dict.fromkeys(each.model for each in described if each.model)),
        "next_models": [asdict(each) for each in dict.fromkeys(each.next_model for each in described) if each],
        **({"engines": engines} if engines else {}),
    }


async def describe(engine: Engine, personality: str, wait_s: float = DESCRIBE_WAIT_S) -> Description | None:
    """The description; None if the engine raises an error, as for a personality that was removed meanwhile."""
    try:
        return await engine.describe(personality, wait_s)
    except CspsError:
        return None
