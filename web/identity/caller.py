"""The caller of one request. A middleware finds it once; handlers ask here."""

from __future__ import annotations

from dataclasses import dataclass

from aiohttp import web

from core.access.api_keys import ApiKey
from core.configuration.setting_sections import WebSettings
from core.errors import ConfigError
from web.client_identity import ClientIdentity
from web.identity.person import Person, read_value, split_groups


@dataclass(frozen=True, slots=True)
class Caller:
    """A person, a program with a key, both, or nobody who is known."""

    person: Person | None = None
    key: ApiKey | None = None

    @property
    def names(self) -> frozenset[str]:
        people = self.person.names if self.person else frozenset()
        return people | self.key.caller_names if self.key else people


NOBODY = Caller()
CALLER: web.RequestKey[Caller] = web.RequestKey("caller", Caller)


def find_caller(request: web.Request) -> Caller:
    caller: Caller = request.get(CALLER, NOBODY)
    return caller


def find_names(request: web.Request) -> frozenset[str]:
    """The names by which access lists know the caller."""
    return find_caller(request).names


def read_proxy_headers(request: web.Request, settings: WebSettings, identity: ClientIdentity) -> Person | None:
    """The person whom a proxy of WEB_TRUSTED names. Anybody else could write the same headers."""
    if settings.user_header is None or not identity.trusts(request.remote or ""):
        return None
    user = read_value(request.headers.getall(settings.user_header, ()))
    if not user:
        return None
    email = read_value(request.headers.getall(settings.email_header, ())) if settings.email_header else ""
    groups = split_groups(request.headers.getall(settings.groups_header, ())) if settings.groups_header else ()
    return Person(user, email, groups)


def require_known_people(web: WebSettings) -> None:
    """Raises ConfigError if proxies are to name people and one of the settings for it is missing."""
    if web.user_header is None:
        for variable, header in (("WEB_EMAIL_HEADER", web.email_header), ("WEB_GROUPS_HEADER", web.groups_header)):
            if header:
                raise ConfigError(f"{variable} needs WEB_USER_HEADER: it describes the person whom that header names")
    elif not web.trusted:
        raise ConfigError(
            "WEB_USER_HEADER needs WEB_TRUSTED: name the addresses of the proxies that may say who is signed in"
        )
