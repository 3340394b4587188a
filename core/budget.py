"""Cuts a draft to the model's context window by rule: the oldest exchanges go first, in whole, and it is told how many.

The personality, the context and the question always stay; if these alone are too long, that is PromptTooLong. Knows
tokens only as numbers that it is given.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace

from core.contract import Sampling
from core.dialogue import Draft
from core.errors import PromptTooLong
from core.model.wire import Message

ANSWER_SHARE = 4  # a quarter of the window is kept for the answer, unless it may only be shorter
TEMPLATE_TOKENS = 64  # what a chat template may write around a conversation, generously,
TEMPLATE_TOKENS_PER_MESSAGE = 16  # and around each message
BYTES_PER_TOKEN = 3  # a low guess for French and English, where the engine does not count
DROP_STEP = 4

Count = Callable[[Sequence[Message]], Awaitable[int | None]]


@dataclass(frozen=True, slots=True)
class Fitted:
    """What to ask the model. `dropped` of the draft's groups are not in it."""

    messages: tuple[Message, ...]
    sampling: Sampling
    dropped: int


async def fit(draft: Draft, sampling: Sampling, window: int, count: Count, least_dropped: int = 0) -> Fitted:
    """As many of the draft's groups as fit `window` tokens with the answer. Raises PromptTooLong with the numbers."""
    reserve = min(sampling.max_tokens or window, window // ANSWER_SHARE)
    messages = draft.messages(least_dropped)
    if ceiling(messages) + max(reserve, sampling.max_tokens or 0) <= window:
        return Fitted(messages, sampling, least_dropped)
    dropped = await fewest_dropped(draft, window - reserve, count, least_dropped)
    messages = draft.messages(dropped)
    return Fitted(messages, within(sampling, window - await measure(messages, count)), dropped)


async def fewest_dropped(draft: Draft, room: int, count: Count, least: int) -> int:
    """How many groups have to go, by halving: dropping more never makes a prompt longer."""
    if await measure(draft.messages(least), count) <= room:
        return least
    most = len(draft.groups)
    if (tokens := await measure(draft.messages(most), count)) > room:
        message = f"personality, context and question take {tokens} tokens; there is room for {room} beside an answer"
        raise PromptTooLong(message, tokens=tokens, limit=room)
    while least + 1 < most:
        middle = (least + most) // 2
        if await measure(draft.messages(middle), count) <= room:
            most = middle
        else:
            least = middle
    return in_steps(most, len(draft.groups))


def in_steps(dropped: int, groups: int) -> int:
    """Rounded up while enough is left: the beginning then stays the same for some turns, and is not computed again."""
    rounded = -(-dropped // DROP_STEP) * DROP_STEP
    return max(dropped, min(rounded, groups - DROP_STEP))


async def measure(messages: Sequence[Message], count: Count) -> int:
    counted = await count(messages)
    return ceiling(messages, BYTES_PER_TOKEN) if counted is None else counted


def ceiling(messages: Sequence[Message], bytes_per_token: int = 1) -> int:
    """More tokens than the messages can take, if no token is shorter than `bytes_per_token` on average."""
    text = sum(len(message.content.encode()) for message in messages)
    return text // bytes_per_token + TEMPLATE_TOKENS + TEMPLATE_TOKENS_PER_MESSAGE * len(messages)


def within(sampling: Sampling, room: int) -> Sampling:
    # vLLM refuses a request whose prompt and max_tokens together exceed the window.
    return sampling if sampling.max_tokens is None else replace(sampling, max_tokens=min(sampling.max_tokens, room))
