"""Answers that go on when their connection ends, and that several connections may watch.

Each answer is a task of the web process. It never waits for a watcher: a watcher is a position in the answer, and reads
on from there at its own pace. So a slow or dead one holds nobody back and costs no memory.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Iterator, Sequence
from contextlib import aclosing
from dataclasses import replace
from itertools import groupby

import structlog
from aiohttp import web

from core.contract import Done, Engine, Masked, Prompt, Source, Status, Text
from core.errors import CspsError, ModelError
from core.runtime.background_tasks import BackgroundTasks
from web.problems import InternalError
from web.service import Service, open_reply
from web.socket_frames import AnswerFinished

log = structlog.get_logger()

AnswerEvent = Status | Masked | Source | Text
Outcome = AnswerFinished | CspsError


async def answer_events(
    service: Service, prompt: Prompt, *, sources_in_text: bool = False
) -> AsyncGenerator[AnswerEvent | Outcome, None]:
    """The events of the reply to a prompt in a conversation. The last one is its outcome; nothing is raised."""
    assert prompt.conversation is not None
    try:
        async with open_reply(service, prompt, sources_in_text=sources_in_text) as events:
            async for event in events:
                if isinstance(event, Done):
                    yield AnswerFinished(
                        event.reason, event.model, prompt.conversation, event.usage, event.exchange, event.receipt
                    )
                else:
                    yield event
    except CspsError as error:
        yield error
    except Exception:  # a defect in one answer must not end the conversation
        log.exception("reply_failed")
        yield InternalError()


class RunningAnswer:
    """An answer while it is written. `outcome` is None until it is over and stored."""

    def __init__(
        self, prompt: Prompt, events: AsyncGenerator[AnswerEvent | Outcome, None], model: str | None = None
    ) -> None:
        assert prompt.conversation is not None
        self.prompt = prompt
        self.outcome: Outcome | None = None
        self.watchers = 0
        self._events: list[AnswerEvent] = []  # without passing statuses
        self._status: Status | None = None  # the latest one, if nothing came after it
        self._statuses = 0
        self._changed = asyncio.Event()  # replaced after each change
        self._interruption: Outcome = AnswerFinished("stopped", model, prompt.conversation, None)
        self.task = asyncio.create_task(self._write(events))
        self.task.add_done_callback(self._end)

    async def watch(self) -> AsyncGenerator[AnswerEvent, None]:
        """Yields the answer from its beginning until it is over. Texts that wait are yielded as one."""
        position = statuses = 0
        while True:
            changed, is_over = self._changed, self.outcome is not None
            new = self._events[position:]
            position += len(new)
            for event in join_texts(new):
                yield event
            if self._status is not None and statuses < self._statuses:
                statuses = self._statuses
                yield self._status
            if is_over:
                return
            await changed.wait()

    def interrupt(self, error: CspsError | None = None) -> None:
        """Ends the answer as stopped, or with this error, unless it is over. The text so far is stored."""
        self._interruption = error or self._interruption
        self.task.cancel()

    async def _write(self, events: AsyncGenerator[AnswerEvent | Outcome, None]) -> None:
        async with aclosing(events):
            async for event in events:
                if isinstance(event, AnswerFinished | CspsError):
                    self.outcome = event
                else:
                    self._add(event)

    def _add(self, event: AnswerEvent) -> None:
        if isinstance(event, Masked):
            self.prompt = replace(self.prompt, text=event.question)
        if isinstance(event, Status) and event.state != "trimmed":
            self._status = event
            self._statuses += 1
        else:
            self._status = None
            self._events.append(event)
        self._announce()

    def _end(self, _task: asyncio.Task[None]) -> None:
        """Runs also after a task that was cancelled before its first step."""
        self.outcome = self.outcome or self._interruption
        self._status = None
        self._announce()

    def _announce(self) -> None:
        self._changed.set()
        self._changed = asyncio.Event()


class FollowedAnswer(RunningAnswer):
    """An answer that another process writes: shown once it is whole, and stopped there."""

    def __init__(self, prompt: Prompt, engine: Engine) -> None:
        super().__init__(prompt, followed_events(engine, prompt))
        self._engine = engine
        self._stopping = BackgroundTasks()

    def interrupt(self, error: CspsError | None = None) -> None:
        """Asks that process to stop the answer; with an error, only stops following it."""
        if error:
            super().interrupt(error)
        elif self.prompt.conversation:
            self._stopping.start(self._engine.stop_elsewhere(self.prompt.conversation))


async def followed_events(engine: Engine, prompt: Prompt) -> AsyncGenerator[AnswerEvent | Outcome, None]:
    """The sources, the text and the outcome of an answer, when another process has stored it."""
    assert prompt.conversation is not None
    try:
        turn = await engine.wait_elsewhere(prompt.conversation, prompt.personality, prompt.owner)
    except CspsError as error:
        yield error
        return
    for source in turn.sources:
        yield source
    yield Text(turn.text)
    if turn.reason == "failed":
        yield ModelError("the answer failed in another process; ask again")
    else:
        yield AnswerFinished(turn.reason or "stop", turn.model, prompt.conversation, None, turn.exchange)


def join_texts(events: Sequence[AnswerEvent]) -> Iterator[AnswerEvent]:
    for is_text, group in groupby(events, lambda event: isinstance(event, Text)):
        if is_text:
            yield Text("".join(event.text for event in group if isinstance(event, Text)))
        else:
            yield from group


class RunningAnswers:
    """The running answers of this process, and those of other web processes that somebody follows here."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._answers: list[RunningAnswer] = []  # in the order of their prompts

    def start(self, prompt: Prompt, model: str | None) -> RunningAnswer:
        """Starts an answer. `model`: the one that answers, as far as it is known."""
        return self._hold(RunningAnswer(prompt, answer_events(self._service, prompt), model))

    async def follow(self, prompt: Prompt) -> RunningAnswer | None:
        """The answer to this prompt if another process writes it; None: no other process does."""
        assert prompt.conversation is not None
        if not await self._service.engine.is_answered_elsewhere(prompt.conversation):
            return None
        return self.find(prompt.conversation, prompt.owner) or self._hold(FollowedAnswer(prompt, self._service.engine))

    def _hold(self, answer: RunningAnswer) -> RunningAnswer:
        self._answers.append(answer)
        answer.task.add_done_callback(lambda _task: self._answers.remove(answer))
        return answer

    def find(self, conversation: str, owner: str | None) -> RunningAnswer | None:
        """The answer that is written in this conversation now."""
        return next((each for each in self._select(owner, conversation) if each.outcome is None), None)

    async def watch(self, answer: RunningAnswer) -> AsyncGenerator[AnswerEvent, None]:
        """Yields as `RunningAnswer.watch` does. Without watchers the answer goes on if its owner has few such ones."""
        answer.watchers += 1
        try:
            async with aclosing(answer.watch()) as events:
                async for event in events:
                    yield event
        finally:
            answer.watchers -= 1
            self._bound_unwatched(answer)

    async def end(self, owner: str, conversation: str | None = None) -> None:
        """Stops the owner's answers, of one conversation or of all, and waits until they are stored."""
        await interrupt_all(tuple(self._select(owner, conversation)))

    async def drain(self, within_s: float) -> None:
        """Waits for all answers, and ends those that take longer."""
        if self._answers:
            await asyncio.wait([answer.task for answer in self._answers], timeout=within_s)
        await self.close()

    async def close(self) -> None:
        """Ends all answers, because the service stops."""
        await interrupt_all(tuple(self._answers), self._service.gate.build_error())

    def _select(self, owner: str | None, conversation: str | None) -> Iterator[RunningAnswer]:
        for answer in self._answers:
            if answer.prompt.owner == owner and conversation in (None, answer.prompt.conversation):
                yield answer

    def _bound_unwatched(self, answer: RunningAnswer) -> None:
        unwatched = [each for each in self._select(answer.prompt.owner, None) if not each.watchers]
        if answer in unwatched and len(unwatched) > self._service.limits.unwatched_answers:
            answer.interrupt()


async def interrupt_all(answers: Sequence[RunningAnswer], error: CspsError | None = None) -> None:
    for answer in answers:
        answer.interrupt(error)
    await asyncio.gather(*(answer.task for answer in answers), return_exceptions=True)


RUNNING_ANSWERS: web.AppKey[RunningAnswers] = web.AppKey("running_answers", RunningAnswers)
