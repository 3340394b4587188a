"""Parses JSON from strangers strictly: no duplicate keys, NaN, huge numbers, half surrogate pairs or deep nesting.

The number of values is bounded before anything is parsed. A megabyte may hold 300,000 of them: each becomes a Python
object, and each later pass over them (validation, planning, another serialisation) takes as long as all model output of
that time.
"""

from __future__ import annotations

import json
import math
from typing import Any, NoReturn

from core.contract import Json
from core.errors import BadRequest

DEPTH_LIMIT = 64
DIGITS_LIMIT = 308  # the decimal digits of the largest float
VALUES_LIMIT = 50_000  # a schema of 10,000 properties has about 30,000; a conversation of 2,048 messages, 10,000


def parse(raw: bytes | str, *, last_wins: bool = False, values_limit: int | None = VALUES_LIMIT) -> Json:
    """The parsed value. Raises BadRequest with the cause, without quoting the input.

    `last_wins`: a duplicate key takes its last value, as in most parsers (RFC 8259, section 4), instead of an error.
    `values_limit`: None for data that the operator chose to read.
    """
    if values_limit is not None:
        check_size(raw, values_limit)
    try:
        text = raw if isinstance(raw, str) else raw.decode("utf-8")
        value: Json = json.loads(
            text,
            object_pairs_hook=dict if last_wins else without_duplicates,
            parse_constant=refuse_constant,
            parse_float=finite,
            parse_int=bounded,
        )
    except UnicodeDecodeError as exc:
        raise BadRequest("the JSON is not valid UTF-8") from exc
    except RecursionError as exc:
        raise BadRequest(f"the JSON is nested more than {DEPTH_LIMIT} levels deep") from exc
    except json.JSONDecodeError as exc:
        raise BadRequest(f"not valid JSON: {exc.msg} at line {exc.lineno}, column {exc.colno}") from exc
    check(value)
    return value


def check_size(raw: bytes | str, limit: int = VALUES_LIMIT) -> None:
    """Raises BadRequest for JSON with more than `limit` commas and opening brackets: each value follows one of them.

    A few linear scans: a millisecond for a megabyte of text, five where it is all quotes.
    """
    if len(raw) <= limit:
        return
    data = raw if isinstance(raw, bytes) else raw.encode("utf-8", "surrogatepass")
    if count_separators(data) <= limit:
        return
    unescaped = data.replace(b"\\\\", b"").replace(b'\\"', b"")  # every other quote now ends a string
    # Each string is a value or the key of one, so that so many quotes need no closer look.
    if unescaped.count(b'"') > 4 * limit or count_separators(b"".join(unescaped.split(b'"')[::2])) > limit:
        raise BadRequest(f"the JSON holds more than {limit:,} values, nested ones included")


def count_separators(data: bytes) -> int:
    return data.count(b",") + data.count(b"[") + data.count(b"{")


def check(value: Json) -> None:
    """Checks depth and texts. Does not recurse: the input controls the depth."""
    level: list[Json] = [value]
    for _ in range(DEPTH_LIMIT + 1):
        for item in level:
            if isinstance(item, str):
                check_text(item)
            elif isinstance(item, dict):
                for key in item:
                    check_text(key)
        if not any(isinstance(item, (dict, list)) for item in level):
            return
        level = [inner for item in level for inner in children(item)]
    raise BadRequest(f"the JSON is nested more than {DEPTH_LIMIT} levels deep")


def children(value: Json) -> list[Json]:
    if isinstance(value, dict):
        return list(value.values())
    return value if isinstance(value, list) else []


def check_text(text: str) -> None:
    """Raises BadRequest for text that UTF-8 cannot encode: it would fail later, and as an internal error."""
    try:
        text.encode("utf-8")
    except UnicodeEncodeError as exc:
        raise BadRequest("a text holds half of a surrogate pair, which is no character") from exc


def storable(text: str) -> str:
    """Replaces half surrogate pairs, which UTF-8 cannot encode, by `?`; removes NUL, which PostgreSQL refuses."""
    return text.encode("utf-8", "replace").decode().replace("\0", "")


def without_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    unique = dict(pairs)
    if len(unique) != len(pairs):
        raise BadRequest("the JSON gives a key twice in one object")
    return unique


def refuse_constant(_name: str) -> NoReturn:
    raise BadRequest("NaN and Infinity are not JSON")


def finite(digits: str) -> float:
    number = float(digits)
    if math.isinf(number):
        raise BadRequest("the JSON holds a number out of range")
    return number


def bounded(digits: str) -> int:
    if len(digits) > DIGITS_LIMIT:
        raise BadRequest("the JSON holds a number out of range")
    return int(digits)


def dump(value: Json) -> bytes:
    """The value as UTF-8. Escapes non-ASCII only if the value contains half surrogate pairs."""
    try:
        return json.dumps(value, ensure_ascii=False, allow_nan=False).encode("utf-8")
    except UnicodeEncodeError:
        return json.dumps(value, allow_nan=False).encode("ascii")
