"""Answers one message: what came along is read, what was said is heard, and it becomes a reply, toil or a job.

Knows neither who may ask nor when: that was decided before.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from dataclasses import replace

import structlog

from bindings import words
from bindings.bot import Bot
from bindings.delivery.manner import Ending
from bindings.delivery.outlet import DeliveryError
from bindings.files import Files, ReadFile, read_files
from bindings.incoming import Incoming
from bindings.intake.asked import Asked, Told, errand_of, found_in, task_of
from bindings.intake.delivering import Delivering
from bindings.intake.notices import help_text
from bindings.intake.workload import Work
from bindings.store import Record
from bindings.toil.job_files import Plan
from bindings.toil.jobs import JobRefused, Jobs
from bindings.toil.reply import explained, refused, toil
from bindings.toil.schemas import Found
from core.contract import Event, Prompt, Turn
from core.errors import BadRequest

log = structlog.get_logger()

HEARD_LIMIT_S = 20.0


class Answering:
    """Of one message at a time, to its end."""

    def __init__(self, bot: Bot, jobs: Jobs) -> None:
        self._bot = bot
        self._jobs = jobs

    async def answer(self, work: Work, record: Record, *, again: bool = False) -> Ending | None:
        """What became of it. `again`: it was answered, and is to be answered anew, in the same place.

        None: it turned out to be a job, which is planned, and is done when it is asked for once more, as work aside.

        Raises StorageError; it may then be asked once more.
        """
        voice = await self._bot.voice(record.incoming, settles=True)
        plan = await self._jobs.planned(work.delivery.answer) if work.begun_before or work.aside else None
        files = Files() if plan else await self._read(record.incoming)
        asked = Asked(record, voice, files, await self._heard(record), again)
        delivering = Delivering(self._bot, work, asked)
        if work.withdrawn.is_set():
            return await delivering.deliver(nothing())  # the engine would remember what was said
        try:
            if plan:
                return await self._job(delivering, plan)
            return await self._answer(delivering, asked)
        except Told as told:
            return await delivering.tell(told.text)
        except BadRequest as exc:
            return await delivering.deliver(refused(exc))

    async def _answer(self, delivering: Delivering, asked: Asked) -> Ending | None:
        """Raises Told, and BadRequest for what cannot be begun as it is."""
        found = found_in(asked)
        if found is None:
            return await delivering.deliver(self._bot.engine.reply(await self._prompt(asked)))
        tables = [file for file in found.files if file.shape in ("csv", "jsonl")]
        if not tables:
            task = task_of(asked, found)
            events = toil(self._bot.engine, task, delivering.send, asked.voice.language)
            return await delivering.deliver(explained(events))
        if len(tables) > 1:
            raise Told(words.SEVERAL_FILES_OF_ROWS[asked.voice.language])
        return await self._job(delivering, await self._plan(delivering, asked, found, tables[0]))

    async def _plan(self, delivering: Delivering, asked: Asked, found: Found, rows: ReadFile) -> Plan:
        try:
            return await self._jobs.plan(delivering.job, errand_of(asked, found, rows))
        except JobRefused as exc:
            raise Told(exc.told(asked.voice.language)) from exc

    async def _job(self, delivering: Delivering, plan: Plan) -> Ending | None:
        """A job ends by itself when it is stopped: what is done is worth having."""
        if not delivering.work.aside:
            return None
        language = delivering.asked.voice.language
        model = await delivering.model() or ""
        events = self._jobs.events(delivering.job, plan, delivering.send, delivering.work.stop, language, model)
        return await delivering.deliver(explained(events), stops=False)

    async def _prompt(self, asked: Asked) -> Prompt:
        """Raises Told where nothing was asked."""
        incoming, voice = asked.incoming, asked.voice
        text = incoming.text.strip()
        if not text and (asked.attachments or incoming.quoted):
            text = words.ABOUT_FILES[voice.language]
        elif not text and asked.heard:
            text = words.ABOUT_HEARD[voice.language]
        elif not text:
            unread = words.unread(asked.files.unread, self._bot.settings.bot.file_limit_bytes, voice.language)
            raise Told("\n".join(unread) or await help_text(self._bot, voice))
        prompt = incoming.prompt(voice.personality.name, asked.attachments, asked.heard)
        return replace(prompt, text=text, language=voice.language, again=asked.again)

    async def _read(self, incoming: Incoming) -> Files:
        return await read_files(
            self._bot.engine, self._bot.platform, incoming.files, self._bot.settings.bot.file_limit_bytes
        )

    async def _heard(self, record: Record) -> tuple[Turn, ...]:
        """What the thread said before; the message is answered without it where the platform does not tell."""
        if record.heard is not None:
            return record.heard
        try:
            async with asyncio.timeout(HEARD_LIMIT_S):
                heard = await self._bot.platform.heard(record.incoming)
        except DeliveryError as exc:
            log.warning("thread_not_heard", platform=self._bot.platform.name, problem=exc.message)
            return ()
        except TimeoutError:
            log.warning("thread_not_heard", platform=self._bot.platform.name, limit_s=HEARD_LIMIT_S)
            return ()
        await self._bot.store.heard(record.delivery.number, heard)
        return heard


async def nothing() -> AsyncGenerator[Event, None]:
    """The events of what nobody asks any more."""
    return
    yield
