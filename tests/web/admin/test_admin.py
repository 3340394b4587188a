"""/admin: who may open it, and what it shows."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from aiohttp import web
from prometheus_client.parser import text_string_to_metric_families
from pydantic import SecretStr

from core.administration.desk import AdministrationDesk
from core.configuration.settings import Settings
from core.contract import Done, Prompt, Text, Usage
from core.errors import ConfigError, ModelUnavailable
from core.rag.facts.status import CollectionStatus
from core.statistics.recorder import AnswerStatistics
from core.storage import bot_tables
from core.storage.database import Database
from tests.support.fake_engine import FakeEngine
from tests.web.support_site import Site, site
from web.admin.access import ATTEMPTS, SESSION_S, AdminAccess

KEY = "a long key of the operator, for tests"
ASKED = Prompt("whisper", "Where is <Ottawa>?", user="u1", channel="teams")


async def no_collections() -> list[CollectionStatus]:
    return [CollectionStatus("hr", 12, 40, ("https://hr.example",), succeeded_at=1_800_000_000.0, problem="<slow>")]


@asynccontextmanager
async def administered(
    settings: Settings, *, allow: tuple[str, ...] = (), key: str | None = KEY, **web_settings: Any
) -> AsyncIterator[Site]:
    """A site with an administrators' page, and two requests in its statistics."""
    admin = settings.admin.model_copy(update={"key": SecretStr(key) if key else None, "allow": allow})
    changed = settings.model_copy(update={"admin": admin})
    database = Database(settings.database_url)
    try:
        await database.upgrade()
        await count_two(AnswerStatistics(database))
        engine = FakeEngine()
        desk = AdministrationDesk(changed, database, engine, no_collections)
        async with site(changed, engine, desk=desk, **web_settings) as running:
            yield running
    finally:
        await database.close()


async def count_two(statistics: AnswerStatistics) -> None:
    async def answered() -> AsyncIterator[Any]:
        yield Text("In Ontario.")
        yield Done("stop", "Ministral <3>", Usage(1234, 50, 617))

    async def failed() -> AsyncIterator[Any]:
        raise ModelUnavailable("away")
        yield

    async for _ in statistics.observe(ASKED, answered()):  # type: ignore[type-var]
        pass
    with pytest.raises(ModelUnavailable):
        async for _ in statistics.observe(ASKED, failed()):  # type: ignore[type-var]
            pass
    await statistics.flush()


async def sign_in(running: Site, key: str = KEY) -> int:
    """The status. The session stays in the client's cookies, which it otherwise does not keep for addresses."""
    async with running.http.post("/admin/sign-in", data={"key": key}, allow_redirects=False) as response:
        if cookie := response.cookies.get("csps_admin"):
            running.http.headers["Cookie"] = f"csps_admin={cookie.value}"
        return response.status


async def text_of(running: Site, path: str, **options: Any) -> tuple[int, str]:
    async with running.http.get(path, **options) as response:
        return response.status, await response.text()


async def test_the_operators_key_opens_the_page(own_settings: Settings) -> None:
    """Without it there are no figures. A cookie that scripts cannot read carries the session; signing out ends it."""
    async with administered(own_settings) as running:
        status, page = await text_of(running, "/admin")
        assert (401, True) == (status, 'type="password"' in page)
        assert "1,234" not in page
        assert await sign_in(running, "wrong") == 401
        async with running.http.post("/admin/sign-in", data={"key": KEY}, allow_redirects=False) as response:
            assert (303, "../admin") == (response.status, response.headers["Location"])
            cookie = response.headers["Set-Cookie"]
            running.http.headers["Cookie"] = cookie.partition(";")[0]
            assert all(
                each in cookie for each in ("HttpOnly", "SameSite=Strict", "Path=/admin", f"Max-Age={SESSION_S}")
            )
        status, page = await text_of(running, "/admin")
        assert (200, True) == (status, "1,234" in page)
        async with running.http.post("/admin/sign-out", allow_redirects=False) as response:
            assert (303, "../admin") == (response.status, response.headers["Location"])
            assert 'csps_admin=""; expires=Thu, 01 Jan 1970' in response.headers["Set-Cookie"]


async def test_without_key_and_names_there_is_no_page(own_settings: Settings) -> None:
    async with administered(own_settings, key=None) as running:
        assert [404] * 3 == [(await text_of(running, path))[0] for path in ("/admin", "/admin/state", "/admin/other")]
        assert await sign_in(running) == 404


@pytest.mark.parametrize("header", ["X-Forwarded-For", "Forwarded", "Via", "X-Real-IP"])
async def test_the_key_is_for_this_machine(own_settings: Settings, header: str) -> None:
    """A request that a proxy passed on opens nothing, with the key or with a session."""
    async with administered(own_settings) as running:
        assert await sign_in(running) == 303
        status, page = await text_of(running, "/admin", headers={header: "203.0.113.5"})
        assert (401, False) == (status, 'type="password"' in page)
        data = {"key": KEY}
        async with running.http.post("/admin/sign-in", data=data, headers={header: "203.0.113.5"}) as response:
            assert response.status == 401


async def test_named_people_open_the_page_from_anywhere(own_settings: Settings) -> None:
    """A trusted proxy names the person and their groups. Others see that they may not."""
    options = {"trusted": ("127.0.0.1",), "user_header": "X-User", "groups_header": "X-Groups"}
    allow = ("user:Ana@example.gc.ca", "group:it-admins")
    async with administered(own_settings, key=None, allow=allow, **options) as running:
        for person, groups, status in (
            ("ana@example.gc.ca", "", 200),
            ("eve@example.gc.ca", "staff,it-admins", 200),
            ("eve@example.gc.ca", "staff", 401),
        ):
            headers = {"X-Forwarded-For": "203.0.113.5", "X-User": person, "X-Groups": groups}
            assert (await text_of(running, "/admin", headers=headers))[0] == status


