"""Plays the steps of a script on a stage, one after the other, and waits until the bot has finished each."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress

from bindings.selftest.bot_process import BotCounts, StartedBot
from bindings.selftest.echo_model import EchoModel
from bindings.selftest.judge import Problem, StepResult, judge
from bindings.selftest.recording import RecordedMessage, VisibleMessage
from bindings.selftest.script import Step
from bindings.selftest.stage import PlayedQuestion, Posted, Stage

STEP_LIMIT_S = 300.0  # for a slow model
ECHO_LIMIT_S = 30.0
SETTLE_S = 1.0
HOLDING_FAULTS = ("stream_refused", "edit_refused")  # they concern an answer that is being written


class Player:
    """`echo` is the built-in model, if it answers. `report` is called after each step."""

    def __init__(self, stage: Stage, bot: StartedBot, echo: EchoModel | None) -> None:
        self._stage = stage
        self._bot = bot
        self._echo = echo
        self._limit_s = ECHO_LIMIT_S if echo else STEP_LIMIT_S
        self._posted: dict[str, Posted] = {}  # by step

    async def play(self, steps: Sequence[Step], report: Callable[[StepResult], None]) -> list[StepResult]:
        """Raises BotEnded."""
        results = []
        for step in steps:
            results.append(await self._play(step))
            report(results[-1])
        return results

    async def _play(self, step: Step) -> StepResult:
        recording = self._stage.recording
        recording.step, at = step.id, recording.now_s()
        before = await self._bot.counts()
        if step.fault:
            self._stage.inject(step.fault)
        late: list[Problem] = []
        try:
            await self._act(step, before)
            counts = await self._bot.until_counts(lambda now: is_finished(step, before, now), self._limit_s)
            late += ["error"] if counts.failed > before.failed else []
        except TimeoutError:
            late.append("unrated" if step.does == "rate" else "late")
        finally:
            self._release()
        refused = self._stage.clear_faults()
        recording.observe()
        shown = self._shown(step)
        words = [each.first_words_s - at for each in shown if each.first_words_s is not None]
        posted = self._posted.get(step.id)
        return StepResult(
            step,
            problems=(*judge(step, shown, echoes=self._echo is not None), *late),
            answers=sum(each.deleted_s is None for each in shown),
            took_s=recording.now_s() - at,
            ack_s=posted.ack_s if posted else None,
            first_words_s=min(words, default=None),
            untried=step.fault is not None and not refused,
        )

    async def _act(self, step: Step, before: BotCounts) -> None:
        stage = self._stage
        match step.does:
            case "ask" | "reply":
                await self._ask(step)
            case "command":
                self._posted[step.id] = await stage.command(self._question(step))
            case "edit":
                await stage.edit(self._posted[step.of], step.text)
                await self._settle(before)
            case "rate":
                await stage.rate(self._posted[step.of], self._answer(step.of))
            case "stop":
                posted = await self._ask_and_wait(step)
                await stage.stop(posted, self._answer(step.id))
                self._release(slowly=True)
            case "delete":
                await stage.delete(await self._ask_and_wait(step))
                self._release(slowly=True)

    async def _settle(self, before: BotCounts) -> None:
        """Waits until the bot has taken an event that nothing acknowledges. It may also ignore it without a trace."""
        if not self._stage.acknowledges:
            with suppress(TimeoutError):
                await self._bot.until_counts(lambda now: now.taken > before.taken, SETTLE_S)

    async def _ask(self, step: Step) -> None:
        if step.fault in HOLDING_FAULTS:
            await self._ask_and_wait(step)
            self._release()
        else:
            self._posted[step.id] = await self._stage.say(self._question(step))

    async def _ask_and_wait(self, step: Step) -> Posted:
        """Returns once the first words of the answer are visible."""
        if self._echo:
            self._echo.hold()
        self._posted[step.id] = posted = await self._stage.say(self._question(step))
        await self._stage.server.until(lambda: self._has_words(step), self._limit_s)
        return posted

    def _release(self, *, slowly: bool = False) -> None:
        if self._echo:
            self._echo.release(slowly=slowly)

    def _question(self, step: Step) -> PlayedQuestion:
        reply_to = self._posted[step.of] if step.of else None
        place = reply_to.question.place if reply_to else step.place
        return PlayedQuestion(step.text, place, step.language, reply_to, step.file, step.command)

    def _has_words(self, step: Step) -> bool:
        self._stage.recording.observe()
        return any(each.message.text for each in self._shown(step))

    def _shown(self, step: Step) -> list[RecordedMessage]:
        """The bot's messages of a step, without the question that it shows for a slash command."""
        posted = self._posted.get(step.id)
        messages = self._stage.recording.messages.values()
        own = [each for each in messages if each.step == step.id and each.message.by_bot]
        return [each for each in own if posted is None or each.message.key != posted.key]

    def _answer(self, step: str) -> VisibleMessage:
        """The last visible message of an answer, which has its buttons."""
        messages = self._stage.recording.messages.values()
        own = [each for each in messages if each.step == step and each.message.by_bot and each.deleted_s is None]
        return own[-1].message


def is_finished(step: Step, before: BotCounts, now: BotCounts) -> bool:
    if step.does == "rate":
        return now.rated > before.rated
    taken = step.does == "edit" or now.taken > before.taken
    return taken and now.unfinished == 0
