"""People on the stand-in for Discord: what they do reaches the bot over the gateway, and its posts are read back."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

from bindings.incoming import PlatformName
from bindings.selftest.discord_faults import ApiFault, rate_limited
from bindings.selftest.discord_payloads import CHANNEL, DM, GUILD, ME, RawPayload, payload
from bindings.selftest.discord_server import EPHEMERAL, LOADING, TOKEN, FakeDiscord
from bindings.selftest.recording import Recording, VisibleMessage
from bindings.selftest.script import FaultName, ScriptFile
from bindings.selftest.stage import PERSON, PlayedQuestion, Posted
from core.configuration.settings import Settings
from core.contract import Language

REPLY = 19  # the type of a message that replies to another
LOCALES: Mapping[Language, str] = {"en": "en-US", "fr": "fr"}
IDS: Mapping[Language, str] = {"en": "1400000000000000001", "fr": "1400000000000000009"}
BLOCKED = {"code": 200000, "message": "Message was blocked by automatic moderation"}
SMALL = "-# "  # Discord's mark of small text


class DiscordStage:
    """Implements `bindings.selftest.stage.Stage`."""

    platform: PlatformName = "discord"
    acknowledges = False

    def __init__(self, settings: Settings) -> None:
        self.server = FakeDiscord()
        self.recording = Recording(self.visible)
        self._commands: list[VisibleMessage] = []

    @asynccontextmanager
    async def serving(self) -> AsyncIterator[None]:
        self.server.middlewares.append(self.recording.middleware)
        async with self.server.serve():
            yield

    def variables(self) -> dict[str, str]:
        urls = {"DISCORD_API_BASE_URL": self.server.base, "DISCORD_GATEWAY_URL": self.server.gateway_url}
        return {"DISCORD_BOT_TOKEN": TOKEN, **urls}

    async def connect(self, bot_url: str) -> None:
        await self.server.until(lambda: self.server.identify_frames)

    def inject(self, fault: FaultName) -> None:
        if fault == "throttled":
            self.server.faults.append(rate_limited(f"POST /api/v10/channels/{CHANNEL}/messages", 1.0))
        elif fault == "edit_refused":
            self.server.faults.append(ApiFault("PATCH /", 400, BLOCKED))

    def clear_faults(self) -> bool:
        refused = all(fault.times == 0 for fault in self.server.faults)
        self.server.faults.clear()
        return refused

    # ------------------------------------------------------------ acts

    async def say(self, question: PlayedQuestion) -> Posted:
        personal = question.place == "personal"
        recorded = payload("message_dm" if personal else "message_mention")
        changes = {
            "id": self.server.snowflake(),
            "author": build_person(question.language),
            "content": question.text if personal else f"<@{ME['id']}> {question.text}",
            "attachments": self._attach(question.file),
            **self._reply_to(question.reply_to),
        }
        message = {**recorded, **changes}
        await self._post(message)
        return Posted(message["id"], question, payload=message)

    async def edit(self, posted: Posted, text: str) -> None:
        content = f"<@{ME['id']}> {text}"
        changed = {**posted.payload, "content": content, "edited_timestamp": "2026-01-01T00:00:00.000000+00:00"}
        self.server.messages[posted.key]["content"] = content
        self.recording.observe()
        await self.server.emit("MESSAGE_UPDATE", changed)

    async def delete(self, posted: Posted) -> None:
        del self.server.messages[posted.key]
        self.recording.observe()
        where: RawPayload = {
            key: posted.payload[key] for key in ("id", "channel_id", "guild_id") if key in posted.payload
        }
        await self.server.emit("MESSAGE_DELETE", where)

    async def stop(self, posted: Posted, answer: VisibleMessage) -> None:
        await self._press("stop", posted, answer)

    async def rate(self, posted: Posted, answer: VisibleMessage) -> None:
        await self._press("good", posted, answer)

    async def command(self, question: PlayedQuestion) -> Posted:
        recorded = payload(f"interaction_{question.command}")
        options = [{"value": question.text, "type": 3, "name": "prompt"}] if question.command == "ask" else []
        data = {key: value for key, value in recorded["data"].items() if key != "resolved"} | {"options": options}
        at = self.recording.now_s()
        interaction = await self.server.interact(
            f"interaction_{question.command}",
            data=data,
            locale=LOCALES[question.language],
            member=self._member(question.language),
        )
        author, text = PERSON[question.language], f"/{question.command} {question.text}".strip()
        self._commands.append(VisibleMessage(interaction["id"], author, False, "#general", text, private=True))
        self.recording.observe()
        await self.server.until(lambda: self.server.interactions[interaction["token"]]["callback"])
        return Posted(interaction["id"], question, self.recording.now_s() - at, interaction)

    async def _post(self, message: RawPayload) -> None:
        visible = {key: value for key, value in message.items() if key not in ("guild_id", "member")}
        self.server.messages[message["id"]] = visible
        self.recording.observe()
        await self.server.emit("MESSAGE_CREATE", message)

    async def _press(self, action: str, posted: Posted, answer: VisibleMessage) -> None:
        message = self.server.messages[answer.key]
        buttons = [each for row in message["components"] for each in row["components"]]
        custom_id = next(each["custom_id"] for each in buttons if each["custom_id"].startswith(f"{action}:"))
        recorded = payload(f"interaction_button_{action}")
        place = {"channel_id": message["channel_id"], "channel": {**recorded["channel"], "id": message["channel_id"]}}
        if message["channel_id"] == DM:
            place["channel"] |= {"type": 1}
        pressed = {**message, "referenced_message": posted.payload}
        data = {**recorded["data"], "custom_id": custom_id}
        member = self._member(posted.question.language)
        interaction = await self.server.interact(
            f"interaction_button_{action}", data=data, message=pressed, member=member, **place
        )
        await self.server.until(lambda: self.server.interactions[interaction["token"]]["callback"])

    def _member(self, language: Language) -> RawPayload:
        return {**payload("interaction_ask")["member"], "user": build_person(language)}

    def _reply_to(self, posted: Posted | None) -> RawPayload:
        if posted is None:
            return {}
        answers = [
            each for each in self.server.posts() if each.get("message_reference", {}).get("message_id") == posted.key
        ]
        answered = answers[0] if answers else posted.payload
        reference = {"type": 0, "message_id": answered["id"], "channel_id": CHANNEL, "guild_id": GUILD}
        return {"type": REPLY, "message_reference": reference, "referenced_message": answered}

    def _attach(self, file: ScriptFile | None) -> list[RawPayload]:
        if file is None:
            return []
        self.server.files[file.name] = body = file.text.encode()
        described = {"id": self.server.snowflake(), "filename": file.name, "size": len(body)}
        url = f"{self.server.url}/cdn/{file.name}"
        return [{**described, "url": url, "proxy_url": url, "content_type": "text/plain; charset=utf-8"}]

    # ------------------------------------------------------------ what people see

    def visible(self) -> Iterator[VisibleMessage]:
        yield from self._commands
        yield from (show(message) for message in self.server.messages.values())


def build_person(language: Language) -> RawPayload:
    recorded: RawPayload = payload("message_dm")["author"]
    name = PERSON[language]
    return {**recorded, "id": IDS[language], "username": name.lower(), "global_name": name}


def show(message: Mapping[str, Any]) -> VisibleMessage:
    author, flags = message["author"], message.get("flags") or 0
    by_bot = author["id"] == ME["id"]
    lines = str(message.get("content") or "").replace(f"<@{ME['id']}>", "@Whisper").split("\n")
    buttons = [each for row in message.get("components") or () for each in row.get("components") or ()]
    stops = any(str(each.get("custom_id", "")).startswith("stop:") for each in buttons)
    return VisibleMessage(
        key=str(message["id"]),
        author="Whisper" if by_bot else str(author["global_name"]),
        by_bot=by_bot,
        room="@Whisper" if message["channel_id"] == DM else "#general",
        text="\n".join(line for line in lines if not line.startswith(SMALL)).strip("\n"),
        root=(message.get("message_reference") or {}).get("message_id"),
        small_lines=tuple(line.removeprefix(SMALL) for line in lines if line.startswith(SMALL)),
        buttons=tuple(
            " ".join(filter(None, ((each.get("emoji") or {}).get("name"), each.get("label")))) for each in buttons
        ),
        files=tuple(str(each["filename"]) for each in message.get("attachments") or ()),
        private=bool(flags & EPHEMERAL),
        writing=bool(flags & LOADING) or stops,
    )
