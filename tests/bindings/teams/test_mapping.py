"""Recorded activities → values for the intake."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bindings.incoming import AttachedFile, IncomingMessage
from bindings.teams import activities
from bindings.teams.mapping import build_place, is_addressed, is_for_others, parse_message
from core.contract import Attachment
from core.errors import BadRequest
from tests.bindings.teams.conftest import payload

CHAT = (
    "a:17I0kl9EkpE1O9PH5TWrzrLNwnWWcfrU7QZjKR0WSfOpzbfcAg2IaydGElSo10tVr4C7Fc6GtieTJX663WuJCc1uA83n4CSrHSgGBj5XNYLcVl"
    "JAs2ZX8DbYBPck201w-"
)
GROUP = "19:18f3d2c1a8e04b57b7e0f7ab5f8d2b5a@thread.v2"
CHANNEL = "19:693ecdb923ac4458a5c23661b505fc84@thread.tacv2"
TENANT = "72f988bf-86f1-41af-91ab-2d7cd011db47"
MEGAN = "7faf8ab2-3d56-4244-b585-20c8a42ed2b8"


def map_payload(name: str, /, **changes: Any) -> IncomingMessage:
    incoming = parse_message(activities.activity_from_json(payload(name, **changes)))
    assert incoming is not None
    return incoming


def test_a_personal_message_is_mapped() -> None:
    """The text appears once, although Teams sends it twice; the place has the route for the answer."""
    incoming = map_payload("personal")

    assert (
        IncomingMessage(
            event=f"teams:{CHAT}:1485983408511",
            place=incoming.place,
            message="1485983408511",
            user=MEGAN,
            text="What is a statement of work?",
            language="en",
            groups=("home",),
        )
        == incoming
    )
    assert f"teams:{TENANT}:{CHAT}" == incoming.place.conversation
    assert "personal" == incoming.place.kind
    assert {
        "service_url": "https://smba.trafficmanager.net/amer/",
        "conversation": CHAT,
        "bot": "28:c9e8c047-2a74-40a2-b28a-b162d5f5327c",
        "bot_name": "Whisper",
        "person": "29:1XJKJMvc5GBtc2JwZq0oj8tHZmzrQgFmB39ATiQWA85gQtHieVkKilBZ9XHoq9j7Zaqt7CZ-NJWi7me2kHTL3Bw",
        "team": "",
        "team_group": "",
    } == incoming.place.route
    assert incoming == IncomingMessage.from_json(incoming.to_json())


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("group", "what is due on Friday?"),
        ("group_middle", "Hey can you and Adele Vance look at this?"),
        ("group_bare", ""),
        ("channel", "what is due on Friday?"),
        ("channel_reply", "And on Monday, ?"),
        ("personal_french", "Qu’est-ce qu’un énoncé des travaux?"),
        ("card_submit", "question: What is a statement of work?\nurgent: true"),
    ],
)
def test_the_bots_mention_is_removed(name: str, text: str) -> None:
    """Mentions of others become names. The text of a submitted card is its fields."""
    assert text == map_payload(name).text


def test_code_and_angle_brackets_come_from_the_html() -> None:
    """Code blocks are fenced, so that a schema in one is found."""
    assert (
        'Fill this in: Vector<int> is fast\n\n```json\n{\n  "type": "object"\n}\n```'
        == map_payload("personal_code").text
    )


@pytest.mark.parametrize("name", ["personal_quote", "personal_quoted_reply"])
def test_a_quoted_message_becomes_an_attachment(name: str) -> None:
    """Clients send two forms of it. It is not part of the text."""
    incoming = map_payload(name)

    assert "Is that still true?" == incoming.text
    assert (Attachment("message from Adele Vance", "The form is due on Friday."),) == incoming.quoted


def test_files_and_pictures_are_mapped() -> None:
    """They have the URL of their download; a picture gets a name."""
    url = (
        "https://contoso.sharepoint.com/personal/megan_contoso_com/_layouts/15/download.aspx"
        "?UniqueId=1150d938&tempauth=secret"
    )
    picture = "https://smba.trafficmanager.net/amer/v3/attachments/0-eus-d1/views/original"

    assert (AttachedFile("report.txt", url, "text/plain"),) == map_payload("personal_file").files
    assert (AttachedFile("image", picture, "image/*"),) == map_payload("personal_picture").files


def test_each_thread_of_a_channel_is_a_conversation() -> None:
    """The first message and its replies share the conversation; the answer goes into the thread."""
    for name in ("channel", "channel_reply"):
        place = map_payload(name).place
        assert f"teams:{TENANT}:{CHANNEL}:1481567603816" == place.conversation
        assert f"{CHANNEL};messageid=1481567603816" == place.route["conversation"]
        assert "channel" == place.kind
    top = map_payload("channel", conversation={"id": CHANNEL, "conversationType": "channel"})
    assert f"{CHANNEL};messageid=1481567603816" == top.place.route["conversation"]


def test_a_group_chat_is_one_conversation() -> None:
    """Its speakers share the conversation."""
    assert (f"teams:{TENANT}:{GROUP}", "group") == (
        map_payload("group").place.conversation,
        map_payload("group").place.kind,
    )


@pytest.mark.parametrize("name", ["message_undelete", "message_delete", "reaction_added", "typing", "installed"])
def test_other_activities_are_not_messages(name: str) -> None:
    """The table has restored messages, deletions and reactions."""
    assert parse_message(activities.activity_from_json(payload(name))) is None


def test_an_empty_message_is_ignored() -> None:
    """It has no text, no file and no mention."""
    assert parse_message(activities.activity_from_json(payload("personal", text="", attachments=[]))) is None


def test_only_some_messages_address_the_bot() -> None:
    """An app that may read all messages also gets messages for others."""
    addressed = {
        name: is_addressed(activities.activity_from_json(payload(name)))
        for name in ("personal", "group", "channel_reply")
    }
    not_addressed = [
        activities.activity_from_json(payload(name)) for name in ("group_unaddressed", "channel_follow_up")
    ]

    assert {"personal": True, "group": True, "channel_reply": True} == addressed
    assert [False, False] == [is_addressed(each) for each in not_addressed]
    assert is_for_others(activities.activity_from_json(payload("channel_to_somebody_else")))


@pytest.mark.parametrize(
    "changes",
    [
        {
            "attachments": [
                {
                    "contentType": "text/html",
                    "content": '<blockquote itemtype="http://schema.skype.com/Reply" itemid="1"><strong itemprop="mri" '
                    'itemid="{bot}">Whisper</strong><p>Friday</p></blockquote><p>And then?</p>',
                }
            ]
        },
        {"entities": [{"type": "quotedReply", "quotedReply": {"senderId": "{bot}", "preview": "Friday"}}]},
    ],
)
def test_a_reply_to_the_bots_message_addresses_the_bot(changes: dict[str, Any]) -> None:
    """One to another person's message, or one that mentions others, does not."""
    recorded = payload("group_unaddressed", text="And then?", **changes)
    to_bot = json.loads(json.dumps(recorded).replace("{bot}", recorded["recipient"]["id"]))
    mention = {"type": "mention", "mentioned": {"id": "29:1adele"}, "text": "<at>Adele</at>"}
    to_others = {**to_bot, "entities": [*to_bot.get("entities", []), mention]}

    assert [True, False, False] == [
        is_addressed(activities.activity_from_json(each)) for each in (to_bot, recorded, to_others)
    ]


