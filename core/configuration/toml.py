"""Reads the operator's TOML files into pydantic models. Errors name file, line, key and the nearest known key."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, TypeVar, get_args

from pydantic import BaseModel, ConfigDict, Field, ValidationError, ValidationInfo, field_validator

from core.contract import Language
from core.errors import ConfigError, closest_name

Model = TypeVar("Model", bound=BaseModel)
Key = tuple[str, ...]

NAME = re.compile(r"[a-z0-9-]+")  # the name of a table or a file
# Pydantic's own sentences for these speak of its internals.
EXPECTED = {
    "int_parsing": "expected a whole number",
    "int_type": "expected a whole number",
    "float_parsing": "expected a number",
    "bool_parsing": "expected true or false",
    "string_type": 'expected a text, in quotes: "…"',
    "string_too_short": "expected a text that is not empty",
    "string_unicode": "expected text in UTF-8",
    "tuple_type": "expected a list: [ … ]",
    "too_short": "expected at least one value",
    "model_type": "expected a table",
    "dict_type": "expected a table",
}
ShortText = Annotated[str, Field(min_length=1, max_length=2000)]


class Section(BaseModel):
    """A table. Unknown keys are errors: a misspelt setting without effect is worse than a missing one."""

    model_config = ConfigDict(frozen=True, extra="forbid", str_strip_whitespace=True)

    @field_validator("*", mode="before")
    @classmethod
    def _refuse_bool_as_number(cls, value: object, info: ValidationInfo) -> object:
        """Refuses true and false as numbers: Python reads true as 1, so `gpu_layers = true` would be one layer."""
        annotation = cls.model_fields[str(info.field_name)].annotation
        kinds = {annotation, *get_args(annotation)}
        if isinstance(value, bool) and kinds & {int, float} and bool not in kinds:
            raise ValueError("expected a number, not true or false")
        return value


class BilingualText(Section):
    """A text in both languages, for lists that people of both languages see."""

    en: ShortText
    fr: ShortText

    def in_language(self, language: Language) -> str:
        return self.fr if language == "fr" else self.en


def read_tables(file: Path) -> dict[str, Any]:
    """The tables of a file. Raises ConfigError with the file, and with the line of a syntax error."""
    try:
        return tomllib.loads(text_of(file))
    except tomllib.TOMLDecodeError as exc:
        raise ConfigError(f"{file}: not valid TOML: {exc}") from exc


def text_of(file: Path) -> str:
    """Raises ConfigError."""
    try:
        return file.read_text(encoding="utf-8-sig")  # Windows' editors begin files with a mark
    except OSError as exc:
        raise ConfigError(f"{file}: {exc.strerror}") from exc
    except UnicodeDecodeError as exc:
        raise ConfigError(f"{file}: not valid TOML: {exc}") from exc


def validate(
    model: type[Model], values: Mapping[str, Any], file: Path, overridden: Mapping[Key, str] | None = None
) -> Model:
    """`values` as a `model`. Raises ConfigError, which lists every problem with its file, line, key and remedy.

    `overridden` maps keys to environment variables. An error names the variable instead of the file.
    """
    try:
        return model.model_validate(values)
    except ValidationError as exc:
        text = text_of(file)
        problems = []
        for error in exc.errors(include_url=False):
            key = tuple(str(part) for part in error["loc"])
            place = (overridden or {}).get(key[:2]) or place_of(key, file, text)
            problems.append(f"{place}: {describe(model, key, error['type'], error['msg'])}")
        raise ConfigError("\n".join(problems)) from exc


def describe(model: type[BaseModel], key: Key, kind: str, message: str) -> str:
    name = ".".join(key)
    if kind == "missing":
        return f"`{name}` is missing"
    if kind != "extra_forbidden":
        problem = EXPECTED.get(kind) or message.removeprefix("Value error, ")
        return f"`{name}`: {problem[0].lower()}{problem[1:]}"
    closest = closest_name(key[-1], known_keys(model, key[:-1]))
    return f"`{name}` is not a setting" + (f"; did you mean `{closest}`?" if closest else "")


def known_keys(model: type[BaseModel], path: Sequence[str]) -> list[str]:
    """The keys that `model` has at `path`."""
    for part in path:
        field = next((each for name, each in model.model_fields.items() if (each.alias or name) == part), None)
        inner = [t for t in (field.annotation, *get_args(field.annotation)) if is_model(t)] if field else []
        if not inner:
            return []
        model = inner[0]
    return [field.alias or name for name, field in model.model_fields.items()]


def is_model(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, BaseModel)


def place_of(key: Key, file: Path, text: str) -> str:
    """The "file:line" of a dotted key or of its nearest table, or the file alone."""
    header = ""
    best = 0
    for number, line in enumerate(text.splitlines(), 1):
        if table := re.match(r"\s*\[+\s*([^\]]+?)\s*\]+", line):
            header = table[1].strip("\"'")
            if header == ".".join(key[: len(header.split("."))]):
                best = number
        elif assignment := re.match(r"\s*[\"']?([\w-]+)[\"']?\s*=", line):
            dotted = f"{header}.{assignment[1]}" if header else assignment[1]
            if dotted == ".".join(key[: len(dotted.split("."))]):
                return f"{file}:{number}"
    return f"{file}:{best}" if best else str(file)
