"""Prompts, tasks and single texts without the personal information that the policy masks; or the refusal.

"block" refuses what the caller sends by this request: the question, the files, the earlier questions that it keeps. In
what others wrote (messages of a thread, results of tools, earlier answers) it masks: the person could not change these.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import TypeVar, cast

from core.contract import (
    Attachment,
    Json,
    Language,
    Masked,
    PersonalInformation,
    Prompt,
    Task,
    ToolCall,
    Turn,
)
from core.errors import PersonalInformationRefused
from core.privacy.findings import BUILT_IN_KINDS
from core.privacy.policy import Rules
from core.texts import text

DESCRIPTIONS = ("title", "description", "$comment")  # of a schema: words that the model reads and no value depends on
EXAMPLES = ("default", "examples")
NESTING_LIMIT = 100
LARGE_CHARS = 20_000  # searched in about 20 ms: longer texts are screened beside the event loop


class Screen:
    """Screens the texts of one request, and counts what it masks. `language`: of the words in place of a passage."""

    def __init__(self, rules: Rules, language: Language) -> None:
        self._rules = rules
        self._language = language
        self._masked: Counter[str] = Counter()
        self._blocked: Counter[str] = Counter()

    def finds(self, words: str) -> bool:
        return any(self._rules.action(each.kind) != "allow" for each in self._rules.detector.find(words))

    def own(self, words: str) -> str:
        """Words that the person sends."""
        return self._screen(words, self._blocked)

    def foreign(self, words: str) -> str:
        """Words of somebody else: "block" masks in them."""
        return self._screen(words, self._masked)

    def own_json(self, source: str) -> str:
        """JSON that stays JSON: a number becomes a text. Other texts are screened as they are."""
        return self._screen_json(source, self.own)

    def foreign_json(self, source: str) -> str:
        return self._screen_json(source, self.foreign)

    def own_value(self, value: Json, depth: int = 0) -> Json:
        return self._screen_value(value, self.own, depth)

    def _screen(self, words: str, blocked: Counter[str]) -> str:
        findings = [each for each in self._rules.detector.find(words) if self._rules.action(each.kind) != "allow"]
        if not findings:
            return words
        parts, end = [], 0
        for finding in findings:
            counts = blocked if self._rules.action(finding.kind) == "block" else self._masked
            counts[finding.kind] += 1
            parts += [words[end : finding.start], self._placeholder(finding.kind)]
            end = finding.end
        return "".join([*parts, words[end:]])

    def _placeholder(self, kind: str) -> str:
        if kind in BUILT_IN_KINDS:
            return text(f"privacy-removed-{kind}", self._language)
        return text("privacy-removed", self._language, title=dict(self._titles(kind))[self._language])

    def _titles(self, kind: str) -> tuple[tuple[Language, str], ...]:
        patterns = self._rules.detector.own_patterns
        return next((tuple(each.title.items()) for each in patterns if each.name == kind), ())

    def _screen_json(self, source: str, screen: Callable[[str], str]) -> str:
        if not self.finds(source):
            return source
        try:
            value = json.loads(source)
        except (ValueError, RecursionError):
            return screen(source)
        screened = json.dumps(self._screen_value(value, screen, 0), ensure_ascii=False)
        return screen(screened) if self.finds(screened) else screened

    def _screen_value(self, value: Json, screen: Callable[[str], str], depth: int) -> Json:
        if depth > NESTING_LIMIT or value is None or isinstance(value, bool):
            return value
        if isinstance(value, str):
            return screen(value)
        if isinstance(value, dict):
            return {screen(key): self._screen_member(key, each, screen, depth + 1) for key, each in value.items()}
        if isinstance(value, list):
            return [self._screen_value(each, screen, depth + 1) for each in value]
        shown = json.dumps(value)
        screened = screen(shown)
        return value if screened == shown else screened

    def _screen_member(self, key: str, value: Json, screen: Callable[[str], str], depth: int) -> Json:
        """A member's value, which its key may name: {"date of birth": "1985-01-31"}."""
        if isinstance(value, dict | list) or value is None or isinstance(value, bool):
            return self._screen_value(value, screen, depth)
        shown = value if isinstance(value, str) else json.dumps(value)
        label = f"{key}: "
        screened = screen(f"{label}{shown}")
        if screened == f"{label}{shown}":
            return value
        return screened.removeprefix(label) if screened.startswith(label) else screen(shown)

    def masked(self, question: str = "") -> Masked | None:
        """What was removed. Raises PersonalInformationRefused if something is blocked."""
        if self._blocked:
            raise PersonalInformationRefused(self._count(self._blocked))
        found = self._count(self._masked)
        return Masked(found, question) if found else None

    def _count(self, counts: Counter[str]) -> tuple[PersonalInformation, ...]:
        return tuple(PersonalInformation(kind, number, self._titles(kind)) for kind, number in counts.items())


