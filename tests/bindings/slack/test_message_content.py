"""What the bot reads of each kind of message, and of messages that nobody should send."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bindings.content import MessageContent
from bindings.incoming import AttachedFile, UnreadPart
from bindings.slack import blocks, rich_text
from bindings.slack.mapping import ListenRules, find_addressees, parse_message
from bindings.slack.message_content import read_message
from bindings.slack.references import NO_REFERENCES, find_ids
from bindings.slack.surroundings import select_before
from tests.bindings.slack.support_fakes import ME
from tests.bindings.slack.support_messages import KINDS, MessageKind
from tests.bindings.slack.support_payloads import FORWARD, REFERENCES, TABLE, app, person, section, words
from tests.bindings.slack.support_payloads import rich_text as build_rich_text

DOCUMENT = Path(__file__).parents[3] / "docs" / "slack.md"


def table_rows() -> list[list[str]]:
    """The cells of the table of message kinds in the documentation."""
    table = DOCUMENT.read_text().partition("| What people post |")[2].partition("\n\n")[0]
    return [[cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]] for line in table.splitlines()[2:]]


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.kind)
def test_each_kind_of_message_is_read(kind: MessageKind) -> None:
    """Its content is what people see; what cannot be read is named."""
    assert kind.expected == read_message(kind.message, REFERENCES)


def test_the_documentation_has_each_kind_and_no_empty_cell() -> None:
    """The rows are the kinds above, in their order."""
    rows = table_rows()

    assert [kind.kind for kind in KINDS] == [row[0] for row in rows]
    assert all(len(row) == 3 and all(row) for row in rows)


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.kind)
def test_no_kind_of_message_is_skipped(kind: MessageKind) -> None:
    """Each is heard or said to be unread, also without the names that Slack would tell."""
    assert not read_message(kind.message).is_empty


# ---------------------------------------------------------------- text and blocks of one message


def test_a_person_who_pastes_a_table_keeps_it() -> None:
    """Slack's text of the message lacks it."""
    message = person("Staff:", blocks=[*build_rich_text(section(words("Staff:"))), TABLE])

    assert read_message(message).text.startswith("Staff:\n\n| City |")


def test_the_same_words_in_text_and_blocks_are_read_once() -> None:
    """People's messages have both forms."""
    message = person(
        "hi <@U0BOB> *now*",
        blocks=build_rich_text(section(words("hi "), {"type": "user", "user_id": "U0BOB"}, words(" now", bold=True))),
    )

    assert "hi @Bob Roy *now*" == read_message(message, REFERENCES).text


def test_an_apps_blocks_take_precedence_over_its_notification() -> None:
    """People see the blocks."""
    message = app("New alert", blocks=[{"type": "section", "text": {"type": "mrkdwn", "text": "CPU at 99 %"}}])

    assert "CPU at 99 %" == read_message(message).text


def test_a_forwarded_message_may_forward_another_one() -> None:
    """Nesting has a limit, because the sender controls it."""
    nested: dict[str, Any] = FORWARD
    for _ in range(50):
        nested = {"is_share": True, "author_name": "Eve", "text": "look", "attachments": [nested]}

    content = read_message(person("so?", attachments=[nested]))

    assert 4 == len(content.parts)


def test_messages_of_a_forward_without_text_have_their_files() -> None:
    """Slack puts them in the message inside."""
    message = {"files": [{"name": "a.csv", "mimetype": "text/csv", "url_private": "https://files.slack.com/a"}]}
    forward = {"is_share": True, "author_name": "Bob", "message_blocks": [{"message": message}]}

    assert (AttachedFile("a.csv", "https://files.slack.com/a", "text/csv"),) == read_message(
        person(attachments=[forward])
    ).files


def test_attachments_beyond_the_limit_are_named() -> None:
    """Slack allows 100 in one message."""
    content = read_message(app(attachments=[{"text": f"alert {number}"} for number in range(23)]))

    assert 20 == len(content.parts)
    assert (UnreadPart("other"),) * 3 == content.unread


def test_the_fields_of_a_forwarded_alert_are_read() -> None:
    """Slack may put them in the forwarded message itself."""
    forward = {"is_share": True, "author_name": "ci", "text": "down", "fields": [{"title": "Host", "value": "db-1"}]}

    assert ("down\nHost: db-1",) == tuple(part.text for part in read_message(person(attachments=[forward])).parts)


def test_a_forwarded_text_may_be_in_the_message_inside_only() -> None:
    """Slack does not document the place."""
    forward = {"is_share": True, "author_name": "Bob", "message_blocks": [{"message": {"text": "at <https://a.ca|3>"}}]}

    assert ("at 3 (https://a.ca)",) == tuple(part.text for part in read_message(person(attachments=[forward])).parts)


def test_a_forward_without_anything_readable_is_named() -> None:
    """The person learns that the bot has not read it."""
    content = read_message(person("?", attachments=[{"is_share": True, "author_name": "Bob"}]))

    assert (UnreadPart("message", "Bob"),) == content.unread


def test_a_text_in_a_forward_cannot_become_the_persons_own() -> None:
    """Only the person's words are instructions."""
    content = read_message(person("what is this?", attachments=[FORWARD]))

    assert "what is this?" == content.text
    assert ["forwarded"] == [part.kind for part in content.parts]


def test_a_file_that_slack_does_not_show_is_unread() -> None:
    """files.info may say so when it is asked."""
    stub = {"id": "F0X", "mode": "file_access", "file_access": "check_file_info"}
    hidden = {"F0X": {"mode": "hidden_by_limit"}}

    content = read_message(person(files=[stub]), type(REFERENCES)({}, hidden))

    assert MessageContent(unread=(UnreadPart("file"),)) == content


