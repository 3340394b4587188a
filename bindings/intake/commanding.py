"""Does what a command wants, and tells that it is done. A command may be done twice: a process may die in between."""

from __future__ import annotations

import math
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace

from bindings import words
from bindings.bot import Bot, Voice
from bindings.delivery.deliver import tell
from bindings.delivery.manner import Ending, Manner
from bindings.delivery.outlet import Sentences
from bindings.delivery.words import STOPPED
from bindings.incoming import Command
from bindings.intake import commands
from bindings.intake.admission import Limiter
from bindings.intake.answering import Answering
from bindings.intake.notices import help_text, personality_list
from bindings.intake.workload import Work
from bindings.store import DeliveryLedger, Kind, Record

Said = Callable[[Record, Voice], Awaitable[str]]


class Commanding:
    def __init__(self, bot: Bot, answering: Answering, limiter: Limiter) -> None:
        self._bot = bot
        self._answering = answering
        self._limiter = limiter
        self._said: Mapping[Kind, Said] = {
            "help": self._help,
            "stop": self._nothing_to_stop,
            "forget": self._forget,
            "personality": self._personality,
            "limited": self._limited,
        }

    async def perform(self, work: Work, record: Record) -> Ending | None:
        """As `Answering.answer`, for a job may be done again. Raises StorageError; it may then be asked once more."""
        kind = record.delivery.kind
        if kind == "regenerate":
            return await self._regenerate(work, record)
        if kind == "refused":
            return await self._refuse(work, record)
        voice = await self._bot.voice(record.incoming)
        text = STOPPED[voice.language] if work.has_stopped else await self._said[kind](record, voice)
        return await self._tell(work, record, voice, text)

    async def tell(self, work: Work, record: Record, sentence: Sentences) -> Ending:
        """Whoever asked, in place of an answer."""
        voice = await self._bot.voice(record.incoming)
        return await self._tell(work, record, voice, sentence[voice.language])

    async def _tell(self, work: Work, record: Record, voice: Voice, text: str) -> Ending:
        incoming = record.incoming
        ledger = DeliveryLedger(self._bot.store, record, begun_before=work.begun_before)
        manner = Manner(
            voice.language,
            record.delivery.answer,
            channel=incoming.place.channel,
            withdrawn=work.withdrawn,
            means=self._bot.means,
        )
        outcome = await tell(text, self._bot.outlet(incoming, voice), ledger, manner)
        return outcome.ending

    async def _regenerate(self, work: Work, record: Record) -> Ending | None:
        """In the messages of the answer that it replaces, if that was given in the same conversation."""
        incoming = record.incoming
        original = await self._bot.store.latest(incoming.place, record.delivery.number, command_of(record).argument)
        if original is None:
            voice = await self._bot.voice(incoming)
            return await self._tell(work, record, voice, words.NOTHING_TO_REGENERATE[voice.language])
        chosen = Command("regenerate", original.delivery.answer)
        if incoming.command != chosen:  # else another answer may be the last one, once this turns out to be a job
            await self._bot.store.means(record.delivery.number, replace(incoming, command=chosen))
        # A file that went with the answer belongs to what it was before.
        return await self._answering.answer(work, replace(original, uploaded=record.uploaded), again=True)

    async def _refuse(self, work: Work, record: Record) -> Ending:
        """Once to each person."""
        if await self._bot.store.was_told(record.incoming, "refused"):
            return "delivered"
        voice = await self._bot.voice(record.incoming)
        ending = await self._tell(work, record, voice, words.REFUSED[voice.language])
        if ending == "delivered":
            await self._bot.store.told(record.incoming, "refused")
        return ending

    async def _help(self, _record: Record, voice: Voice) -> str:
        return await help_text(self._bot, voice)

    async def _nothing_to_stop(self, _record: Record, voice: Voice) -> str:
        return words.NOTHING_TO_STOP[voice.language]

    async def _limited(self, record: Record, voice: Voice) -> str:
        return limited(self._limiter.wait_s(record.incoming.speaker))[voice.language]

    async def _forget(self, record: Record, voice: Voice) -> str:
        if record.incoming.begins:
            return words.NOTHING_FORGOTTEN[voice.language]
        place = record.incoming.place
        await self._bot.forget(place)
        await self._bot.store.forget(place, before=record.delivery.number)
        apart = [words.THREADS_APART[voice.language]] if place.threaded else []
        return " ".join([words.FORGOTTEN[voice.language], *apart])

    async def _personality(self, record: Record, voice: Voice) -> str:
        name = command_of(record).argument
        if not name:
            return personality_list(self._bot, voice)
        if name not in self._bot.personalities.names():
            return f"{words.PERSONALITY_UNKNOWN[voice.language]}\n\n{personality_list(self._bot, voice)}"
        place = record.incoming.place
        await self._bot.store.choose(place, name)
        only_threads = place.threaded and place.kind != "personal"
        sentence = words.PERSONALITY_CHOSEN_FOR_THREADS if only_threads else words.PERSONALITY_CHOSEN
        told = sentence[voice.language].format(title=self._bot.personalities.get(name).title)
        return " ".join([told, *([words.THREADS_KEEP[voice.language]] if place.threaded else [])])


def limited(wait_s: float) -> Sentences:
    minutes = max(1, math.ceil(wait_s / 60))
    return {language: sentence.format(minutes=minutes) for language, sentence in words.LIMITED.items()}


def command_of(record: Record) -> Command:
    command = commands.command_of(record.incoming)
    assert command is not None, "it was taken as a command"
    return command
