"""/conversations: who owns a conversation, what the owner can do with it, and that nobody else can."""

from __future__ import annotations

from collections.abc import Mapping
from http.cookies import SimpleCookie
from typing import Any

import pytest
from aiohttp import ClientResponse

from core.configuration.settings import Settings
from core.contract import Rating
from tests.web.support_site import Site, receive_until, site
from tests.web.support_socket import PROMPT
from web.conversations import COMMENT_LIMIT_CHARS, SEARCH_LIMIT_CHARS, TITLE_LIMIT_CHARS

IDENTIFIED = {"trusted": ("127.0.0.1",), "user_header": "X-User"}
SLACK = "slack:T1:C2:1712.5"
Headers = Mapping[str, str]


async def visit(running: Site, headers: Headers | None = None) -> dict[str, str]:
    """The headers of a browser that opened the page."""
    async with running.http.get("/conversations", headers=headers) as response:
        return {"Cookie": f"csps_visitor={response.cookies['csps_visitor'].value}"}


async def ask(running: Site, headers: Headers, text: str = "Hi") -> str:
    """The id of a new conversation with one exchange."""
    async with running.v1(headers=headers) as socket:
        await socket.send_json({**PROMPT, "text": text})
        return str((await receive_until(socket, "done"))[0]["session"])


async def call(running: Site, method: str, path: str, headers: Headers, **options: Any) -> tuple[int, Any]:
    """The status and the JSON; None for an empty body."""
    async with running.http.request(method, path, headers=headers, **options) as response:
        return response.status, await response.json(content_type=None) if response.status != 204 else None


async def titles(running: Site, headers: Headers, search: str = "") -> list[str]:
    _status, found = await call(running, "GET", "/conversations", headers, params={"search": search})
    return [each["title"] for each in found["conversations"]]


async def get_cookie(response: ClientResponse) -> SimpleCookie:
    cookie = SimpleCookie()
    cookie.load(response.headers["Set-Cookie"])
    return cookie


async def test_a_browser_finds_its_conversations(whisper: Site) -> None:
    """The list has the fields of docs/protocols.md. Another browser has a list of its own."""
    mine, others = await visit(whisper), await visit(whisper)
    session = await ask(whisper, mine, "How long is the leave?")
    await ask(whisper, others, "Something else")

    status, found = await call(whisper, "GET", "/conversations", mine)
    [entry] = found.pop("conversations")

    assert (200, {"signed_in": False, "retention_days": 30}) == (status, found)
    assert {"id": session, "personality": "whisper", "title": "How long is the leave?", "pinned": False} == {
        key: value for key, value in entry.items() if key != "used_at"
    }
    assert entry["used_at"].endswith("+00:00")
    assert ["Something else"] == await titles(whisper, others)


async def test_a_conversation_is_shown_changed_and_deleted(whisper: Site) -> None:
    """Its turns are those of a `session` frame; a title and a pin stay."""
    mine = await visit(whisper)
    session = await ask(whisper, mine)
    path = f"/conversations/{session}"

    async with whisper.v1(headers=mine) as socket:
        await socket.send_json({"type": "resume", "session": session})
        [frame] = await receive_until(socket, "session")
    _status, shown = await call(whisper, "GET", path, mine)
    assert (frame["turns"], "Hi") == (shown["turns"], shown["title"])

    change = {"title": "Leave", "pinned": True}
    status, entry = await call(whisper, "PATCH", path, mine, json=change)
    assert (200, change) == (status, {key: entry[key] for key in change})
    assert ["Leave"] == await titles(whisper, mine, "leave")
    assert [] == await titles(whisper, mine, "holidays")

    assert (204, None) == await call(whisper, "DELETE", path, mine)
    assert [] == await titles(whisper, mine)
    assert 404 == (await call(whisper, "DELETE", path, mine))[0]


async def test_an_answer_is_rated(whisper: Site) -> None:
    """The engine gets the verdict and the reason. An exchange that does not exist is a 404."""
    mine = await visit(whisper)
    path = f"/conversations/{await ask(whisper, mine)}/ratings"

    verdict = {"exchange": 1, "verdict": "bad", "comment": "Out of date"}
    assert (204, None) == await call(whisper, "POST", path, mine, json=verdict)
    status, problem = await call(whisper, "POST", path, mine, json={**verdict, "exchange": 2})

    assert [Rating(path.split("/")[2], 1, "bad", "Out of date")] == whisper.engine.ratings
    assert (404, "session_unknown") == (status, problem["code"])