def test_the_description_of_a_link_is_beside_its_address() -> None:
    """A label may say anything; and no sign in it ends the token."""
    link = {"type": "link", "url": "https://evil.example/|a>b", "text": "canada.ca | <home>"}

    assert (
        "canada.ca <home> (https://evil.example/%7Ca%3Eb)"
        == read_message(person(blocks=build_rich_text(section(link)))).text
    )


# ---------------------------------------------------------------- references


def test_only_ids_without_names_are_looked_up() -> None:
    """Labels in the text are used first. The bot's own id needs no name."""
    message = person(
        "<@U0BOB|bob> <@U0EVE> <#C0GEN|> <@U0BOT>",
        blocks=build_rich_text(section({"type": "usergroup", "usergroup_id": "S0HR"})),
        attachments=[{"is_share": True, "author_id": "U0JO", "text": "<#C0B|b>"}],
        files=[{"id": "F0EXT", "file_access": "check_file_info"}],
    )

    assert {"U0EVE", "C0GEN", "S0HR", "U0JO", "F0EXT"} == set(find_ids([message], but="U0BOT"))


# ---------------------------------------------------------------- hostile messages

KEYS = st.sampled_from(
    sorted(
        {
            *(
                "type",
                "text",
                "blocks",
                "attachments",
                "files",
                "elements",
                "message_blocks",
                "message",
                "fields",
                "rows",
            ),
            *(
                "user",
                "bot_id",
                "subtype",
                "room",
                "name",
                "mode",
                "mimetype",
                "file_access",
                "url_private",
                "is_share",
            ),
            *(
                "title",
                "title_link",
                "author_id",
                "style",
                "indent",
                "offset",
                "from",
                "plain_text",
                "preview",
                "value",
            ),
            *(
                "user_id",
                "url",
                "accessory",
                "options",
                "call",
                "v1",
                "label",
                "alt_text",
                "channel",
                "ts",
                "thread_ts",
            ),
            *("previous_message", "team", "user_team", "hidden", "transcription", "caption", "skin_tone", "timestamp"),
        }
    )
)
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=8)
    | st.sampled_from([*blocks.READERS, *rich_text.ELEMENTS, *rich_text.OBJECTS, "rich_text_list", "message_changed"])
    | st.sampled_from(
        ["<@U0BOT>", "<@U0BOB>", "<https://a.ca|b", "email", "check_file_info", "U0BOT", "<!date^99999999999999^x>"]
    ),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=6),
    max_leaves=25,
)


@given(message=st.dictionaries(KEYS, VALUES, max_size=8))
def test_fields_of_any_type_do_not_raise(message: dict[str, Any]) -> None:
    """A signed body may contain any JSON value, and the texts in it come from strangers."""
    content = read_message(message, REFERENCES, own="U0BOT")
    content.turn_text("en")
    content.attachments("fr")
    find_ids([message])
    find_addressees(message)
    select_before([message, message], "1", ME)
    for event in (message, {"subtype": "message_changed", "message": message, "previous_message": {"text": "x"}}):
        body = {"event": {"channel": "C1", "ts": "1.1", "user": "U1", "type": "app_mention", **event}}
        incoming = parse_message(body, ME, ListenRules(frozenset({"B1"}), frozenset({"C1"})), NO_REFERENCES)
        assert incoming is None or incoming == type(incoming).from_json(incoming.to_json())


@pytest.mark.parametrize("key", ["elements", "child_blocks", "title", "attachments", "message_blocks", "accessory"])
def test_deep_nesting_does_not_raise(key: str) -> None:
    """Python's stack is finite."""
    value: dict[str, Any] = {"type": "rich_text_section", "text": "<@U0BOB>"}
    for _ in range(3000):
        value = {"type": "container", key: value if key in ("title", "accessory") else [value]}
    for shape in (
        {"blocks": [value]},
        {"blocks": [{"type": "rich_text", "elements": [value]}]},
        {"attachments": [value]},
    ):
        message = person("x", **shape)
        assert "x" == read_message(message).text
        assert ("U0BOB",) == find_ids([message])
        assert find_addressees(message) == set()


def test_the_bot_is_named_in_the_words_of_others() -> None:
    """Its mention is left out of the question only. A raw id would say nothing to the model."""
    forward = {"is_share": True, "author_name": "Bob", "text": "ask <@U0BOT>"}
    event = {**person("<@U0BOT> why?", attachments=[forward]), "channel": "C1"}

    incoming = parse_message({"event": event}, replace(ME, name="Whisper"))

    assert incoming is not None
    assert ("why?", "ask @Whisper") == (incoming.text, incoming.quoted[0].text)


@pytest.mark.parametrize(
    "message",
    [
        {"blocks": [{"type": "section", "text": {"type": "mrkdwn", "text": "CPU at 99 %"}}]},
        {"bot_id": "B0CI", "blocks": build_rich_text(section(words("CPU at 99 %")))},
    ],
)
def test_a_forwarded_message_of_an_app_is_read_from_its_blocks(message: dict[str, Any]) -> None:
    """Its text is for notifications, and often says nothing."""
    text = "This content can't be displayed."
    forward = {"is_share": True, "author_subname": "ci", "text": text, "message_blocks": [{"message": message}]}

    assert ["CPU at 99 %"] == [part.text for part in read_message(person("?", attachments=[forward])).parts]


def test_a_list_in_a_quote_is_quoted() -> None:
    """Slack gives such a list a border. It is not the person's own."""
    quoted = {"type": "rich_text_list", "style": "bullet", "border": 1, "elements": [section(words("theirs"))]}

    assert "> - theirs\nmine" == read_message(person(blocks=build_rich_text(quoted, section(words("mine"))))).text
