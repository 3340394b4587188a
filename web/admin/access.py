"""Decides who may open /admin: the operator's key on this machine, or signed-in people whom ADMIN_ALLOW names.

The key opens a session: a cookie with its end, signed with the key. So a session survives restarts and holds for every
web process, and another key ends all of them.
"""

from __future__ import annotations

import hashlib
import hmac
import time
from collections import deque
from collections.abc import Callable
from ipaddress import ip_address

from aiohttp import web

from core.access.names import normalize
from core.configuration.admin_section import AdminSettings
from core.errors import ConfigError, CspsError, Overloaded

COOKIE = "csps_admin"
SESSION_S = 8 * 60 * 60
KEY_CHARS = 32  # the least
ATTEMPTS, ATTEMPTS_S = 10, 60.0  # wrong keys in so many seconds, of everybody together
FORWARDED = ("Forwarded", "X-Forwarded-For", "X-Real-Ip", "Via")
OPERATOR = "operator"


class AdminSignInNeeded(CspsError):
    code = "admin_sign_in"
    status = 401


class AdminAccess:
    """`names`: the names of a request's caller, as in ADMIN_ALLOW; none: nobody is signed in."""

    def __init__(
        self,
        settings: AdminSettings,
        names: Callable[[web.Request], frozenset[str]],
        now: Callable[[], float] = time.time,
    ) -> None:
        """Raises ConfigError for a key that is too short."""
        self._key = settings.key.get_secret_value().encode() if settings.key else None
        if self._key is not None and len(self._key) < KEY_CHARS:
            raise ConfigError(f"ADMIN_KEY: at least {KEY_CHARS} characters; `openssl rand -base64 33` makes one")
        self._allow = frozenset(map(normalize, settings.allow))
        self._names = names
        self._now = now
        self._wrong: deque[float] = deque(maxlen=ATTEMPTS)

    @property
    def is_configured(self) -> bool:
        return self._key is not None or bool(self._allow)

    def offers_key(self, request: web.Request) -> bool:
        """True if the key would open the page: the request is from this machine, and no proxy passed it on."""
        return self._key is not None and is_of_this_machine(request)

    def administrator(self, request: web.Request) -> str | None:
        """The name for the log of accesses: "operator" or "user:…". None: the person may not open the page."""
        names = self._names(request)
        if names & self._allow:
            return min((name for name in names if name.startswith("user:")), default=OPERATOR)
        return OPERATOR if self.offers_key(request) and self._is_session(request.cookies.get(COOKIE, "")) else None

    def require(self, request: web.Request) -> str:
        """Works as `administrator`. Raises AdminSignInNeeded."""
        if (name := self.administrator(request)) is None:
            raise AdminSignInNeeded("sign in at /admin")
        return name

    def sign_in(self, request: web.Request, key: str) -> str | None:
        """The value of the cookie; None: a wrong key. Raises Overloaded after too many wrong keys."""
        now = self._now()
        if len(self._wrong) == ATTEMPTS and now - self._wrong[0] < ATTEMPTS_S:
            raise Overloaded("too many wrong keys", retry_after_s=ATTEMPTS_S - (now - self._wrong[0]))
        if (
            self._key is None
            or not self.offers_key(request)
            or not hmac.compare_digest(key.strip().encode("utf-8", "surrogatepass"), self._key)
        ):
            self._wrong.append(now)
            return None
        end = int(now) + SESSION_S
        return f"{end}.{self._sign(end)}"

    def _is_session(self, cookie: str) -> bool:
        end, _, signature = cookie.partition(".")
        if not (end.isascii() and end.isdecimal() and len(end) < 16 and int(end) > self._now()):
            return False
        return hmac.compare_digest(signature.encode("utf-8", "surrogatepass"), self._sign(int(end)).encode())

    def _sign(self, end: int) -> str:
        assert self._key is not None
        return hmac.new(self._key, f"csps-llm admin session until {end}".encode(), hashlib.sha256).hexdigest()


def is_of_this_machine(request: web.Request) -> bool:
    if any(header in request.headers for header in FORWARDED):
        return False
    try:
        return ip_address(request.remote or "").is_loopback
    except ValueError:
        return False