@pytest.mark.parametrize("stranger", ["another browser", "no cookie", "another person"])
async def test_a_strangers_conversation_does_not_exist(own_settings: Settings, stranger: str) -> None:
    """Each route, `resume` and a prompt answer as for an id that nobody has."""
    async with site(own_settings, **IDENTIFIED) as running:
        session = await ask(running, await visit(running))
        headers: Headers = {"X-User": "eve"} if stranger == "another person" else {}
        if stranger == "another browser":
            headers = await visit(running)
        for name in (session, "web:unknown", SLACK):
            path = f"/conversations/{name}"
            for method, suffix, body in (
                ("GET", "", None),
                ("PATCH", "", {"title": "Mine"}),
                ("DELETE", "", None),
                ("POST", "/ratings", {"exchange": 1, "verdict": "good"}),
            ):
                status, problem = await call(running, method, path + suffix, headers, json=body)
                assert (404, "session_unknown") == (status, problem["code"]), (method, suffix)
                assert session not in str(problem)
            assert 404 == (await call(running, "POST", f"/conversations/{name}/ratings/1", headers))[0]
        async with running.v1(headers=headers) as socket:
            await socket.send_json({"type": "resume", "session": session})
            [error] = await receive_until(socket, "error")
        _status, deleted = await call(running, "DELETE", "/conversations", headers)

        assert ("session_unknown", 0) == (error["code"], deleted["deleted"])
        assert [session] == list(running.engine.sessions)
        assert [] == running.engine.ratings


async def test_a_platforms_conversation_is_out_of_reach(whisper: Site) -> None:
    """Its id can be guessed and has no owner: it cannot be deleted or rated over the web."""
    mine = await visit(whisper)
    session = await ask(whisper, mine)
    whisper.engine.sessions[SLACK] = whisper.engine.sessions.pop(session)
    whisper.engine.sessions[SLACK].owner = None

    assert 404 == (await call(whisper, "DELETE", f"/conversations/{SLACK}", mine))[0]
    verdict = {"exchange": 1, "verdict": "good"}
    assert 404 == (await call(whisper, "POST", f"/conversations/{SLACK}/ratings", mine, json=verdict))[0]
    assert [SLACK] == list(whisper.engine.sessions)


async def test_a_person_has_one_list_on_all_devices(own_settings: Settings) -> None:
    """A signed-in person needs no cookie, gets none, and shares nothing with the browser's other visitors."""
    async with site(own_settings, **IDENTIFIED) as running:
        browser = await visit(running)
        await ask(running, browser, "Before signing in")
        session = await ask(running, {**browser, "X-User": "ana"}, "From the office")
        async with running.http.get("/conversations", headers={"X-User": "ana"}) as response:
            found = await response.json()

        assert (True, [session]) == (found["signed_in"], [each["id"] for each in found["conversations"]])
        assert not response.cookies
        assert ["Before signing in"] == await titles(running, browser)
        assert (200, {"deleted": 1}) == await call(running, "DELETE", "/conversations", {"X-User": "ana"})
        assert ["Before signing in"] == await titles(running, browser)


@pytest.mark.parametrize("changes", [{"trusted": ("10.0.0.1",)}, {"user_header": None}])
async def test_only_a_trusted_proxy_names_the_person(own_settings: Settings, changes: dict[str, Any]) -> None:
    """A header that anybody sends is ignored."""
    async with site(own_settings, **{**IDENTIFIED, **changes}) as running:
        _status, found = await call(running, "GET", "/conversations", {"X-User": "ana"})

    assert found["signed_in"] is False


async def test_a_visitor_named_like_a_person_is_another_owner(own_settings: Settings) -> None:
    """The kinds of owners differ, so that no header can name a browser's secret."""
    async with site(own_settings, **IDENTIFIED) as running:
        browser = await visit(running)
        await ask(running, browser)
        secret = browser["Cookie"].partition("=")[2]
        for name in (secret, f"visitor:{secret}"):
            assert [] == await titles(running, {"X-User": name})


