"""Runs commands and confirms them. A command may run twice, because a process may crash before it is finished."""

from __future__ import annotations

import math
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace

from bindings.delivery.context import DeliveryEnding, DeliveryOptions
from bindings.delivery.deliver import deliver_notice
from bindings.delivery_records import DeliveryKind, DeliveryRecord
from bindings.incoming import AttachedFile, BotCommand
from bindings.intake.admission import UserRateLimit
from bindings.intake.bot import Bot, LocalizedPersonality
from bindings.intake.commands import find_command, parse_facts_command
from bindings.intake.conversation_queue import DeliveryTask
from bindings.intake.facts_commands import FactsCommands
from bindings.intake.message_handler import MessageHandler
from bindings.store import DeliveryLedger
from core.contract import Language
from core.errors import PersonalInformationRefused
from core.texts import error_text, masked_text, text

NoticeBuilder = Callable[[DeliveryRecord, LocalizedPersonality], Awaitable[str]]


class CommandHandler:
    """Runs one command at a time, and posts the notices of the bot."""

    def __init__(self, bot: Bot, messages: MessageHandler, rate_limit: UserRateLimit) -> None:
        self._bot = bot
        self._messages = messages
        self._rate_limit = rate_limit
        self._replies: Mapping[DeliveryKind, NoticeBuilder] = {
            "help": self._help,
            "stop": self._nothing_to_stop,
            "forget": self._forget,
            "personality": self._personality,
            "limited": self._limited,
            "blocked": self._blocked,
            "share": self._share,
            "facts": self._facts,
        }
        self._facts_commands = FactsCommands(bot.editing, bot.platform, bot.settings.bot.file_limit_bytes)

    async def handle(self, task: DeliveryTask, record: DeliveryRecord) -> DeliveryEnding | None:
        """Runs a command. None: a repeated job, as in `MessageHandler.handle`. Raises StorageError; then retry."""
        kind = record.delivery.kind
        if kind == "regenerate":
            return await self._regenerate(task, record)
        if kind == "refused":
            return await self._refuse(task, record)
        localized = await self._bot.choose_personality(record.incoming)
        if task.stopped_another:
            return await self._post_notice(task, record, localized, text("delivery-stopped", localized.language))
        return await self._post_notice(task, record, localized, await self._replies[kind](record, localized))

    async def post_notice(self, task: DeliveryTask, record: DeliveryRecord, key: str) -> DeliveryEnding:
        """Posts a text of the catalogue in place of an answer."""
        localized = await self._bot.choose_personality(record.incoming)
        return await self._post_notice(task, record, localized, text(key, localized.language))

    async def _post_notice(
        self, task: DeliveryTask, record: DeliveryRecord, localized: LocalizedPersonality, notice: str
    ) -> DeliveryEnding:
        incoming = record.incoming
        ledger = DeliveryLedger(self._bot.store, record, resumed=task.resumed)
        options = DeliveryOptions(
            localized.language,
            record.delivery.answer_id,
            channel=incoming.place.channel,
            withdrawn=task.withdrawn,
            context=self._bot.delivery_context,
        )
        outcome = await deliver_notice(notice, self._bot.outlet(incoming, localized), ledger, options)
        task.reason = outcome.reason
        return outcome.ending

    async def _regenerate(self, task: DeliveryTask, record: DeliveryRecord) -> DeliveryEnding | None:
        """Replaces an answer of the same conversation, in the messages that hold it."""
        incoming, store = record.incoming, self._bot.store
        wanted = require_command(record).argument
        original = await store.latest_answer(incoming.place, record.delivery.number, wanted)
        if original is None:
            localized = await self._bot.choose_personality(incoming)
            return await self._post_notice(task, record, localized, text("bot-regenerate-nothing", localized.language))
        resolved = BotCommand("regenerate", original.delivery.answer_id)
        if incoming.command != resolved:  # a job runs later, when another answer may be the latest
            await store.save_incoming(record.delivery.number, replace(incoming, command=resolved))
        # A file that was sent belongs to the previous version of the answer.
        return await self._messages.handle(task, replace(original, uploaded=record.uploaded), again=True)

    async def _refuse(self, task: DeliveryTask, record: DeliveryRecord) -> DeliveryEnding:
        """Posts the refusal once to each person."""
        if await self._bot.store.has_seen_notice(record.incoming, "refused"):
            return "delivered"
        localized = await self._bot.choose_personality(record.incoming)
        ending = await self._post_notice(task, record, localized, text("bot-refused", localized.language))
        if ending == "delivered":
            await self._bot.store.record_notice(record.incoming, "refused")
        return ending

    async def _help(self, _record: DeliveryRecord, localized: LocalizedPersonality) -> str:
        help_text = await self._bot.help_text(localized)
        if not self._facts_commands.is_set_up:
            return help_text
        return f"{help_text}\n\n{text('bot-facts-usage', localized.language)}"

    async def _facts(self, record: DeliveryRecord, localized: LocalizedPersonality) -> str:
        command = parse_facts_command(require_command(record).argument)
        if command is None:
            return text("bot-facts-usage", localized.language)
        adds_files = command.action == "add" and not command.subject
        files = await self._files_to_add(record) if adds_files else ()
        reply = await self._facts_commands.reply(command, record.incoming, files, localized.language)
        masked = record.incoming.masked
        return f"{reply}\n\n{masked_text(masked, localized.language)}" if masked else reply

    async def _files_to_add(self, record: DeliveryRecord) -> tuple[AttachedFile, ...]:
        """The files of the command; without any, those of the thread in which it stands."""
        return await self._messages.question_files(record) or await self._messages.thread_files(record)

    async def _nothing_to_stop(self, _record: DeliveryRecord, localized: LocalizedPersonality) -> str:
        return text("bot-stop-nothing", localized.language)

    async def _limited(self, record: DeliveryRecord, localized: LocalizedPersonality) -> str:
        return explain_limit(self._rate_limit.wait_s(record.incoming.speaker), localized.language)

    async def _blocked(self, record: DeliveryRecord, localized: LocalizedPersonality) -> str:
        return error_text(PersonalInformationRefused(record.incoming.masked), localized.language)

    async def _share(self, record: DeliveryRecord, _localized: LocalizedPersonality) -> str:
        """An answer that only one person saw, for everyone."""
        return require_command(record).argument

    async def _forget(self, record: DeliveryRecord, localized: LocalizedPersonality) -> str:
        if record.incoming.is_thread_root:
            return text("bot-forgotten-nothing", localized.language)
        place = record.incoming.place
        await self._bot.forget(place)
        await self._bot.store.forget(place, before=record.delivery.number)
        apart = [text("bot-forgotten-threads", localized.language)] if place.threaded else []
        return " ".join([text("bot-forgotten", localized.language), *apart])

    async def _personality(self, record: DeliveryRecord, localized: LocalizedPersonality) -> str:
        name, language = require_command(record).argument, localized.language
        callers = record.incoming.names
        if not name:
            return self._bot.list_personalities(localized, callers)
        if name not in self._bot.engine.personalities(callers):
            return f"{text('bot-personality-unknown', language)}\n\n{self._bot.list_personalities(localized, callers)}"
        place, title = record.incoming.place, self._bot.personalities.get(name).title
        await self._bot.store.choose_personality(place, name)
        if not place.threaded:
            return text("bot-personality-chosen", language, title=title)
        if place.kind == "personal":
            confirmation = text("bot-personality-chosen", language, title=title)
        else:
            confirmation = text("bot-personality-chosen-threads", language, title=title)
        return f"{confirmation} {text('bot-personality-threads-keep', language)}"


def explain_limit(wait_s: float, language: Language) -> str:
    """Rounds the wait up to whole minutes."""
    return text("bot-limited", language, seconds=60 * max(1, math.ceil(wait_s / 60)))


def require_command(record: DeliveryRecord) -> BotCommand:
    command = find_command(record.incoming)
    assert command is not None, "it was taken as a command"
    return command
