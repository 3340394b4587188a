"""The descriptions of pictures that authors write for those who do not see them. Shared by several formats. Pure."""

from __future__ import annotations

from core.rag.documents import one_line

LIMIT_CHARS = 1000
MADE_UP = ("description automatically generated", "description générée automatiquement", "ai-generated content")


def authored_description(description: str) -> str:
    """Returns the description on one line; "" for a single word, such as a file's name, and for a program's guess."""
    written = one_line(description)[:LIMIT_CHARS]
    return written if " " in written and not any(mark in written.lower() for mark in MADE_UP) else ""
