"""What the model is shown: personality, context, earlier turns and question, as one list of messages.

Pure. Knows nothing of tokens (`core.budget`) or storage: it is given values and composes them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from core.contract import Attachment, Language, Prompt, Turn
from core.model.wire import Message
from core.personalities import Personality
from core.rag.context import PASTED_NAME, parse_opening, plain_name, quoted
from core.sessions import Conversation, Exchange, Question

HEARD: Mapping[Language, str] = {"en": "Said by others meanwhile:", "fr": "Dit par d’autres entre-temps :"}
Group = tuple[Message, ...]  # a question with its answer: dropped together or not at all


@dataclass(frozen=True, slots=True)
class Draft:
    """A prompt before it is cut to the window. Only `groups` may be dropped, the first ones first."""

    system: str
    context: str  # as quoted data; "": none
    groups: tuple[Group, ...]
    question: str
    earlier: int = 0  # exchanges older than `groups`, which are not even here

    def messages(self, dropped: int = 0) -> tuple[Message, ...]:
        """Without the `dropped` oldest groups."""
        head = (Message("system", self.system), Message("user", self.context))
        kept = [message for group in self.groups[dropped:] for message in group]
        return alternating([*head, *kept, Message("user", self.question)])


def compose(personality: Personality, conversation: Conversation, question: Question) -> Draft:
    """The draft of the next answer in a conversation."""
    language = personality.language
    pasted = (Attachment(PASTED_NAME[language], conversation.context),) if conversation.context else ()
    return Draft(
        system=personality.instructions,
        context=quoted(pasted, language),
        groups=tuple(group_of(exchange, language) for exchange in conversation.exchanges),
        question=asked(question, language),
        earlier=conversation.earlier,
    )


def opening_of(conversation: Conversation, question: Question) -> tuple[Conversation, Question]:
    """Both, with the context that was pasted in front of a conversation's first question moved to where it is kept."""
    if conversation.exchanges or conversation.earlier:
        return conversation, question
    opening = parse_opening(question.text)
    return replace(conversation, context=opening.context), replace(question, text=opening.question)


def told(history: Sequence[Turn]) -> Conversation:
    """The conversation that a caller keeps itself. Turns in a row of one role are one."""
    conversation = Conversation(id=0)
    for turn in history:
        exchanges = conversation.exchanges
        if turn.role == "user" or not exchanges:
            question = Question(turn.text if turn.role == "user" else "")
            conversation, question = opening_of(conversation, question)
            conversation = replace(conversation, exchanges=(*exchanges, Exchange(question)))
        if turn.role == "assistant":
            *before, last = conversation.exchanges
            answer = "\n\n".join(filter(None, (last.answer, turn.text)))
            conversation = replace(conversation, exchanges=(*before, replace(last, answer=answer)))
    return conversation


def group_of(exchange: Exchange, language: Language) -> Group:
    if exchange.reason == "failed" and not exchange.answer:
        return ()  # whoever asked was told so, and asked again
    return Message("user", asked(exchange.question, language)), Message("assistant", exchange.answer)


def asked(question: Question, language: Language) -> str:
    """A question with what came along: files quoted as data, and what others said."""
    heard = [f"{plain_name(turn.speaker or turn.role)}: {turn.text}" for turn in question.heard]
    said = "\n".join([HEARD[language], *heard]) if heard else ""
    return joined([quoted(question.attachments, language), said, question.text])


def alternating(messages: Iterable[Message]) -> tuple[Message, ...]:
    """Neighbours of one role joined, empty ones left out: many models' templates refuse anything else."""
    merged: list[Message] = []
    for message in messages:
        if merged and merged[-1].role == message.role:
            merged[-1] = replace(message, content=joined([merged[-1].content, message.content]))
        elif message.content:
            merged.append(message)
    return tuple(merged)


def joined(parts: Iterable[str]) -> str:
    return "\n\n".join(part for part in parts if part)


def cleaned(prompt: Prompt) -> Prompt:
    """Without what neither a database nor JSON can carry."""
    return replace(
        prompt,
        text=storable(prompt.text),
        attachments=tuple(Attachment(storable(each.name), storable(each.text)) for each in prompt.attachments),
        heard=cleaned_turns(prompt.heard),
        history=cleaned_turns(prompt.history),
    )


def cleaned_turns(turns: Iterable[Turn]) -> tuple[Turn, ...]:
    return tuple(
        replace(turn, text=storable(turn.text), speaker=turn.speaker and storable(turn.speaker)) for turn in turns
    )


def storable(text: str) -> str:
    """Half characters become question marks; NUL, which PostgreSQL refuses, goes."""
    return text.encode("utf-8", "replace").decode().replace("\0", "")
