"""People on the stand-in for Slack: what they do reaches the bot as Slack's events, and what it posts is read back."""

from __future__ import annotations

import json
import time
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager
from itertools import count
from pathlib import Path
from typing import Any

import aiohttp
from aiohttp import web

from bindings.incoming import PlatformName
from bindings.selftest.recording import Recording, VisibleMessage
from bindings.selftest.script import FaultName, PlaceKind, ScriptFile
from bindings.selftest.slack_faults import Trouble
from bindings.selftest.slack_requests import SECRET, encode_form, headers_for
from bindings.selftest.slack_server import APP_TOKEN, BOT, BOT_TOKEN, BOT_USER, FakeSlack
from bindings.selftest.slack_texts import block_lines, block_texts, button_labels, find_action_value
from bindings.selftest.stage import PERSON, PlayedQuestion, Posted
from core.configuration.settings import Settings
from core.contract import Language
from core.platforms import SLACK_SCOPES

PAYLOADS = Path(__file__).parent / "payloads" / "slack"
CHANNELS: Mapping[PlaceKind, str] = {"channel": "C0001", "personal": "D0001"}
ROOMS = {"C0001": "#general", "D0001": "@Whisper"}
PEOPLE: Mapping[Language, str] = {"en": "U0ANN", "fr": "U0BEN"}
STOP: Mapping[Language, str] = {"en": "stop", "fr": "arrêter"}
POSTS = ("chat.startStream", "chat.postMessage")
STREAM_REFUSAL = Trouble(error="team_access_not_granted")
EDIT_REFUSAL = Trouble(error="invalid_blocks")


