"""Checks that a webhook call comes from Microsoft: validates its bearer token with Microsoft's published keys.

botbuilder's own check answers 500 to a forged token, keeps keys for a day and blocks the event loop while it fetches
them. Here an unknown key causes a fetch at once, so that a rotated key works: with a deadline, at most every REFETCH_S,
and only for a token with our issuer and audience. Knows no activity.
Source: https://learn.microsoft.com/azure/bot-service/rest-api/bot-framework-rest-connector-authentication
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import httpx
import jwt
import structlog

from bindings.delivery.outlet import DeliveryError, Unreachable
from bindings.teams import transport
from core.errors import CspsError

log = structlog.get_logger()

ALGORITHMS = ["RS256", "RS384", "RS512"]
LEEWAY_S = 300  # between clocks, as Microsoft requires
KEEP_S = 24 * 3600.0
REFETCH_S = 10.0
DEADLINE_S = 5.0
KEYS_LIMIT = 100
TOKEN_ERRORS = (jwt.PyJWTError, ValueError, TypeError, RecursionError)


class TokenRefused(CspsError):
    """The token is invalid. The message is for the log; the caller gets only the status 401."""

    code: ClassVar[str] = "token_refused"
    status: ClassVar[int] = 401


@dataclass(frozen=True, slots=True)
class TokenClaims:
    """The facts that a valid token proves."""

    service_url: str
    channels: frozenset[str]  # for which its key may sign; empty: Microsoft lists none


@dataclass(frozen=True, slots=True)
class SigningKey:
    public: Any
    channels: frozenset[str]


class SigningKeys:
    """Microsoft's public keys by key id. `clock` is monotonic, in seconds."""

    def __init__(self, http: httpx.AsyncClient, url: str, clock: Callable[[], float] = time.monotonic) -> None:
        self._http = http
        self._url = url
        self._clock = clock
        self._keys: dict[str, SigningKey] = {}
        self._fetched_at: float | None = None
        self._tried_at: float | None = None
        self._fetch_lock = asyncio.Lock()
        self._failing = False

    async def find(self, key_id: str) -> SigningKey:
        """Raises TokenRefused for a key that is not Microsoft's, Unreachable if no keys were ever fetched."""
        if self._is_due() or key_id not in self._keys:
            await self._refresh(key_id)
        self._check_fetched()
        key = self._keys.get(key_id)
        if key is None:
            raise TokenRefused("signed by a key that is not Microsoft's")
        return key

    async def prepare(self) -> None:
        """Fetches the keys before the first call. Raises Unreachable."""
        if not self._keys:
            await self._refresh("")
        self._check_fetched()

    def _check_fetched(self) -> None:
        if not self._keys:
            raise Unreachable("Microsoft's signing keys cannot be fetched")

    def _is_due(self) -> bool:
        return self._fetched_at is None or self._clock() - self._fetched_at > KEEP_S

    def _may_try(self) -> bool:
        return self._tried_at is None or self._clock() - self._tried_at >= REFETCH_S

    async def _refresh(self, key_id: str) -> None:
        async with self._fetch_lock:
            # Another caller may have fetched the key while this one waited for the lock.
            if (key_id in self._keys and not self._is_due()) or not self._may_try():
                return
            self._tried_at = self._clock()
            try:
                async with asyncio.timeout(DEADLINE_S):
                    self._keys = await self._fetch()
            except (DeliveryError, TimeoutError) as exc:
                if not self._failing:
                    problem = str(exc) or f"no answer within {DEADLINE_S:g} s"
                    log.warning("signing_keys_fetch_failed", problem=problem, known_keys=len(self._keys))
                self._failing = True
                return
            self._fetched_at = self._clock()
            self._failing = False
            log.info("signing_keys_fetched", keys=len(self._keys))

    async def _fetch(self) -> dict[str, SigningKey]:
        keys_url = (await self._get(self._url)).get("jwks_uri")
        if not isinstance(keys_url, str):
            raise Unreachable("Microsoft's metadata names no URL of keys")
        items = (await self._get(keys_url)).get("keys")
        keys = parse_keys(items if isinstance(items, list) else [])
        if not keys:
            raise Unreachable("Microsoft's list of keys is empty")
        return keys

    async def _get(self, url: str) -> dict[str, Any]:
        response = await transport.call(self._http, "GET", url)
        if response.status != 200:
            raise Unreachable(f"{transport.url_host(url)} answered {response.status}")
        return response.json()


def parse_keys(items: list[Any]) -> dict[str, SigningKey]:
    """Returns the usable RSA keys by key id. Skips others, because Microsoft may add new kinds."""
    keys = {}
    for each in items[:KEYS_LIMIT]:
        if not isinstance(each, dict) or each.get("kty") != "RSA" or not isinstance(each.get("kid"), str):
            continue
        try:
            public = jwt.PyJWK(each, algorithm=ALGORITHMS[0]).key
        except (jwt.PyJWTError, ValueError, TypeError):
            continue
        endorsements = each.get("endorsements")
        channels = endorsements if isinstance(endorsements, list) else []
        keys[each["kid"]] = SigningKey(public, frozenset(name for name in channels if isinstance(name, str)))
    return keys


class TokenValidator:
    """Accepts only tokens that Microsoft issued for this bot."""

    def __init__(self, keys: SigningKeys, app_id: str, issuer: str) -> None:
        self._keys = keys
        self._app_id = app_id
        self._issuer = issuer

    async def validate(self, header: str | None) -> TokenClaims:
        """Validates an `Authorization` header. Raises TokenRefused, Unreachable."""
        token = parse_bearer(header)
        key = await self._keys.find(self._key_id(token))
        service_url = self._verified_claims(token, key.public).get("serviceurl")
        if not isinstance(service_url, str):
            raise TokenRefused("the token names no service URL")
        return TokenClaims(service_url, key.channels)

    def _key_id(self, token: str) -> str:
        """Reads the unverified token, so that no keys are fetched for a token with another issuer or audience."""
        try:
            header = jwt.get_unverified_header(token)
            claims = jwt.decode(token, options={"verify_signature": False})
        except TOKEN_ERRORS as exc:
            raise TokenRefused("not a token") from exc
        if header.get("alg") not in ALGORITHMS or not isinstance(header.get("kid"), str):
            raise TokenRefused("the token has another algorithm than Microsoft's, or no key id")
        if claims.get("iss") != self._issuer or claims.get("aud") != self._app_id:
            raise TokenRefused("the token has another issuer or audience")
        return str(header["kid"])

    def _verified_claims(self, token: str, public: Any) -> Mapping[str, Any]:
        try:
            return jwt.decode(
                token,
                public,
                algorithms=ALGORITHMS,
                audience=self._app_id,
                issuer=self._issuer,
                leeway=LEEWAY_S,
                options={"require": ["exp", "iss", "aud"]},
            )
        except TOKEN_ERRORS as exc:
            raise TokenRefused(f"the token is invalid: {type(exc).__name__}") from exc


def parse_bearer(header: str | None) -> str:
    scheme, _, token = (header or "").partition(" ")
    if scheme.lower() != "bearer" or not token or not token.isascii() or " " in token:
        raise TokenRefused("no bearer token")
    return token
