"""People on the stand-in for Microsoft: what they do reaches the bot's webhook with a signed token."""

from __future__ import annotations

import json
import re
import time
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from itertools import count
from pathlib import Path
from typing import Any

import aiohttp

from bindings.incoming import PlatformName
from bindings.selftest.microsoft_connector import Failure
from bindings.selftest.microsoft_login_server import TENANT
from bindings.selftest.microsoft_server import FakeMicrosoft
from bindings.selftest.recording import Recording, VisibleMessage
from bindings.selftest.script import CommandName, FaultName, PlaceKind, ScriptFile
from bindings.selftest.stage import PERSON, PlayedQuestion, Posted
from core.configuration.settings import Settings
from core.contract import Language

PAYLOADS = Path(__file__).parent / "payloads" / "teams"
FIRST_ID = 1_769_980_000_000
ROOMS: Mapping[PlaceKind, str] = {"channel": "General", "personal": "Whisper"}
LOCALES: Mapping[Language, str] = {"en": "en-CA", "fr": "fr-CA"}
STOP: Mapping[Language, str] = {"en": "stop", "fr": "arrêter"}
COMMANDS: Mapping[tuple[CommandName, Language], str] = {
    ("ask", "en"): "help",
    ("ask", "fr"): "aide",
    ("personality", "en"): "personality",
    ("personality", "fr"): "personnalité",
}
AI_LABEL: Mapping[Language, str] = {"en": "AI generated", "fr": "Généré par IA"}  # Teams' own
MENTION = "<at>Whisper</at> "
DOWNLOAD = "application/vnd.microsoft.teams.file.download.info"
THREAD = re.compile(r";messageid=(\d+)$")
THROTTLED = Failure(429, "TooManyRequests", "Too many requests", retry_after="1")
STREAM_REFUSED = Failure(403, "ContentStreamNotAllowed", "Content stream is not allowed")
EDIT_REFUSED = Failure(400, "BadSyntax", "Incorrectly formatted activity")


