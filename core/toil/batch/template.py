"""A prompt with gaps: `{column}` is filled from a row, `{{` and `}}` are braces. Pure; knows no file."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import islice

from core.contract import Json
from core.errors import BadRequest, closest_name
from core.toil.batch.rows import listed

COMPARED_NAMES, COMPARED_FIELDS, COMPARED_CHARS = 3, 24, 40
TOKEN = re.compile(r"\{\{|\}\}|\{[^{}\n]*\}|[{}]")


class ColumnUnknown(BadRequest):
    """The template names what a row does not have."""


@dataclass(frozen=True, slots=True)
class Gap:
    name: str


@dataclass(frozen=True, slots=True)
class Template:
    parts: tuple[str | Gap, ...]

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(part.name for part in self.parts if isinstance(part, Gap)))

    def fill(self, fields: Mapping[str, Json]) -> str:
        """Raises ColumnUnknown naming those that are missing and those there are."""
        if missing := [name for name in self.names if name not in fields]:
            near = alike(missing, fields)
            hint = f"; did you mean {listed(near)}?" if near else ""
            raise ColumnUnknown(
                f"the template names {listed(missing)}, which the row does not have; it has: {listed(fields)}{hint}"
            )
        return "".join(part if isinstance(part, str) else shown(fields[part.name]) for part in self.parts)


def alike(missing: Iterable[str], fields: Iterable[str]) -> list[str]:
    """What may have been meant, of the first short names: to compare many or long ones takes minutes."""
    known = [name for name in islice(fields, COMPARED_FIELDS) if len(name) <= COMPARED_CHARS]
    asked = [name for name in islice(missing, COMPARED_NAMES) if len(name) <= COMPARED_CHARS]
    return [closest for name in asked if (closest := closest_name(name, known))]


def parse(text: str) -> Template:
    """Raises BadRequest with the line of what is wrong."""
    parts: list[str | Gap] = []
    end = 0
    for token in TOKEN.finditer(text):
        parts.append(text[end : token.start()])
        parts.append(part_of(token))
        end = token.end()
    template = Template(tuple(part for part in (*parts, text[end:]) if part))
    if not template.names:
        raise BadRequest("the template names no column, such as {text}: every row would be asked the same")
    return template


def part_of(match: re.Match[str]) -> str | Gap:
    token = match[0]
    if token in ("{{", "}}"):
        return token[0]
    name = token[1:-1].strip()
    if len(token) == 1 or not name:
        line = 1 + match.string.count("\n", 0, match.start())
        raise BadRequest(
            f"the template, line {line}: `{token}` stands alone; write {{column}} for a row's value, "
            "{{ and }} for braces"
        )
    return Gap(name)


def shown(value: Json) -> str:
    """A text as it is, anything else as JSON; nothing where there is nothing."""
    if isinstance(value, str):
        return value
    return "" if value is None else json.dumps(value, ensure_ascii=False)
