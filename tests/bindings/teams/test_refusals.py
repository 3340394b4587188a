"""A refused call to Teams never loses an answer: what people see, whether the engine goes on, and what is tried."""

from __future__ import annotations

import pytest

from bindings.delivery.outlet import DIRECT
from bindings.selftest.microsoft_connector import ConnectorCall, Failure
from core.contract import Text
from core.texts import text
from tests.bindings.support_fakes import clock
from tests.bindings.teams.support_connector import TeamsChat, refuse

WHOLE = "some words " * 8
STREAM_CODE = "ContentStreamNotAllowed"
REMOVED = Failure(403, "BotNotInConversationRoster", "The bot is not part of the conversation roster.")
REFUSALS = {
    "413": Failure(413, "MessageSizeTooBig", "Message size too large."),
    "413 without a body": Failure(413, empty=True),
    "400": Failure(400, "BadRequest", "Start streaming activities should include text"),
    "400 without a body": Failure(400, empty=True),
    "403 without a body": Failure(403, empty=True),
    "403 with another code": Failure(403, "Forbidden", "The operation was canceled."),
    "405": Failure(405, empty=True),
    "501": Failure(501, empty=True),
    "202 with an error": Failure(202, "ContentStreamSequenceOrderPreConditionFailed", "PreCondition failed"),
    "not allowed": Failure(403, STREAM_CODE, "Content stream is not allowed"),
    "finished": Failure(403, STREAM_CODE, "Content stream is not allowed on an already completed streamed message"),
    "late": Failure(403, STREAM_CODE, "Content stream finished due to exceeded streaming time."),
    "too large": Failure(403, STREAM_CODE, "Message size too large"),
    "mismatch": Failure(403, STREAM_CODE, "Request streamed content should contain the previously streamed content"),
    "an unknown reason": Failure(403, STREAM_CODE, "Something new"),
    "a stop with another status": Failure(400, STREAM_CODE, "Content stream was canceled by user."),
    "a stop without its code": Failure(403, "Forbidden", "Content stream was canceled by user."),
}


def is_stream(call: ConnectorCall) -> bool:
    return call.stream is not None


@pytest.mark.parametrize("failure", REFUSALS.values(), ids=REFUSALS.keys())
@pytest.mark.parametrize("after", [0, 1, 3])
@pytest.mark.parametrize("times", [1, 10_000])
def test_a_refused_stream_goes_on_as_an_updated_message(failure: Failure, after: int, times: int) -> None:
    """One message has the whole answer, with its end. The engine is not stopped, and nothing stays "typing"."""
    chat = TeamsChat()
    chat.connector.refuses = refuse(failure, is_stream, after=after, times=times)
    outcome = chat.deliver()

    assert ("delivered", []) == (outcome.ending, chat.stops)
    assert ["message"] == chat.types
    assert [f"{WHOLE.strip()}\n\nℹ AI: fake-model"] == chat.texts


def test_only_a_persons_stop_stops_the_engine() -> None:
    """Teams answers 403 with its code, and says that the person canceled."""
    chat = TeamsChat()
    failure = Failure(403, STREAM_CODE, "Content stream was canceled by user.")
    chat.connector.refuses = refuse(failure, is_stream, after=2)
    outcome = chat.deliver()

    assert ("stopped", ["stream:a-1"], ["message"]) == (outcome.ending, chat.stops, chat.types)
    assert text("delivery-stopped", "en") in chat.texts[0]


def test_a_stopped_message_that_cannot_be_changed_is_left() -> None:
    """Teams lets no bot change it. The person wants no more text, so no new message follows."""
    chat = TeamsChat()

    def check(call: ConnectorCall) -> Failure | None:
        if call.method == "PUT":
            return Failure(403, empty=True)
        return stop(call)

    stop = refuse(Failure(403, STREAM_CODE, "Content stream was canceled by user."), is_stream, after=2)
    chat.connector.refuses = check
    outcome = chat.deliver()

    assert ("stopped", 1) == (outcome.ending, len(chat.texts))


@pytest.mark.parametrize("kind", ["personal", "group", "channel"])
@pytest.mark.parametrize(
    "failure",
    [Failure(403, empty=True), Failure(400, "BadSyntax"), Failure(405), Failure(501), Failure(404, empty=True)],
    ids=lambda failure: str(failure.status),
)
def test_after_a_refused_update_a_new_message_replaces_the_fragment(kind: str, failure: Failure) -> None:
    """It is in the same place, in its plainest form. The fragment is deleted."""
    chat = TeamsChat(kind)

    def check(call: ConnectorCall) -> Failure | None:
        return failure if call.method == "PUT" or (call.stream and call.stream["streamType"] != "informative") else None

    chat.connector.refuses = check
    outcome = chat.deliver()

    assert ("delivered", "plain") == (outcome.ending, chat.ledger.form)
    assert [f"{WHOLE.strip()}\n\nℹ AI: fake-model"] == chat.texts
    assert not {"entities", "channelData"} & set(*chat.connector.messages.values())


