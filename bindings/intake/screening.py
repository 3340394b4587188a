"""Takes personal information out of messages before the bot records them.

The engine screens each prompt again, with its files. Here is what the database of the bots holds: the message itself,
and the other messages of its thread.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from bindings.incoming import AttachedFile, BotCommand, FoundParts, IncomingMessage, ThreadMessages, UnreadPart
from bindings.intake.bot import Bot, LocalizedPersonality
from bindings.intake.commands import message_language
from core.contract import Attachment, PersonalInformation
from core.privacy.screening import Screen, screen_attachments, screen_message
from core.screening import run_beside_loop
from core.texts.personal_information import add_counts


class MessageScreening:
    def __init__(self, bot: Bot) -> None:
        self._bot = bot

    async def screen(self, incoming: IncomingMessage) -> IncomingMessage:
        """The message as it may be stored. Raises PersonalInformationRefused, StorageError."""
        language = message_language(incoming)
        name = await self._bot.personality_name(incoming.place, language)
        personality = self._bot.personalities.get(name)
        screen = self._bot.screener.screen(name, incoming.place.platform, language or personality.language)
        return await run_beside_loop(lambda: screen_incoming(incoming, screen), size_of(incoming))

    async def screen_thread(
        self, messages: ThreadMessages, incoming: IncomingMessage, localized: LocalizedPersonality
    ) -> ThreadMessages:
        """The thread's messages as they may be stored. What others wrote is masked and never refused."""
        name = localized.personality.name
        screen = self._bot.screener.screen(name, incoming.place.platform, localized.language)
        chars = sum(len(turn.text) for turn in messages.turns)
        return await run_beside_loop(lambda: screen_messages(messages, screen), chars)


def screen_incoming(incoming: IncomingMessage, screen: Screen) -> IncomingMessage:
    screened = replace(
        incoming,
        text=screen.own(incoming.text),
        files=screen_files(incoming.files, screen),
        quoted=screen_attachments(incoming.quoted, screen),
        unread=screen_unread(incoming.unread, screen),
        command=incoming.command and screen_command(incoming.command, screen),
    )
    masked = screen.masked()
    return replace(screened, masked=masked.found) if masked else screened


def screen_command(command: BotCommand, screen: Screen) -> BotCommand:
    """Only a command about documents has words of the person as its argument."""
    return replace(command, argument=screen.own(command.argument)) if command.name == "facts" else command


def screen_messages(messages: ThreadMessages, screen: Screen) -> ThreadMessages:
    found = messages.found
    screened = replace(
        messages,
        turns=tuple(screen_message(turn, screen) for turn in messages.turns),
        files=tuple(replace(file, name=screen.foreign(file.name)) for file in messages.files),
        found=FoundParts(
            tuple(replace(file, name=screen.foreign(file.name)) for file in found.files),
            tuple(
                Attachment(screen.foreign(each.name), screen.foreign(each.text), each.omissions)
                for each in found.quoted
            ),
            tuple(replace(part, name=screen.foreign(part.name)) for part in found.unread),
        ),
        unread=tuple(replace(part, name=screen.foreign(part.name)) for part in messages.unread),
    )
    masked = screen.masked()
    return replace(screened, masked=masked.found) if masked else screened


def screen_files(files: Iterable[AttachedFile], screen: Screen) -> tuple[AttachedFile, ...]:
    return tuple(replace(file, name=screen.own(file.name)) for file in files)


def screen_unread(unread: Iterable[UnreadPart], screen: Screen) -> tuple[UnreadPart, ...]:
    return tuple(replace(part, name=screen.own(part.name)) for part in unread)


def masked_in(incoming: IncomingMessage, thread: ThreadMessages) -> tuple[PersonalInformation, ...]:
    """What was taken out of a message and its thread before they were stored."""
    return add_counts(incoming.masked, thread.masked)


def size_of(incoming: IncomingMessage) -> int:
    return len(incoming.text) + sum(len(each.text) for each in incoming.quoted)
