"""The comments of a slide: those of PowerPoint until 2019, and the modern ones with their replies. Pure."""

from __future__ import annotations

from collections.abc import Iterable

from core.rag.documents import one_line
from core.rag.reading.office.comments import Comment
from core.rag.reading.office.zip_package import Element, ZipPackage, local_name


def slide_comments(package: ZipPackage, slide: str, author_parts: Iterable[str], number: int) -> list[Comment]:
    """Returns the comments of the slide's part. `author_parts`: the parts that name the authors."""
    parts = [each.target for each in package.relationships(slide).values() if each.kind == "comments"]
    roots = [root for name in parts if (root := package.parse(name)) is not None]
    if not roots:
        return []
    authors = read_authors(package, author_parts)
    return [
        Comment(authors.get(each.get("authorId", ""), ""), remark_of(each), str(number))
        for root in roots
        for each in root.iter()
        if local_name(each) in ("cm", "reply")
    ]


def read_authors(package: ZipPackage, names: Iterable[str]) -> dict[str, str]:
    roots = [root for name in names if (root := package.parse(name)) is not None]
    return {each.get("id", ""): each.get("name", "") for root in roots for each in root}


def remark_of(comment: Element) -> str:
    """Returns the words of a comment without its replies, which are comments of their own."""
    words: list[str] = []
    for child in comment:
        if local_name(child) == "text":
            words.append(child.text or "")
        elif local_name(child) == "txBody":
            words += [each.text or "" for each in child.iter() if local_name(each) == "t"]
    return one_line(" ".join(words))
