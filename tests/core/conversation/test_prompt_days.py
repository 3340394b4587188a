"""The date in prompts: the next day's prompt begins with the prompt of the day before."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from core.contract import Prompt, Turn
from core.conversation.composition import build_context as context_of
from core.conversation.composition import build_request, describe_today, from_history
from core.conversation.exchanges import Conversation, Exchange, Question
from core.openai.chat_protocol import Message
from tests.core.support_chatting import NOW, TODAY, whisper

TOMORROW = describe_today(NOW + timedelta(days=1), "en")
DAY_S = 86_400.0


def asked(text: str, days: float | None) -> Exchange:
    at = None if days is None else NOW.timestamp() + days * DAY_S
    return Exchange(Question(text), f"{text} Yes.", "stop", asked_at=at)


def messages(conversation: Conversation, text: str, days: float) -> tuple[Message, ...]:
    context = context_of(Prompt("whisper", text), whisper(), conversation)
    return build_request(context, now=NOW + timedelta(days=days)).draft.messages()


def test_the_next_day_continues_the_same_prompt() -> None:
    """Only the new question has the new date; so has each later one, which the window may show alone."""
    first = Conversation(1, exchanges=(asked("One?", 0),))
    second = replace(first, exchanges=(*first.exchanges, asked("Two?", 1)))
    yesterday, today = messages(first, "Two?", 0), messages(first, "Two?", 1)

    assert yesterday[1].content == f"{TODAY}\n\nOne?"
    assert today[:-1] == yesterday[:-1]
    assert (yesterday[-1].content, today[-1].content) == ("Two?", f"{TOMORROW}\n\nTwo?")
    assert messages(second, "Three?", 1)[: len(today)] == today
    assert messages(second, "Three?", 1)[-1].content == f"{TOMORROW}\n\nThree?"


def test_the_date_is_told_once_on_one_day() -> None:
    """As before."""
    conversation = Conversation(1, exchanges=(asked("One?", 0), asked("Two?", 0.1)))
    text = "\n".join(message.content for message in messages(conversation, "Three?", 0.2))

    assert text.count("Today is") == 1


@pytest.mark.parametrize("conversation", [Conversation(1, exchanges=(asked("One?", None),)), None])
def test_without_a_stored_date_the_prompt_begins_with_todays(conversation: Conversation | None) -> None:
    """Conversations from before revision 0006, and those whose history the caller keeps."""
    conversation = conversation or from_history((Turn("user", "One?"), Turn("assistant", "Yes.")), "en")
    found = messages(conversation, "Two?", 1)

    assert found[1].content == f"{TOMORROW}\n\nOne?"
    assert found[-1].content == "Two?"


def test_the_day_is_that_of_the_peoples_time_zone() -> None:
    """11 p.m. in Toronto is the next day in UTC."""
    late = (NOW.replace(hour=23, minute=0) - NOW).total_seconds() / DAY_S
    conversation = Conversation(1, exchanges=(asked("One?", 0),))

    assert messages(conversation, "Two?", late)[-1].content == "Two?"
