"""Slack's events and text become messages, or None."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bindings.incoming import AttachedFile, IncomingMessage
from bindings.slack import mapping
from bindings.slack.mapping import DeletedMessage, is_addressed, parse_deletion, parse_message
from bindings.slack.markup import escape, has_mention, remove_mention, to_plain_text
from core.contract import Attachment
from tests.bindings.slack.support_fakes import ME, PAYLOADS, payload


def map_payload(name: str) -> IncomingMessage:
    incoming = parse_message(payload(name), ME)
    assert incoming is not None
    return incoming


def test_a_mention_opens_a_thread() -> None:
    """The place of a mention in a channel is its thread. The text does not contain the mention."""
    incoming = map_payload("app_mention")

    assert "what is a pension?" == incoming.text
    assert "slack:T0001:C0001:1760000001.000200" == incoming.event == incoming.place.conversation
    assert ("channel", "U0ANN") == (incoming.place.kind, incoming.user)
    assert {"user": "U0ANN", "team": "T0001"} == incoming.place.route
    assert IncomingMessage.from_json(incoming.to_json()) == incoming


def test_one_post_is_one_event() -> None:
    """Slack sends `app_mention` and `message` for one post: both map to the same value."""
    assert map_payload("app_mention") == map_payload("message_channel_mention")


@pytest.mark.parametrize(
    ("name", "text"),
    [
        (
            "app_mention_mid_sentence",
            "Hey , can you tell @U0BOB about <b> & #general, @hr, @here and our page (https://canada.ca/x?a=1&b=2)?",
        ),
        ("app_mention_url", "https://www.canada.ca/en.html what is new?"),
        ("message_im", "Bonjour, comment allez-vous?"),
        ("app_mention_edited", "I forgot to name you"),
        ("message_thread_broadcast", "for all"),
    ],
)
def test_text_is_plain(name: str, text: str) -> None:
    """Mentions of the bot go, tokens become readable, escapes are undone, a leading address stays bare."""
    assert text == map_payload(name).text


@pytest.mark.parametrize(
    ("name", "kind", "thread"),
    [
        ("app_mention_thread", "channel", "1760000000.000100"),
        ("message_group", "group", "1760000001.000200"),
        ("message_mpim", "group", "1760000001.000200"),
        ("message_im", "personal", None),
        ("message_im_thread", "personal", "1760000000.000100"),
    ],
)
def test_the_place_is_the_thread(name: str, kind: str, thread: str | None) -> None:
    """A direct conversation has no threads, unless the app is an assistant there."""
    place = map_payload(name).place

    assert (kind, thread) == (place.kind, place.thread)


def test_files_are_listed_and_not_fetched() -> None:
    """Deleted files are left out. A file of another workspace has only an id."""
    download = "https://files.slack.com/files-pri/T0001-F0001/download/report.csv"

    assert (
        AttachedFile("report.csv", download, "text/csv", 1234),
        AttachedFile("file", "slack-file:F0003", "application/octet-stream"),
    ) == map_payload("message_im_file").files


def test_shared_messages_and_link_previews_are_apart_from_the_persons_words() -> None:
    """People see both under the message."""
    incoming = map_payload("app_mention_shared")

    assert "is this right?" == incoming.text
    assert (
        Attachment("forwarded message from Bob Roy", "Leave is <10> days for @U0ANN"),
        Attachment(
            "embedded content: A page that Slack unfurled",
            "A page that Slack unfurled (https://canada.ca)\nnot a message",
        ),
    ) == incoming.quoted


def test_a_shared_channel_belongs_to_the_workspace_of_the_app() -> None:
    """The tenant is the app's workspace. A stream is addressed to the person's own workspace."""
    place = map_payload("app_mention_shared_channel").place

    assert ("T0001", "T0EXT") == (place.tenant, place.route["team"])


@pytest.mark.parametrize(
    "name",
    [
        "message_channel",
        "message_bot",
        "message_other_app",
        "message_own",
        "message_changed",
        "message_deleted",
        "message_tombstone",
        "message_channel_join",
        "message_assistant_app_thread",
        "assistant_thread_started",
        "app_home_opened",
    ],
)
def test_other_messages_map_to_none(name: str) -> None:
    """Bots, the bot itself, edits, deletions and notes of Slack get no answer."""
    assert parse_message(payload(name), ME) is None


def test_a_thread_reply_without_a_mention_is_mapped() -> None:
    """The intake decides about it. Its place is the same as that of a mention there."""
    body = payload("message_thread_reply")

    assert not is_addressed(body["event"], ME)
    assert (
        map_payload("app_mention_thread").place.conversation == map_payload("message_thread_reply").place.conversation
    )


@pytest.mark.parametrize(
    ("name", "conversation"),
    [
        ("message_deleted", "slack:T0001:C0001:1760000000.000100"),
        ("message_deleted_im", "slack:T0001:D0001"),
        ("message_tombstone", "slack:T0001:C0001:1760000001.000200"),
    ],
)
def test_a_deletion_has_the_place_of_its_question(name: str, conversation: str) -> None:
    """A thread's root becomes a tombstone, which counts as a deletion too."""
    deleted = parse_deletion(payload(name), ME)

    assert isinstance(deleted, DeletedMessage)
    assert (conversation, "1760000001.000200") == (deleted.place.conversation, deleted.message)


