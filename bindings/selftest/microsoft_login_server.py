"""Microsoft's login on a local port: tokens for each kind of credential, with the checks that Microsoft makes.

Sources: https://learn.microsoft.com/entra/identity-platform/certificate-credentials and the pages of
`core.microsoft_login`.
"""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import jwt
from aiohttp import web
from cryptography import x509

from core.microsoft_login import ASSERTION_TYPE, thumbprint

APP_ID = "11111111-aaaa-4aaa-8aaa-111111111111"
PASSWORD = "a-client-secret"  # noqa: S105
TENANT = "22222222-bbbb-4bbb-8bbb-222222222222"
RESOURCE = "https://api.botframework.com"
ASSERTION_LIMIT_S = 600
Body = dict[str, Any]


class LoginRefused(Exception):
    """The error code that Microsoft would return."""

    def __init__(self, code: str, status: int = 400) -> None:
        super().__init__(code)
        self.code, self.status = code, status


@dataclass
class FakeLogin:
    """Knows the client secret, and the certificates and federated tokens of a test."""

    token_fetches: int = 0
    token_life_s: int = 3600
    login_status: int = 200
    login_forms: list[Body] = field(default_factory=list)
    login_hangs: asyncio.Event | None = None
    certificates: list[x509.Certificate] = field(default_factory=list)
    federated_tokens: set[str] = field(default_factory=set)
    identity_header: str | None = None  # with one, an App Service; else a virtual machine
    used_assertions: set[str] = field(default_factory=set)

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get("/adfs/.well-known/openid-configuration", self._adfs),
            web.post("/{tenant}/oauth2/v2.0/token", self._login),
            web.post("/adfs/oauth2/token", self._login),
            web.get("/msi/token", self._managed_identity),
        ]

    async def _adfs(self, request: web.Request) -> web.Response:
        return web.json_response({"token_endpoint": f"{request.url.origin()}/adfs/oauth2/token"})

    async def _login(self, request: web.Request) -> web.Response:
        form = dict(await request.post())
        self.login_forms.append(form)
        self.token_fetches += 1
        if self.login_hangs:
            await self.login_hangs.wait()
        try:
            self._check_form(form, str(request.url))
        except LoginRefused as exc:
            return web.json_response({"error": exc.code, "error_description": "AADSTS7000215"}, status=exc.status)
        if self.login_status != 200:
            return web.json_response({"error": "temporarily_unavailable"}, status=self.login_status)
        return self._grant({"expires_in": self.token_life_s})

    def _grant(self, lifetime: Body) -> web.Response:
        token = f"connector-token-{self.token_fetches}"
        return web.json_response({"access_token": token, "token_type": "Bearer", **lifetime})

    def _check_form(self, form: Body, url: str) -> None:
        if form.get("grant_type") != "client_credentials":
            raise LoginRefused("unsupported_grant_type")
        if not str(form.get("scope")).endswith("/.default"):
            raise LoginRefused("invalid_scope")
        if form.get("client_id") != APP_ID:
            raise LoginRefused("unauthorized_client")
        if "client_assertion" in form:
            if form.get("client_assertion_type") != ASSERTION_TYPE or "client_secret" in form:
                raise LoginRefused("invalid_request")
            self._check_assertion(str(form["client_assertion"]), url)
        elif form.get("client_secret") != PASSWORD:
            raise LoginRefused("invalid_client", 401)

    def _check_assertion(self, assertion: str, url: str) -> None:
        if assertion in self.federated_tokens:
            return
        try:
            header = jwt.get_unverified_header(assertion)
            certificate = next(each for each in self.certificates if thumbprint(each) == header.get("x5t#S256"))
            claims = jwt.decode(
                assertion,
                certificate.public_key(),  # type: ignore[arg-type]
                algorithms=["PS256"],
                audience=url,
                issuer=APP_ID,
                options={"require": ["aud", "exp", "iss", "sub", "jti", "nbf"]},
            )
        except (jwt.PyJWTError, StopIteration) as exc:
            raise LoginRefused("invalid_client", 401) from exc
        is_fresh = claims["exp"] - time.time() <= ASSERTION_LIMIT_S and claims["jti"] not in self.used_assertions
        if claims["sub"] != APP_ID or header.get("typ") != "JWT" or not is_fresh:
            raise LoginRefused("invalid_client", 401)
        self.used_assertions.add(claims["jti"])

    async def _managed_identity(self, request: web.Request) -> web.Response:
        self.token_fetches += 1
        query, is_machine = request.query, self.identity_header is None
        version = "2018-02-01" if is_machine else "2019-08-01"
        sent = request.headers.get("Metadata" if is_machine else "X-IDENTITY-HEADER")
        is_known = query.get("client_id") == APP_ID and query.get("api-version") == version
        if sent != (self.identity_header or "true") or "X-Forwarded-For" in request.headers:
            return web.json_response({"error": "unauthorized_client"}, status=401)
        if not is_known or urlsplit(query.get("resource", "")).geturl() != RESOURCE:
            return web.json_response({"error": "invalid_request"}, status=400)
        return self._grant({"expires_on": str(int(time.time()) + self.token_life_s)})
