"""API keys of programs over HTTP: what they open, and their limits and those of people."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import pytest
from aiohttp import WSServerHandshakeError

from core.access.api_keys import ApiKey, make_key
from core.access.key_store import ApiKeyStore
from core.configuration.settings import Settings
from core.errors import ConfigError
from core.storage.database import Database
from tests.support.fake_engine import FakeEngine
from tests.web.support_site import Site, receive_until, site
from web.app import create_app
from web.identity import keys as key_module
from web.identity.keys import scope_of

CHAT = {"model": "whisper", "messages": [{"role": "user", "content": "Hi"}]}
TOIL = {"prompt": "Hi"}
PERSON: dict[str, Any] = {"trusted": ("127.0.0.1",), "user_header": "X-User"}


class Keys:
    """Makes keys for a site's tests."""

    def __init__(self, store: ApiKeyStore) -> None:
        self.store = store

    async def make(self, name: str = "reports", **fields: Any) -> dict[str, str]:
        """The header with a new key of all scopes."""
        key_id, secret = make_key()
        key = ApiKey(key_id, name, ("gpt", "toil", "v1"), created_at=self.store.now())
        await self.store.create(replace(key, **fields), secret)
        return {"Authorization": f"Bearer {secret}"}


@pytest.fixture
async def keys(own_settings: Settings) -> AsyncIterator[Keys]:
    database = Database(own_settings.database_url)
    await database.upgrade()
    yield Keys(ApiKeyStore(database))
    await database.close()


@asynccontextmanager
async def keyed(settings: Settings, keys: Keys, engine: FakeEngine | None = None, **web: Any) -> AsyncIterator[Site]:
    async with site(settings, engine, keys=keys.store, **web) as running:
        yield running


async def ask(running: Site, path: str, body: Any = None, headers: dict[str, str] | None = None) -> tuple[int, str]:
    method = "GET" if body is None else "POST"
    async with running.http.request(method, path, json=body, headers=headers or {}) as response:
        return response.status, await response.text()


PATHS = (
    ("/toil/whisper", TOIL),
    ("/v1/chat/completions", CHAT),
    ("/gpt/whisper?prompt=Hi", None),
)


@pytest.mark.parametrize(
    ("path", "scope"),
    [
        *(("/toil/whisper", "toil"), ("/toil/whisper/batch", "toil"), ("/gpt/whisper", "gpt")),
        *(("/gpt-socket/whisper", "gpt"), ("/v1/models", "v1"), ("/openai/deployments/x/chat/completions", "v1")),
        *(("/toil", None), ("/gpt", None), ("/gpt/", None), ("/", None), ("/healthz", None), ("/static/a.js", None)),
    ],
)
def test_each_path_has_its_scope(path: str, scope: str | None) -> None:
    """The pages themselves and health have none."""
    assert scope_of(path) == scope


async def test_a_valid_key_opens_its_scopes(own_settings: Settings, keys: Keys) -> None:
    """Where keys are required, a request without one is 401, and one with another scope is 403."""
    everything, toil_only = await keys.make(), await keys.make("toil-only", scopes=("toil",))
    async with keyed(own_settings, keys, keys_required=("gpt", "toil", "v1")) as running:
        for path, body in PATHS:
            assert (await ask(running, path, body, everything))[0] == 200
            assert (await ask(running, path, body))[0] == 401
            assert (await ask(running, path, body, toil_only))[0] == (200 if path.startswith("/toil") else 403)
        for path in ("/", "/toil", "/healthz", "/readyz", "/describe"):
            assert (await ask(running, path))[0] == 200


async def test_the_error_has_the_form_of_its_route(own_settings: Settings, keys: Keys) -> None:
    """With the header that names the scheme. No answer repeats the key."""
    wrong = f"csps_{'0' * 12}_{'A' * 43}"
    async with keyed(own_settings, keys) as running:
        async with running.http.post("/v1/chat/completions", json=CHAT, headers={"api-key": wrong}) as response:
            body = await response.json()
            assert (401, "Bearer") == (response.status, response.headers["WWW-Authenticate"])
            assert body["error"]["code"] == "invalid_api_key"
        status, text = await ask(running, "/toil/whisper", TOIL, {"Authorization": f"bearer {wrong}"})
        assert (401, "key_refused") == (status, json.loads(text)["code"])
        assert wrong not in text + json.dumps(body)


@pytest.mark.parametrize("word", ["Bearer sk-anything", "Basic YTpi", "Bearer", "csps_", ""])
async def test_other_words_are_ignored_where_no_key_is_needed(own_settings: Settings, keys: Keys, word: str) -> None:
    """OpenAI's clients always send some word."""
    async with keyed(own_settings, keys) as running:
        assert (await ask(running, "/v1/chat/completions", CHAT, {"Authorization": word}))[0] == 200


