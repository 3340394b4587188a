"""The way from one message's events to its place: in which manner, under which notices, and with which files.

Owns what stands under an answer. How a platform is written to is in `bindings.delivery`.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from dataclasses import replace

import structlog

from bindings import words
from bindings.bot import Bot, footer
from bindings.delivery.deliver import deliver, tell, uploaded
from bindings.delivery.manner import Ending, Manner
from bindings.delivery.outlet import Outlet, Refused, Upload
from bindings.intake.asked import Asked
from bindings.intake.workload import Work
from bindings.store import DeliveryLedger
from core.contract import Event

log = structlog.get_logger()

TOLD = ("delivered", "stopped", "failed")  # somebody saw how it ended

Events = AsyncGenerator[Event, None]


class Delivering:
    """The way from one message's events to its place."""

    def __init__(self, bot: Bot, work: Work, asked: Asked) -> None:
        self._bot = bot
        self.work = work
        self.asked = asked
        self.job = work.delivery.answer  # a job that is done again is another one
        self._outlet: Outlet = bot.outlet(asked.incoming, asked.voice)
        self._ledger = DeliveryLedger(bot.store, asked.record, begun_before=work.begun_before)
        self._sent = asked.record.uploaded
        self._manner = Manner(asked.voice.language, asked.record.delivery.answer, means=bot.means)
        work.ledger = self._ledger

    async def model(self) -> str | None:
        """The name of the model that answers, where it is known beforehand."""
        described = await self._bot.description(self.asked.voice.personality)
        return described.model if described else None

    async def deliver(self, events: Events, *, stops: bool = True) -> Ending:
        """`stops`: the wish to stop ends the delivery; otherwise the events see to it themselves."""
        manner = await self._mannered(stops=stops)
        outcome = await deliver(events, self._outlet, self._ledger, manner)
        if outcome.done:
            self._bot.metrics.used(outcome.done.usage)
        if outcome.ending in TOLD and not await self._bot.store.was_told(self.asked.incoming, "privacy"):
            await self._bot.store.told(self.asked.incoming, "privacy")
        return outcome.ending

    async def tell(self, text: str) -> Ending:
        outcome = await tell(text, self._outlet, self._ledger, self._manner)
        return outcome.ending

    async def send(self, upload: Upload) -> bool:
        """A file that goes with the answer, once. False: it has to be shown instead."""
        if self._sent:
            return True
        try:
            self._sent = await uploaded(upload, self._outlet, self._ledger, replace(self._manner, answer=self.job))
        except Refused as exc:
            log.warning("upload_refused", answer=self._manner.answer, problem=exc.message)
            return False
        if self._sent:
            await self._bot.store.uploaded(self.work.delivery.number)
        return self._sent

    async def _mannered(self, *, stops: bool) -> Manner:
        voice, work = self.asked.voice, self.work
        notice = await self._notice()
        return replace(
            self._manner,
            channel=self.asked.incoming.place.channel,
            footer=footer(voice.language, await self.model(), labelled=self._outlet.ai_label),
            notice=notice or None,
            stop=work.stop if stops else asyncio.Event(),
            withdrawn=work.withdrawn,
        )

    async def _notice(self) -> str:
        """Under the answer: what was not read of the files, and at the first contact what becomes of what is said."""
        language = self.asked.voice.language
        said = words.shortcomings(self.asked.files, self._bot.settings.bot.file_limit_bytes, language)
        if not await self._bot.store.was_told(self.asked.incoming, "privacy"):
            said.append(words.PRIVACY[language].format(days=self._bot.keep_days))
        return "\n".join(said)
