"""Cuts a draft to the model's context window, by one rule.

1. A quarter of the window is the answer's, or less if the answer may only be shorter. The rest is the room.
2. The personality and the question always stay. If these alone exceed the room, that is PromptTooLong.
3. What the conversation began with is shown in whole as long as that takes at most half of the room with the
   personality; else its passages compete with whatever else was looked up.
4. Of what personality and question leave, passages have half, and all that the history does not need.
5. The rest is history. The oldest exchanges go first, in whole, and it is told how many.

Knows tokens only as numbers that it is given.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace

from core.contract import Sampling
from core.conversation.composition import Draft
from core.errors import PromptTooLong
from core.openai.chat_protocol import Message

ANSWER_SHARE = 4  # a quarter of the window is kept for the answer, unless it may only be shorter
TEMPLATE_TOKENS = 64  # what a chat template may write around a conversation, generously,
TEMPLATE_TOKENS_PER_MESSAGE = 16  # and around each message
BYTES_PER_TOKEN = 3  # a low guess for French and English, where the engine does not count
MOST_BYTES_PER_TOKEN = 16  # on average, in whatever people read
DROP_STEP = 4

Count = Callable[[Sequence[Message]], Awaitable[int | None]]


@dataclass(frozen=True, slots=True)
class Fitted:
    """What to ask the model: `draft` with the best `passages` of its material, without the `dropped` oldest groups."""

    draft: Draft
    sampling: Sampling
    dropped: int
    passages: int

    @property
    def messages(self) -> tuple[Message, ...]:
        return self.draft.messages(self.dropped, self.passages)


@dataclass(frozen=True, slots=True)
class Bounds:
    """What an engine taught that refused more: at least so many groups are dropped, at most so many passages shown."""

    dropped: int = 0
    passages: int | None = None
    narrowed: bool = False


async def fit(draft: Draft, sampling: Sampling, window: int, count: Count, bounds: Bounds = Bounds()) -> Fitted:
    """As much of the draft as fits `window` tokens with the answer. Raises PromptTooLong with the numbers."""
    if bounds.narrowed:
        draft = draft.narrowed()
    reserve = min(sampling.max_tokens or window, window // ANSWER_SHARE)
    most = shown_at_most(draft, bounds)
    if ceiling(draft.messages(bounds.dropped, most)) + max(reserve, sampling.max_tokens or 0) <= window:
        return Fitted(draft, sampling, bounds.dropped, most)
    room = window - reserve
    if draft.opening and await crowds(draft, room, count):
        draft = draft.narrowed()
    passages = await most_passages(draft, room, count, bounds)
    dropped = await fewest_dropped(draft, room, count, bounds.dropped, passages)
    taken = await measure(draft.messages(dropped, passages), count)
    return Fitted(draft, within(sampling, window - taken), dropped, passages)


def tighter(fitted: Fitted) -> Bounds | None:
    """What to try where an engine found it too long all the same; None: there is nothing to leave out."""
    groups, narrowed = len(fitted.draft.groups), not fitted.draft.opening
    if fitted.passages:
        return Bounds(fitted.dropped, fitted.passages // 2, narrowed)
    if fitted.dropped < groups:
        return Bounds((fitted.dropped + groups + 1) // 2, 0, narrowed)
    return None if narrowed else Bounds(fitted.dropped, len(fitted.draft.narrowed().material) // 2, narrowed=True)


def shown_at_most(draft: Draft, bounds: Bounds) -> int:
    return len(draft.material) if bounds.passages is None else min(len(draft.material), bounds.passages)


async def crowds(draft: Draft, room: int, count: Count) -> bool:
    """Whether what the conversation began with takes more than half of the room, or has the question out of it."""
    return await exceed(draft.head(), room // 2, count) or await exceed(draft.messages(len(draft.groups)), room, count)


async def most_passages(draft: Draft, room: int, count: Count, bounds: Bounds) -> int:
    """How many may be shown: they have half of what personality and question leave, and what history does not need."""
    all_groups = len(draft.groups)
    bare = await measure(draft.messages(all_groups), count)
    history = await measure(draft.messages(bounds.dropped), count) - bare
    allowed = bare + max((room - bare) // 2, room - bare - history)
    fits, too_many = 0, shown_at_most(draft, bounds) + 1
    while fits + 1 < too_many:
        middle = (fits + too_many) // 2
        if await measure(draft.messages(all_groups, middle), count) <= allowed:
            fits = middle
        else:
            too_many = middle
    return fits


async def fewest_dropped(draft: Draft, room: int, count: Count, least: int, passages: int) -> int:
    """How many groups have to go, by halving: dropping more never makes a prompt longer."""
    if await measure(draft.messages(least, passages), count) <= room:
        return least
    most = len(draft.groups)
    if (tokens := await measure(draft.messages(most, passages), count)) > room:
        message = f"personality and question take {tokens} tokens; there is room for {room} beside an answer"
        raise PromptTooLong(message, tokens=tokens, limit=room)
    while least + 1 < most:
        middle = (least + most) // 2
        if await measure(draft.messages(middle, passages), count) <= room:
            most = middle
        else:
            least = middle
    return in_steps(most, len(draft.groups))


def in_steps(dropped: int, groups: int) -> int:
    """Rounded up while enough is left: the beginning then stays the same for some turns, and is not computed again."""
    rounded = -(-dropped // DROP_STEP) * DROP_STEP
    return max(dropped, min(rounded, groups - DROP_STEP))


async def exceed(messages: Sequence[Message], tokens: int, count: Count) -> bool:
    """Whether they take more than so many. A megabyte is not sent to be counted."""
    return ceiling(messages, MOST_BYTES_PER_TOKEN) > tokens or await measure(messages, count) > tokens


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