async def test_revoked_and_expired_keys_are_refused(
    own_settings: Settings, keys: Keys, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also by a process that knew the key, and on a socket that was opened before."""
    monkeypatch.setattr(key_module, "KNOWN_S", 0.0)
    header, expired = await keys.make(), await keys.make("old", expires_at=keys.store.now() - 1)
    async with keyed(own_settings, keys) as running:
        assert (await ask(running, "/toil/whisper", TOIL, expired))[0] == 401
        async with running.v1(headers=header) as socket:
            await socket.send_json({"type": "prompt", "text": "Hi"})
            await receive_until(socket, "done")
            await keys.store.revoke("reports")
            assert (await ask(running, "/toil/whisper", TOIL, header))[0] == 401
            await socket.send_json({"type": "prompt", "text": "Hi again"})
            (*_, refused) = await receive_until(socket, "done", "error")
            assert refused["code"] == "key_refused"
        with pytest.raises(WSServerHandshakeError, match="401"):
            await running.plain(headers=header)


async def test_access_lists_know_a_key(own_settings: Settings, keys: Keys) -> None:
    """By its own name and by those that it was given."""
    engine = FakeEngine()
    engine.allow = {"whisper": ("group:hr", "key:reports")}
    by_name, by_group, neither = await keys.make(), await keys.make("b", names=("group:hr",)), await keys.make("c")
    async with keyed(own_settings, keys, engine) as running:
        found = [(await ask(running, "/toil/whisper", TOIL, each))[0] for each in (by_name, by_group, neither, {})]
    assert [200, 200, 403, 403] == found


async def test_signed_in_people_need_no_key(own_settings: Settings, keys: Keys) -> None:
    """A header that a stranger writes signs nobody in."""
    async with keyed(own_settings, keys, keys_required=("toil",), **PERSON) as running:
        assert (await ask(running, "/toil/whisper", TOIL, {"X-User": "ana"}))[0] == 200
    async with keyed(own_settings, keys, keys_required=("toil",)) as running:
        assert (await ask(running, "/toil/whisper", TOIL, {"X-User": "ana"}))[0] == 401


async def test_a_browser_may_ask_whether_it_may_send_a_key(own_settings: Settings, keys: Keys) -> None:
    """A preflight never carries one."""
    origin = "https://chat.example.gc.ca"
    headers = {"Origin": origin, "Access-Control-Request-Method": "POST"}
    async with (
        keyed(own_settings, keys, keys_required=("v1",), origins=(origin,)) as running,
        running.http.options("/v1/chat/completions", headers=headers) as response,
    ):
        assert response.status == 204


async def test_a_key_has_its_requests_and_tokens(own_settings: Settings, keys: Keys) -> None:
    """429 says when to come back. Another key has its own."""
    slow, other = await keys.make(requests_per_minute=2.0), await keys.make("other", requests_per_minute=2.0)
    small = await keys.make("small", tokens_per_day=1)
    async with keyed(own_settings, keys) as running:
        assert [200, 200, 429] == [(await ask(running, "/toil/whisper", TOIL, slow))[0] for _ in range(3)]
        assert (await ask(running, "/v1/chat/completions", CHAT, other))[0] == 200
        assert [200, 429] == [(await ask(running, "/v1/chat/completions", CHAT, small))[0] for _ in range(2)]
        async with running.http.post("/v1/chat/completions", json=CHAT, headers=slow) as response:
            assert (await response.json())["error"]["code"] == "rate_limit_exceeded"
            assert 0 < int(response.headers["Retry-After"]) <= 30
        assert running.metric("csps_web_errors_total", code="limit_reached") == 3


async def test_tokens_of_a_key_are_counted_over_processes(own_settings: Settings, keys: Keys) -> None:
    """The database has them."""
    small = await keys.make(tokens_per_day=1)
    for expected in (200, 429):
        async with keyed(own_settings, keys) as running:
            assert (await ask(running, "/v1/chat/completions", CHAT, small))[0] == expected


async def test_people_have_limits_of_their_own(own_settings: Settings, keys: Keys) -> None:
    """On the socket too, with a text for people. A key is not limited by them."""
    header = await keys.make()
    async with keyed(own_settings, keys, person_rate=2) as running:
        async with running.v1() as socket:
            for _ in range(2):
                await socket.send_json({"type": "prompt", "text": "Hi"})
                assert (await receive_until(socket, "done", "error"))[-1]["type"] == "done"
            await socket.send_json({"type": "prompt", "text": "Hi"})
            refused = (await receive_until(socket, "done", "error"))[-1]
        assert ("error", "limit_reached") == (refused["type"], refused["code"])
        assert [200] * 3 == [(await ask(running, "/toil/whisper", TOIL, header))[0] for _ in range(3)]
    async with keyed(own_settings, keys, person_tokens_per_day=1) as running:
        assert [200, 429] == [(await ask(running, "/v1/chat/completions", CHAT))[0] for _ in range(2)]


def test_an_unknown_scope_is_refused_at_start(own_settings: Settings) -> None:
    web = own_settings.web.model_copy(update={"keys_required": ("toil", "admin")})
    with pytest.raises(ConfigError, match="WEB_KEYS_REQUIRED"):
        create_app(FakeEngine(), own_settings.model_copy(update={"web": web}))
