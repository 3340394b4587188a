"""The result of a self-test: what people saw, which calls the bot made, and a summary."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from statistics import median

from bindings.incoming import PlatformName
from bindings.selftest.judge import StepResult
from bindings.selftest.recording import RecordedCall, RecordedMessage
from core.contract import Language


@dataclass(frozen=True, slots=True)
class LoggedProblem:
    """A warning or error in the bot's log, and the number of times."""

    event: str
    problem: str
    times: int


@dataclass(frozen=True, slots=True)
class Transcript:
    platform: PlatformName
    language: Language
    at: datetime
    model: str
    personalities: tuple[str, ...]
    results: Sequence[StepResult]
    messages: Sequence[RecordedMessage]
    calls: Sequence[RecordedCall]
    problems: Sequence[LoggedProblem] = ()

    @property
    def failed(self) -> list[StepResult]:
        return [result for result in self.results if result.problems]

    def messages_of(self, step: str) -> list[RecordedMessage]:
        return [each for each in self.messages if each.step == step]


@dataclass(frozen=True, slots=True)
class Summary:
    """Times are in seconds; None: nothing was measured."""

    steps: int
    failed: int
    answers: int
    lost: int
    doubled: int
    calls: int
    refused_calls: int
    ack_median_s: float | None
    ack_longest_s: float | None
    words_median_s: float | None
    words_longest_s: float | None


def summarize(transcript: Transcript) -> Summary:
    results, calls = transcript.results, transcript.calls
    problems = Counter(problem for result in results for problem in result.problems)
    acks = [result.ack_s for result in results if result.ack_s is not None]
    words = [result.first_words_s for result in results if result.first_words_s is not None]
    return Summary(
        steps=len(results),
        failed=len(transcript.failed),
        answers=sum(result.expects_answer and "lost" not in result.problems for result in results),
        lost=problems["lost"],
        doubled=problems["doubled"],
        calls=len(calls),
        refused_calls=sum(call.status >= 400 or bool(call.note) for call in calls),
        ack_median_s=median(acks) if acks else None,
        ack_longest_s=max(acks, default=None),
        words_median_s=median(words) if words else None,
        words_longest_s=max(words, default=None),
    )
