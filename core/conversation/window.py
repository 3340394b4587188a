"""Cuts a prompt draft to the model's context window.

1. The answer gets a quarter of the window, or less if its token limit is lower. The rest is the room.
2. The personality and the question always stay. If they alone exceed the room, that is PromptTooLong.
3. The lead context stays whole if it takes at most half of the room together with the personality. Otherwise its
   passages compete with the other documents.
4. The passages get half of what personality and question leave, and all that the history does not need.
5. The history gets the rest. The oldest exchanges go first, each in whole; a status event gives their number.

Knows tokens only as numbers from `count`.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace

from core.contract import Sampling
from core.conversation.draft import PromptDraft
from core.errors import PromptTooLong
from core.openai.chat_protocol import Message

ANSWER_SHARE = 4  # the answer gets a quarter of the window, unless its own limit is lower
# The tokens that a chat template adds to a conversation, and to each message, at most by our estimate.
TEMPLATE_TOKENS = 64
TEMPLATE_TOKENS_PER_MESSAGE = 16
BYTES_PER_TOKEN = 3  # a low guess for French and English, for engines that do not count
MAX_BYTES_PER_TOKEN = 16  # an average that no text for people exceeds
DROP_STEP = 4  # exchanges
MIN_PASSAGES, PASSAGE_TOKENS = 24, 300  # the most passages of a prompt: these, and more in a window with room for more

Count = Callable[[Sequence[Message]], Awaitable[int | None]]


@dataclass(frozen=True, slots=True)
class FittedPrompt:
    """A draft that fits the window: its best `passages`, without its `dropped` oldest exchanges, as `messages`."""

    draft: PromptDraft
    messages: tuple[Message, ...]
    sampling: Sampling
    dropped: int
    passages: int


@dataclass(frozen=True, slots=True)
class TrimBounds:
    """The limits learned from an engine's refusal: drop at least `dropped` exchanges, show at most `passages`."""

    dropped: int = 0
    passages: int | None = None  # None: as many as `passage_limit` allows
    without_lead: bool = False  # the lead context competes with the other documents


async def fit_window(
    draft: PromptDraft, sampling: Sampling, window: int, count: Count, bounds: TrimBounds = TrimBounds()
) -> FittedPrompt:
    """Cuts the draft to `window` tokens, less those of the answer. Raises PromptTooLong with the numbers."""
    if bounds.without_lead:
        draft = draft.without_lead()
    reserve = answer_reserve(sampling, window)
    most = passage_limit(draft, window, bounds)
    messages = draft.messages(bounds.dropped, most)
    # Most prompts are short: at one byte per token they fit, and the engine need not count.
    if token_ceiling(messages) + max(reserve, sampling.max_tokens or 0) <= window:
        return FittedPrompt(draft, messages, sampling, bounds.dropped, most)
    room = window - reserve
    if draft.lead_context and await lead_is_too_long(draft, room, count):
        draft = draft.without_lead()
        most = passage_limit(draft, window, bounds)
    passages = await most_passages(draft, room, count, bounds.dropped, most)
    dropped = await fewest_dropped(draft, room, count, bounds.dropped, passages)
    messages = draft.messages(dropped, passages)
    limited = limit_answer(sampling, window - await count_tokens(messages, count))
    return FittedPrompt(draft, messages, limited, dropped, passages)


