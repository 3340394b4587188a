"""What a site says about keeping its pages: RFC 9111, as far as a cache without credentials needs it. Pure."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import datetime
from email.utils import parsedate_to_datetime

import httpx

PERMANENT = {301, 308}
LIFETIME_LIMIT_S = 30 * 86_400.0
VALIDATOR_LIMIT_CHARS = 256


def directives(headers: httpx.Headers) -> dict[str, str]:
    """Of Cache-Control, in lower case; "" for those without a value."""
    parts = (part.partition("=") for part in headers.get("cache-control", "").lower().split(","))
    return {name.strip(): value.strip().strip('"') for name, _, value in parts}


def may_be_kept(headers: httpx.Headers) -> bool:
    """Ours is a cache that people share."""
    return not {"no-store", "private"} & directives(headers).keys() and headers.get("vary", "").strip() != "*"


def lifetime_s(headers: httpx.Headers) -> float | None:
    """How long the site vouches for this, from now; 0: ask each time. None: it does not say."""
    said = directives(headers)
    if "no-cache" in said:
        return 0.0
    total_s = seconds(said["max-age"]) if "max-age" in said else expires_s(headers)
    return None if total_s is None else min(max(total_s - seconds(headers.get("age", "0")), 0.0), LIFETIME_LIMIT_S)


def seconds(text: str) -> float:
    """What is no number is stale."""
    return float(text) if text.isascii() and text.isdecimal() and len(text) < 12 else 0.0


def expires_s(headers: httpx.Headers) -> float | None:
    """By Expires and Date. A date that is none has passed."""
    if "expires" not in headers:
        return None
    expires, date = when(headers["expires"]), when(headers.get("date", ""))
    return (expires - date).total_seconds() if expires and date else 0.0


def when(text: str) -> datetime | None:
    try:
        moment = parsedate_to_datetime(text)
    except (ValueError, OverflowError):
        return None
    return moment if moment.tzinfo is not None else None


def redirect_lifetime_s(status: int, headers: httpx.Headers) -> float | None:
    """As `lifetime_s`, of a redirect: a permanent one that says nothing holds for good."""
    said = lifetime_s(headers)
    return math.inf if said is None and status in PERMANENT else said


def combined_s(lifetimes: Sequence[float | None]) -> float | None:
    """Of a page at the end of redirects: each step must be vouched for. None if one is not, 0 if one must be asked."""
    if 0.0 in lifetimes:
        return 0.0
    said = [lifetime for lifetime in lifetimes if lifetime is not None]
    return min(said) if len(said) == len(lifetimes) else None


def validator(headers: httpx.Headers, name: str) -> str | None:
    """An ETag or Last-Modified that can be sent back as it came."""
    value = headers.get(name)
    return value if value and value.isascii() and value.isprintable() and len(value) <= VALIDATOR_LIMIT_CHARS else None