class TeamsStage:
    """Implements `bindings.selftest.stage.Stage`."""

    platform: PlatformName = "teams"
    acknowledges = True

    def __init__(self, settings: Settings) -> None:
        self.server = FakeMicrosoft()
        self.recording = Recording(self.visible)
        self._said: dict[str, VisibleMessage] = {}
        self._numbers = count(FIRST_ID)
        self._url = ""
        self._http: aiohttp.ClientSession | None = None

    @asynccontextmanager
    async def serving(self) -> AsyncIterator[None]:
        self.server.middlewares.append(self.recording.middleware)
        async with self.server.serving(), aiohttp.ClientSession() as self._http:
            yield

    def variables(self) -> dict[str, str]:
        return self.server.environ

    async def connect(self, bot_url: str) -> None:
        self._url = bot_url

    def inject(self, fault: FaultName) -> None:
        if fault == "throttled":
            self.server.failures.append(THROTTLED)
        elif fault == "stream_refused":
            self.server.failures.append(STREAM_REFUSED)
        else:
            self.server.failures += [None, EDIT_REFUSED]

    def clear_faults(self) -> bool:
        refused = not self.server.failures
        self.server.failures.clear()
        return refused

    # ------------------------------------------------------------ acts

    async def say(self, question: PlayedQuestion) -> Posted:
        name = "channel" if question.place == "channel" else "personal_file" if question.file else "personal"
        number = str(next(self._numbers))
        activity = self._activity(name, number, question)
        if question.place == "channel":
            root = question.reply_to.payload["conversation"]["id"] if question.reply_to else None
            channel = activity["channelData"]["teamsChannelId"]
            activity["conversation"]["id"] = root or f"{channel};messageid={number}"
        if question.file:
            activity["attachments"] = [self._attach(question.file)]
        self._show_said(number, question, activity["conversation"]["id"])
        return Posted(number, question, await self._deliver(activity), activity)

    async def edit(self, posted: Posted, text: str) -> None:
        self._said[posted.key] = replace(self._said[posted.key], text=f"@Whisper {text}")
        self.recording.observe()
        data = {**posted.payload["channelData"], "eventType": "editMessage"}
        await self._deliver({**posted.payload, "type": "messageUpdate", "text": MENTION + text, "channelData": data})

    async def delete(self, posted: Posted) -> None:
        del self._said[posted.key]
        self.recording.observe()
        data = {**posted.payload["channelData"], "eventType": "softDeleteMessage"}
        kept = {key: value for key, value in posted.payload.items() if key not in ("text", "attachments", "entities")}
        await self._deliver({**kept, "type": "messageDelete", "channelData": data})

    async def stop(self, posted: Posted, answer: VisibleMessage) -> None:
        """Presses Teams' own button on a stream. Other messages have none, so the person writes "stop"."""
        if answer.key in self.server.streams and not self.server.streams[answer.key].over:
            self.server.stopped.add(answer.key)
            return
        question = replace(posted.question, text=STOP[posted.question.language], file=None, reply_to=posted)
        await self.say(question)

    async def command(self, question: PlayedQuestion) -> Posted:
        """Writes the bot's own command, and "help" in place of /ask: Teams has no slash commands."""
        return await self.say(replace(question, text=COMMANDS[question.command, question.language], place="personal"))

    async def rate(self, posted: Posted, answer: VisibleMessage) -> None:
        press = self._activity("feedback_like", f"f:{next(self._numbers)}", posted.question)
        await self._deliver({**press, "replyToId": answer.key, "conversation": posted.payload["conversation"]})

    def _activity(self, name: str, number: str, question: PlayedQuestion) -> dict[str, Any]:
        recorded = read_payload(name)
        data = {**recorded.get("channelData", {}), "tenant": {"id": TENANT}}
        conversation = {**recorded["conversation"], "tenantId": TENANT}
        said = MENTION + question.text if question.place == "channel" else question.text
        person = {"name": PERSON[question.language]}
        if question.language == "fr":
            person |= {"id": f"{recorded['from']['id']}-fr"}
        own: dict[str, Any] = {
            "id": number,
            "serviceUrl": self.server.service_url,
            "locale": LOCALES[question.language],
        }
        own |= {"channelData": data, "conversation": conversation, "from": {**recorded["from"], **person}}
        return {**recorded, **own, **({"text": said, "attachments": []} if "text" in recorded else {})}

    def _attach(self, file: ScriptFile) -> dict[str, Any]:
        self.server.files[file.name] = file.text.encode()
        url = f"{self.server.url}/files/{file.name}"
        content = {"downloadUrl": url, "uniqueId": f"{next(self._numbers)}", "fileType": file.name.rpartition(".")[2]}
        return {"contentType": DOWNLOAD, "contentUrl": url, "name": file.name, "content": content}

    def _show_said(self, number: str, question: PlayedQuestion, conversation: str) -> None:
        text = f"@Whisper {question.text}" if question.place == "channel" else question.text
        files = (question.file.name,) if question.file else ()
        author, root = PERSON[question.language], find_root(conversation, number)
        self._said[number] = VisibleMessage(number, author, False, ROOMS[question.place], text, root, files=files)
        self.recording.observe()

    async def _deliver(self, activity: dict[str, Any]) -> float:
        """Returns the seconds until the bot acknowledged the activity."""
        assert self._http is not None
        at = time.monotonic()
        headers = {"Authorization": f"Bearer {self.server.token()}"}
        async with self._http.post(f"{self._url}api/messages", json=activity, headers=headers) as response:
            response.raise_for_status()
        return time.monotonic() - at

    # ------------------------------------------------------------ what people see

    def visible(self) -> Iterator[VisibleMessage]:
        yield from self._said.values()
        for number, activity in self.server.messages.items():
            yield show(number, activity)


def show(number: str, activity: Mapping[str, Any]) -> VisibleMessage:
    conversation = activity["conversation"]
    entities = activity.get("entities") or ()
    label = AI_LABEL["fr" if str(activity.get("locale")).startswith("fr") else "en"]
    labels = [label for each in entities if "AIGeneratedContent" in (each.get("additionalType") or ())]
    cited = [each["appearance"]["name"] for entity in entities for each in entity.get("citation") or ()]
    status = any(each.get("streamType") == "informative" for each in entities)
    shown = str(activity.get("text") or "")
    actions = (activity.get("suggestedActions") or {}).get("actions") or ()
    feedback = ("👍", "👎") if "feedbackLoop" in (activity.get("channelData") or {}) else ()
    return VisibleMessage(
        key=number,
        author="Whisper",
        by_bot=True,
        room=ROOMS["personal" if conversation.get("conversationType") == "personal" else "channel"],
        text="" if status else shown,
        root=find_root(conversation["id"], number),
        small_lines=((shown,) if status else ()) + (*cited, *labels),
        buttons=(*(str(each["title"]) for each in actions), *feedback),
        files=tuple(str(each.get("name") or "") for each in activity.get("attachments") or ()),
        writing=activity.get("type") == "typing",
    )


def find_root(conversation: str, number: str) -> str | None:
    """The message under which a channel's message stands; None for the first one, and in chats."""
    found = THREAD.search(conversation)
    return found[1] if found and found[1] != number else None


def read_payload(name: str) -> dict[str, Any]:
    payload: dict[str, Any] = json.loads((PAYLOADS / f"{name}.json").read_text(encoding="utf-8"))
    return payload
