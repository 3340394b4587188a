"""How calls to the Discord of the tests fail."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from aiohttp import web


@dataclass
class Fault:
    """How the next calls fail whose "METHOD /path" has `part` in it."""

    part: str
    status: int
    body: Any = field(default_factory=lambda: {"code": 0, "message": "failed"})
    times: int = 1
    headers: dict[str, str] = field(default_factory=dict)
    done: bool = False  # it fails after it was done: the answer is lost


def rate_limited(part: str, retry_after_s: float, *, everywhere: bool = False, times: int = 1) -> Fault:
    body = {"message": "You are being rate limited.", "retry_after": retry_after_s, "global": everywhere}
    return Fault(part, 429, body, times, {"Retry-After": str(int(retry_after_s) + 1), "Via": "1.1 google"})


def failed(fault: Fault) -> web.Response:
    if isinstance(fault.body, str):
        return web.Response(status=fault.status or 500, text=fault.body, content_type="application/json")
    return web.json_response(fault.body, status=fault.status or 500, headers=fault.headers)
