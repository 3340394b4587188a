"""/toil: JSON in, JSON out, also when it fails."""

from __future__ import annotations

import io
import json
from typing import Any

import pytest

from core.configuration.settings import Settings
from core.contract import Task
from core.errors import BudgetExhausted, CspsError, ModelUnavailable, NonConforming, SchemaRefused
from tests.support.fakes import FakeEngine
from tests.web.support_site import Site, site

JSON = {"Content-Type": "application/json"}
SCHEMA = {"type": "object", "properties": {"answer": {"type": "integer"}}}


async def test_a_value_by_its_schema(whisper: Site) -> None:
    """The body of the answer is the value itself."""
    async with whisper.http.post("/toil/whisper", json={"prompt": "Six by seven?", "schema": SCHEMA}) as response:
        assert (response.status, response.content_type) == (200, "application/json")
        assert await response.json() == {"answer": 42}

    [task] = whisper.engine.tasks
    assert (task.personality, task.prompt, task.schema) == ("whisper", "Six by seven?", SCHEMA)


@pytest.mark.parametrize("schema", [None, True, False, {}])
async def test_any_kind_of_schema(whisper: Site, schema: Any) -> None:
    """A JSON Schema may be a boolean; null is none."""
    async with whisper.http.post("/toil/whisper", json={"prompt": "Hi", "schema": schema}) as response:
        assert response.status == 200

    assert [schema] == [task.schema for task in whisper.engine.tasks]


async def test_no_schema(whisper: Site) -> None:
    """`schema` is optional."""
    async with whisper.http.post("/toil/whisper", json={"prompt": "Hi"}) as response:
        assert response.status == 200

    assert [task.schema for task in whisper.engine.tasks] == [None]


@pytest.mark.parametrize("value", [1.5, "é", ["a", None], {"a": {"b": False}}, "\ud800", 0])
async def test_every_value_is_well_formed(own_settings: Settings, value: Any) -> None:
    """Whatever a schema allows comes out as JSON, even text that UTF-8 cannot say."""
    async with (
        site(own_settings, FakeEngine(toiled=lambda _task: value)) as running,
        running.http.post("/toil/whisper", json={"prompt": "Hi"}) as response,
    ):
        assert value == json.loads(await response.read())


@pytest.mark.parametrize(
    ("failure", "status"),
    [
        (SchemaRefused("`contains` cannot be held"), 422),
        (BudgetExhausted("the JSON was not whole"), 422),
        (NonConforming("at answer: not an integer"), 422),
        (ModelUnavailable("no model", retry_after_s=1.2), 503),
    ],
)
async def test_failures_are_problems(own_settings: Settings, failure: CspsError, status: int) -> None:
    """RFC 9457, with our code."""
    async with (
        site(own_settings, FakeEngine(toiled=failure)) as running,
        running.http.post("/toil/whisper", json={"prompt": "Hi"}) as response,
    ):
        assert (status, "application/problem+json") == (response.status, response.content_type)
        problem = await response.json(content_type=None)

    assert {"status": status, "code": failure.code, "detail": failure.message, "type": "about:blank"} == {
        key: problem[key] for key in ("status", "code", "detail", "type")
    }
    assert problem["title"]
    assert ("2" if status == 503 else None) == response.headers.get("Retry-After")


async def test_a_defect_is_a_problem_that_tells_nothing(own_settings: Settings) -> None:
    """An unexpected exception is a 500 in the form of the route; what it says stays inside."""

    def broken(_task: Task) -> Any:
        raise KeyError("the secret")

    async with (
        site(own_settings, FakeEngine(toiled=broken)) as running,
        running.http.post("/toil/whisper", json={"prompt": "Hi"}) as response,
    ):
        assert (response.status, response.content_type) == (500, "application/problem+json")
        assert "secret" not in await response.text()


@pytest.mark.parametrize(
    ("body", "headers", "status", "said"),
    [
        (b"", JSON, 400, "not valid JSON"),
        (b"{", JSON, 400, "not valid JSON"),
        (b"[]", JSON, 400, "object"),
        (b'"Hi"', JSON, 400, "object"),
        (b"{}", JSON, 400, "`prompt`"),
        (b'{"prompt": ""}', JSON, 400, "`prompt`"),
        (b'{"prompt": null}', JSON, 400, "`prompt`"),
        (b'{"prompt": 1}', JSON, 400, "`prompt`"),
        (b'{"prompt": "a", "schema": "b"}', JSON, 400, "`schema"),
        (b'{"prompt": "a", "schema": []}', JSON, 400, "`schema"),
        (b'{"prompt": "a", "schema": 1}', JSON, 400, "`schema"),
        (b'{"prompt": "a", "json_schema": {}}', JSON, 400, "`json_schema`"),
        (b'{"prompt": "a", "colour": 1}', JSON, 400, "`colour`"),
        (b'{"prompt": "a", "prompt": "b"}', JSON, 400, "twice"),
        (b'{"prompt": "a", "schema": {"const": NaN}}', JSON, 400, "NaN"),
        (b'{"prompt": "a", "schema": {"const": 1e999}}', JSON, 400, "range"),
        (b'{"prompt": "\xff"}', JSON, 400, "UTF-8"),
        (b'{"prompt": "\\ud800"}', JSON, 400, "surrogate"),
        (b'{"prompt": "a", "schema": ' + b'{"not":' * 500 + b"{}" + b"}" * 500 + b"}", JSON, 400, "nested"),
        (b"[" * 900_000, JSON, 400, "nested"),
        (b'{"prompt": "' + b"a" * 1_100_000 + b'"}', JSON, 413, "1048576"),
        (b'{"prompt": "a"}', {"Content-Type": "text/plain"}, 415, "application/json"),
        (b'{"prompt": "a"}', {"Content-Type": "application/x-www-form-urlencoded"}, 415, "application/json"),
        (b'{"prompt": "a"}', {**JSON, "Content-Encoding": "gzip"}, 415, "uncompressed"),
    ],
)
async def test_refused_bodies(whisper: Site, body: bytes, headers: dict[str, str], status: int, said: str) -> None:
    """Each is a problem that names what is wrong, and the engine is not asked."""
    async with whisper.http.post("/toil/whisper", data=io.BytesIO(body), headers=headers) as response:
        problem = await response.json(content_type="application/problem+json")

    assert (status, status) == (response.status, problem["status"])
    assert said in problem["detail"]
    assert whisper.engine.tasks == []


