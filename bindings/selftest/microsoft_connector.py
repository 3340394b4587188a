"""The Bot Connector of a stand-in: messages, streams under Teams' rules, and personal chats. Serves nothing itself.

`failures` and `refuses` make calls fail. Source of rules and error codes:
https://learn.microsoft.com/microsoftteams/platform/bots/streaming-ux
"""

from __future__ import annotations

import itertools
import json
from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote

Body = dict[str, Any]
STREAM_CODE = "ContentStreamNotAllowed"
OUT_OF_ORDER_CODE = "ContentStreamSequenceOrderPreConditionFailed"


@dataclass(frozen=True)
class ConnectorCall:
    """A call to the connector. `at` is the activity id in the path of an update or a deletion.

    The conversation is "" for a call that begins a chat.
    """

    method: str
    conversation: str
    at: str
    activity: Body
    token: str

    @property
    def stream(self) -> Body | None:
        entities = self.activity.get("entities") or []
        return next((each for each in entities if each["type"] == "streaminfo"), None)

    @property
    def text(self) -> str:
        return str(self.activity.get("text", ""))


@dataclass(frozen=True)
class ConnectorAnswer:
    """`breaks`: the connection breaks instead of it."""

    status: int
    body: Body | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    breaks: bool = False

    @property
    def content(self) -> bytes:
        return b"" if self.body is None else json.dumps(self.body).encode()


@dataclass
class FakeStream:
    sequence: int = 0
    text: str = ""
    over: bool = False


@dataclass(frozen=True)
class Failure:
    """The failure of a call to the connector. `status` 0: the call takes effect, then the connection breaks.

    `after`: the call takes effect all the same. `empty`: the answer has no body.
    """

    status: int
    code: str = ""
    message: str = ""
    retry_after: str | None = None
    after: bool = False
    empty: bool = False

    def answer(self) -> ConnectorAnswer:
        headers = {"Retry-After": self.retry_after} if self.retry_after else {}
        body = None if self.empty else {"error": {"code": self.code, "message": self.message}}
        return ConnectorAnswer(self.status, body, headers, breaks=self.status == 0)


@dataclass
class FakeConnector:
    calls: list[ConnectorCall] = field(default_factory=list)  # that took effect
    failures: list[Failure | None] = field(default_factory=list)  # of the next calls; None: success
    refuses: Callable[[ConnectorCall], Failure | None] = lambda call: None  # for calls without one of `failures`
    messages: dict[str, Body] = field(default_factory=dict)  # current activities by id
    homes: dict[str, str] = field(default_factory=dict)  # the conversation of each message
    streams: dict[str, FakeStream] = field(default_factory=lambda: defaultdict(FakeStream))
    stopped: set[str] = field(default_factory=set)  # streams that a person stopped
    tokens_refused: set[str] = field(default_factory=set)
    ids: Any = field(default_factory=lambda: itertools.count(1))

    def call(self, method: str, path: str, authorization: str, body: Body) -> ConnectorAnswer:
        """Answers a call to a path from "v3/" on."""
        parts = [unquote(part) for part in path.split("/")[2:]]  # without "v3/conversations"
        conversation, at = parts[0] if parts else "", parts[2] if len(parts) > 2 else ""
        call = ConnectorCall(method, conversation, at, body, authorization.removeprefix("Bearer "))
        if call.token in self.tokens_refused:
            return error(401, "Unauthorized", "Authorization has been denied for this request.")
        failure = self.failures.pop(0) if self.failures else self.refuses(call)
        if failure and failure.status and not failure.after:
            return failure.answer()
        answer = self._answer(call)
        if answer.status < 300 and method != "GET" and conversation:
            self.calls.append(call)
        return failure.answer() if failure else answer

    def _answer(self, call: ConnectorCall) -> ConnectorAnswer:
        if call.method == "GET":
            return ConnectorAnswer(200, {"id": call.at})
        if call.method == "DELETE":
            return ConnectorAnswer(200 if self.messages.pop(call.at, None) else 404)
        if call.method == "PUT":
            return self._update(call)
        if not call.conversation:
            return self._begin_chat(call.activity)
        return self._stream(call, call.stream) if call.stream else self._post(call)

    def _begin_chat(self, parameters: Body) -> ConnectorAnswer:
        members = parameters.get("members") or []
        if len(members) != 1 or not parameters.get("tenantId") or not (parameters.get("bot") or {}).get("id"):
            return error(400, "BadSyntax", "Bot, one member and tenant are required")
        return ConnectorAnswer(201, {"id": f"a:{members[0]['id']}"})

    def _update(self, call: ConnectorCall) -> ConnectorAnswer:
        if self.homes.get(call.at) != call.conversation or call.at not in self.messages:
            return error(404, "ActivityNotFoundInConversation", "Message not found")
        self.messages[call.at] = call.activity
        return ConnectorAnswer(200, {"id": call.at})

    def _post(self, call: ConnectorCall) -> ConnectorAnswer:
        new = f"1:{next(self.ids)}"
        self._show(new, call)
        return ConnectorAnswer(201, {"id": new})

    def _show(self, name: str, call: ConnectorCall) -> None:
        self.messages[name] = call.activity
        self.homes[name] = call.conversation

    def _stream(self, call: ConnectorCall, info: Body) -> ConnectorAnswer:
        name, final = info.get("streamId"), info["streamType"] == "final"
        if not call.text:
            return error(400, "BadRequest", "Start streaming activities should include text")
        if call.activity["type"] != ("message" if final else "typing") or final == ("streamSequence" in info):
            return error(400, "BadRequest", "streamSequence")
        if name is not None and name not in self.messages:
            return error(400, "BadRequest", "unknown stream")
        if name is None and info.get("streamSequence") != 1:
            return error(400, "BadRequest", "streamSequence starts with 1")
        is_new, name = name is None, name or f"a-{next(self.ids)}"
        stream = self.streams[name]
        if refusal := self._refusal(name, stream, info, call):
            return refusal
        stream.sequence = info.get("streamSequence", stream.sequence)
        stream.text = call.text if info["streamType"] != "informative" else stream.text
        stream.over = final
        self._show(name, call)
        return ConnectorAnswer(201, {"id": name}) if is_new else ConnectorAnswer(202, {})

    def _refusal(self, name: str, stream: FakeStream, info: Body, call: ConnectorCall) -> ConnectorAnswer | None:
        if name in self.stopped:
            return error(403, STREAM_CODE, "Content stream was canceled by user.")
        if stream.over:
            return error(403, STREAM_CODE, "Content stream is not allowed on an already completed streamed message")
        if info["streamType"] != "final" and info["streamSequence"] <= stream.sequence:
            return error(202, OUT_OF_ORDER_CODE, "PreCondition failed exception when processing streaming activity.")
        if info["streamType"] == "informative" and stream.text:
            return error(400, "BadRequest", "informative after the first words")
        if info["streamType"] != "informative" and not call.text.startswith(stream.text):
            message = "Request streamed content should contain the previously streamed content"
            return error(403, STREAM_CODE, message)
        return None


def error(status: int, code: str, message: str) -> ConnectorAnswer:
    return ConnectorAnswer(status, {"error": {"code": code, "message": message}})