async def test_wrong_keys_are_slowed_down(own_settings: Settings) -> None:
    """After some wrong keys even the right one has to wait."""
    async with administered(own_settings) as running:
        assert [await sign_in(running, "wrong") for _ in range(ATTEMPTS)] == [401] * ATTEMPTS
        assert await sign_in(running) == 429


@pytest.mark.parametrize("forged", ["", ".", "9999999999", "9999999999.", "9999999999.00", "1.1", "٣٣.x", "x" * 5000])
async def test_a_forged_session_opens_nothing(own_settings: Settings, forged: str) -> None:
    async with administered(own_settings) as running:
        assert (await text_of(running, "/admin", headers={"Cookie": f"csps_admin={forged}"}))[0] == 401


async def test_a_session_ends_with_its_time_and_its_key(own_settings: Settings) -> None:
    """Another key ends all sessions."""
    settings = own_settings.admin.model_copy(update={"key": SecretStr(KEY)})
    now = [1_800_000_000.0]
    access = AdminAccess(settings, lambda _request: frozenset(), lambda: now[0])

    class Request:
        headers: dict[str, str] = {}  # noqa: RUF012 - one test's stand-in
        remote = "127.0.0.1"
        cookies: dict[str, str] = {}  # noqa: RUF012

    request: Any = Request()
    request.cookies = {"csps_admin": access.sign_in(request, KEY)}
    assert access.administrator(request) == "operator"
    other = AdminAccess(
        settings.model_copy(update={"key": SecretStr(KEY + "2")}), lambda _r: frozenset(), lambda: now[0]
    )
    assert other.administrator(request) is None
    now[0] += SESSION_S
    assert access.administrator(request) is None


def test_a_short_key_is_refused(own_settings: Settings) -> None:
    with pytest.raises(ConfigError, match="ADMIN_KEY: at least 32 characters"):
        AdminAccess(own_settings.admin.model_copy(update={"key": SecretStr("short")}), lambda _request: frozenset())


async def test_the_figures_are_in_both_languages(own_settings: Settings) -> None:
    """Names of strangers stay text, and the page has no script."""
    async with administered(own_settings) as running:
        await sign_in(running)
        for language, words in (("en", ("By channel", "1,234", "50%")), ("fr", ("Par canal", "1 234", "50 %"))):
            _, page = await text_of(running, f"/admin?language={language}&period=hour")
            plain = re.sub(r"[\u00a0\u202f]", " ", page)
            assert [each for each in words if each not in plain] == []
            assert f'<html lang="{language}">' in page
            assert "Ministral &lt;3&gt;" in page
            assert "model_unavailable" in page
            assert "<script" not in page
            assert page.count("<svg") == 3


async def test_the_state_shows_models_and_collections(own_settings: Settings) -> None:
    """A process that does not answer is named."""
    async with administered(own_settings) as running:
        await sign_in(running)
        _, page = await text_of(running, "/admin/state")

    assert "fake-model" in page
    assert "The process “model” does not answer." in page
    assert "&lt;slow&gt;" in page


async def test_all_metrics_are_in_one_place(own_settings: Settings, unused_tcp_port: int) -> None:
    """A bot's metrics carry its name; a process that does not answer is down."""
    app = web.Application()

    async def metrics(_request: web.Request) -> web.Response:
        return web.Response(text="# TYPE csps_bot_messages counter\ncsps_bot_messages_total 3\n")

    app.router.add_get("/metrics", metrics)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", unused_tcp_port).start()
    slack = own_settings.slack.model_copy(update={"bot_token": SecretStr("xoxb-1"), "port": unused_tcp_port})
    async with administered(own_settings.model_copy(update={"slack": slack})) as running:
        _, text = await text_of(running, "/metrics/all")
    await runner.cleanup()

    samples = {
        (sample.name, sample.labels.get("process")): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }
    assert samples["csps_bot_messages_total", "slack"] == 3
    assert [samples["csps_process_up", each] for each in ("web", "slack", "model")] == [1, 1, 0]


async def test_feedback_of_all_channels_is_read_and_the_access_recorded(own_settings: Settings) -> None:
    """A comment stays text. Filters narrow the list; a date that is none shows everything, and says so."""
    async with administered(own_settings) as running:
        row = {"answer": "a1", "speaker": "s1", "value": "bad", "at": 1_800_000_000.0, "comment": "<b>wrong</b>"}
        database = Database(own_settings.database_url)
        await database.write(lambda db: db.execute(bot_tables.feedback.insert().values(row)))
        await database.close()
        await sign_in(running)
        _, everything = await text_of(running, "/admin/feedback")
        _, good = await text_of(running, "/admin/feedback?verdict=good")
        _, wrong = await text_of(running, "/admin/feedback?since=yesterday&language=fr")
        _, holds = await text_of(running, "/admin/holds")

    assert "&lt;b&gt;wrong&lt;/b&gt;" in everything
    assert "One verdict, 0 of them good." in everything
    assert "Nobody has rated an answer." in good
    assert "sous forme de date" in wrong
    assert "&lt;b&gt;wrong&lt;/b&gt;" in wrong
    assert holds.count("<td>show</td>") == 4
