"""The names of files that strangers send."""

from __future__ import annotations

import re

from core.runtime.log import is_displayable

FOLDERS = re.compile(r"[/\\]")


def clean_name(path: str) -> str:
    """The last part of a path, on one line, without unprintable characters; "" if nothing is left."""
    printable = "".join(char for char in FOLDERS.split(path)[-1] if is_displayable(char))
    name = " ".join(printable.split())
    return name if name.strip(".") else ""
