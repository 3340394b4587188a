"""Threads and shared files from Microsoft Graph."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bindings.delivery.outlet import DeliveryError, Gone, Refused
from bindings.incoming import AttachedFile, FoundParts, IncomingMessage, ThreadMessages, UnreadPart
from bindings.selftest.microsoft_server import FakeMicrosoft
from bindings.teams import activities, transport
from bindings.teams.files import TeamsFiles
from bindings.teams.graph import GraphReader
from bindings.teams.graph_messages import build_thread
from bindings.teams.mapping import MappingOptions, parse_message
from bindings.teams.transport import TrustedHosts
from core.contract import Attachment, Turn
from tests.bindings.teams.conftest import payload, serve_adapter
from tests.bindings.teams.support_fake_graph import GROUP, FakeGraph, bot_message, message

APP = "c9e8c047-2a74-40a2-b28a-b162d5f5327c"
CHANNEL = "19:693ecdb923ac4458a5c23661b505fc84@thread.tacv2"
THREAD = f"teams/{GROUP}/channels/{CHANNEL}/messages"
ROOT = "1481567603816"
QUESTION = 1481567609999


@pytest.fixture
async def graph() -> AsyncIterator[FakeGraph]:
    async with FakeGraph().serving() as fake:
        yield fake


@pytest.fixture
async def reader(graph: FakeGraph) -> AsyncIterator[GraphReader]:
    async with transport.build_client() as http:
        yield GraphReader(http, graph.url, None, None, TrustedHosts(loopback=True), APP)


def question(graph: FakeGraph, name: str = "channel_reply", **changes: Any) -> IncomingMessage:
    fields = {"id": str(QUESTION), "serviceUrl": f"{graph.url}/amer/", **changes}
    incoming = parse_message(activities.activity_from_json(payload(name, **fields)))
    assert incoming is not None
    return incoming


def fill(graph: FakeGraph, *replies: dict[str, Any]) -> None:
    """Puts a thread into Graph, newest first."""
    root = message(int(ROOT), "<p>The leave form</p>", subject="Leave")
    graph.messages = {THREAD: [root], f"{THREAD}/{ROOT}/replies": list(reversed(replies))}


async def test_a_channels_thread_is_read(graph: FakeGraph, reader: GraphReader) -> None:
    """From its first message to the question. Deleted messages and events are left out."""
    fill(
        graph,
        message(1481567604000, '<p>Is <a href="https://x.ca">this</a> it?</p>', "Bob"),
        message(1481567604001, "gone", "Bob", deletedDateTime="2026-02-01T10:00:00Z"),
        message(1481567604002, "<systemEventMessage/>", "Bob", messageType="systemEventMessage"),
        message(QUESTION, "the question"),
        message(QUESTION + 1, "later"),
    )
    thread = await reader.thread_messages(question(graph))

    assert (
        Turn("user", "# Leave\n\nThe leave form", "Adele Vance"),
        Turn("user", "Is [this](https://x.ca) it?", "Bob"),
    ) == thread.turns
    assert f"/amer/v3/teams/{question(graph).place.route['team']}" == graph.calls[0]


async def test_the_thread_begins_after_the_bots_last_answer(graph: FakeGraph, reader: GraphReader) -> None:
    """The bot knows what was said before."""
    fill(
        graph,
        message(1481567604000, "before"),
        bot_message(1481567604001, APP.upper()),
        message(1481567604002, "<at id='0'>Whisper</at> after", mentions=[
            {"id": 0, "mentionText": "Whisper", "mentioned": {"application": {"id": APP, "displayName": "Whisper"}}}
        ]),
        bot_message(QUESTION + 1, APP),
    )  # fmt: skip

    assert ["after"] == [turn.text for turn in (await reader.thread_messages(question(graph))).turns]


async def test_long_threads_are_read_page_by_page(graph: FakeGraph, reader: GraphReader) -> None:
    """The last 30 messages count. A link to another host gets no token."""
    graph.page = 20
    fill(graph, *(message(1481567604000 + number, str(number)) for number in range(50)))
    assert [str(number) for number in range(20, 50)] == [
        turn.text for turn in (await reader.thread_messages(question(graph))).turns
    ]

    calls = len(graph.calls)
    graph.next_host = graph.url.replace("127.0.0.1", "localhost")
    await reader.thread_messages(question(graph))
    assert 2 == len(graph.calls) - calls


async def test_a_group_chat_is_read(graph: FakeGraph, reader: GraphReader) -> None:
    incoming = question(graph, "group")
    graph.messages = {f"chats/{incoming.place.channel}/messages": [message(QUESTION - 1, "Friday")]}

    assert (Turn("user", "Friday", "Adele Vance"),) == (await reader.thread_messages(incoming)).turns


async def test_personal_chats_are_not_read(graph: FakeGraph, reader: GraphReader) -> None:
    """All messages there came to the bot."""
    assert ThreadMessages() == await reader.thread_messages(question(graph, "personal"))
    assert [] == graph.calls


@pytest.mark.parametrize("status", [401, 403, 404])
async def test_without_the_permission_nothing_changes(graph: FakeGraph, reader: GraphReader, status: int) -> None:
    graph.status = status

    assert ThreadMessages() == await reader.thread_messages(question(graph))


async def test_a_busy_graph_is_an_error(graph: FakeGraph, reader: GraphReader) -> None:
    """The intake answers without the thread, and says so in its log."""
    graph.status = 503
    with pytest.raises(DeliveryError):
        await reader.thread_messages(question(graph))


async def test_files_of_the_thread_and_of_the_question_are_read(graph: FakeGraph, reader: GraphReader) -> None:
    """The activity has only the place of the question's file, so that the file counts as found."""
    earlier = graph.share("a.txt", "bob", b"first")
    own = graph.share("b.txt", "adele vance", b"second")
    fill(
        graph,
        message(1481567604000, '<attachment id="id-of-a.txt"></attachment>', "Bob", earlier),
        message(QUESTION, 'See <attachment id="id-of-b.txt"></attachment>', "Adele Vance", own),
    )
    html = {"contentType": "text/html", "content": 'See <attachment id="id-of-b.txt"></attachment>'}
    incoming = question(graph, attachments=[html], text="")
    thread = await reader.thread_messages(incoming)

    assert (UnreadPart("file"),) == incoming.unread == thread.found.unread
    files_found = (*thread.found.files, *thread.files)
    assert ["b.txt", "a.txt"] == [file.name for file in files_found]
    async with transport.build_client() as http:
        files = TeamsFiles(http, None, TrustedHosts(loopback=True), reader)
        assert [b"second", b"first"] == [await files.fetch(file.url, 100) for file in files_found]
        with pytest.raises(Refused):
            await files.fetch(files_found[0].url, 3)


