"""The API key of a request: where it stands, whether it is valid, and what it opens."""

from __future__ import annotations

from aiohttp import web
from cachetools import TTLCache

from core.access.api_keys import SCOPES, ApiKey, Scope, digest, parse_scopes
from core.access.key_store import ApiKeyStore
from core.errors import ConfigError, KeyRefused, ScopeRefused
from web.problems import error_form

KNOWN_S = 10.0  # a revoked key works so long in processes that know it
KNOWN_KEYS = 10_000
BEARER = "bearer "
AZURE_HEADER = "api-key"
SCOPE_OF_PATH: dict[str, Scope] = {"gpt": "gpt", "gpt-socket": "gpt", "toil": "toil"}


def scope_of(path: str) -> Scope | None:
    """The scope that a path of the service belongs to; None: it belongs to none, and takes no key."""
    if error_form(path) == "openai":
        return "v1"
    parts = path.split("/", 3)
    # /gpt and /toil alone are the pages.
    return SCOPE_OF_PATH.get(parts[1]) if len(parts) > 2 and parts[2] else None


def read_key(request: web.Request) -> str | None:
    """The key that the request carries. Clients of OpenAI's API send any other word where none is needed: None."""
    for header in request.headers.getall("Authorization", ()):
        if header[: len(BEARER)].lower() == BEARER and header[len(BEARER) :].lstrip().startswith("csps_"):
            return header[len(BEARER) :].strip()
    azure = request.headers.get(AZURE_HEADER, "").strip()
    return azure if azure.startswith("csps_") else None


class KeyRing:
    """The keys of one process. `required`: the scopes whose paths need a key or a person who is signed in."""

    def __init__(self, store: ApiKeyStore | None, required: frozenset[Scope]) -> None:
        """`store`: None where nobody has keys."""
        self.store = store
        self._required = required
        self._known: TTLCache[str, ApiKey] = TTLCache(KNOWN_KEYS, KNOWN_S)  # by the digest, and by the name

    async def admit(self, secret: str | None, path: str, *, is_signed_in: bool) -> ApiKey | None:
        """The valid key of a request. Raises KeyRefused, ScopeRefused, StorageError."""
        scope = scope_of(path)
        if scope is None:
            return None
        if secret is None:
            if scope in self._required and not is_signed_in:
                raise KeyRefused("this path needs an API key: Authorization: Bearer csps_…")
            return None
        key = await self._find(secret)
        if scope not in key.scopes:
            raise ScopeRefused(f"the key {key.name} is not for {scope}; it has the scopes {', '.join(key.scopes)}")
        return key

    async def of_names(self, names: frozenset[str]) -> ApiKey | None:
        """The key of a caller with these names; None: the caller has none. Raises KeyRefused, StorageError."""
        name = next((each for each in names if each.startswith("key:")), None)
        if name is None or self.store is None:
            return None
        key = self._known.get(name)
        if key is None or not key.is_valid(self.store.now()):
            key = await self.store.find_named(name.removeprefix("key:"))
            if key is None:
                raise KeyRefused("this API key has expired or was revoked")
            self._known[name] = key
        return key

    async def _find(self, secret: str) -> ApiKey:
        hashed = digest(secret)
        key = self._known.get(hashed)
        if self.store and (key is None or not key.is_valid(self.store.now())):
            key = await self.store.find(secret)
            if key is not None:
                self._known[hashed] = key
                await self.store.note_use(key)
        if key is None:
            raise KeyRefused("this API key is unknown, expired or revoked")
        return key


KEYS: web.AppKey[KeyRing] = web.AppKey("keys", KeyRing)


def parse_required(scopes: tuple[str, ...]) -> frozenset[Scope]:
    """The scopes of WEB_KEYS_REQUIRED. Raises ConfigError."""
    if not set(scopes) <= set(SCOPES):
        raise ConfigError(f"WEB_KEYS_REQUIRED: expected some of {', '.join(SCOPES)}, separated by commas")
    return frozenset(parse_scopes(",".join(scopes))) if scopes else frozenset()
