"""Digests in place of ids: tables and engines get no id of a person, a conversation or a message."""

from __future__ import annotations

import hashlib


def hash_id(text: str) -> str:
    """Returns the SHA-256 of `text` in hexadecimal. Half a surrogate pair is no error: ids come from strangers."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