@pytest.mark.parametrize("kind", ["group", "channel"])
@pytest.mark.parametrize("after", [0, 2])
@pytest.mark.parametrize(
    "code", ["BotNotInConversationRoster", "ConversationNotFound", "MessageWritesBlocked", "BotDisabledByAdmin"]
)
def test_where_the_bot_may_not_write_the_answer_goes_to_the_person(kind: str, after: int, code: str) -> None:
    """The direct message says why, names no thread and has no button, which would be for another conversation."""
    chat = TeamsChat(kind)
    chat.connector.refuses = refuse(Failure(403, code), lambda call: call.conversation.startswith("19:"), after=after)
    outcome = chat.deliver()
    name, direct = list(chat.connector.messages.items())[-1]

    assert ("delivered", DIRECT) == (outcome.ending, chat.ledger.form)
    assert f"{WHOLE.strip()}\n\nℹ AI: fake-model\n\nℹ {text('delivery-direct', 'en')}" == direct["text"]
    assert ("a:29:megan", "personal") == (chat.connector.homes[name], direct["conversation"]["conversationType"])
    assert not {"replyToId", "suggestedActions"} & set(direct)


def test_a_restarted_process_finds_the_direct_message_again() -> None:
    """Teams returns the same chat, so the message is edited and not posted again."""
    chat = TeamsChat("channel")
    chat.connector.refuses = refuse(REMOVED, lambda call: call.conversation.startswith("19:"))
    chat.deliver()
    outcome = chat.deliver(chat.ledger.restarted())

    assert ("delivered", 1) == (outcome.ending, len(chat.texts))


def test_the_end_of_the_ladder_has_a_reason() -> None:
    """Neither the channel nor the person can be reached: the outcome says what Teams said first."""
    chat = TeamsChat("channel")
    chat.connector.refuses = refuse(REMOVED, lambda call: True)
    outcome = chat.deliver()

    assert ("refused", []) == (outcome.ending, chat.texts)
    assert "BotNotInConversationRoster" in (outcome.reason or "")


@pytest.mark.parametrize("kind", ["personal", "group"])
def test_an_answer_that_is_too_large_is_split(kind: str) -> None:
    """Shorter messages have all words, and the same place."""
    chat = TeamsChat(kind, events=[step for _ in range(20) for step in (Text("x" * 500 + " "), 2.0)])
    too_large = Failure(413, "MessageSizeTooBig", "Message size too large.")
    chat.connector.refuses = refuse(too_large, lambda call: len(call.text) > 3000)
    outcome = chat.deliver()

    assert ("delivered", "") == (outcome.ending, chat.ledger.form)
    assert len(chat.texts) > 2
    assert all(len(each) <= 3000 for each in chat.texts)
    assert 20 * 500 == "".join(chat.texts).count("x")


@pytest.mark.parametrize("kind", ["personal", "group", "channel"])
@pytest.mark.parametrize("status", [0, 500, 502, 503])
def test_a_connector_that_accepts_and_fails_gets_one_more_copy(kind: str, status: int) -> None:
    """The second copy is the whole answer, so that it stands although Teams never says so. The delivery stays open."""
    chat = TeamsChat(kind)
    chat.connector.refuses = refuse(Failure(status, after=True), lambda call: call.method == "POST")
    outcome = chat.deliver()

    assert 2 == len(chat.texts)
    assert chat.texts[-1].startswith(WHOLE.strip())
    assert "undelivered" == outcome.ending

    chat.deliver(chat.ledger.restarted())
    assert 2 == len(chat.texts)


@pytest.mark.parametrize("times", [2, 3, 4, 5])
@pytest.mark.parametrize("kind", ["personal", "group", "channel"])
def test_failed_posts_do_not_cost_the_answer(kind: str, times: int) -> None:
    """They had no effect, which nobody can know. Once the connector confirms a call, the answer is posted."""
    chat = TeamsChat(kind)
    chat.connector.refuses = refuse(Failure(503), lambda call: call.method == "POST" and call.conversation, times=times)
    outcome = chat.deliver()

    assert ("delivered", [f"{WHOLE.strip()}\n\nℹ AI: fake-model"]) == (outcome.ending, chat.texts)


def test_a_sixth_post_without_an_outcome_is_the_last() -> None:
    """The connector confirms other calls, but no post. The posts after the third are minutes apart."""
    chat = TeamsChat("group")
    chat.connector.refuses = refuse(Failure(502, after=True), lambda call: call.method == "POST" and call.conversation)
    outcome = chat.deliver()

    assert ("refused", 6, True) == (outcome.ending, len(chat.texts), bool(outcome.reason))


def test_a_copy_replaces_what_the_connector_did_not_confirm() -> None:
    """Once the copy is confirmed, it is the message that is updated."""
    chat = TeamsChat("group")
    chat.connector.refuses = refuse(Failure(502, after=True), lambda call: call.method == "POST", times=1)
    outcome = chat.deliver()

    assert ("delivered", ["1:2"]) == (outcome.ending, chat.ledger.refs)
    assert chat.texts[-1].startswith(WHOLE.strip())