def screen_prompt(prompt: Prompt, rules: Rules, language: Language) -> tuple[Prompt, Masked | None]:
    """Raises PersonalInformationRefused."""
    screen = Screen(rules, language)
    screened = replace(
        prompt,
        text=screen.own(prompt.text),
        asked=screen_asked(prompt, rules, language),
        attachments=screen_attachments(prompt.attachments, screen),
        thread_messages=tuple(screen_message(turn, screen) for turn in prompt.thread_messages),
        history=tuple(screen_turn(turn, screen) for turn in prompt.history),
        calls=tuple(screen_call(call, screen) for call in prompt.calls),
    )
    return screened, screen.masked(screened.text)


def screen_asked(prompt: Prompt, rules: Rules, language: Language) -> str:
    """The person's words, which are a part of the text: they do not count a second time."""
    return Screen(rules, language).own(prompt.asked) if prompt.asked else ""


def screen_task(task: Task, rules: Rules, language: Language) -> tuple[Task, Masked | None]:
    """Raises PersonalInformationRefused."""
    screen = Screen(rules, language)
    screened = replace(
        task,
        prompt=screen.own(task.prompt),
        schema=screen_schema(task.schema, screen),
        attachments=screen_attachments(task.attachments, screen),
        history=tuple(screen_turn(turn, screen) for turn in task.history),
        calls=tuple(screen_call(call, screen) for call in task.calls),
    )
    return screened, screen.masked(screened.prompt)


def screen_attachments(attachments: Iterable[Attachment], screen: Screen) -> tuple[Attachment, ...]:
    return tuple(replace(each, name=screen.own(each.name), text=screen.own(each.text)) for each in attachments)


def screen_message(turn: Turn, screen: Screen) -> Turn:
    """A message of a thread, which anybody may have written."""
    return replace(turn, text=screen.foreign(turn.text))


def screen_turn(turn: Turn, screen: Screen) -> Turn:
    """A turn that the caller keeps: its own question, or an answer with the calls in it."""
    words = screen.own(turn.text) if turn.role == "user" else screen.foreign(turn.text)
    return replace(turn, text=words, calls=tuple(screen_call(call, screen) for call in turn.calls))


def screen_call(call: ToolCall, screen: Screen) -> ToolCall:
    output = None if call.output is None else screen.foreign_json(call.output)
    return replace(call, arguments=screen.foreign_json(call.arguments), output=output)


Schema = TypeVar("Schema")


def screen_schema(schema: Schema, screen: Screen) -> Schema:
    """The schema with its descriptions and examples screened. Its constraints stay: values depend on them."""
    if not isinstance(schema, Mapping):
        return schema
    try:
        written = json.dumps(schema, ensure_ascii=False)
    except (ValueError, RecursionError):
        return schema  # it will be refused
    return cast(Schema, screen_words(dict(schema), screen)) if screen.finds(written) else schema


def screen_words(node: Json, screen: Screen) -> Json:
    if isinstance(node, list):
        return [screen_words(each, screen) for each in node]
    if not isinstance(node, dict):
        return node
    return {
        key: screen.own_value(each) if is_annotation(key, each) else screen_words(each, screen)
        for key, each in node.items()
    }


def is_annotation(key: str, value: Json) -> bool:
    return (key in DESCRIPTIONS and isinstance(value, str)) or (key in EXAMPLES and not isinstance(value, dict))


def size_of_prompt(prompt: Prompt) -> int:
    """The characters to search."""
    return len(prompt.text) + size_of_rest(prompt) + sum(len(each.text) for each in prompt.thread_messages)


def size_of_task(task: Task) -> int:
    """As `size_of_prompt`. A schema counts as large: its size is known only once it is written out."""
    return len(task.prompt) + size_of_rest(task) + (LARGE_CHARS if isinstance(task.schema, Mapping) else 0)


def size_of_rest(request: Prompt | Task) -> int:
    calls = (*request.calls, *(call for turn in request.history for call in turn.calls))
    words = [each.text for each in request.attachments] + [turn.text for turn in request.history]
    return sum(map(len, words)) + sum(len(call.arguments) + len(call.output or "") for call in calls)
