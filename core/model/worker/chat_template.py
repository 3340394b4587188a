"""Renders a chat with the model's own template, so that no user's text can forge a turn border.

The template (Jinja, from the model file, sandboxed) is rendered with a placeholder for each message's text. The text
between placeholders comes from the template and may hold control tokens; the messages, which replace the placeholders,
may not. Knows no tokenizer: `PromptPart.trusted` tells it which parts may hold control tokens.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import jinja2
from jinja2.ext import Extension, loopcontrols
from jinja2.nodes import Node
from jinja2.parser import Parser
from jinja2.sandbox import ImmutableSandboxedEnvironment

from core.errors import BadRequest, ConfigError
from core.openai.chat_protocol import Message
from core.openai.stream_reader import CLOSE, OPEN

NO_THINKING = f"\n{CLOSE}\n\n"  # Qwen's template writes this to switch thinking off


@dataclass(frozen=True, slots=True)
class PromptPart:
    """A part of the prompt. "<|im_start|>" may become a control token only in a trusted part."""

    text: str
    trusted: bool


@dataclass(frozen=True, slots=True)
class RenderedPrompt:
    parts: tuple[PromptPart, ...]
    system_parts: int  # number of first parts that belong to the system message, with which other requests begin too
    answer_prefix: str = ""  # beginning of the answer that the template wrote: the mark that opens a model's thinking


@dataclass(frozen=True, slots=True)
class PaddedText:
    """A message's text without the blanks around it, which many templates trim."""

    left: str
    body: str
    right: str

    @classmethod
    def of(cls, text: str) -> PaddedText:
        body = text.strip()
        start = len(text) - len(text.lstrip())
        return cls(text[:start], body, text[start + len(body) :])

    def place(self, before: str, after: str) -> tuple[str, str, str]:
        """Returns the template's text before, this text with the blanks that the template left it, and the rest."""
        left = self.left if before.endswith(self.left) else ""
        right = self.right if after.startswith(self.right) else ""
        return before[: len(before) - len(left)], f"{left}{self.body}{right}", after[len(right) :]


class GenerationTag(Extension):
    """`{% generation %}` marks the assistant's text for training. Here it only prints its content."""

    tags = {"generation"}  # noqa: RUF012 - Jinja declares it so

    def parse(self, parser: Parser) -> list[Node]:
        next(parser.stream)
        return parser.parse_statements(("name:endgeneration",), drop_needle=True)


class ChatTemplate:
    """One model's chat template. Raises ConfigError if it fails on a simple chat."""

    def __init__(self, source: str, bos: str = "", eos: str = "") -> None:
        environment = ImmutableSandboxedEnvironment(
            trim_blocks=True, lstrip_blocks=True, extensions=[loopcontrols, GenerationTag], autoescape=False
        )
        environment.globals["raise_exception"] = _raise
        environment.globals["strftime_now"] = lambda pattern: datetime.now().strftime(pattern)
        self._variables = {"bos_token": bos, "eos_token": eos}
        try:
            self._template = environment.from_string(source)
            self._render([Message("user", "probe")])
        except jinja2.TemplateError as exc:
            raise ConfigError(f"the model's chat template does not work: {exc}") from exc
        self.takes_system = self._renders_system()

    def render(self, messages: Sequence[Message], *, thinks: bool = True) -> RenderedPrompt:
        """Renders the messages. A last assistant message stays open, so that the model continues it.

        Some templates open the model's thinking. Without `thinks`, and before an answer to continue, the thinking is
        closed at once. Raises BadRequest.
        """
        messages = merge(messages)
        if not messages:
            raise BadRequest("`messages` is empty")
        open_end = messages.pop().content if messages[-1].role == "assistant" else ""
        if not self.takes_system:
            messages = fold_system(messages)
        if not any(m.role == "user" for m in messages):
            raise BadRequest("`messages` needs at least one message of role `user`")
        try:
            parts, system_parts = self._parts(messages)
        except jinja2.TemplateError as exc:
            raise BadRequest(f"the model's chat template refuses these messages: {exc}") from exc
        answer_prefix = OPEN if parts[-1].trusted and parts[-1].text.rstrip().endswith(OPEN) else ""
        if answer_prefix and (open_end or not thinks):
            parts.append(PromptPart(NO_THINKING, trusted=True))
            answer_prefix = ""
        if open_end:
            parts.append(PromptPart(open_end, trusted=False))
        return RenderedPrompt(tuple(parts), system_parts, answer_prefix)

    def _parts(self, messages: Sequence[Message]) -> tuple[list[PromptPart], int]:
        nonce = secrets.token_hex(8)
        padded = [PaddedText.of(message.content) for message in messages]
        marked = [
            Message(m.role, f"{text.left}«{nonce}:{index}»{text.right}")
            for index, (m, text) in enumerate(zip(messages, padded, strict=True))
        ]
        # Between template texts stand the numbers of the messages.
        pieces = re.split(f"«{nonce}:([0-9]+)»", self._render(marked))
        numbers = [int(number) for number in pieces[1::2]]
        parts: list[PromptPart] = []
        system_parts: int | None = None
        before = pieces[0]
        for number, after in zip(numbers, pieces[2::2], strict=True):
            before, text, after = padded[number].place(before, after)
            if before:
                parts.append(PromptPart(before, trusted=True))
            if messages[number].role != "system" and system_parts is None:
                system_parts = len(parts)
            parts.append(PromptPart(text, trusted=False))
            before = after
        if before:
            parts.append(PromptPart(before, trusted=True))
        if len(set(numbers)) < len(messages):
            raise jinja2.TemplateError("it leaves a message out")
        return parts, system_parts or 0 if messages[0].role == "system" else 0

    def _render(self, messages: Sequence[Message]) -> str:
        plain = [{"role": m.role, "content": m.content} for m in messages]
        try:
            return self._template.render(messages=plain, add_generation_prompt=True, **self._variables)
        except jinja2.TemplateError:
            raise
        except Exception as exc:  # a template is a program, and can fail in any way
            raise jinja2.TemplateError(f"{type(exc).__name__}: {exc}") from exc

    def _renders_system(self) -> bool:
        """Tells whether the template renders a system message: some raise an error, others drop it silently."""
        try:
            return "system-probe" in self._render([Message("system", "system-probe"), Message("user", "probe")])
        except jinja2.TemplateError:
            return False


def merge(messages: Sequence[Message]) -> list[Message]:
    """Joins neighbouring messages of one role: many templates require user and assistant to alternate."""
    merged: list[Message] = []
    for message in messages:
        if merged and merged[-1].role == message.role:
            message = Message(message.role, f"{merged.pop().content}\n\n{message.content}")
        merged.append(message)
    return merged


def fold_system(messages: Sequence[Message]) -> list[Message]:
    """Puts the system text in front of the first user message, for models without a system role."""
    system = "\n\n".join(m.content for m in messages if m.role == "system")
    rest = merge([m for m in messages if m.role != "system"])
    if not system or not rest:
        return rest
    if rest[0].role != "user":
        return [Message("user", system), *rest]
    return [Message("user", f"{system}\n\n{rest[0].content}"), *rest[1:]]


def _raise(message: str) -> None:
    raise jinja2.TemplateError(message)
