"""Says whether the engine behind LLM_URL answers: when it does not, why, and when it does again.

The service goes on without it (answers wait, and are refused in the end), so this is all that an operator would see.
"""

from __future__ import annotations

import asyncio
from typing import Protocol

from core.cli.announcement import Teller
from core.cli.words import Table, Words
from core.errors import CspsError, ModelUnavailable
from core.model.client import ModelInfo
from core.runtime.network_errors import explain_cause, without_credentials

SOON_S = 2.0  # between questions while it does not answer: it is being waited for
SELDOM_S = 15.0  # and while it does

WORDS: Table = {
    "engine_away": (
        "The engine at {url} (LLM_URL) does not answer: {problem}. It is asked again and again.",
        "Le moteur à {url} (LLM_URL) ne répond pas : {problem}. On lui redemande sans cesse.",
    ),
    "engine_unusable": (
        "The engine at {url} (LLM_URL) cannot be used: {problem}. It is asked again and again.",
        "Le moteur à {url} (LLM_URL) ne peut pas servir : {problem}. On lui redemande sans cesse.",
    ),
    "engine_back": ("The engine at {url} answers: {model}.", "Le moteur à {url} répond : {model}."),
}


class Engine(Protocol):
    """`core.model.client.ModelClient`, as far as it is needed here."""

    async def ready(self) -> None: ...

    async def info(self) -> ModelInfo: ...


class EngineWatch:
    """`seldom_s` and `soon_s`: between two questions, while it answers and while it does not."""

    def __init__(
        self,
        engine: Engine,
        url: str,
        console: Teller,
        words: Words,
        seldom_s: float = SELDOM_S,
        soon_s: float = SOON_S,
    ) -> None:
        self._engine = engine
        self._url = without_credentials(url)
        self._console = console
        self._words = words
        self._seldom_s = seldom_s
        self._soon_s = soon_s
        self._said: str | None = None  # what is wrong, as it was last told

    async def run(self) -> None:
        """Until cancelled. It is polled, because an engine that comes or goes tells nobody."""
        while True:
            problem = await self._problem()
            await asyncio.sleep(self._seldom_s if problem is None else self._soon_s)

    async def _problem(self) -> str | None:
        """Told, if it is another one than before; None if it answers."""
        try:
            await self._engine.ready()
            model = (await self._engine.info()).name
        except CspsError as exc:
            problem = explain_cause(exc, self._words.language)
            if problem != self._said:
                self._said = problem
                event = "engine_away" if isinstance(exc, ModelUnavailable) else "engine_unusable"
                self._tell(event, "error", problem=problem)
            return problem
        if self._said is not None:
            self._said = None
            self._tell("engine_back", "info", model=model)
        return None

    def _tell(self, event: str, level: str, **values: object) -> None:
        self._console.tell(event, self._words(event, url=self._url, **values), level=level, url=self._url, **values)
