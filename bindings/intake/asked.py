"""A message with all that it is answered from, and what is asked of the engine with it: a value, or one for each row.

Asks nobody anything itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from bindings import words
from bindings.bot import Voice
from bindings.files import Files, ReadFile
from bindings.incoming import Incoming
from bindings.store import Record
from bindings.toil import schemas
from bindings.toil.jobs import Errand
from bindings.toil.schemas import Found
from core.contract import Attachment, Task, Turn


@dataclass(frozen=True, slots=True)
class Asked:
    """A message with all that it is answered from."""

    record: Record
    voice: Voice
    files: Files
    heard: tuple[Turn, ...]
    again: bool

    @property
    def incoming(self) -> Incoming:
        return self.record.incoming

    @property
    def attachments(self) -> tuple[Attachment, ...]:
        return tuple(file.attachment for file in self.files.read)


class Told(Exception):
    """The message is answered by words of ours."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.text = text


def found_in(asked: Asked) -> Found | None:
    """The schema that came along, if one did. Raises Told where one was promised, BadRequest where it is broken."""
    text, files = asked.incoming.text, asked.files.read
    if not asked.incoming.toil:
        return schemas.find(text, files)
    if found := schemas.demand(text, files):
        return found
    raise Told(words.NO_SCHEMA[asked.voice.language])


def task_of(asked: Asked, found: Found) -> Task:
    """Raises Told where there is nothing to make a value from."""
    incoming, voice = asked.incoming, asked.voice
    attachments = given(asked, found.files)
    if not found.prompt and not attachments:
        raise Told(words.NO_TASK[voice.language])
    return Task(
        voice.personality.name,
        found.prompt or words.FILL_IN[voice.language],
        found.schema,
        user=incoming.speaker,
        conversation=incoming.place.conversation,
        attachments=attachments,
        key=incoming.event,
    )


def errand_of(asked: Asked, found: Found, rows: ReadFile) -> Errand:
    voice = asked.voice
    others = [file for file in found.files if file is not rows]
    return Errand(
        voice.personality.name,
        found.schema,
        found.prompt,
        rows,
        given(asked, others),
        asked.incoming.speaker,
        voice.language,
    )


def given(asked: Asked, files: Sequence[ReadFile]) -> tuple[Attachment, ...]:
    """All that a value can be made from besides what the person wrote."""
    lines = [f"{turn.speaker or turn.role}: {turn.text}" for turn in asked.heard]
    heard = (Attachment(words.SAID_BEFORE[asked.voice.language], "\n".join(lines)),) if lines else ()
    return (*asked.incoming.quoted, *(file.attachment for file in files), *heard)
