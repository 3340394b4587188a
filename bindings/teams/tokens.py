"""Whether a webhook call comes from Microsoft: its bearer token, checked with the keys that Microsoft publishes.

botbuilder's own check answers 500 to a forged token, believes its keys for a day, and fetches them on the event loop's
thread; only the rules are taken from it. Here keys are fetched with a deadline, and again as soon as a token names one
that is not known, so that a key that was rotated works at once; but not more often than every few seconds, and only
for a token that at least says it is for us. Knows no activity.
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
LEEWAY_S = 300  # of clocks, as Microsoft asks for
KEEP_S = 24 * 3600.0
REFETCH_S = 10.0
DEADLINE_S = 5.0
KEYS_LIMIT = 100


class TokenRefused(CspsError):
    """The message is for our log: a caller is told nothing."""

    code: ClassVar[str] = "token_refused"
    status: ClassVar[int] = 401


@dataclass(frozen=True, slots=True)
class Caller:
    """What a token vouches for."""

    service_url: str
    channels: frozenset[str]  # that its key may speak for; empty: not told


@dataclass(frozen=True, slots=True)
class Key:
    public: Any
    channels: frozenset[str]


class SigningKeys:
    """`clock` gives seconds, and never jumps back."""

    def __init__(self, http: httpx.AsyncClient, url: str, clock: Callable[[], float] = time.monotonic) -> None:
        self._http = http
        self._url = url
        self._clock = clock
        self._keys: dict[str, Key] = {}
        self._fetched_at: float | None = None
        self._tried_at: float | None = None
        self._fetching = asyncio.Lock()
        self._failing = False

    async def find(self, name: str) -> Key:
        """Raises TokenRefused for a key that is not Microsoft's, Unreachable while none could ever be fetched."""
        if self._is_due() or name not in self._keys:
            await self._refresh(name)
        if not self._keys:
            raise Unreachable("Microsoft's signing keys cannot be fetched")
        key = self._keys.get(name)
        if key is None:
            raise TokenRefused("signed by a key that is not Microsoft's")
        return key

    async def prepare(self) -> None:
        """Raises Unreachable if there are no keys."""
        if not self._keys:
            await self._refresh("")
        if not self._keys:
            raise Unreachable("Microsoft's signing keys cannot be fetched")

    def _is_due(self) -> bool:
        return self._fetched_at is None or self._clock() - self._fetched_at > KEEP_S

    def _may_try(self) -> bool:
        return self._tried_at is None or self._clock() - self._tried_at >= REFETCH_S

    async def _refresh(self, name: str) -> None:
        async with self._fetching:
            # Whoever waited here finds what the one before fetched.
            if (name in self._keys and not self._is_due()) or not self._may_try():
                return
            self._tried_at = self._clock()
            try:
                async with asyncio.timeout(DEADLINE_S):
                    self._keys = await self._fetch()
            except (DeliveryError, TimeoutError) as exc:
                if not self._failing:
                    log.warning("signing_keys_unreachable", problem=str(exc) or "too slow", known=len(self._keys))
                self._failing = True
                return
            self._fetched_at = self._clock()
            self._failing = False
            log.info("signing_keys_fetched", keys=len(self._keys))

    async def _fetch(self) -> dict[str, Key]:
        metadata = await self._get(self._url)
        where = metadata.get("jwks_uri")
        if not isinstance(where, str):
            raise Unreachable("Microsoft's metadata names no keys")
        listed = (await self._get(where)).get("keys")
        keys = keys_of(listed if isinstance(listed, list) else [])
        if not keys:
            raise Unreachable("Microsoft's key list is empty")
        return keys

    async def _get(self, url: str) -> dict[str, Any]:
        answer = await transport.call(self._http, "GET", url)
        if answer.status != 200:
            raise Unreachable(f"{transport.host_of(url)} answered {answer.status}")
        return answer.json()


def keys_of(listed: list[Any]) -> dict[str, Key]:
    """Those that can be used; a new kind of key beside them is no reason to know none."""
    found = {}
    for each in listed[:KEYS_LIMIT]:
        if not isinstance(each, dict) or each.get("kty") != "RSA" or not isinstance(each.get("kid"), str):
            continue
        try:
            public = jwt.PyJWK(each, algorithm=ALGORITHMS[0]).key
        except (jwt.PyJWTError, ValueError, TypeError):
            continue
        endorsed = each.get("endorsements")
        channels = [name for name in endorsed if isinstance(name, str)] if isinstance(endorsed, list) else []
        found[each["kid"]] = Key(public, frozenset(channels))
    return found


class Gate:
    """Lets in who brings a token that Microsoft made for this bot."""

    def __init__(self, keys: SigningKeys, app_id: str, issuer: str) -> None:
        self._keys = keys
        self._app_id = app_id
        self._issuer = issuer

    async def check(self, header: str | None) -> Caller:
        """Of an `Authorization` header. Raises TokenRefused, Unreachable."""
        token = bearer(header)
        key = await self._keys.find(self._key_name(token))
        claims = self._claims(token, key.public)
        service_url = claims.get("serviceurl")
        if not isinstance(service_url, str):
            raise TokenRefused("the token names no service URL")
        return Caller(service_url, key.channels)

    def _key_name(self, token: str) -> str:
        """What the token says of itself, before anything of it is believed: no key is fetched for what is not ours."""
        try:
            header = jwt.get_unverified_header(token)
            claims = jwt.decode(token, options={"verify_signature": False})
        except (jwt.PyJWTError, ValueError, TypeError, RecursionError) as exc:
            raise TokenRefused("not a token") from exc
        if header.get("alg") not in ALGORITHMS or not isinstance(header.get("kid"), str):
            raise TokenRefused("not signed as Microsoft signs")
        if claims.get("iss") != self._issuer or claims.get("aud") != self._app_id:
            raise TokenRefused("issued by or for somebody else")
        return str(header["kid"])

    def _claims(self, token: str, public: Any) -> Mapping[str, Any]:
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
        except (jwt.PyJWTError, ValueError, TypeError, RecursionError) as exc:
            raise TokenRefused(f"the token does not hold: {type(exc).__name__}") from exc


def bearer(header: str | None) -> str:
    scheme, _, token = (header or "").partition(" ")
    if scheme.lower() != "bearer" or not token or not token.isascii() or " " in token:
        raise TokenRefused("no bearer token")
    return token
