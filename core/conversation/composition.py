"""What the model is shown: personality, context, earlier turns and question, as one list of messages.

Pure. Knows nothing of tokens (`core.conversation.window`) or storage: it is given values and composes them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import chain

from core.configuration.personalities import Personality
from core.contract import Attachment, Language, Prompt, Source, Turn
from core.conversation.sessions import Conversation, Exchange, Question
from core.openai.chat_protocol import Message
from core.rag.context import PASTED_NAME, SUMMARISE, missing, parse_opening, plain_name
from core.rag.material import Item, Material, Reading, Shown, readable, reading_of, shared, shown
from core.rag.shelf import Shelf
from core.storage.database import storable

HEARD: Mapping[Language, str] = {"en": "Said by others meanwhile:", "fr": "Dit par d’autres entre-temps :"}
Group = tuple[Message, ...]  # a question with its answer: dropped together or not at all


@dataclass(frozen=True, slots=True)
class Draft:
    """A prompt before it is cut to the window: of `groups` the first ones may go, of `material` the worst passages.

    `opening`: what the conversation began with, shown in whole at its start, where it stays computed; `narrowed` puts
    it among the material, for where that is too long.
    """

    system: str
    groups: tuple[Group, ...]
    question: str
    opening: tuple[Reading, ...] = ()
    material: Material = field(default_factory=lambda: Material((), "", "en"))
    earlier: int = 0  # exchanges older than `groups`, which are not even here
    language: Language = "en"
    rules: str = ""  # of the system prompt: told again after what strangers wrote

    def messages(self, dropped: int = 0, passages: int = 0) -> tuple[Message, ...]:
        """Without the `dropped` oldest groups, with the best `passages` of the material."""
        kept = [message for group in self.groups[dropped:] for message in group]
        looked_up = Message("user", self._material(passages).text)
        return alternating([*self.head(), *kept, looked_up, Message("user", self.question)])

    def head(self) -> tuple[Message, ...]:
        """What every answer of this conversation begins with."""
        return Message("system", self.system), Message("user", self._opening().text)

    def sources(self, passages: int) -> tuple[Source, ...]:
        """What an answer to `messages` can cite."""
        return (*self._opening().sources, *self._material(passages).sources)

    def texts(self, passages: int) -> tuple[str, ...]:
        """What an answer to `messages` can quote."""
        return self._opening().text, self._material(passages).text, self.question

    def _opening(self) -> Shown:
        return shown(self.opening, self.language, self.rules)

    def _material(self, passages: int) -> Shown:
        return self.material.shown(passages, first=1 + sum(reading.source is not None for reading in self.opening))

    def narrowed(self) -> Draft:
        return replace(self, opening=(), material=self.material.with_more(self.opening))


def compose(
    personality: Personality,
    conversation: Conversation,
    question: Question,
    found: Sequence[Reading] = (),
    unread: Sequence[str] = (),
    shelf: Shelf | None = None,
) -> Draft:
    """The draft of the next answer in a conversation.

    `found`: what was looked up for this question. `unread`: names of what could not be.

    What is not on the `shelf` yet is put there, which takes a second for a megabyte.
    """
    language, shelf = personality.language, shelf or Shelf()
    items = to_read(conversation, question, found, language)
    shelved = [[shelf.of(readable(item)) for item in each] for each in items]
    opening, later = ([*map(reading_of, *pair)] for pair in zip(items, shelved, strict=True))
    # By the passages of the readings: on the shelf, those stand for others that differ from them in their links alone.
    each = zip(chain(opening, later), chain.from_iterable(shelved), strict=True)
    indexes = {reading.passages: at.index for reading, at in each}
    return Draft(
        system=personality.instructions,
        opening=tuple(opening),
        groups=tuple(group_of(exchange, language) for exchange in conversation.exchanges),
        question=joined([missing(unread, language), asked(question, language)]),
        material=Material(later, question.text, language, personality.system, indexes.__getitem__),
        earlier=conversation.earlier,
        language=language,
        rules=personality.system,
    )


def to_read(
    conversation: Conversation, question: Question, found: Sequence[Reading], language: Language
) -> tuple[list[Item], list[Item]]:
    """What the conversation began with; and what came since, what matters most first. As much as is read of it."""
    first, later = came_along(conversation, question)
    pasted = (Attachment(PASTED_NAME[language], conversation.context),) if conversation.context else ()
    return shared((*pasted, *conversation.readings, *first), (*found, *later))


def read_in_part(draft: Draft, question: Question) -> tuple[str, ...]:
    """Those of the question's attachments that are longer than what is read of them here."""
    cut = {reading.name for reading in (*draft.opening, *draft.material.readings) if reading.cut}
    return tuple(plain_name(file.name) for file in question.attachments if not file.cut and file.name in cut)


def came_along(conversation: Conversation, question: Question) -> tuple[tuple[Attachment, ...], tuple[Attachment, ...]]:
    """What was attached to the first question, which all others are about, and to later ones, the newest first."""
    questions = [*(exchange.question for exchange in conversation.exchanges), question]
    first = () if conversation.earlier else questions.pop(0).attachments
    return first, tuple(file for each in reversed(questions) for file in each.attachments)


def opening_of(conversation: Conversation, question: Question, language: Language) -> tuple[Conversation, Question]:
    """Both, with the context that was pasted in front of a conversation's first question moved to where it is kept.

    A first question that is only an address is one for a summary.
    """
    if conversation.exchanges or conversation.earlier:
        return conversation, question
    opening = parse_opening(question.text)
    if opening.url is None:
        return replace(conversation, context=opening.context), replace(question, text=opening.question)
    text = question.text if opening.question else f"{opening.url} {SUMMARISE[language]}"
    return conversation, replace(question, text=text)


def unread_url(conversation: Conversation, question: Question) -> str | None:
    """The page or feed that the conversation begins with, as long as it was not read.

    None behind pasted text: what looks like an address there may be a part of that.
    """
    if conversation.readings or conversation.earlier or conversation.context is not None:
        return None
    first = conversation.exchanges[0].question if conversation.exchanges else question
    return parse_opening(first.text).url


def told(history: Sequence[Turn], language: Language) -> Conversation:
    """The conversation that a caller keeps itself. Turns in a row of one role are one."""
    conversation = Conversation(id=0)
    for turn in history:
        exchanges = conversation.exchanges
        if turn.role == "user" or not exchanges:
            question = Question(turn.text if turn.role == "user" else "")
            conversation, question = opening_of(conversation, question, language)
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
    """A question with what others said before it."""
    heard = [f"{plain_name(turn.speaker or turn.role)}: {turn.text}" for turn in question.heard]
    said = "\n".join([HEARD[language], *heard]) if heard else ""
    return joined([said, question.text])


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
        attachments=tuple(
            replace(each, name=storable(each.name), text=storable(each.text)) for each in prompt.attachments
        ),
        heard=cleaned_turns(prompt.heard),
        history=cleaned_turns(prompt.history),
    )


def cleaned_turns(turns: Iterable[Turn]) -> tuple[Turn, ...]:
    return tuple(
        replace(turn, text=storable(turn.text), speaker=turn.speaker and storable(turn.speaker)) for turn in turns
    )
