"""The parts of a message on every platform: own words, quoted, forwarded, embedded and attached parts. Pure.

Each platform's package turns a message of the question or of its thread into a `MessageContent`. This module decides
how the model is shown the parts and how people learn of parts that cannot be read, so that the platforms agree.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from bindings.incoming import AttachedFile, UnreadKind, UnreadPart
from core.contract import Attachment, Language, Omission
from core.rag.context import plain_name
from core.runtime.format_table import ReadableFormat, format_of_name
from core.texts import text

PARTS_LIMIT = 20
PART_CHARS = 20_000
UNREAD_LIMIT = 20
NAME_CHARS = 80
MEDIA_KINDS: Mapping[str, UnreadKind] = {"image": "image", "audio": "audio", "video": "video"}


@dataclass(frozen=True, slots=True)
class MessagePart:
    """Words in a message that are not the author's own.

    kind:
    - quoted      an earlier message that this one replies to or quotes
    - forwarded   a message from elsewhere that the author passed on
    - embedded    a card, link preview, poll or alert that a program or the platform built
    """

    kind: Literal["quoted", "forwarded", "embedded"]
    text: str
    author: str = ""  # of a quoted or forwarded message; the title of an embedded part


@dataclass(frozen=True, slots=True)
class MessageContent:
    """Everything that a message is made of. `text` is the author's own words, as Markdown.

    Empty parts are dropped. Parts beyond PARTS_LIMIT count as unread.
    """

    text: str = ""
    parts: tuple[MessagePart, ...] = ()
    files: tuple[AttachedFile, ...] = ()
    unread: tuple[UnreadPart, ...] = ()

    def __post_init__(self) -> None:
        parts = tuple(part for part in self.parts if part.text.strip())
        surplus = (UnreadPart("other"),) * (len(parts) - PARTS_LIMIT)
        object.__setattr__(self, "parts", parts[:PARTS_LIMIT])
        object.__setattr__(self, "unread", (*self.unread, *surplus))

    @property
    def is_empty(self) -> bool:
        return not (self.text.strip() or self.parts or self.files or self.unread)

    def attachments(self, language: Language) -> tuple[Attachment, ...]:
        """The parts as quoted documents, apart from the author's own words."""
        return tuple(build_attachment(part, language) for part in self.parts)

    def turn_text(self, language: Language) -> str:
        """The message in one text, for a turn of a thread: own words, then each part under its name.

        One with files alone consists of their names.
        """
        parts = [f"[{name_part(part, language)}]\n{part.text.strip()[:PART_CHARS]}" for part in self.parts]
        unread = describe_unread(self.unread, language)
        own = self.text.strip() or ("" if parts else self._file_names())
        return "\n\n".join(part for part in (own, *parts, f"[{unread}]" if unread else "") if part)

    def _file_names(self) -> str:
        names = ", ".join(plain_name(file.name)[:NAME_CHARS] for file in self.files)
        return f"[{names}]" if names else ""


def build_attachment(part: MessagePart, language: Language) -> Attachment:
    body = part.text.strip()
    omissions = (Omission("characters", PART_CHARS, len(body)),) if len(body) > PART_CHARS else ()
    return Attachment(name_part(part, language), body[:PART_CHARS], omissions)


def name_part(part: MessagePart, language: Language) -> str:
    author = plain_name(part.author)[:NAME_CHARS]
    if author:
        return text(f"prompt-part-{part.kind}-by", language, author=author)
    return text(f"prompt-part-{part.kind}", language)


def describe_unread(unread: Sequence[UnreadPart], language: Language) -> str:
    """A sentence that names the parts that cannot be read, for people and for the model. "" for none.

    Above UNREAD_LIMIT different parts, it counts them by kind only.
    """
    if not unread:
        return ""
    counts = Counter(unread)
    if len(counts) > UNREAD_LIMIT:
        counts = Counter(UnreadPart(part.kind) for part in unread)
    items = [describe_part(part, count, language) for part, count in counts.items()]
    return text("bot-unread", language, items=", ".join(items))


def describe_part(part: UnreadPart, count: int, language: Language) -> str:
    kind = text(f"bot-unread-{part.kind}", language, count=count)
    name = plain_name(part.name)[:NAME_CHARS]
    return f"{kind} ({name})" if name else kind


def collect_files(contents: Iterable[MessageContent]) -> tuple[AttachedFile, ...]:
    """The files of several messages, each address once."""
    return tuple({file.url: file for content in contents for file in content.files}.values())


def collect_unread(contents: Iterable[MessageContent]) -> tuple[UnreadPart, ...]:
    """The parts of several messages that cannot be read."""
    return tuple(part for content in contents for part in content.unread)


def find_media_kind(media_type: str, name: str) -> UnreadKind | None:
    """Returns the kind of a picture, recording or video; None for files that may be read.

    A readable suffix counts more than the type: TypeScript's `.ts` is also a suffix of videos, and SVG is text.
    """
    if isinstance(format_of_name(name), ReadableFormat):
        return None
    return MEDIA_KINDS.get(media_type.partition("/")[0].strip().lower())
