"""Finds the owner of a request's conversations: the person who is signed in, else the visitor's browser.

A trusted proxy names the person (WEB_USER_HEADER). A cookie with a secret of 256 random bits names the browser; the
secret is the only access to that browser's conversations, so it reaches no log, and the database has only its hash.
"""

from __future__ import annotations

import re
import secrets
from datetime import timedelta

from aiohttp import web

from web.identity.caller import find_caller
from web.identity.person import Person
from web.service import SERVICE

COOKIE = "csps_visitor"
SECRET_BYTES = 32
SECRET = re.compile(rf"(?:^|;)\s*{COOKIE}=([A-Za-z0-9_-]{{43}})\s*(?=;|$)", re.ASCII)


def find_person(request: web.Request) -> Person | None:
    """The person who is signed in; None: nobody is."""
    return find_caller(request).person


def find_owner(request: web.Request) -> str | None:
    """The owner for `Engine.open`: "person:…" or "visitor:…". None: a program, or a browser without the cookie."""
    if person := find_person(request):
        return person.owner
    secret = find_secret(request)
    return f"visitor:{secret}" if secret else None


def find_secret(request: web.Request) -> str | None:
    """The first well-formed cookie: browsers send that of the longest path first (RFC 6265, section 5.4)."""
    found = SECRET.search("; ".join(request.headers.getall("Cookie", ())))
    return found[1] if found else None


def renew_cookie(request: web.Request, response: web.Response, kept: timedelta) -> None:
    """Gives the browser its secret for the time that conversations are kept, beginning anew at each visit."""
    response.set_cookie(
        COOKIE,
        find_secret(request) or secrets.token_urlsafe(SECRET_BYTES),
        max_age=round(kept.total_seconds()),
        path=f"{request.app[SERVICE].settings.prefix}/",
        secure=came_by_https(request),
        httponly=True,
        samesite="Strict",
    )


def came_by_https(request: web.Request) -> bool:
    """True if the browser's connection is encrypted: to this process, or to a trusted proxy that says so."""
    if request.secure:
        return True
    claimed = request.headers.get("X-Forwarded-Proto", "").partition(",")[0].strip()
    return claimed.lower() == "https" and request.app[SERVICE].identity.trusts(request.remote or "")