async def test_a_program_without_a_cookie_works_as_before(whisper: Site) -> None:
    """Its conversation has no owner: whoever has the id continues it, deletes it and rates it, and no list has it."""
    session = await ask(whisper, {})
    mine = await visit(whisper)

    async with whisper.v1(headers=mine) as socket:
        await socket.send_json({"type": "resume", "session": session})
        [frame] = await receive_until(socket, "session", "error")
    assert (2, []) == (len(frame["turns"]), await titles(whisper, mine))
    verdict = {"exchange": 1, "verdict": "good"}
    assert 204 == (await call(whisper, "POST", f"/conversations/{session}/ratings", {}, json=verdict))[0]
    assert 204 == (await call(whisper, "DELETE", f"/conversations/{session}", {}))[0]


async def test_forget_on_the_socket_needs_the_owner(whisper: Site) -> None:
    """`forget` deletes the conversation of the connection's owner, and toil continues it before."""
    mine = await visit(whisper)
    async with whisper.v1(headers=mine) as socket:
        await socket.send_json(PROMPT)
        [session, *_] = await receive_until(socket, "done")
        task = {"prompt": "Again", "session": session["session"]}
        await call(whisper, "POST", "/toil/whisper", mine, json=task)
        await socket.send_json({"type": "forget"})
        await receive_until(socket, "forgotten")

    [toiled] = whisper.engine.tasks
    assert (session["session"], whisper.engine.prompts[0].owner) == (toiled.conversation, toiled.owner)
    assert {} == whisper.engine.sessions


# ---------------------------------------------------------------- the cookie


async def test_the_cookie_is_for_this_service_alone(whisper: Site) -> None:
    """No script reads it, no other site sends it, and it lasts as long as conversations are kept."""
    async with whisper.http.get("/conversations") as response:
        cookie = (await get_cookie(response))["csps_visitor"]

    assert 43 == len(cookie.value)
    assert (True, "Strict", "/", str(30 * 24 * 3600)) == (
        cookie["httponly"],
        cookie["samesite"],
        cookie["path"],
        cookie["max-age"],
    )
    assert ("", "") == (cookie["secure"], cookie["domain"])


async def test_a_visit_renews_the_cookie(whisper: Site) -> None:
    """The secret stays, and its time begins anew. Only the list sets it."""
    mine = await visit(whisper)

    assert mine == await visit(whisper, mine)
    assert mine != await visit(whisper)
    for path in ("/", "/describe", "/conversations/web:unknown"):
        async with whisper.http.get(path) as response:
            assert "Set-Cookie" not in response.headers


@pytest.mark.parametrize(
    ("claimed", "trusted", "secure"),
    [
        ("https", ("127.0.0.1",), True),
        ("HTTPS, http", ("127.0.0.1",), True),
        ("http", ("127.0.0.1",), False),
        ("https", (), False),
    ],
)
async def test_the_cookie_stays_on_https(
    own_settings: Settings, claimed: str, trusted: tuple[str, ...], secure: bool
) -> None:
    """If a trusted proxy received the request by HTTPS, the browser sends the cookie by HTTPS alone."""
    async with (
        site(own_settings, trusted=trusted) as running,
        running.http.get("/conversations", headers={"X-Forwarded-Proto": claimed}) as response,
    ):
        assert secure == bool((await get_cookie(response))["csps_visitor"]["secure"])


@pytest.mark.parametrize(
    "value",
    ["", "x", "a" * 42, "a" * 44, "é" * 43, "a" * 42 + "=", '"' + "a" * 43 + '"', "../" + "a" * 40, "a" * 8000],
    ids=["empty", "short", "42", "44", "accents", "base64", "quoted", "path", "long"],
)
async def test_a_malformed_cookie_names_nobody(whisper: Site, value: str) -> None:
    """The browser gets a new one; a conversation has no owner meanwhile."""
    headers = {"Cookie": f"csps_visitor={value}; other=1"}
    async with whisper.http.get("/conversations", headers=headers) as response:
        renewed = (await get_cookie(response))["csps_visitor"].value
    await ask(whisper, headers)

    assert 43 == len(renewed)
    assert value != renewed
    assert [None] == [prompt.owner for prompt in whisper.engine.prompts]


