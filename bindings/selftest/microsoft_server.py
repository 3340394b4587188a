"""Microsoft's services on a local port: signing keys, a login service, a connector and OneDrive.

`microsoft_connector` and `microsoft_login_server` answer; this module serves them.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import jwt
from aiohttp import web
from aiohttp.typedefs import Middleware
from cryptography.hazmat.primitives.asymmetric import rsa
from jwt.algorithms import RSAAlgorithm

from bindings.selftest.changes import Changes
from bindings.selftest.loopback import serve_on_loopback
from bindings.selftest.microsoft_connector import ConnectorCall, FakeConnector
from bindings.selftest.microsoft_login_server import APP_ID, PASSWORD, TENANT, Body, FakeLogin

ISSUER = "https://api.botframework.com"


@cache
def private_key(name: str) -> rsa.RSAPrivateKey:
    """Returns the same key for a name in all tests, because generating one is slow."""
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


@dataclass
class FakeMicrosoft(FakeLogin, FakeConnector, Changes):
    url: str = ""
    signing: list[str] = field(default_factory=lambda: ["key-1"])  # names of the published keys
    endorsements: list[str] = field(default_factory=lambda: ["msteams"])
    file_answers: list[int] = field(default_factory=list)  # statuses of the next uploads that fail
    metadata_fetches: int = 0
    keys_hang: asyncio.Event | None = None
    files: dict[str, bytes] = field(default_factory=dict)
    file_tokens: list[str | None] = field(default_factory=list)
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
        app.add_routes(
            [
                web.get("/v1/.well-known/openidconfiguration", self._metadata),
                web.get("/v1/keys", self._keys),
                *self.routes(),
                web.route("*", "/amer/v3/conversations{rest:(/.*)?}", self._connector),
                web.get("/amer/v3/attachments/{name}/views/original", self._file),
                web.get("/files/{name}", self._file),
                web.put("/files/{name}", self._put),
                web.get("/moved/{name}", self._moved),
            ]
        )
        async with serve_on_loopback(app, cancel_handlers=True) as self.url:
            yield self

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
        body = await request.json() if request.can_read_body else {}
        path = request.raw_path.removeprefix("/amer/").partition("?")[0]
        answer = self.call(request.method, path, request.headers.get("Authorization", ""), body)
        self.notify()
        if answer.breaks and request.transport:
            request.transport.abort()
        return web.Response(
            status=answer.status or 500,
            body=answer.content,
            headers={**answer.headers, "Content-Type": "application/json"},
        )

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