@pytest.mark.parametrize("status", [501, 500])
def test_a_deletion_that_fails_delays_nothing(status: int) -> None:
    """The answer is delivered in its next form, and the fragment says that it was replaced, if it can be edited."""
    chat = TeamsChat("group")

    def check(call: ConnectorCall) -> Failure | None:
        if call.method == "DELETE":
            return Failure(status, empty=True)
        is_long = call.method == "PUT" and "words" in call.text
        return Failure(403, empty=True) if is_long else None

    chat.connector.refuses = check
    outcome = chat.deliver()

    assert "delivered" == outcome.ending
    assert chat.texts[-1].startswith(WHOLE.strip())
    assert sum(call.method == "DELETE" for call in chat.connector.calls) == 0
    if status == 501:
        assert text("delivery-replaced", "en") in chat.texts[0]


@pytest.mark.parametrize("code", ["BotNotInConversationRoster", "ConversationNotFound", "MessageWritesBlocked"])
@pytest.mark.parametrize("after", [0, 1, 3])
def test_a_stream_in_a_closed_personal_chat_is_tried_as_a_plain_message(code: str, after: int) -> None:
    """There is no other place, and what Teams says of a stream may not hold for a message."""
    chat = TeamsChat()
    chat.connector.refuses = refuse(Failure(403, code), is_stream, after=after)
    outcome = chat.deliver()

    assert ("delivered", "plain") == (outcome.ending, chat.ledger.form)
    assert [f"{WHOLE.strip()}\n\nℹ AI: fake-model"] == chat.texts


def test_a_personal_chat_that_takes_nothing_fails_with_its_reason() -> None:
    """Nobody deleted the answer, so it counts as one that was lost."""
    chat = TeamsChat()
    chat.connector.refuses = refuse(Failure(403, "ConversationBlockedByUser"), lambda call: True)
    outcome = chat.deliver()

    assert "refused" == outcome.ending
    assert "ConversationBlockedByUser" in (outcome.reason or "")


@pytest.mark.parametrize("kind", ["personal", "group"])
@pytest.mark.parametrize("status", [200, 202, 204])
def test_a_message_without_an_id_stands(kind: str, status: int) -> None:
    """Teams accepts all posts, but says not which they are: the whole answer is posted once, and not looked for."""
    chat = TeamsChat(kind)
    chat.connector.refuses = refuse(Failure(status, empty=True, after=True), lambda call: call.method == "POST")
    outcome = chat.deliver()

    assert ("delivered", "plain") == (outcome.ending, chat.ledger.form)
    assert 1 == sum(WHOLE.strip() in each and "AI: fake-model" in each for each in chat.texts)
    assert "delivered" == chat.deliver(chat.ledger.restarted()).ending
    assert 1 == sum(WHOLE.strip() in each and "AI: fake-model" in each for each in chat.texts)


def test_a_chat_that_cannot_be_begun_for_now_is_no_post() -> None:
    """The direct message waits for the connector, however often it fails."""
    chat = TeamsChat("channel")
    outage = refuse(Failure(502, empty=True), lambda call: not call.conversation, times=4)
    removed = refuse(REMOVED, lambda call: call.conversation.startswith("19:"))
    chat.connector.refuses = lambda call: outage(call) or removed(call)
    outcome = chat.deliver()

    assert ("delivered", DIRECT, 1) == (outcome.ending, chat.ledger.form, len(chat.texts))


@pytest.mark.parametrize("kind", ["personal", "group"])
def test_a_refusal_of_every_size_takes_few_calls(kind: str) -> None:
    """Pages become shorter once, in no form again."""
    chat = TeamsChat(kind)
    posts: list[ConnectorCall] = []

    def check(call: ConnectorCall) -> Failure | None:
        if "words" in call.text and not call.stream:
            posts.append(call)
        return Failure(413, empty=True)

    chat.connector.refuses = check
    outcome = chat.deliver()

    assert "refused" == outcome.ending
    assert 3 == len(posts)


def test_two_lost_posts_in_a_group_of_people_without_the_app() -> None:
    """The connector refuses to begin a chat with them: an answer too, after which the message is posted again."""
    chat = TeamsChat("group")
    no_chat = refuse(Failure(403, "Forbidden"), lambda call: not call.conversation)
    lost = refuse(Failure(503), lambda call: call.method == "POST" and call.conversation, times=2)
    chat.connector.refuses = lambda call: no_chat(call) or lost(call)
    outcome = chat.deliver()

    assert ("delivered", [f"{WHOLE.strip()}\n\nℹ AI: fake-model"]) == (outcome.ending, chat.texts)


def test_a_named_pause_is_kept() -> None:
    """Teams answers 503 with Retry-After."""
    chat = TeamsChat("group")
    at: list[float] = []

    def check(call: ConnectorCall) -> Failure | None:
        at.append(clock())
        return Failure(503, retry_after="90", empty=True) if len(at) == 1 else None

    chat.connector.refuses = check
    chat.deliver()

    assert at[1] - at[0] >= 90
