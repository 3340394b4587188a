"""The comments in a document's margin. They stand at its end, named as such. Shared by several formats. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from core.contract import Language
from core.rag.documents import Block, one_line
from core.texts import text

QUOTE_LIMIT_CHARS = 80


@dataclass(frozen=True, slots=True)
class Comment:
    """A remark. `about`: the words that it is attached to."""

    author: str
    remark: str
    about: str = ""


def comment_blocks(comments: Sequence[Comment], language: Language | None) -> list[Block]:
    """Returns a heading and an item for each comment, in the document's language; nothing if there are none."""
    chosen = language or "en"
    items = [Block("item", comment_text(each, chosen)) for each in comments if each.remark.strip()]
    return [Block("heading", text("source-comments", chosen), 1), *items] if items else []


def comment_text(comment: Comment, language: Language) -> str:
    author, remark, about = one_line(comment.author), one_line(comment.remark), one_line(comment.about)
    if about:
        about = about if len(about) <= QUOTE_LIMIT_CHARS else f"{about[:QUOTE_LIMIT_CHARS]}…"
        return text("source-comment-about", language, author=author or "?", about=about, remark=remark)
    return text("source-comment", language, author=author or "?", remark=remark)
