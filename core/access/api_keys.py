"""API keys of programs: their form, and what is known of each. Pure.

A key is `csps_<id>_<secret>`. The id finds it and may be shown; of the whole key, only the SHA-256 is stored. The
secret has 256 random bits, so that a slow hash would add nothing.
"""

from __future__ import annotations

import hashlib
import re
import secrets
from dataclasses import dataclass
from typing import Literal, get_args

from core.access.names import build_names, normalize
from core.errors import ConfigError

Scope = Literal["gpt", "toil", "v1"]
SCOPES: tuple[Scope, ...] = get_args(Scope)
FORM = re.compile(r"csps_([0-9a-f]{12})_[A-Za-z0-9_-]{43}", re.ASCII)
NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}", re.ASCII)
RATE = re.compile(r"([1-9][0-9]{0,6})/(s|min|h)", re.ASCII)
MINUTES = {"s": 1 / 60, "min": 1.0, "h": 60.0}


@dataclass(frozen=True, slots=True)
class ApiKey:
    """Times are seconds since 1970. `names`: further names for access lists, such as "group:hr"."""

    id: str
    name: str
    scopes: tuple[Scope, ...]
    names: tuple[str, ...] = ()
    requests_per_minute: float | None = None  # None: as many as the service can take
    tokens_per_day: int | None = None
    created_at: float = 0.0
    expires_at: float | None = None
    revoked_at: float | None = None
    used_at: float | None = None

    @property
    def caller_names(self) -> frozenset[str]:
        """The names by which access lists know a program with this key."""
        return build_names("key", (self.name,)) | frozenset(map(normalize, self.names))

    def is_valid(self, now: float) -> bool:
        return self.revoked_at is None and (self.expires_at is None or now < self.expires_at)


def make_key() -> tuple[str, str]:
    """A new id, and the key that has it."""
    key_id = secrets.token_hex(6)
    return key_id, f"csps_{key_id}_{secrets.token_urlsafe(32)}"


def id_of(key: str) -> str | None:
    """The id within a key; None: it is not a key of this service."""
    found = FORM.fullmatch(key)
    return found[1] if found else None


def digest(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()


def parse_scopes(value: str) -> tuple[Scope, ...]:
    """Raises ConfigError."""
    wanted = {part.strip() for part in value.split(",") if part.strip()}
    if not wanted or not wanted <= set(SCOPES):
        raise ConfigError(f"--scopes: expected some of {', '.join(SCOPES)}, separated by commas")
    return tuple(scope for scope in SCOPES if scope in wanted)


def parse_name(value: str) -> str:
    """Raises ConfigError."""
    if not NAME.fullmatch(value):
        raise ConfigError("--name: expected at most 64 of a-z, 0-9, '.', '_' and '-', such as payroll-reports")
    return value


def parse_names(value: str) -> tuple[str, ...]:
    """Names of access lists that the key has, too. Raises ConfigError."""
    names = tuple(part.strip() for part in value.split(",") if part.strip())
    if not all(name.startswith(("user:", "group:")) and name.partition(":")[2] for name in names):
        raise ConfigError("--names: expected names such as group:hr or user:ana@example.gc.ca, separated by commas")
    return names


def parse_rate(value: str) -> float:
    """The requests in a minute of "60/min", "2/s" or "500/h". Raises ConfigError."""
    found = RATE.fullmatch(value)
    if not found:
        raise ConfigError("--rate: expected requests in a time, such as 60/min, 2/s or 500/h")
    return int(found[1]) / MINUTES[found[2]]
