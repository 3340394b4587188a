"""Says whether a step came out as expected, from what people saw. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import permutations
from typing import Literal

from bindings.selftest.recording import RecordedMessage
from bindings.selftest.script import Step
from core.texts import text

Problem = Literal[
    "lost", "doubled", "cut", "unfinished", "unexpected", "kept", "not_stopped", "unread", "unrated", "late", "error"
]

MARKS = re.compile(r"[*_\\~`>]")
SAME_CHARS = 12  # a shorter text may repeat by chance


@dataclass(frozen=True, slots=True)
class StepResult:
    """`answers`: the messages of the answer that people can see at the end of the step."""

    step: Step
    problems: tuple[Problem, ...]
    answers: int
    took_s: float
    ack_s: float | None = None
    first_words_s: float | None = None
    untried: bool = False  # the platform's refusal did not happen

    @property
    def expects_answer(self) -> bool:
        return self.step.does in ("ask", "reply", "command", "stop")


def judge(step: Step, shown: Sequence[RecordedMessage], *, echoes: bool) -> list[Problem]:
    """`shown`: the bot's messages of this step. `echoes`: the model repeats what it is shown."""
    visible = [each for each in shown if each.deleted_s is None]
    if step.does == "edit":
        return ["unexpected"] if visible else []
    if step.does == "delete":
        return ["kept"] if visible else []
    if step.does == "rate":
        return []
    problems: list[Problem] = []
    if not any(each.message.text for each in visible):
        problems.append("lost")
    if any(each.message.writing for each in visible):
        problems.append("unfinished")
    if is_doubled(visible):
        problems.append("doubled")
    if step.does == "stop" and not says_stopped(step, visible):
        problems.append("not_stopped")
    if echoes and problems != ["lost"]:
        problems += compare_echo(step, plain(" ".join(each.message.text for each in visible)))
    return problems


def compare_echo(step: Step, words: str) -> list[Problem]:
    """An echo shows all of the question and of its file. Other commands than /ask ask no model."""
    problems: list[Problem] = []
    if step.does in ("ask", "reply") and plain(step.text) not in words:
        problems.append("cut")
    if step.file and plain(step.file.text) not in words:
        problems.append("unread")
    return problems


def is_doubled(visible: Sequence[RecordedMessage]) -> bool:
    """True if one message's text is also in another one, as a whole or as its beginning."""
    texts = [plain(each.message.text) for each in visible]
    return any(len(first) >= SAME_CHARS and second.startswith(first) for first, second in permutations(texts, 2))


def says_stopped(step: Step, visible: Sequence[RecordedMessage]) -> bool:
    """True also if the answer was complete before the person could stop it, which the bot then says."""
    lines = plain(" ".join(line for each in visible for line in (each.message.text, *each.message.small_lines)))
    notes = (text("delivery-stopped", step.language), text("bot-stop-nothing", step.language))
    return any(plain(note) in lines for note in notes)


def plain(shown: str) -> str:
    """The words without Markdown, so that one sentence is the same on all platforms."""
    return " ".join(MARKS.sub("", shown).split())