async def test_the_cookie_of_the_longest_path_counts(whisper: Site) -> None:
    """Two services on one host may each have one; a browser sends the one of the deeper path first."""
    mine, others = await visit(whisper), await visit(whisper)
    await ask(whisper, mine, "Mine")

    assert ["Mine"] == await titles(whisper, {"Cookie": f"a=b; csps_visitor=bad; {mine['Cookie']}; {others['Cookie']}"})


# ---------------------------------------------------------------- hostile requests


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("PATCH", "", {"title": 1}),
        ("PATCH", "", {"title": "a" * (TITLE_LIMIT_CHARS + 1)}),
        ("PATCH", "", {"pinned": "yes"}),
        ("PATCH", "", {"pinned": 1}),
        ("PATCH", "", {"used_at": "2026-01-01"}),
        ("PATCH", "", ["title"]),
        ("POST", "/ratings", {}),
        ("POST", "/ratings", {"exchange": 0, "verdict": "good"}),
        ("POST", "/ratings", {"exchange": 2**31, "verdict": "good"}),
        ("POST", "/ratings", {"exchange": True, "verdict": "good"}),
        ("POST", "/ratings", {"exchange": 1.0, "verdict": "good"}),
        ("POST", "/ratings", {"exchange": 1, "verdict": "great"}),
        ("POST", "/ratings", {"exchange": 1, "verdict": "good", "comment": "a" * (COMMENT_LIMIT_CHARS + 1)}),
        ("POST", "/ratings", {"exchange": 1, "verdict": "good", "comment": None}),
    ],
)
async def test_a_wrong_body_is_refused(whisper: Site, method: str, path: str, body: Any) -> None:
    """The problem is a 400 that repeats no text of the person, and nothing changes."""
    mine = await visit(whisper)
    session = await ask(whisper, mine)
    status, problem = await call(whisper, method, f"/conversations/{session}{path}", mine, json=body)

    assert (400, "bad_request") == (status, problem["code"])
    assert "aaa" not in problem["detail"]
    assert session not in problem["detail"]
    assert (["Hi"], []) == (await titles(whisper, mine), whisper.engine.ratings)


async def test_a_wrong_request_is_a_problem(whisper: Site) -> None:
    """A form, a long search, two searches and another method have the statuses of other routes."""
    mine = await visit(whisper)
    path = f"/conversations/{await ask(whisper, mine)}"
    long_search = {"search": "a" * (SEARCH_LIMIT_CHARS + 1)}

    assert 415 == (await call(whisper, "PATCH", path, mine, data={"title": "x"}))[0]
    assert 400 == (await call(whisper, "PATCH", path, {**mine, "Content-Type": "application/json"}, data=b"{"))[0]
    assert 400 == (await call(whisper, "GET", "/conversations", mine, params=long_search))[0]
    assert 400 == (await call(whisper, "GET", "/conversations?search=a&search=b", mine))[0]
    assert 405 == (await call(whisper, "PUT", path, mine))[0]


async def test_another_site_is_refused(whisper: Site) -> None:
    """A browser says whose page sends a request: no other page reads, changes or deletes, and none gets a cookie."""
    mine = await visit(whisper)
    session = await ask(whisper, mine)
    for header in ({"Origin": "https://evil.example"}, {"Sec-Fetch-Site": "cross-site"}):
        for method, path in (
            ("GET", "/conversations"),
            ("DELETE", "/conversations"),
            ("DELETE", f"/conversations/{session}"),
        ):
            async with whisper.http.request(method, path, headers={**mine, **header}) as response:
                assert (403, False) == (response.status, "Set-Cookie" in response.headers)
    assert ["Hi"] == await titles(whisper, mine)


async def test_logs_have_no_id_and_no_words(whisper: Site, capfd: pytest.CaptureFixture[str]) -> None:
    """A request's log line has its route's pattern."""
    mine = await visit(whisper)
    session = await ask(whisper, mine)
    for name in (session, "web:unknown"):
        await call(whisper, "PATCH", f"/conversations/{name}", mine, json={"title": "my plans"})
    await titles(whisper, mine, "secret words")
    output = "".join(capfd.readouterr())

    assert "/conversations/{conversation}" in output
    for private in (session, mine["Cookie"].partition("=")[2], "my plans", "secret"):
        assert private not in output