@pytest.mark.parametrize("name", ["message_changed", "message_im", "app_mention"])
def test_an_edit_is_not_a_deletion(name: str) -> None:
    """Only deletions end an answer."""
    assert parse_deletion(payload(name), ME) is None


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
names = st.sampled_from(
    [
        "type",
        "subtype",
        "channel",
        "channel_type",
        "ts",
        "thread_ts",
        "user",
        "text",
        "files",
        "attachments",
        "message",
        "previous_message",
        "deleted_ts",
        "bot_id",
        "team",
        "user_team",
        "url_private",
        "size",
        "is_share",
        "hidden",
    ]
)


@given(event=st.dictionaries(names, anything | st.just([{"url_private": 1, "is_share": True, "text": []}])))
def test_fields_of_any_type_do_not_raise(event: dict[str, object]) -> None:
    """A signed body may contain any JSON value."""
    for body in ({"event": event}, {"event": event, "authorizations": event, "team_id": event}):
        for function in (mapping.parse_message, mapping.parse_deletion):
            function(body, ME)


def test_each_payload_has_a_type() -> None:
    """Each file is an envelope, interaction, command or socket message."""
    for file in PAYLOADS.glob("*.json"):
        assert {"type", "command"} & set(payload(file.stem)), file


# ---------------------------------------------------------------- Slack's text format


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("<http://canada.ca|canada.ca>", "http://canada.ca"),
        ("<https://canada.ca/|https://canada.ca>", "https://canada.ca/"),
        ("<https://canada.ca|see here>", "see here (https://canada.ca)"),
        ("<mailto:a@b.ca|a@b.ca>", "a@b.ca"),
        ("<tel:+16135550100|613-555-0100>", "613-555-0100 (+16135550100)"),
        ("<!date^1392734382^{date}|18 February>", "18 February"),
        ("<!channel> <!everyone|everyone>", "@channel @everyone"),
        ("<#C1> <@U1|ann>", "#C1 @ann"),
        ("&amp;lt; &lt;b&gt;", "&lt; <b>"),
        ("1 < 2 > 0", "1 < 2 > 0"),
        ("`<@U1>`", "`@U1`"),
        ("<>", "<>"),
    ],
)
def test_tokens_become_readable(given: str, expected: str) -> None:
    """Addresses stay, escapes are undone once, and other text in <> stays."""
    assert expected == to_plain_text(given)


def test_plain_text_undoes_escaping() -> None:
    """Escaped text reads back as the same text."""
    assert "<!here> & &lt;" == to_plain_text(escape("<!here> & &lt;"))


@pytest.mark.parametrize(
    ("given", "rest"),
    [
        ("<@UB>: hello", "hello"),
        ("<@UB> <@UB|bot>, hello", "hello"),
        ("hello <@UB>", "hello"),
        (": hello", ": hello"),
        ("a\n<@UB> b\n  c", "a\n b\n  c"),
        ("<@UBX> hello", "<@UBX> hello"),
    ],
)
def test_only_the_bots_mention_is_removed(given: str, rest: str) -> None:
    """A colon or comma after a leading mention goes too. Other lines and people stay."""
    assert rest == remove_mention(given, "UB")


def test_a_mention_matches_the_whole_id() -> None:
    """U1 is not U12."""
    assert has_mention("hi <@U1|x>", "U1")
    assert not has_mention("hi <@U12>", "U1")
