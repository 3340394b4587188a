"""The questions of an evaluation, from JSON lines or CSV. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from core.contract import Json
from core.errors import BadRequest
from core.toil.batch.rows import Row

QUESTION = "question"
EXPECTED = ("expected", "answer")  # the second is how most question lists of experts name it
SEPARATOR = "|"  # between phrases in a cell of CSV


@dataclass(frozen=True, slots=True)
class Question:
    """`expected`: the expert's answer. `phrases`: all of them must occur. `source`: a part of the address or title
    of the source that must be cited. None or empty: that is not measured.
    """

    text: str
    expected: str | None = None
    phrases: tuple[str, ...] = ()
    source: str | None = None


def parse_question(row: Row) -> Question:
    """Raises BadRequest for a row without a question."""
    text = read_text(row, QUESTION)
    if not text:
        raise BadRequest("the row has no `question`")
    expected = next(filter(None, (read_text(row, name) for name in EXPECTED)), None)
    return Question(text, expected, read_phrases(row.fields.get("contains")), read_text(row, "source"))


def read_text(row: Row, name: str) -> str | None:
    value = row.fields.get(name)
    if value is not None and not isinstance(value, str):
        raise BadRequest(f"`{name}` must be a text")
    return (value or "").strip() or None


def read_phrases(value: Json) -> tuple[str, ...]:
    """The phrases of a JSON list, or of a text in which "|" separates them. Raises BadRequest."""
    phrases = value.split(SEPARATOR) if isinstance(value, str) else [] if value is None else value
    if not isinstance(phrases, list) or not all(isinstance(each, str) for each in phrases):
        raise BadRequest("`contains` must be a text or a list of texts")
    return tuple(each.strip() for each in phrases if isinstance(each, str) and each.strip())
