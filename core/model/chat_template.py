"""Formats a chat with the model's own template, so that nobody's text can pose as a turn border.

The template (Jinja, from the model file, sandboxed) is rendered with a placeholder for each message's text. What stands
between the placeholders is the template's and may hold control tokens; what replaces them is people's and never does.
Knows no tokenizer: it gives `PromptPart`s, and whoever tokenises them honours `trusted`.
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
from core.openai.thinking import CLOSE, OPEN

NO_THINKING = f"\n{CLOSE}\n\n"  # as Qwen's template writes it for a model that is not to think

# For models that bring none: what most small chat models were trained on.
CHATML = (
    "{% for message in messages %}<|im_start|>{{ message.role }}\n{{ message.content }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)


@dataclass(frozen=True, slots=True)
class PromptPart:
    """A piece of the prompt. Only in trusted ones may "<|im_start|>" become a control token."""

    text: str
    trusted: bool


@dataclass(frozen=True, slots=True)
class RenderedPrompt:
    parts: tuple[PromptPart, ...]
    shared_parts: int  # how many parts, from the start, belong to the system message: others will bring them again
    opening: str = ""  # what of the answer stands in the prompt already: the mark that begins a model's thinking


class GenerationTag(Extension):
    """`{% generation %}` marks, for those who train, what the assistant said; it prints what it holds."""

    tags = {"generation"}  # noqa: RUF012 - as Jinja declares it

    def parse(self, parser: Parser) -> list[Node]:
        next(parser.stream)
        return parser.parse_statements(("name:endgeneration",), drop_needle=True)


class ChatTemplate:
    """One model's way to write a chat. Raises ConfigError if its template does not work at all."""

    def __init__(self, source: str | None, bos: str = "", eos: str = "") -> None:
        environment = ImmutableSandboxedEnvironment(
            trim_blocks=True, lstrip_blocks=True, extensions=[loopcontrols, GenerationTag], autoescape=False
        )
        environment.globals["raise_exception"] = _raise
        environment.globals["strftime_now"] = lambda pattern: datetime.now().strftime(pattern)
        self._variables = {"bos_token": bos, "eos_token": eos}
        try:
            self._template = environment.from_string(source or CHATML)
            self._render([Message("user", "probe")])
        except jinja2.TemplateError as exc:
            raise ConfigError(f"the model's chat template does not work: {exc}") from exc
        self.takes_system = self._keeps_system()

    def render(self, messages: Sequence[Message], *, thinks: bool = True) -> RenderedPrompt:
        """The prompt for these messages. A last assistant message is left open, for the model to continue.

        Some templates make the model think first. Without `thinks`, and in front of an answer that is to be continued,
        that is over before it began.
        """
        messages = merge(messages)
        if not messages:
            raise BadRequest("`messages` holds nothing to answer")
        open_end = messages.pop().content if messages[-1].role == "assistant" else ""
        if not self.takes_system:
            messages = fold_system(messages)
        if not any(m.role == "user" for m in messages):
            raise BadRequest("`messages` needs at least one message of role `user`")
        try:
            parts, shared = self._parts(messages)
        except jinja2.TemplateError as exc:
            raise BadRequest(f"the model's chat template refuses these messages: {exc}") from exc
        opening = OPEN if parts[-1].trusted and parts[-1].text.rstrip().endswith(OPEN) else ""
        if opening and (open_end or not thinks):
            parts.append(PromptPart(NO_THINKING, trusted=True))
            opening = ""
        if open_end:
            parts.append(PromptPart(open_end, trusted=False))
        return RenderedPrompt(tuple(parts), shared, opening)

    def _parts(self, messages: Sequence[Message]) -> tuple[list[PromptPart], int]:
        nonce = secrets.token_hex(8)
        marks = [f"«{nonce}:{index}»" for index in range(len(messages))]
        text = self._render([Message(m.role, mark) for m, mark in zip(messages, marks, strict=True)])
        parts: list[PromptPart] = []
        shared: int | None = None
        written: set[str] = set()
        for piece in re.split(f"(«{nonce}:[0-9]+»)", text):
            if not piece:
                continue
            if piece not in marks:
                parts.append(PromptPart(piece, trusted=True))
                continue
            message = messages[marks.index(piece)]
            if message.role != "system" and shared is None:
                shared = len(parts)
            parts.append(PromptPart(message.content, trusted=False))
            written.add(piece)
        if len(written) < len(messages):
            raise jinja2.TemplateError("it leaves a message out")
        return parts, shared or 0 if messages[0].role == "system" else 0

    def _render(self, messages: Sequence[Message]) -> str:
        plain = [{"role": m.role, "content": m.content} for m in messages]
        try:
            return self._template.render(messages=plain, add_generation_prompt=True, **self._variables)
        except jinja2.TemplateError:
            raise
        except Exception as exc:  # a template is a program of the model's maker, and fails as programs do
            raise jinja2.TemplateError(f"{type(exc).__name__}: {exc}") from exc

    def _keeps_system(self) -> bool:
        """Some templates refuse a system message, others drop it without a word."""
        try:
            return "system-probe" in self._render([Message("system", "system-probe"), Message("user", "probe")])
        except jinja2.TemplateError:
            return False


def merge(messages: Sequence[Message]) -> list[Message]:
    """Neighbours of one role as one message: many templates insist that user and assistant alternate."""
    merged: list[Message] = []
    for message in messages:
        if merged and merged[-1].role == message.role:
            message = Message(message.role, f"{merged.pop().content}\n\n{message.content}")
        merged.append(message)
    return merged


def fold_system(messages: Sequence[Message]) -> list[Message]:
    """For models without a system role: its text goes in front of the first question."""
    system = "\n\n".join(m.content for m in messages if m.role == "system")
    rest = merge([m for m in messages if m.role != "system"])
    if not system or not rest:
        return rest
    if rest[0].role != "user":
        return [Message("user", system), *rest]
    return [Message("user", f"{system}\n\n{rest[0].content}"), *rest[1:]]


def _raise(message: str) -> None:
    raise jinja2.TemplateError(message)
