"""What becomes of an event of Discord's: the intake is told. Owns no policy, and nothing that a restart may lose."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import discord
import structlog

from bindings.delivery.outlet import DeliveryError, Gone, Refused
from bindings.discord import interactions, mapping, words
from bindings.discord.calls import Calls
from bindings.discord.destinations import FOLLOW_UP, ORIGINAL
from bindings.discord.interactions import Press
from bindings.discord.mapping import Payload
from bindings.discord.rendering import NOBODY, SUPPRESS_EMBEDS
from bindings.discord.surroundings import Surroundings
from bindings.incoming import IncomingMessage
from bindings.intake.intake import Intake
from core.contract import Language
from core.errors import CspsError, StorageError
from core.runtime.backoff import NO_JITTER, Backoff
from core.texts import error_text

log = structlog.get_logger()

ALREADY = 40060  # acknowledged before, by a try whose outcome was unknown
BACKOFF = Backoff(first_s=1.0, limit_s=30.0, jitter=NO_JITTER)
AGAIN_LIMIT_S = 1.5  # before an acknowledgement is tried once more: it has three seconds in all


class Messages:
    """Events that are taken in their order. `follows`: others' messages can be read, so threads need no mentions."""

    def __init__(self, intake: Intake, surroundings: Surroundings, *, follows: bool) -> None:
        self._intake = intake
        self._surroundings = surroundings
        self._follows = follows

    async def take(self, kind: str, data: Payload) -> None:
        """Raises Stopping: then it was not taken, and must be taken by the next process.

        Discord delivers no event again, so one that cannot be written down waits here until it can.
        """
        pauses = BACKOFF.pauses()
        while (problem := await self._try_to_take(kind, data)) is not None:
            log.error("event_waits_for_storage", platform="discord", kind=kind, problem=problem.message)
            await asyncio.sleep(next(pauses))

    async def _try_to_take(self, kind: str, data: Payload) -> StorageError | None:
        """What kept it from being written down."""
        try:
            await self._take(kind, data)
        except StorageError as exc:
            return exc
        return None

    async def _take(self, kind: str, data: Payload) -> None:
        match kind:
            case "MESSAGE_CREATE":
                incoming = await self._incoming(data)
                if incoming is not None:
                    await self._intake.take(incoming)
            case "MESSAGE_DELETE":
                await self._withdrawn(data, [data["id"]])
            case "MESSAGE_DELETE_BULK":
                await self._withdrawn(data, data["ids"])
            case "GUILD_DELETE" if not data.get("unavailable"):  # else it is only away for a while
                await self._intake.forget_workspace(str(data["id"]))

    async def _incoming(self, data: Payload) -> IncomingMessage | None:
        around = await self._surroundings.of(data)
        if mapping.to_prompt(data, replace(around, taking_part=self._follows)) is None:
            return None  # most messages; nothing more is asked about them
        around = replace(around, parent=await self._surroundings.parent_of(data))
        incoming = mapping.to_prompt(data, around)
        if incoming is not None or around.parent is None:
            return incoming
        followed = mapping.to_prompt(data, replace(around, taking_part=True))
        return followed if followed and await self._intake.is_participating(followed.place) else None

    async def _withdrawn(self, data: Payload, deleted: list[str]) -> None:
        place = mapping.place_of(data, await self._surroundings.parent_of(data))
        for message in deleted:
            await self._intake.withdraw_question(place, str(message))


class Interactions:
    """Slash commands and buttons: acknowledged at once, within Discord's three seconds."""

    def __init__(self, intake: Intake, calls: Calls) -> None:
        self._intake = intake
        self._calls = calls

    async def take(self, data: Payload) -> None:
        if data.get("type") not in (interactions.COMMAND, interactions.COMPONENT):
            return
        if not await self._acknowledged(data):
            return
        if press := interactions.press_of(data):
            await self._pressed(press, data)
        elif incoming := interactions.to_prompt(data):
            await self._asked(incoming, data)

    async def _acknowledged(self, data: Payload) -> bool:
        """False: too late, or never; Discord has told the person so."""
        for last in (False, True):
            try:
                await self._callback(data)
            except (Gone, Refused) as exc:
                return is_repeat(exc) or self._lost(exc)
            except DeliveryError as exc:
                if last:
                    return self._lost(exc)
                await asyncio.sleep(min(AGAIN_LIMIT_S, exc.retry_after_s or 0.0))
            else:
                return True
        return False

    async def _callback(self, data: Payload) -> None:
        ids = {"webhook_id": str(data["id"]), "webhook_token": str(data["token"])}
        path = "/interactions/{webhook_id}/{webhook_token}/callback"
        await self._calls.ask("answer", "POST", path, ids, json=interactions.acknowledgement(data))

    def _lost(self, exc: DeliveryError) -> bool:
        log.warning("interaction_not_acknowledged", platform="discord", problem=exc.message)
        return False

    async def _asked(self, incoming: IncomingMessage, data: Payload) -> None:
        if sentence := await self._refused(incoming):
            await self._say(data, sentence)

    async def _refused(self, incoming: IncomingMessage) -> str | None:
        """Why it was not taken, in the person's language: silence would leave "thinking …" there."""
        language: Language = incoming.language or "en"
        try:
            if rejection := self._intake.rejection(incoming, language):
                return rejection
            await self._intake.take(incoming)
        except CspsError as exc:
            log.warning("event_take_failed", platform="discord", code=exc.code, problem=exc.message)
            return error_text(exc, language)
        return None

    async def _pressed(self, press: Press, data: Payload) -> None:
        match press.verb:
            case "regenerate":
                if sentence := await self._refused(interactions.again(press, data)):
                    await self._say_beside(data, sentence)
            case "stop" if interactions.allowed(press):
                await self._intake.stop_answer(press.place, press.message)
            case "stop":
                await self._say(data, words.NOT_YOURS[press.language])
            case "good" | "bad":
                await self._say(data, await self._judged(press, press.verb))

    async def _judged(self, press: Press, verb: str) -> str:
        value: interactions.Judgement = "good" if verb == "good" else "bad"
        try:
            known = await self._intake.record_feedback(press.answer, press.speaker, value)
        except CspsError as exc:
            log.warning("feedback_not_stored", platform="discord", code=exc.code, problem=exc.message)
            return words.NOT_DONE[press.language]
        return (words.THANKS if known else words.NO_SUCH_ANSWER)[press.language]

    async def _say(self, data: Payload, text: str) -> None:
        """In place of "thinking …"."""
        await self._tell(data, "PATCH", ORIGINAL, text, SUPPRESS_EMBEDS)

    async def _say_beside(self, data: Payload, text: str) -> None:
        """To that person alone: what "@original" names here is the answer under which they pressed."""
        await self._tell(data, "POST", FOLLOW_UP, text, SUPPRESS_EMBEDS | interactions.ONLY_TO_THEM)

    async def _tell(self, data: Payload, method: str, path: str, text: str, flags: int) -> None:
        ids = {"webhook_id": str(data["application_id"]), "webhook_token": str(data["token"])}
        body = {"content": text, "allowed_mentions": NOBODY, "flags": flags}
        await self._calls.ask("answer", method, path, ids, json=body)


def is_repeat(exc: DeliveryError) -> bool:
    return isinstance(exc.__cause__, discord.HTTPException) and exc.__cause__.code == ALREADY