async def test_an_unknown_personality_names_the_known(whisper: Site) -> None:
    """404, as a problem."""
    async with whisper.http.post("/toil/nobody", json={"prompt": "Hi"}) as response:
        problem = await response.json(content_type="application/problem+json")

    assert (response.status, problem["code"]) == (404, "personality_unknown")
    assert "whisper, chuchotte" in problem["detail"]


async def test_get_is_refused(whisper: Site) -> None:
    """405 as a problem, with what there is."""
    async with whisper.http.get("/toil/whisper") as response:
        problem = await response.json(content_type="application/problem+json")

    assert (response.status, response.headers["Allow"], problem["code"]) == (405, "POST", "method_refused")


async def test_what_else_a_request_may_say(whisper: Site) -> None:
    """Context, a session, and how tokens are drawn reach the engine; the text as an attachment, for it is data."""
    asked = {"prompt": "Sum up.", "text": "Snow.", "session": "web:x", "seed": 7, "max_tokens": 9, "temperature": 0}
    async with whisper.http.post("/toil/whisper", json=asked) as response:
        assert response.status == 200

    [task] = whisper.engine.tasks
    assert [("text", "Snow.")] == [(each.name, each.text) for each in task.attachments]
    assert ("web:x", 7, 9, 0) == (
        task.conversation,
        task.sampling.seed,
        task.sampling.max_tokens,
        task.sampling.temperature,
    )


async def test_a_platforms_conversation_is_no_session(whisper: Site) -> None:
    """Its name can be guessed, and would give all that was said in a channel to anybody."""
    asked = {"prompt": "Sum up.", "session": "slack:T1:C2:1712.5"}
    async with whisper.http.post("/toil/whisper", json=asked) as response:
        assert (response.status, (await response.json(content_type=None))["code"]) == (404, "session_unknown")

    assert whisper.engine.tasks == []


@pytest.mark.parametrize("wrong", [{"seed": "7"}, {"max_tokens": 0}, {"temperature": -1}, {"stream": 1}, {"text": 5}])
async def test_wrong_fields_are_named(whisper: Site, wrong: dict[str, Any]) -> None:
    """A field of the wrong kind is 400 with its name."""
    async with whisper.http.post("/toil/whisper", json={"prompt": "Hi", **wrong}) as response:
        assert response.status == 400
        assert next(iter(wrong)) in (await response.json(content_type=None))["detail"]


def events_of(body: str) -> list[tuple[str, Any]]:
    blocks = [block.splitlines() for block in body.split("\n\n") if block]
    return [(name.removeprefix("event: "), json.loads(data.removeprefix("data: "))) for name, data in blocks]


async def test_streamed(whisper: Site) -> None:
    """Text while it is written, `again` where it is void, and the checked value as the last event."""
    async with whisper.http.post("/toil/whisper", json={"prompt": "Hi", "stream": True}) as response:
        assert (200, "text/event-stream") == (response.status, response.content_type)
        events = events_of(await response.text())

    names = [name for name, _ in events]
    begun = len(names) - names[::-1].index("again")
    assert '{"answer": 42}' == "".join(data["text"] for name, data in events[begun:] if name == "text")
    assert ("value", {"answer": 42}) == (names[-1], events[-1][1]["value"])
    assert ("status", {"state": "queued", "position": 1}) in events


async def test_streamed_failure_before_the_first_event_is_a_status(own_settings: Settings) -> None:
    """A schema that is refused is 422, streamed or not."""
    async with (
        site(own_settings, FakeEngine(toiled=SchemaRefused("`$ref` is remote"))) as running,
        running.http.post("/toil/whisper", json={"prompt": "Hi", "stream": True}) as response,
    ):
        assert (422, "application/problem+json") == (response.status, response.content_type)


async def test_check_lists_what_becomes_of_each_keyword(whisper: Site) -> None:
    """`/check` names each keyword with its path and outcome, and says whether the schema is accepted at all."""
    async with whisper.http.post("/toil/whisper/check", json={"schema": {"type": "object"}}) as response:
        good = await response.json()
    async with whisper.http.post("/toil/whisper/check", json={"schema": {"$ref": "https://example.org"}}) as response:
        bad = await response.json()

    assert {
        "accepted": True,
        "keywords": [{"path": "/type", "keyword": "type", "outcome": "enforced", "why": None}],
    } == good
    assert bad["accepted"] is False


async def test_check_needs_a_schema(whisper: Site) -> None:
    """Without a schema there is nothing to check."""
    async with whisper.http.post("/toil/whisper/check", json={}) as response:
        assert response.status == 400
