"""What administrators see of the service, read from the database and from the other processes when somebody looks."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from core.administration.process_metrics import ProcessMetrics, waiting_and_running
from core.configuration.settings import Settings
from core.contract import Description, Engine, EngineHealth
from core.feedback.entries import FeedbackEntry, load_feedback
from core.feedback.filters import FeedbackFilter
from core.model.client import model_prices
from core.model_report import describe
from core.rag.facts.status import CollectionStatus
from core.records import holding
from core.records.accesses import AccessLog, load_accesses, record_access
from core.records.holding import Hold
from core.statistics.figures import Figures, Price
from core.statistics.reading import Period, read_figures
from core.storage.database import Database

ReadCollections = Callable[[], Awaitable[Sequence[CollectionStatus]]]


@dataclass(frozen=True, slots=True)
class ServiceState:
    """The service at this moment. `queue`: the requests that wait and that run in the model process; None: unknown."""

    personalities: Sequence[Description]
    engines: Sequence[EngineHealth]
    processes: dict[str, bool]  # by name: True if it answers
    queue: tuple[int, int] | None


class AdministrationDesk:
    """Reads for the page /admin."""

    def __init__(self, settings: Settings, database: Database, engine: Engine, collections: ReadCollections) -> None:
        self.currency = settings.admin.currency
        self.process_metrics = ProcessMetrics(settings)
        self._settings = settings
        self._database = database
        self._engine = engine
        self.collections = collections

    async def figures(self, period: Period) -> Figures:
        """Raises StorageError; ConfigError for a models.toml that cannot be read."""
        prices = await asyncio.to_thread(model_prices, self._settings)
        named = {title: Price(prompt, answer) for title, (prompt, answer) in prices.items()}
        return await read_figures(self._database, period, time.time(), named)

    async def feedback(self, who: str, chosen: FeedbackFilter) -> Sequence[FeedbackEntry]:
        """People's verdicts, the newest first. The access is recorded first. Raises StorageError."""
        await record_access(self._database, who, "show", "feedback")
        return await load_feedback(self._database, chosen)

    async def holds(self, who: str) -> tuple[Sequence[Hold], AccessLog]:
        """The holds, and the log of accesses, this one included. Raises StorageError."""
        await record_access(self._database, who, "show", "holds")
        return await self._database.read(holding.find), await load_accesses(self._database)

    async def state(self) -> ServiceState:
        """Waits for other processes for two seconds at most."""
        names = self._engine.personalities()
        texts, *described = await asyncio.gather(
            self.process_metrics.fetch(), *(describe(self._engine, name) for name in names)
        )
        assert isinstance(texts, dict)
        return ServiceState(
            personalities=[each for each in described if isinstance(each, Description)],
            engines=self._engine.engines(),
            processes={name: text is not None for name, text in texts.items()},
            queue=waiting_and_running(texts),
        )
