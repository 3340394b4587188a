"""Makes the links of pages and feeds absolute. Pure."""

from __future__ import annotations

from typing import Any
from urllib.parse import urljoin, urlsplit

LINK_LIMIT_CHARS = 2000


def absolute_link(link: Any, base: str | None) -> str | None:
    """Returns an absolute http or https URL, or None."""
    if not isinstance(link, str) or not link.strip():
        return None
    try:
        absolute = urljoin(base or "", link.strip())
        parts = urlsplit(absolute)
    except ValueError:
        return None
    fits = parts.scheme in ("http", "https") and parts.hostname and len(absolute) <= LINK_LIMIT_CHARS
    return absolute if fits and absolute.isprintable() else None
