"""An event of Slack becomes what a person said, or nothing."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bindings.incoming import AttachedFile, IncomingMessage
from bindings.slack import mapping
from bindings.slack.mapping import (
    DeletedMessage,
    escape,
    has_mention,
    is_addressed,
    parse_deletion,
    parse_message,
    remove_mention,
    to_plain_text,
)
from core.contract import Attachment
from tests.bindings.slack.support_fakes import ME, PAYLOADS, payload


def mapped(name: str) -> IncomingMessage:
    incoming = parse_message(payload(name), ME)
    assert incoming is not None
    return incoming


def test_a_mention_opens_a_thread_of_its_own() -> None:
    """The place of a mention in a channel is the thread that its answer begins; the mention itself is removed."""
    incoming = mapped("app_mention")

    assert "what is a pension?" == incoming.text
    assert "slack:T0001:C0001:1760000001.000200" == incoming.event == incoming.place.conversation
    assert ("channel", "U0ANN") == (incoming.place.kind, incoming.user)
    assert {"user": "U0ANN", "team": "T0001"} == incoming.place.route
    assert IncomingMessage.from_json(incoming.to_json()) == incoming


def test_one_post_is_one_event() -> None:
    """Slack sends `app_mention` and `message` for one post: whichever comes first, it is the same."""
    assert mapped("app_mention") == mapped("message_channel_mention")


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
    """Mentions of the bot go, other tokens are said, escapes are undone, and an address at the start stays bare."""
    assert text == mapped(name).text


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
    place = mapped(name).place

    assert (kind, thread) == (place.kind, place.thread)


def test_files_are_named_and_not_fetched() -> None:
    """A deleted file is nothing; one of another workspace is known by its id alone."""
    download = "https://files.slack.com/files-pri/T0001-F0001/download/report.csv"

    assert (
        AttachedFile("report.csv", download, "text/csv", 1234),
        AttachedFile("file", "slack-file:F0003", "application/octet-stream"),
    ) == mapped("message_im_file").files


def test_shared_messages_are_quoted_and_pages_are_not() -> None:
    """What Slack unfurled from a link in the text is no message that the person quoted."""
    assert (Attachment("Bob Roy", "Leave is <10> days for @U0ANN"),) == mapped("app_mention_shared").quoted


def test_a_shared_channel_belongs_to_the_workspace_of_the_app() -> None:
    """The tenant is where the app is installed; a stream is for the person in their own workspace."""
    place = mapped("app_mention_shared_channel").place

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
def test_what_is_not_for_the_bot_is_nothing(name: str) -> None:
    """Bots, this one among them, edits, deletions and Slack's own notes are not answered."""
    assert parse_message(payload(name), ME) is None


def test_a_reply_in_a_thread_may_be_for_the_bot() -> None:
    """Without a mention only the intake knows: the place is the same as of a mention there."""
    body = payload("message_thread_reply")

    assert not is_addressed(body["event"], ME)
    assert mapped("app_mention_thread").place.conversation == mapped("message_thread_reply").place.conversation


@pytest.mark.parametrize(
    ("name", "conversation"),
    [
        ("message_deleted", "slack:T0001:C0001:1760000000.000100"),
        ("message_deleted_im", "slack:T0001:D0001"),
        ("message_tombstone", "slack:T0001:C0001:1760000001.000200"),
    ],
)
def test_a_deleted_question_is_known_by_its_place(name: str, conversation: str) -> None:
    """Also the root of a thread, which Slack does not delete but makes a tombstone."""
    deleted = parse_deletion(payload(name), ME)

    assert isinstance(deleted, DeletedMessage)
    assert (conversation, "1760000001.000200") == (deleted.place.conversation, deleted.message)


@pytest.mark.parametrize("name", ["message_changed", "message_im", "app_mention"])
def test_an_edit_deletes_nothing(name: str) -> None:
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
def test_fields_of_any_type_are_survived(event: dict[str, object]) -> None:
    """Whatever a signed body holds, mapping says nothing or something, and never raises."""
    for body in ({"event": event}, {"event": event, "authorizations": event, "team_id": event}):
        for function in (mapping.parse_message, mapping.parse_deletion):
            function(body, ME)


def test_each_payload_is_json_that_slack_could_send() -> None:
    """A file that nothing reads is not kept: all are envelopes, interactions, commands or socket messages."""
    for file in PAYLOADS.glob("*.json"):
        assert {"type", "command"} & set(payload(file.stem)), file


# ---------------------------------------------------------------- Slack's text format


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("<http://canada.ca|canada.ca>", "http://canada.ca"),
        ("<https://canada.ca/|https://canada.ca>", "https://canada.ca/"),
        ("<https://canada.ca|see here>", "see here (https://canada.ca)"),
        ("<mailto:a@b.ca|a@b.ca>", "a@b.ca"),
        ("<tel:+16135550100|613-555-0100>", "613-555-0100 (+16135550100)"),
        ("<!date^1392734382^{date}|18 February>", "18 February"),
        ("<!channel> <!everyone|everyone>", "@channel everyone"),
        ("<#C1> <@U1|ann>", "#C1 @ann"),
        ("&amp;lt; &lt;b&gt;", "&lt; <b>"),
        ("1 < 2 > 0", "1 < 2 > 0"),
        ("`<@U1>`", "`@U1`"),
        ("<>", "<>"),
    ],
)
def test_tokens_are_said_as_one_would(given: str, said: str) -> None:
    """Addresses are kept, escapes undone once, and what is no token stays."""
    assert said == to_plain_text(given)


def test_escaping_is_undone_by_plain() -> None:
    """What we escape, we read back."""
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
def test_only_the_bot_is_removed(given: str, rest: str) -> None:
    """With the sign after its name at the start; other lines and other people stay."""
    assert rest == remove_mention(given, "UB")


def test_a_mention_is_of_the_whole_id() -> None:
    """U1 is not U12."""
    assert has_mention("hi <@U1|x>", "U1")
    assert not has_mention("hi <@U12>", "U1")
