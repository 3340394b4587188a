"""Selects the messages around a question: the rest of its thread, or what was said just before it. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import suppress

from bindings.slack.mapping import BotIdentity, is_own
from bindings.slack.payloads import SlackObject, get_list, get_text

THREAD_MESSAGES_LIMIT = 50
PAUSE_S = 3600.0  # in a channel, a longer silence ends what belongs together
# Slack's notes of who came and went, and of how the channel is set up: they say nothing about a question.
NOTE_SUBTYPES = frozenset(
    {
        *("channel_join", "channel_leave", "group_join", "group_leave", "joiner_notification", "bot_add", "bot_remove"),
        *("channel_archive", "channel_unarchive", "group_archive", "group_unarchive", "channel_posting_permissions"),
        *("app_conversation_join", "app_conversation_leave", "assistant_app_thread", "bot_enable", "bot_disable"),
        *("message_changed", "message_deleted", "message_replied"),
    }
)


def is_note(message: SlackObject) -> bool:
    subtype = message.get("subtype")
    return isinstance(subtype, str) and subtype in NOTE_SUBTYPES


def limit_thread(messages: Sequence[SlackObject], root: str | None) -> list[SlackObject]:
    """The newest messages, and the one that began the thread: it says what the others are about."""
    if len(messages) <= THREAD_MESSAGES_LIMIT:
        return list(messages)
    begins = [message for message in messages[:1] if get_text(message, "ts") == root]
    return [*begins, *messages[len(begins) - THREAD_MESSAGES_LIMIT :]]


def select_before(newest_first: Iterable[SlackObject], question: str, me: BotIdentity) -> list[SlackObject]:
    """The messages of a channel just before a mention, oldest first.

    It ends at the bot's previous answer, which is in the thread of its question, and at a pause. The last message
    counts in any case: people often come back to an alert hours later.
    """
    selected: list[SlackObject] = []
    for message in newest_first:
        ts = get_text(message, "ts")
        if ts == question or is_note(message):
            continue
        is_answered = me.user in get_list(message, "reply_users")
        if is_own(message, me) or is_answered or (selected and is_pause(ts, get_text(selected[-1], "ts"))):
            break
        selected.append(message)
    return selected[:THREAD_MESSAGES_LIMIT][::-1]


def is_pause(earlier: str, later: str) -> bool:
    with suppress(ValueError):
        return float(later) - float(earlier) > PAUSE_S
    return False


def find_speaker(message: SlackObject) -> str:
    """The user id of a person. "" for apps, which may post under any user."""
    return "" if message.get("bot_id") else get_text(message, "user")


def find_speakers(messages: Sequence[SlackObject]) -> tuple[str, ...]:
    return tuple(filter(None, map(find_speaker, messages)))
