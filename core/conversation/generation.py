"""One answer from a draft to its end, also over the death of the model: what was given is never given again.

When the model goes away, waits for it and lets it continue the text so far. Knows no session and no personality.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass, replace
from functools import partial

import structlog

from core.contract import Done, Event, Json, Sampling, Status, Text, Usage
from core.conversation.composition import Draft
from core.conversation.window import Bounds, Fitted, fit, tighter
from core.errors import CspsError, ModelUnavailable, OnlyThought, Overloaded, PromptTooLong
from core.model.client import ModelClient
from core.openai.chat_protocol import Message, QueuePosition, StreamEvent, StreamFinished, TextDelta, ThinkingStarted
from core.runtime.backoff import NO_JITTER, Backoff

log = structlog.get_logger()

DEATHS_LIMIT = 4  # a prompt that kills every model it meets must not do so for ever
BACKOFF = Backoff(first_s=0.05, jitter=NO_JITTER)


@dataclass(frozen=True, slots=True)
class Request:
    """What is asked, and how.

    `model`: its name, if the personality has one of its own. `response_format`: OpenAI's. An answer that has one is
    written anew after a death, for its grammar begins with it; read its `text` at the end and not its `Text` events.
    `own_system`: the system message is a personality's and nobody else's words, so that the engine may keep it.
    """

    draft: Draft
    sampling: Sampling
    user: str | None = None
    model: str | None = None
    response_format: Json = None
    own_system: bool = True


class Answer:
    """Run `events` once; `text` is at any time what was given so far."""

    def __init__(self, client: ModelClient, request: Request, wait_s: float) -> None:
        self.text = ""
        self._client = client
        self._request = request
        self._wait_s = wait_s
        self._fitted: Fitted | None = None
        self._bounds = Bounds()
        self._pieces = 0  # given so far; about as many tokens
        self._thinks = False

    @property
    def quotable(self) -> tuple[str, ...]:
        """What the model was shown to answer from; () as long as nothing was asked, or where it had nothing to read."""
        if self._fitted is None or not (self._fitted.draft.opening or self._fitted.passages):
            return ()
        return self._fitted.draft.texts(self._fitted.passages)

    async def events(self) -> AsyncGenerator[Event, None]:
        """Raises ModelUnavailable if the model stays away, OnlyThought if no answer came of it, what it refuses."""
        deaths = 0
        while True:
            try:
                async with aclosing(self._attempt()) as events:
                    async for event in events:
                        yield event
                        if isinstance(event, Done):
                            return
            except PromptTooLong:
                if self.text:  # prompt and answer so far fill the window
                    yield await self._cut()
                    return
                if not self._drop_more():
                    raise
                continue
            except (ModelUnavailable, Overloaded) as exc:
                deaths += 1
                if deaths > DEATHS_LIMIT or (isinstance(exc, Overloaded) and not self.text):
                    raise
                log.warning("model_lost", problem=exc.message, chars_so_far=len(self.text), deaths=deaths)
                pause_s = pause_after(exc, deaths)
            if self._request.response_format:
                self.text, self._pieces = "", 0
            yield Status("reconnecting")
            await asyncio.sleep(min(pause_s, self._wait_s))
            await self._client.wait_ready(self._wait_s)

    async def _attempt(self) -> AsyncGenerator[Event, None]:
        if self._fitted is None:
            self._fitted = await self._fit()
            if dropped := self._fitted.dropped + self._request.draft.earlier:
                yield Status("trimmed", turns_dropped=dropped)
            for source in self._fitted.draft.sources(self._fitted.passages):
                yield source
        sampling = remaining(self._fitted.sampling, self._pieces)
        if sampling.max_tokens == 0:
            yield await self._cut()
            return
        model = (await self._client.info(self._request.model)).name
        given = self._pieces
        async with aclosing(self._stream(self._fitted.messages, sampling)) as pieces:
            async for piece in pieces:
                match piece:
                    case TextDelta(text):
                        yield Text(text)
                    case QueuePosition():
                        yield waiting(piece)
                    case ThinkingStarted() if not self._thinks and not self.text:
                        self._thinks = True
                        yield Status("thinking")
                    case StreamFinished():
                        self._require_answer(piece)
                        yield Done(piece.reason, model, plus(piece.usage, given))

    def _require_answer(self, end: StreamFinished) -> None:
        if self._thinks and not self.text.strip():
            tokens = end.usage.completion_tokens
            raise OnlyThought(f"the model thought for {tokens} tokens, and wrote no answer ({end.reason})")

    async def _stream(self, messages: tuple[Message, ...], sampling: Sampling) -> AsyncGenerator[StreamEvent, None]:
        """The client's pieces, after the text so far."""
        settled = self.text.rstrip()  # templates trim, and a model goes on badly after a space of its own
        seam = Seam(self.text[len(settled) :])
        so_far = (Message("assistant", settled),) if settled else ()
        asked = self._client.stream(
            (*messages, *so_far),
            sampling,
            user=self._request.user,
            response_format=self._request.response_format,
            continue_last=bool(settled),
            keep_prefix=self._request.own_system,
            model=self._request.model,
        )
        async with aclosing(asked) as pieces:
            async for piece in pieces:
                if not isinstance(piece, TextDelta):
                    yield piece
                    continue
                self._pieces += 1
                if text := seam.feed(piece.text):
                    self.text += text
                    yield TextDelta(text)

    async def _cut(self) -> Done:
        """The answer ends where it is, for want of room."""
        model = (await self._client.info(self._request.model)).name
        return Done("length", model, Usage(completion_tokens=self._pieces))

    async def _fit(self) -> Fitted:
        request = self._request
        window = (await self._client.info(request.model)).window
        count = partial(self._client.count, model=request.model)
        return await fit(request.draft, request.sampling, window, count, self._bounds)

    def _drop_more(self) -> bool:
        """The engine found too long what was counted as short enough. False: there is nothing to leave out."""
        bounds = tighter(self._fitted) if self._fitted else None
        if bounds is None:
            return False
        self._bounds, self._fitted = bounds, None
        return True


class Seam:
    """Where a continued answer meets what was given: blank space at the end of that is not given a second time."""

    def __init__(self, given: str) -> None:
        self._given = given

    def feed(self, text: str) -> str:
        while self._given and text:
            if text[0] != self._given[0]:
                self._given = ""
                break
            text, self._given = text[1:], self._given[1:]
        return text


def pause_after(failure: CspsError, deaths: int) -> float:
    """Seconds before the model is probed: one that is busy said when to come back, one that died is back soon."""
    if isinstance(failure, Overloaded) and failure.retry_after_s is not None:
        return failure.retry_after_s
    return BACKOFF.pause_s(deaths)


def waiting(queued: QueuePosition) -> Status:
    return Status("queued", position=queued.position, wait_s=queued.wait_s)


def remaining(sampling: Sampling, given: int) -> Sampling:
    """For the rest of an answer of which `given` tokens are there."""
    return (
        sampling if sampling.max_tokens is None else replace(sampling, max_tokens=max(0, sampling.max_tokens - given))
    )


def plus(usage: Usage, given: int) -> Usage:
    """With the tokens of the attempts before, whose own count died with the model: the next one read them as prompt."""
    prompt_tokens = max(0, usage.prompt_tokens - given)
    return replace(usage, prompt_tokens=prompt_tokens, completion_tokens=usage.completion_tokens + given)