def test_the_tenant_is_read_from_the_conversation() -> None:
    """Teams sends it in two places, either of which may be missing; botbuilder loses this one."""
    activity = activities.activity_from_json(payload("personal", channelData=None))

    assert TENANT == build_place(activity).tenant


MALFORMED: list[Any] = [
    None,
    [],
    "text",
    7,
    {},
    {"type": "message"},
    {"type": ["message"]},
    {**payload("personal"), "type": ""},
    {**payload("personal"), "from": None},
    {**payload("personal"), "from": "me"},
    {**payload("personal"), "from": {"name": "no id"}},
    {**payload("personal"), "from": {"id": ""}},
    {**payload("personal"), "from": {"id": "x" * 2000}},
    {**payload("personal"), "recipient": []},
    {**payload("personal"), "conversation": {"id": "line\nbreak"}},
    {**payload("personal"), "conversation": 5},
    {**payload("personal"), "id": {"$gt": ""}},
    {**payload("personal"), "id": "nul\0"},
    {**payload("personal"), "text": {"a": 1}},
    {**payload("personal"), "text": 5},
    {**payload("personal"), "entities": "x"},
    {**payload("personal"), "entities": [None]},
    {**payload("personal"), "entities": [{}] * 201},
    {**payload("personal"), "attachments": [5]},
    {**payload("personal"), "membersAdded": {"id": "x"}},
    {**payload("personal"), "serviceUrl": ["https://smba.trafficmanager.net/"]},
]


@pytest.mark.parametrize("value", MALFORMED, ids=range(len(MALFORMED)))
def test_malformed_activities_are_rejected(value: Any) -> None:
    """Each is a BadRequest."""
    with pytest.raises(BadRequest):
        activities.activity_from_json(value)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


@given(name=st.sampled_from(activities.FIELDS), value=json_values)
def test_any_value_of_a_field_is_handled(name: str, value: Any) -> None:
    """A field with a wrong type is rejected or ignored; it causes no other error."""
    try:
        activity = activities.activity_from_json(payload("group", **{name: value}))
    except BadRequest:
        return
    parse_message(activity)
    build_place(activity)
