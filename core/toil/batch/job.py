"""A batch's shared options and its prompt template, and the task that each row becomes. Pure.

In a template, `{column}` is filled from a row; `{{` and `}}` are braces.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from itertools import islice

from pydantic import ValidationError

from core import strict_json
from core.contract import Channel, Json, Sampling, Task
from core.errors import BadRequest, closest_name
from core.request_validation import to_parameter_refused
from core.toil.batch.rows import Row, format_names
from core.toil.request import ToilFields

ID_LIMIT_CHARS = 512
COMPARED_NAMES, COMPARED_FIELDS, COMPARED_CHARS = 3, 24, 40
TOKEN = re.compile(r"\{\{|\}\}|\{[^{}\n]*\}|[{}]")


class ColumnUnknown(BadRequest):
    """The template names a column that a row does not have."""


@dataclass(frozen=True, slots=True)
class Placeholder:
    name: str


@dataclass(frozen=True, slots=True)
class Template:
    parts: tuple[str | Placeholder, ...]

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(part.name for part in self.parts if isinstance(part, Placeholder)))

    def fill(self, fields: Mapping[str, Json]) -> str:
        """Raises ColumnUnknown with the missing and the existing columns."""
        if missing := [name for name in self.names if name not in fields]:
            similar = find_similar(missing, fields)
            hint = f"; did you mean {format_names(similar)}?" if similar else ""
            raise ColumnUnknown(
                f"the template names {format_names(missing)}, which the row does not have; "
                f"it has: {format_names(fields)}{hint}"
            )
        return "".join(part if isinstance(part, str) else format_value(fields[part.name]) for part in self.parts)


def find_similar(missing: Iterable[str], fields: Iterable[str]) -> list[str]:
    """The closest existing columns. Compares only the first short names: many or long ones take minutes."""
    existing = [name for name in islice(fields, COMPARED_FIELDS) if len(name) <= COMPARED_CHARS]
    missing_names = [name for name in islice(missing, COMPARED_NAMES) if len(name) <= COMPARED_CHARS]
    return [closest for name in missing_names if (closest := closest_name(name, existing))]


def parse_template(text: str) -> Template:
    """Raises BadRequest with the line of the error."""
    parts: list[str | Placeholder] = []
    end = 0
    for token in TOKEN.finditer(text):
        parts.append(text[end : token.start()])
        parts.append(parse_token(token))
        end = token.end()
    template = Template(tuple(part for part in (*parts, text[end:]) if part))
    if not template.names:
        raise BadRequest("the template names no column, such as {text}, so every row would get the same prompt")
    return template


def parse_token(match: re.Match[str]) -> str | Placeholder:
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
    return Placeholder(name)


def format_value(value: Json) -> str:
    """A string as it is, null as "", any other value as JSON."""
    if isinstance(value, str):
        return value
    return "" if value is None else json.dumps(value, ensure_ascii=False)


class RowFields(ToilFields):
    """A row of a batch without a template: it holds its own prompt."""

    id: str | int | None = None


@dataclass(frozen=True, slots=True)
class Job:
    """`schema` applies to rows without their own. Without a template, each row holds its prompt."""

    personality: str
    schema: Mapping[str, Json] | bool | None = None
    template: Template | None = None
    sampling: Sampling = field(default_factory=Sampling)
    user: str | None = None
    channel: Channel = "cli"
    names: frozenset[str] = frozenset()  # of the caller, as in Prompt

    def build_task(self, row: Row) -> Task:
        """Raises BadRequest: ColumnUnknown, or ParameterRefused with the row's key."""
        return replace(self._build(row), priority="batch", channel=self.channel, names=self.names)

    def _build(self, row: Row) -> Task:
        if self.template is not None:
            return self._build_from_prompt(self.template.fill(row.fields))
        try:
            fields = RowFields.model_validate(row.fields)
        except ValidationError as exc:
            raise to_parameter_refused(exc) from exc
        common = Task(self.personality, "", self.schema, sampling=self.sampling)
        return fields.build_task(self.personality, self.user, common)

    def _build_from_prompt(self, prompt: str) -> Task:
        if not prompt.strip():
            raise BadRequest("the prompt is empty")
        strict_json.check_text(prompt)
        return Task(self.personality, prompt, self.schema, user=self.user, sampling=self.sampling)


def row_id(row: Row, key: str = "id") -> Json:
    """The caller's id of the row: a string, cut at ID_LIMIT_CHARS, or an integer; None otherwise."""
    name = row.fields.get(key)
    if isinstance(name, str):
        return name[:ID_LIMIT_CHARS]
    return name if isinstance(name, int) and not isinstance(name, bool) else None
