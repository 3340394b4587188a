"""Turns OpenAI's public chat request into a prompt or a task."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

from pydantic import ConfigDict, Field

from core.contract import Attachment, Priority, Prompt, Sampling, Task, Toolbox, ToolCall, Turn, new_receipt_id
from core.openai.public.input_files import InputFile
from core.openai.public.messages import PublicMessage, read_conversation
from core.openai.public.parameters import check_unserved
from core.openai.public.sampling import PublicSamplingFields
from core.openai.public.tools import build_toolbox
from core.openai.requests import ChatFields, ResponseFormat, Schema

CHOICES_LIMIT = 8


class PublicResponseFormat(ResponseFormat):
    """Also takes the schema beside the type, as llama-server, LM Studio and others do. Ignores what else is there."""

    model_config = ConfigDict(strict=True, extra="ignore")

    beside_type: Schema | None = Field(default=None, alias="schema")

    @property
    def enforced_schema(self) -> Schema | None:
        named = super().enforced_schema
        return self.beside_type if named is None and self.type != "text" else named


class PublicChatRequest(PublicSamplingFields, ChatFields):
    """The body of a public POST /v1/chat/completions, and of a request in a batch."""

    model_config = ConfigDict(strict=True, extra="allow")  # core.openai.public.parameters knows the others

    model: str
    messages: list[PublicMessage] = Field(min_length=1, max_length=2048)
    n: int | None = Field(default=None, ge=1, le=CHOICES_LIMIT)
    response_format: PublicResponseFormat | None = None
    safety_identifier: str | None = Field(default=None, max_length=512)
    tools: Any = None  # core.openai.public.tools reads them
    tool_choice: Any = None
    parallel_tool_calls: bool | None = None

    @property
    def files(self) -> list[InputFile]:
        return [file for message in self.messages for file in message.files]


@dataclass(frozen=True, slots=True)
class Chat:
    """A chat request and the form of its answer."""

    personality: str
    text: str
    history: tuple[Turn, ...]
    sampling: Sampling
    user: str  # the caller's name for the user
    constrained: bool  # the answer is JSON
    schema: Schema | None
    stream: bool
    include_usage: bool
    choices: int = 1
    ignored: tuple[str, ...] = ()  # unknown parameters
    attachments: tuple[Attachment, ...] = ()
    toolbox: Toolbox | None = None
    calls: tuple[ToolCall, ...] = ()  # made for `text`, with their outputs
    asked: str = ""  # as in Prompt
    priority: Priority = "interactive"
    names: frozenset[str] = frozenset()  # of the caller, as in Prompt
    receipt: str = field(default_factory=new_receipt_id, compare=False)  # a part of the object's id

    def prompt(self, user: str) -> Prompt:
        return Prompt(
            self.personality,
            self.text,
            user=user,
            attachments=self.attachments,
            history=self.history,
            sampling=self.sampling,
            toolbox=replace(self.toolbox, streamed=self.stream) if self.toolbox else None,
            asked=self.asked,
            calls=self.calls,
            priority=self.priority,
            channel="v1",
            names=self.names,
            receipt=self.receipt,
        )

    def task(self, user: str) -> Task:
        return Task(
            self.personality,
            self.text,
            self.schema,
            user=user,
            attachments=self.attachments,
            history=self.history,
            sampling=self.sampling,
            calls=self.calls,
            priority=self.priority,
            channel="v1",
            names=self.names,
            receipt=self.receipt,
        )

    def choice(self, index: int) -> Chat:
        """The request for one of several answers, which must have neither the same seed nor the same receipt."""
        if index == 0:
            return self
        sampling = self.sampling
        if sampling.seed is not None:
            sampling = replace(sampling, seed=(sampling.seed + index + 2**63) % 2**64 - 2**63)
        return replace(self, sampling=sampling, receipt=f"{self.receipt}-{index}")


def build_chat(request: PublicChatRequest) -> Chat:
    """Builds the chat. Raises ParameterRefused with the parameter that is wrong or not supported."""
    ignored = check_unserved(request.model_extra or {})
    conversation = read_conversation(request.messages)
    form = request.response_format
    return Chat(
        personality=request.model,
        text=conversation.question,
        history=conversation.history,
        sampling=request.public_sampling,
        user=request.safety_identifier or request.user or "",
        constrained=form is not None and form.type != "text",
        schema=form.enforced_schema if form else None,
        stream=request.stream or False,
        include_usage=request.include_usage,
        choices=request.n or 1,
        ignored=ignored,
        toolbox=build_toolbox(request.tools, request.tool_choice, request.parallel_tool_calls),
        calls=conversation.calls,
        asked=conversation.asked,
    )