async def test_a_forwarded_message_that_the_activity_lacks_is_found(graph: FakeGraph, reader: GraphReader) -> None:
    """The activity has only its place in the text. What the activity has is not repeated."""
    content = {"originalMessageContent": "<p>Due Friday</p>", "originalMessageSender": {"user": {"displayName": "Eve"}}}
    forwarded = {"id": "17", "contentType": "forwardedMessageReference", "content": json.dumps(content)}
    fill(graph, message(QUESTION, 'Look <attachment id="17"></attachment>', "Adele Vance", forwarded))
    html = {"contentType": "text/html", "content": 'Look <attachment id="17"></attachment>'}
    lacking = question(graph, attachments=[html], text="")
    complete = question(graph, attachments=[html, forwarded], text="")

    assert (UnreadPart("message"),) == lacking.unread
    assert (
        FoundParts((), (Attachment("forwarded message from Eve", "Due Friday"),), (UnreadPart("message"),))
        == (await reader.thread_messages(lacking)).found
    )
    assert FoundParts() == (await reader.thread_messages(complete)).found


async def test_a_file_is_read_only_for_its_uploader(graph: FakeGraph, reader: GraphReader) -> None:
    """Otherwise people could have the bot read files that they may not read themselves."""
    shared = graph.share("secret.txt", "the president", b"secret")
    async with transport.build_client() as http:
        files = TeamsFiles(http, None, TrustedHosts(loopback=True), reader)
        with pytest.raises(Refused, match="did not upload"):
            await files.fetch(reader.file_address(shared["contentUrl"], "bob"), 100)
        with pytest.raises(Gone):
            await files.fetch(reader.file_address(f"{graph.url}/sites/other.txt", "bob"), 100)
        graph.download_host = "https://evil.example"
        with pytest.raises(Refused, match=r"evil\.example"):
            await files.fetch(reader.file_address(shared["contentUrl"], "the president"), 100)
    assert "" == reader.file_address("https://evil.example/a.txt", "bob")
    assert "" == reader.file_address(shared["contentUrl"], "")


async def test_a_delivered_reference_becomes_a_file(graph: FakeGraph, reader: GraphReader) -> None:
    """A link to another site stays a link."""
    shared = graph.share("a.txt", "megan", b"x")
    other = {"id": "2", "contentType": "reference", "contentUrl": "https://x.ca/b.txt", "name": "b.txt"}
    activity = activities.activity_from_json(payload("group", text="", attachments=[shared, other]))
    incoming = parse_message(activity, MappingOptions(None, reader.file_address))

    assert incoming is not None
    author = str(activity.from_property.aad_object_id)
    assert (AttachedFile("a.txt", reader.file_address(shared["contentUrl"], author), "text/plain"),) == incoming.files
    assert (UnreadPart("file", "b.txt"),) == incoming.unread
    assert "[b.txt](https://x.ca/b.txt)" in incoming.text


async def test_the_adapter_logs_in_to_graph(microsoft: FakeMicrosoft, graph: FakeGraph, tmp_path: Path) -> None:
    """With a scope of its own; the connector's token stays with the connector."""
    fill(graph, message(1481567604000, "Friday"))
    environ = {"TEAMS_GRAPH": "true", "TEAMS_GRAPH_URL": graph.url}
    async with serve_adapter(microsoft, tmp_path / "var", **environ) as bot:
        incoming = question(graph)
        place = replace(incoming.place, route={**incoming.place.route, "team_group": GROUP})
        thread = await bot.adapter.platform.thread_messages(replace(incoming, place=place))

    assert "Friday" == thread.turns[-1].text
    assert f"{graph.url}/.default" == microsoft.login_forms[-1]["scope"]
    assert {f"Bearer connector-token-{microsoft.token_fetches}"} == set(graph.tokens)


async def test_graph_is_off_by_default(microsoft: FakeMicrosoft, graph: FakeGraph, tmp_path: Path) -> None:
    async with serve_adapter(microsoft, tmp_path / "var", TEAMS_GRAPH_URL=graph.url) as bot:
        assert ThreadMessages() == await bot.adapter.platform.thread_messages(question(graph))
    assert [] == graph.calls


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


@settings(max_examples=100, deadline=None)
@given(name=st.sampled_from([*message(1, "x"), "id", "new"]), value=json_values)
def test_any_message_of_graph_is_handled(name: str, value: Any) -> None:
    """A member with a wrong type is ignored."""
    incoming = parse_message(activities.activity_from_json(payload("channel_reply")))
    assert incoming is not None
    build_thread([{**message(1, "<p>x</p>"), name: value}], incoming, APP, lambda url, _author: url)
