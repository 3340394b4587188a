"""Writes the reference of all settings in docs/operating.md from the fields of `Settings`.

`python -m core.configuration.settings_reference` rewrites the text between the two markers (`make docs`).
"""

from __future__ import annotations

import sys
import textwrap
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from pydantic.fields import FieldInfo

from core import PROJECT_ROOT
from core.configuration import toml
from core.configuration.settings import FILE, SHIPPED, Settings, variable_of, variables

PAGE = PROJECT_ROOT / "docs" / "operating.md"
BEGIN = "<!-- `make docs` writes the lines below from the sections in core/configuration/. -->"
END = "<!-- End of the generated lines. -->"
WIDTH = 128


def reference() -> str:
    """The Markdown of every section and setting, in the order of `Settings`."""
    return "\n\n".join(_paragraphs(toml.read_tables(SHIPPED / FILE)))


def _paragraphs(defaults: Mapping[str, Mapping[str, Any]]) -> Iterator[str]:
    current = ""
    for section, key, field in variables():
        if section != current:
            current = section
            yield f"### Section `{section}`"
            yield _wrap(Settings.model_fields[section].annotation.__doc__ or "")
        yield from _setting(section, key, field, defaults[section][key])


def _setting(section: str, key: str, field: FieldInfo, default: Any) -> Iterator[str]:
    variable = variable_of(field)
    yield f"#### `{variable}`"
    yield _wrap(field.description or "")
    example = field.examples[0] if field.examples else ""
    yield f"- Key: `{section}.{key}`\n- Default: {_format_default(default)}\n- Example: `{variable}={example}`"


def _wrap(text: str) -> str:
    return textwrap.fill(" ".join(text.split()), WIDTH, break_long_words=False, break_on_hyphens=False)


def _format_default(default: Any) -> str:
    """A default as an environment variable would give it."""
    if default in ("", [], {}):
        return "not set"
    return f"`{str(default).lower()}`" if isinstance(default, bool) else f"`{default}`"


def with_reference(page: str) -> str:
    """The page with its generated part written anew. Raises ValueError without both markers."""
    before, begin, rest = page.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"the page lacks {BEGIN if not begin else END!r}")
    return f"{before}{BEGIN}\n\n{reference()}\n\n{END}{after}"


def main(page: Path = PAGE) -> int:
    page.write_text(with_reference(page.read_text(encoding="utf-8")), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
