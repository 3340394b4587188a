"""Faults that the stand-in for Discord injects into calls."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from aiohttp import web


@dataclass
class ApiFault:
    """Fails the next `times` calls whose "METHOD /path" contains `part`. Status 0 closes the connection."""

    part: str
    status: int
    body: Any = field(default_factory=lambda: {"code": 0, "message": "failed"})
    times: int = 1
    headers: dict[str, str] = field(default_factory=dict)
    takes_effect: bool = False  # the call succeeds, but its answer is lost


def rate_limited(part: str, retry_after_s: float, *, everywhere: bool = False, times: int = 1) -> ApiFault:
    body = {"message": "You are being rate limited.", "retry_after": retry_after_s, "global": everywhere}
    return ApiFault(part, 429, body, times, {"Retry-After": str(int(retry_after_s) + 1), "Via": "1.1 google"})


def build_failure(fault: ApiFault) -> web.Response:
    if isinstance(fault.body, str):
        return web.Response(status=fault.status or 500, text=fault.body, content_type="application/json")
    return web.json_response(fault.body, status=fault.status or 500, headers=fault.headers)
