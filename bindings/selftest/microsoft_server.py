"""Microsoft's services on a local port: signing keys, a login service, a connector and OneDrive.

The connector enforces Teams' rules for streams. `failures` makes calls fail.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import time
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import cache
from typing import Any
from urllib.parse import unquote

import jwt
from aiohttp import web
from aiohttp.typedefs import Middleware
from cryptography.hazmat.primitives.asymmetric import rsa
from jwt.algorithms import RSAAlgorithm

from bindings.selftest.changes import Changes
from bindings.selftest.microsoft_login_server import APP_ID, PASSWORD, TENANT, Body, FakeLogin

ISSUER = "https://api.botframework.com"


@cache
def private_key(name: str) -> rsa.RSAPrivateKey:
    """Returns the same key for a name in all tests, because generating one is slow."""
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


@dataclass(frozen=True)
class ConnectorCall:
    """A call to the connector. `at` is the activity id in the path of an update or a deletion."""

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


@dataclass
class FakeStream:
    sequence: int = 0
    text: str = ""
    over: bool = False


@dataclass(frozen=True)
class Failure:
    """The failure of a call to the connector. `status` 0: the call takes effect, then the connection breaks."""

    status: int
    code: str = ""
    message: str = ""
    retry_after: str | None = None


@dataclass
class FakeMicrosoft(FakeLogin, Changes):
    url: str = ""
    signing: list[str] = field(default_factory=lambda: ["key-1"])  # names of the published keys
    endorsements: list[str] = field(default_factory=lambda: ["msteams"])
    calls: list[ConnectorCall] = field(default_factory=list)
    failures: list[Failure | None] = field(default_factory=list)  # of the next calls; None: success
    messages: dict[str, Body] = field(default_factory=dict)  # current activities by id
    streams: dict[str, FakeStream] = field(default_factory=lambda: defaultdict(FakeStream))
    file_answers: list[int] = field(default_factory=list)  # statuses of the next uploads that fail
    stopped: set[str] = field(default_factory=set)  # streams that a person stopped
    metadata_fetches: int = 0
    tokens_refused: set[str] = field(default_factory=set)
    keys_hang: asyncio.Event | None = None
    files: dict[str, bytes] = field(default_factory=dict)
    file_tokens: list[str | None] = field(default_factory=list)
    ids: Any = field(default_factory=lambda: itertools.count(1))
    middlewares: list[Middleware] = field(default_factory=list)

    @property
    def service_url(self) -> str:
        return f"{self.url}/amer/"

    @property
    def environ(self) -> dict[str, str]:
        """The settings that direct the adapter to this server."""
        return {
            "TEAMS_APP_ID": APP_ID,
            "TEAMS_APP_PASSWORD": PASSWORD,
            "TEAMS_TENANT_ID": TENANT,
            "TEAMS_PORT": "0",
            "TEAMS_OPENID_METADATA_URL": f"{self.url}/v1/.well-known/openidconfiguration",
            "TEAMS_TOKEN_ISSUER": ISSUER,
            "TEAMS_LOGIN_URL": f"{self.url}/{TENANT}",
            "TEAMS_OAUTH_SCOPE": "https://api.botframework.com",
        }

    def token(self, key: str = "key-1", *, headers: Body | None = None, **claims: Any) -> str:
        """Signs a token as Microsoft does. A claim that is None is omitted."""
        now = int(time.time())
        all_claims = {
            "iss": ISSUER,
            "aud": APP_ID,
            "exp": now + 3600,
            "nbf": now - 60,
            "serviceurl": self.service_url,
            **claims,
        }
        payload = {name: value for name, value in all_claims.items() if value is not None}
        return jwt.encode(payload, private_key(key), algorithm="RS256", headers={"kid": key, **(headers or {})})

    @asynccontextmanager
    async def serving(self) -> AsyncIterator[FakeMicrosoft]:
        app = web.Application(client_max_size=2**24, middlewares=self.middlewares)
        conversation = "/amer/v3/conversations/{conversation}/activities"
        app.add_routes(
            [
                web.get("/v1/.well-known/openidconfiguration", self._metadata),
                web.get("/v1/keys", self._keys),
                *self.routes(),
                web.post(conversation, self._connector),
                web.route("*", conversation + "/{at}", self._connector),
                web.get("/amer/v3/attachments/{name}/views/original", self._file),
                web.get("/files/{name}", self._file),
                web.put("/files/{name}", self._put),
                web.get("/moved/{name}", self._moved),
            ]
        )
        runner = web.AppRunner(app, shutdown_timeout=0, handler_cancellation=True, access_log=None)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        self.url = "http://{}:{}".format(*runner.addresses[0][:2])
        try:
            yield self
        finally:
            await runner.cleanup()

    async def wait_for_calls(self, calls: int) -> list[ConnectorCall]:
        """Waits until the connector has received `calls` calls, and returns them."""
        await self.until(lambda: len(self.calls) >= calls)
        return self.calls

    async def wait_for_text(self, text: str) -> Body:
        """Waits until a message contains `text`, and returns it."""
        found = await self.until(lambda: [each for each in self.messages.values() if text in each.get("text", "")])
        return found[0]

    # -------------------------------------------------------------- signing keys

    async def _metadata(self, _request: web.Request) -> web.Response:
        self.metadata_fetches += 1
        if self.keys_hang:
            await self.keys_hang.wait()
        return web.json_response({"issuer": ISSUER, "jwks_uri": f"{self.url}/v1/keys"})

    async def _keys(self, _request: web.Request) -> web.Response:
        keys = [
            {
                **json.loads(RSAAlgorithm.to_jwk(private_key(name).public_key())),
                "kid": name,
                "use": "sig",
                "endorsements": self.endorsements,
            }
            for name in self.signing
        ]
        return web.json_response({"keys": [{"kty": "EC", "kid": "of another kind"}, *keys]})

    # -------------------------------------------------------------- the connector

    async def _connector(self, request: web.Request) -> web.Response:
        # Clients differ in whether they encode ";" and "@" of an id.
        conversation, at = unquote(request.match_info["conversation"]), unquote(request.match_info.get("at", ""))
        token = request.headers.get("Authorization", "").removeprefix("Bearer ")
        activity = await request.json() if request.can_read_body else {}
        if token in self.tokens_refused:
            return error(401, "Unauthorized", "Authorization has been denied for this request.")
        failure = self.failures.pop(0) if self.failures else None
        if failure and failure.status:
            headers = {"Retry-After": failure.retry_after} if failure.retry_after else {}
            return error(failure.status, failure.code, failure.message, headers)
        call = ConnectorCall(request.method, conversation, at, activity, token)
        answer = self._do(call)
        if answer.status < 300:
            self.calls.append(call)
        self.notify()
        if failure and request.transport:
            request.transport.abort()
        return answer

    def _do(self, call: ConnectorCall) -> web.Response:
        if call.method == "DELETE":
            return web.Response(status=200 if self.messages.pop(call.at, None) else 404)
        if call.method == "PUT":
            if call.at not in self.messages:
                return error(404, "ActivityNotFoundInConversation", "Message not found")
            self.messages[call.at] = call.activity
            return web.json_response({"id": call.at})
        return self._stream(call, call.stream) if call.stream else self._post(call)

    def _post(self, call: ConnectorCall) -> web.Response:
        new = f"1:{next(self.ids)}"
        self.messages[new] = call.activity
        return web.json_response({"id": new}, status=201)

    def _stream(self, call: ConnectorCall, info: Body) -> web.Response:
        """Source of rules and error codes: https://learn.microsoft.com/microsoftteams/platform/bots/streaming-ux."""
        name, final = info.get("streamId"), info["streamType"] == "final"
        if not call.text:
            return error(400, "BadRequest", "Start streaming activities should include text")
        if call.activity["type"] != ("message" if final else "typing") or final == ("streamSequence" in info):
            return error(400, "BadRequest", "streamSequence")
        if name is None:
            if info.get("streamSequence") != 1:
                return error(400, "BadRequest", "streamSequence starts with 1")
            name = f"a-{next(self.ids)}"
            new = True
        else:
            new = False
        if not new and name not in self.messages:
            return error(400, "BadRequest", "unknown stream")
        stream = self.streams[name]
        if refusal := self._refusal(name, stream, info, call):
            return refusal
        stream.sequence = info.get("streamSequence", stream.sequence)
        stream.text = call.text if info["streamType"] != "informative" else stream.text
        stream.over = final
        self.messages[name] = call.activity
        return web.json_response({"id": name} if new else {}, status=201 if new else 202)

    def _refusal(self, name: str, stream: FakeStream, info: Body, call: ConnectorCall) -> web.Response | None:
        code = "ContentStreamNotAllowed"
        if name in self.stopped:
            return error(403, code, "Content stream was canceled by user.")
        if stream.over:
            return error(403, code, "Content stream is not allowed on an already completed streamed message")
        if info["streamType"] != "final" and info["streamSequence"] <= stream.sequence:
            return error(400, "BadRequest", "streamSequence must grow")
        if info["streamType"] == "informative" and stream.text:
            return error(400, "BadRequest", "informative after the first words")
        if info["streamType"] != "informative" and not call.text.startswith(stream.text):
            return error(403, code, "Request streamed content should contain the previously streamed content")
        return None

    # -------------------------------------------------------------- files

    async def _file(self, request: web.Request) -> web.Response:
        self.file_tokens.append(request.headers.get("Authorization"))
        body = self.files.get(request.match_info["name"])
        return web.Response(body=body) if body is not None else web.Response(status=404)

    async def _put(self, request: web.Request) -> web.Response:
        self.file_tokens.append(request.headers.get("Authorization"))
        if self.file_answers:
            return web.Response(status=self.file_answers.pop(0))
        self.files[request.match_info["name"]] = await request.read()
        self.notify()
        return web.json_response({"range": request.headers.get("Content-Range")}, status=201)

    async def _moved(self, request: web.Request) -> web.Response:
        return web.Response(status=302, headers={"Location": request.query["to"]})


def error(status: int, code: str, message: str, headers: dict[str, str] | None = None) -> web.Response:
    return web.json_response({"error": {"code": code, "message": message}}, status=status, headers=headers)
