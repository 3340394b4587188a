"""People whom a trusted proxy names by headers: user, e-mail address and groups."""

from __future__ import annotations

from typing import Any

import pytest

from core.configuration import settings as settings_module
from core.configuration.settings import Settings
from core.errors import ConfigError
from tests.support.fake_engine import FakeEngine
from tests.web.support_site import receive_answer, site
from web.app import create_app
from web.identity.person import Person, read_value, split_groups

WEB: dict[str, Any] = {
    "trusted": ("127.0.0.1",),
    "user_header": "X-Forwarded-User",
    "email_header": "X-Forwarded-Email",
    "groups_header": "X-Forwarded-Groups",
}
ANA = {"X-Forwarded-User": "ana", "X-Forwarded-Email": "Ana@Example.gc.ca", "X-Forwarded-Groups": "staff, hr"}
CHAT = {"model": "whisper", "messages": [{"role": "user", "content": "Hi"}]}


def closed_engine() -> FakeEngine:
    engine = FakeEngine()
    engine.allow = {"whisper": ("group:hr",)}
    return engine


@pytest.mark.parametrize(
    "values", [[], [""], ["ana", "bob"], ["ana\r\n bob"], ["a" * 257], ["\udce9"], ["a\u202eb"], ["\x00"]]
)
def test_an_unusable_value_names_nobody(values: list[str]) -> None:
    """Absent, empty, doubled, folded, long, not UTF-8, or with control characters."""
    assert read_value(values) == ""


def test_accents_are_usable() -> None:
    """Names are of any language."""
    assert (" Équipe ".strip(), ("équipe", "rh")) == (read_value([" Équipe "]), split_groups(["équipe,, rh ,équipe"]))


@pytest.mark.parametrize("headers", [["a", "b"], [",".join(f"g{number}" for number in range(1001))], []])
def test_doubled_or_endless_groups_are_none(headers: list[str]) -> None:
    """A second header may be the client's own."""
    assert split_groups(headers) == ()


async def test_prompts_carry_the_persons_names(own_settings: Settings) -> None:
    """By the page's route, JSON and OpenAI's API alike."""
    async with site(own_settings, **WEB) as running:
        await running.http.get("/gpt/whisper", params={"prompt": "Hi"}, headers=ANA)
        await running.http.post("/v1/chat/completions", json=CHAT, headers=ANA)
        await running.http.post("/toil/whisper", json={"prompt": "Hi"}, headers=ANA)
        await running.http.post(
            "/toil/whisper/batch",
            data='{"prompt": "Hi"}\n',
            headers={**ANA, "Content-Type": "application/x-ndjson"},
        )
        async with running.plain(headers=ANA) as socket:
            await socket.send_str("Hi")
            await receive_answer(socket)

    names = {frozenset(("user:ana", "user:ana@example.gc.ca", "group:staff", "group:hr"))}
    assert names == {each.names for each in (*running.engine.prompts, *running.engine.tasks)}
    assert (3, 2) == (len(running.engine.prompts), len(running.engine.tasks))


@pytest.mark.parametrize("trusted", [("127.0.0.1",), ("10.0.0.1",)])
async def test_headers_are_believed_from_trusted_proxies_alone(
    own_settings: Settings, trusted: tuple[str, ...]
) -> None:
    """Anybody can send the headers."""
    async with (
        site(own_settings, closed_engine(), **{**WEB, "trusted": trusted}) as running,
        running.http.get("/gpt/whisper", params={"prompt": "Hi"}, headers=ANA) as response,
    ):
        assert response.status == (200 if trusted == ("127.0.0.1",) else 403)


@pytest.mark.parametrize(
    ("method", "path", "options"),
    [
        ("GET", "/gpt/whisper?prompt=Hi", {}),
        ("POST", "/gpt", {"data": {"personality": "whisper", "prompt": "Hi"}}),
        ("POST", "/toil/whisper", {"json": {"prompt": "Hi"}}),
        ("POST", "/toil/whisper/check", {"json": {"schema": True}}),
        ("POST", "/toil/whisper/batch", {"data": "{}\n", "headers": {"Content-Type": "application/x-ndjson"}}),
        ("POST", "/v1/chat/completions", {"json": CHAT}),
        ("POST", "/v1/responses", {"json": {"model": "whisper", "input": "Hi"}}),
        ("GET", "/v1/models/whisper", {}),
        ("GET", "/describe/whisper", {}),
        ("GET", "/gpt-socket/whisper", {}),
    ],
)
async def test_a_stranger_is_refused_on_every_route(
    own_settings: Settings, method: str, path: str, options: dict[str, Any]
) -> None:
    """The answer has status 403, and no prompt reaches the engine."""
    async with site(own_settings, closed_engine(), **WEB) as running:
        async with running.http.request(method, path, **options) as response:
            assert response.status == 403
        assert not running.engine.prompts
        assert not running.engine.tasks


async def test_lists_show_what_the_caller_may_use(own_settings: Settings) -> None:
    """A stranger does not learn that there is another personality."""
    async with site(own_settings, closed_engine(), **WEB) as running:
        for headers, expected in ((ANA, ["whisper", "chuchotte"]), ({}, ["chuchotte"])):
            described = await (await running.http.get("/describe", headers=headers)).json()
            listed = await (await running.http.get("/v1/models", headers=headers)).json()
            form = await (await running.http.get("/gpt", headers=headers)).text()

            assert expected == [each["personality"] for each in described["personalities"]]
            assert expected == [each["id"] for each in listed["data"]][:-1]
            assert ("whisper" in expected) == ('value="whisper"' in form)
        async with running.http.get("/describe/nobody") as unknown:
            assert "whisper" not in await unknown.text()


@pytest.mark.parametrize(
    ("environ", "missing"),
    [
        ({"WEB_USER_HEADER": "X-User"}, "WEB_TRUSTED"),
        ({"WEB_GROUPS_HEADER": "X-Groups"}, "WEB_USER_HEADER"),
        ({"WEB_EMAIL_HEADER": "X-Email"}, "WEB_USER_HEADER"),
    ],
)
def test_a_half_set_proxy_refuses_to_start(environ: dict[str, str], missing: str) -> None:
    """The message names what is missing."""
    with pytest.raises(ConfigError, match=missing):
        create_app(FakeEngine(), settings_module.load(environ))


def test_a_person_owns_conversations_by_id() -> None:
    """The e-mail address may change; the id stays."""
    assert (Person("1", "a@b.ca").owner, "a@b.ca") == ("person:1", Person("1", "a@b.ca").shown)
