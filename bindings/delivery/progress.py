"""What is being done, in words of its own: an event beside the core's, for work that takes longer than an answer."""

from __future__ import annotations

from dataclasses import dataclass

from core.contract import Language, Status
from core.texts import status_text


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress(Status):
    """Shown until the next one, or until there is text. `text` is in the person's language."""

    text: str


def words_of(status: Status, language: Language) -> str:
    return status.text if isinstance(status, Progress) else status_text(status, language)


def progress(text: str) -> Progress:
    return Progress(state="reading", text=text)