class SlackStage:
    """Implements `bindings.selftest.stage.Stage`. Delivers events as the settings say: by a socket, or over HTTP."""

    platform: PlatformName = "slack"
    acknowledges = True

    def __init__(self, settings: Settings) -> None:
        self.server = FakeSlack()
        self.recording = Recording(self.visible)
        self._over_http = bool(settings.slack.signing_secret) and not settings.slack.app_token
        self._replies: list[VisibleMessage] = []  # to slash commands
        self._faults: dict[str, Trouble] = {}  # of the next call of a method
        self._refused = False
        self._numbers = count(1)
        self._url = ""
        self._http: aiohttp.ClientSession | None = None

    @asynccontextmanager
    async def serving(self) -> AsyncIterator[None]:
        self.server.middlewares.append(self.recording.middleware)
        self.server.choose_trouble = self._choose_trouble
        self.server.scopes = ",".join(SLACK_SCOPES)
        for language, user in PEOPLE.items():
            self.server.users[user] = {"id": user, "real_name": PERSON[language], "locale": f"{language}-CA"}
        async with self.server.serving(), aiohttp.ClientSession() as self._http:
            yield

    def variables(self) -> dict[str, str]:
        mode = {"SLACK_SIGNING_SECRET": SECRET} if self._over_http else {"SLACK_APP_TOKEN": APP_TOKEN}
        return {"SLACK_BOT_TOKEN": BOT_TOKEN, "SLACK_API_BASE_URL": self.server.api_url, **mode}

    async def connect(self, bot_url: str) -> None:
        self._url = bot_url
        if not self._over_http:
            await self.server.connected.wait()

    # ------------------------------------------------------------ faults

    def inject(self, fault: FaultName) -> None:
        if fault == "throttled":
            trouble = Trouble(status=429, error="ratelimited", retry_after_s="1")
            self._faults |= dict.fromkeys(POSTS, trouble)
        elif fault == "stream_refused":
            self._faults["chat.startStream"] = STREAM_REFUSAL
        else:
            self._faults |= dict.fromkeys(("chat.stopStream", "chat.update"), EDIT_REFUSAL)

    def clear_faults(self) -> bool:
        left, self._faults = self._faults, {}
        refused, self._refused = self._refused, False
        return refused or not left

    def _choose_trouble(self, method: str) -> Trouble | None:
        trouble = self._faults.pop(method, None)
        self._refused = self._refused or trouble is not None
        if trouble and trouble.status == 429:
            self._faults.clear()
        return trouble

    # ------------------------------------------------------------ acts

    async def say(self, question: PlayedQuestion) -> Posted:
        channel, user = CHANNELS[question.place], PEOPLE[question.language]
        mention = f"<@{BOT_USER}> " if question.place == "channel" else ""
        thread = self._thread_of(question.reply_to)
        content = {"text": mention + question.text, **self._attach(question.file)}
        ts = self.server.add_message(channel, content["text"], thread=thread, user=user, files=content.get("files", []))
        self.recording.observe()
        event = {**content, "user": user, "channel": channel, "ts": ts, "event_ts": ts}
        event |= {"thread_ts": thread} if thread else {}
        names = ("app_mention", "message_channel") if question.place == "channel" else ("message_im",)
        deliveries = [await self._deliver(self._event(name, event)) for name in names]
        return Posted(f"{channel}/{ts}", question, max(deliveries), event)

    async def edit(self, posted: Posted, text: str) -> None:
        channel, ts = posted.payload["channel"], posted.payload["ts"]
        before = {key: posted.payload[key] for key in ("user", "text", "ts")}
        after = {**before, "type": "message", "text": f"<@{BOT_USER}> {text}", "edited": {"user": before["user"]}}
        self.server.messages[channel][ts].update(text=after["text"])
        self.recording.observe()
        change = {"message": after, "previous_message": before, "channel": channel, "ts": self.server.new_ts()}
        await self._deliver(self._event("message_changed", change))

    async def delete(self, posted: Posted) -> None:
        channel, ts = posted.payload["channel"], posted.payload["ts"]
        del self.server.messages[channel][ts]
        self.recording.observe()
        before = {**posted.payload, "type": "message"}
        change = {"previous_message": before, "channel": channel, "deleted_ts": ts, "ts": self.server.new_ts()}
        await self._deliver(self._event("message_deleted", change))

    async def stop(self, posted: Posted, answer: VisibleMessage) -> None:
        """Presses Slack's own button on a stream. Other messages have none, so the person writes "stop"."""
        channel, ts = answer.key.split("/")
        message = self.server.messages[channel][ts]
        if not message.get("streaming"):
            await self.say(
                PlayedQuestion(STOP[posted.question.language], posted.question.place, posted.question.language)
            )
            return
        self.server.expire(channel, ts, by_user=True)
        named = {"channel": channel, "thread_ts": message["thread_ts"], "streaming_message_ts": [ts]}
        await self._deliver(self._event("agent_session_stopped", {**named, "user": posted.payload["user"]}))

    async def command(self, question: PlayedQuestion) -> Posted:
        channel, number = CHANNELS["channel"], next(self._numbers)
        command = {
            **read_payload(f"slash_{question.command}"),
            "user_id": PEOPLE[question.language],
            "user_name": PERSON[question.language],
            "trigger_id": f"{number}.{number}.selftest",
            "response_url": f"{self.server.url}/response/{number}",
            "text": question.text,
        }
        if question.command != "ask":
            return Posted("", question, await self._deliver(command, "slash_commands", question))
        ack_s = await self._deliver(command, "slash_commands", question)
        posts = [
            ts for ts, each in self.server.messages[channel].items() if each.get("bot_id") and "thread_ts" not in each
        ]
        return Posted(f"{channel}/{posts[-1]}" if posts else "", question, ack_s)

    async def rate(self, posted: Posted, answer: VisibleMessage) -> None:
        channel, ts = answer.key.split("/")
        message = self.server.messages[channel][ts]
        press = read_payload("block_actions_good")
        press["user"]["id"] = posted.payload["user"]
        press["container"] |= {"message_ts": ts, "channel_id": channel, "thread_ts": message.get("thread_ts")}
        press["message"] |= {"ts": ts, "thread_ts": message.get("thread_ts")}
        press["actions"][0]["value"] = find_action_value(message, "good ")
        await self._deliver(press, "interactive")

    def _thread_of(self, posted: Posted | None) -> str | None:
        return str(posted.payload.get("thread_ts") or posted.payload["ts"]) if posted else None

    def _attach(self, file: ScriptFile | None) -> dict[str, Any]:
        if file is None:
            return {}
        self.server.downloads[file.name] = web.Response(body=file.text.encode())
        url, listed = f"{self.server.url}/files/{file.name}", read_payload("message_im_file")["event"]["files"][0]
        names = {
            "id": f"F{next(self._numbers)}",
            "name": file.name,
            "title": file.name,
            "size": len(file.text.encode()),
        }
        types = {"mimetype": "text/plain", "filetype": "text", "pretty_type": "Plain Text"}
        return {
            "subtype": "file_share",
            "files": [{**listed, **names, **types, "url_private": url, "url_private_download": url}],
        }

    def _event(self, name: str, event: Mapping[str, Any]) -> dict[str, Any]:
        envelope = read_payload(name)
        return {**envelope, "event": {**envelope["event"], **event}, "event_id": f"Ev{next(self._numbers):06}"}

    async def _deliver(
        self, payload: dict[str, Any], kind: str = "events_api", asked: PlayedQuestion | None = None
    ) -> float:
        """Returns the seconds until the bot acknowledged the delivery."""
        at = time.monotonic()
        if self._over_http:
            reply = await self._post(payload, is_event=kind == "events_api")
        else:
            ack = await self.server.acknowledgement(await self.server.push(payload, kind))
            reply = ack.get("payload") or {}
        took_s = time.monotonic() - at
        if asked and reply.get("text"):
            key = f"reply/{next(self._numbers)}"
            message = VisibleMessage(key, "Whisper", True, ROOMS["C0001"], reply["text"], private=True)
            self._replies.append(message)
        self.recording.observe()
        return took_s

    async def _post(self, payload: dict[str, Any], *, is_event: bool) -> dict[str, Any]:
        assert self._http is not None
        body = json.dumps(payload).encode() if is_event else encode_form(payload)
        kind = "application/json" if is_event else "application/x-www-form-urlencoded"
        url = f"{self._url}slack/events"
        async with self._http.post(url, data=body, headers=headers_for(body, kind)) as response:
            text = await response.text()
        return dict(json.loads(text)) if text.startswith("{") else {}

    # ------------------------------------------------------------ what people see

    def visible(self) -> Iterator[VisibleMessage]:
        for channel, messages in self.server.messages.items():
            for ts, message in messages.items():
                yield self._show(channel, ts, message)
        yield from self._replies
        for number, message in enumerate(self.server.ephemeral_messages):
            yield VisibleMessage(
                f"ephemeral/{number}",
                "Whisper",
                True,
                ROOMS["C0001"],
                block_texts(message) or str(message.get("text", "")),
                small_lines=block_lines(message),
                private=True,
            )

    def _show(self, channel: str, ts: str, message: Mapping[str, Any]) -> VisibleMessage:
        by_bot = message.get("bot_id") == BOT
        root = message.get("thread_ts")
        said = str(message.get("text", "")).replace(f"<@{BOT_USER}>", "@Whisper")
        return VisibleMessage(
            key=f"{channel}/{ts}",
            author="Whisper" if by_bot else str(self.server.users[message["user"]]["real_name"]),
            by_bot=by_bot,
            room=ROOMS.get(channel, channel),
            text=block_texts(message) if by_bot else said,
            root=f"{channel}/{root}" if root and root != ts else None,
            small_lines=block_lines(message),
            buttons=button_labels(message),
            files=tuple(str(each.get("name", "")) for each in message.get("files") or ()),
            writing=bool(message.get("streaming")),
        )


def read_payload(name: str) -> dict[str, Any]:
    payload: dict[str, Any] = json.loads((PAYLOADS / f"{name}.json").read_text(encoding="utf-8"))
    return payload