def passage_limit(draft: PromptDraft, window: int, bounds: TrimBounds) -> int:
    """The most passages that the prompt may show."""
    fits = max(MIN_PASSAGES, window // PASSAGE_TOKENS)
    return min(draft.candidates.passage_count, fits if bounds.passages is None else min(fits, bounds.passages))


def answer_reserve(sampling: Sampling, window: int) -> int:
    """The tokens that are kept free for the answer."""
    return min(sampling.max_tokens or window, window // ANSWER_SHARE)


def tighten(fitted: FittedPrompt) -> TrimBounds | None:
    """The bounds to try after an engine found the prompt too long. None: nothing is left to drop."""
    exchanges, without_lead = len(fitted.draft.exchanges), not fitted.draft.lead_context
    if fitted.passages:
        return TrimBounds(fitted.dropped, fitted.passages // 2, without_lead)
    if fitted.dropped < exchanges:
        return TrimBounds((fitted.dropped + exchanges + 1) // 2, 0, without_lead)
    if without_lead:
        return None
    return TrimBounds(fitted.dropped, fitted.draft.without_lead().candidates.passage_count // 2, without_lead=True)


async def lead_is_too_long(draft: PromptDraft, room: int, count: Count) -> bool:
    """True if the lead context takes more than half of the room, or leaves no room for the question."""
    without_history = draft.messages(len(draft.exchanges))
    return await exceeds(draft.head(), room // 2, count) or await exceeds(without_history, room, count)


async def most_passages(draft: PromptDraft, room: int, count: Count, dropped: int, most: int) -> int:
    """The number of passages to show: half of what personality and question leave, and what history does not need."""
    all_exchanges = len(draft.exchanges)
    bare = await count_tokens(draft.messages(all_exchanges), count)
    history = await count_tokens(draft.messages(dropped), count) - bare
    allowed = bare + max((room - bare) // 2, room - bare - history)
    fits, too_many = 0, most + 1
    while fits + 1 < too_many:
        middle = (fits + too_many) // 2
        if await exceeds(draft.messages(all_exchanges, middle), allowed, count):
            too_many = middle
        else:
            fits = middle
    return fits


async def fewest_dropped(draft: PromptDraft, room: int, count: Count, least: int, passages: int) -> int:
    """The number of exchanges to drop, by bisection: dropping more never makes a prompt longer."""
    if await count_tokens(draft.messages(least, passages), count) <= room:
        return least
    most = len(draft.exchanges)
    if (tokens := await count_tokens(draft.messages(most, passages), count)) > room:
        # LiteLLM knows the error by "prompt is too long".
        taken = f"personality and question take {tokens} tokens; there is room for {room} beside an answer"
        message = f"the prompt is too long: {taken}"
        raise PromptTooLong(message, tokens=tokens, limit=room)
    while least + 1 < most:
        middle = (least + most) // 2
        if await count_tokens(draft.messages(middle, passages), count) <= room:
            most = middle
        else:
            least = middle
    return round_up_dropped(most, len(draft.exchanges))


def round_up_dropped(dropped: int, exchanges: int) -> int:
    """Rounds up to DROP_STEP if enough exchanges remain: so the start, which the model keeps, changes less often."""
    rounded = -(-dropped // DROP_STEP) * DROP_STEP
    return max(dropped, min(rounded, exchanges - DROP_STEP))


async def exceeds(messages: Sequence[Message], tokens: int, count: Count) -> bool:
    """True if the messages take more than `tokens`. Does not send a megabyte to be counted."""
    return token_ceiling(messages, MAX_BYTES_PER_TOKEN) > tokens or await count_tokens(messages, count) > tokens


async def count_tokens(messages: Sequence[Message], count: Count) -> int:
    counted = await count(messages)
    return token_ceiling(messages, BYTES_PER_TOKEN) if counted is None else counted


def token_ceiling(messages: Sequence[Message], bytes_per_token: int = 1) -> int:
    """An upper bound of the messages' tokens, if a token has at least `bytes_per_token` bytes on average."""
    text = sum(len(message.content.encode()) for message in messages)
    return text // bytes_per_token + TEMPLATE_TOKENS + TEMPLATE_TOKENS_PER_MESSAGE * len(messages)


def limit_answer(sampling: Sampling, room: int) -> Sampling:
    # vLLM refuses a request whose prompt and max_tokens together exceed the window.
    return sampling if sampling.max_tokens is None else replace(sampling, max_tokens=min(sampling.max_tokens, room))
