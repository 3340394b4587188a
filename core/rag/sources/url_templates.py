"""Fills the URL templates of sources; what is put in changes neither where they lead nor their form. Pure."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from collections.abc import Set as AbstractSet
from urllib.parse import quote, urlsplit

from core.errors import FetchRefused
from core.rag.fetching import urls

QUERY = "query"
PLACE = re.compile(r"\{([a-z][a-z0-9_]*)\}")
IN_PATH = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]*")  # of what a table holds; no slash, no "..", no escape
VALUE_LIMIT_CHARS = 200


def keys(template: str) -> set[str]:
    return set(PLACE.findall(template))


def check(template: str, known: AbstractSet[str], allow: Collection[str] = ()) -> None:
    """Raises FetchRefused for a template that is no public https URL, or that leaves too much open.

    `known`: what may stand in its braces. `allow`: "host:port" that may be anything.
    """
    url = urls.checked(PLACE.sub("x", template), frozenset(allow))
    if url.scheme != "https" and urls.origin_of(url) not in allow:
        raise FetchRefused("only https:// is read, but for hosts that RAG_ALLOW names", "form")
    if unknown := keys(template) - known:
        can = f"; what can be put in is {', '.join(sorted(known))}" if known else ""
        raise FetchRefused(f"{{{min(unknown)}}} is not known here{can}", "form")
    parts = urlsplit(template)
    if PLACE.search(parts.netloc) or PLACE.search(parts.fragment):
        raise FetchRefused("only the path and what follows the ? may have {…}", "form")
    if f"{{{QUERY}}}" in parts.path:
        raise FetchRefused("{query} may only stand after the ?", "form")
    if re.search(r"[{}]", PLACE.sub("", template)):
        raise FetchRefused("a brace that is no {name}; write it as %7B or %7D", "form")


def filled(template: str, values: Mapping[str, str]) -> str:
    """Raises FetchRefused for a value that the path cannot take."""
    path, mark, query = template.partition("?")
    return (
        PLACE.sub(lambda found: in_path(values[found[1]]), path)
        + mark
        + PLACE.sub(lambda found: quote(values[found[1]][:VALUE_LIMIT_CHARS], safe=""), query)
    )


def in_path(value: str) -> str:
    if not IN_PATH.fullmatch(value) or ".." in value or len(value) > VALUE_LIMIT_CHARS:
        problem = "what is to be put into the URL's path is not made of letters, digits, dots and hyphens"
        raise FetchRefused(problem, "form")
    return value
