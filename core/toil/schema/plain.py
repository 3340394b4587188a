"""`type`, `enum`, `const`, and what is said about texts and numbers."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from core.toil.schema import formats
from core.toil.schema.patterns import translate
from core.toil.schema.pieces import UNKNOWN, Written
from core.toil.schema.place import Place
from core.toil.schema.values import distinct, type_of, types_of, whole

if TYPE_CHECKING:
    from core.toil.schema.writing import Writer

LENGTH_LIMIT = 50_000  # no answer is as long; a bound above it is held as this one
BOUND_LIMIT = 1e15  # beyond, the engine's arithmetic is no longer ours
MULTIPLE_DIGITS = 6  # of a `multipleOf`, after the point and before it
BOUNDS = ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum")


def values(writer: Writer, place: Place) -> Iterator[Written]:
    words = place.words
    if "type" in words:
        writer.note(place.where("type"), True)
        yield Written({"type": words["type"]} if words["type"] != [] else False)
    for word in ("enum", "const"):
        if word in words:
            writer.note(place.where(word), True)
            yield listed(words[word] if word == "enum" else [words[word]], words.get("type"))
    yield from texts(writer, place)
    yield from numbers(writer, place)


def listed(allowed: list[Any], types: Any) -> Written:
    """One of the values; those that `type` forbids are left out, for the engine to have less to do."""
    fitting = [value for value in distinct(allowed) if type_of(value) in types_of(types)]
    return Written({"enum": fitting} if fitting else False)


def texts(writer: Writer, place: Place) -> Iterator[Written]:
    lengths = {word: int(place.words[word]) for word in ("minLength", "maxLength") if word in place.words}
    for word in lengths:
        writer.note(place.where(word), True)
    if lengths:
        yield Written({word: min(length, LENGTH_LIMIT) for word, length in lengths.items()})
    if "pattern" in place.words:
        found = translate(place.words["pattern"])
        writer.note(place.where("pattern"), found.exact)
        yield from (Written({"pattern": pattern}, found.exact) for pattern in found.patterns)
        if not found.patterns:
            yield UNKNOWN
    for content in ("contentMediaType", "contentEncoding"):
        if content in place.words:
            writer.note(place.where(content), False)
            yield UNKNOWN
    if formats.asserted(place.words.get("format"), place.draft):
        writer.note(place.where("format"), place.words["format"] not in formats.SHAPED)
        yield Written(dict(formats.held(place.words["format"])))


def numbers(writer: Writer, place: Place) -> Iterator[Written]:
    for word in (*BOUNDS, "multipleOf"):
        value = place.words.get(word)
        if not isinstance(value, int | float):
            continue
        held = short(value) if word == "multipleOf" else abs(value) < BOUND_LIMIT
        writer.note(place.where(word), held)
        yield Written({word: whole(value)}) if held else UNKNOWN


def short(divisor: float) -> bool:
    """Whether the engine's decimals can count in it."""
    return 0 < divisor < 10**MULTIPLE_DIGITS and round(divisor, MULTIPLE_DIGITS) == divisor
