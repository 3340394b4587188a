"""Digests of ids."""

from __future__ import annotations

from hashlib import sha256

from core.runtime.digest import hash_id


def test_a_digest_of_any_text() -> None:
    """The digests are in databases: they stay the same. Any string has one, also half a surrogate pair."""
    assert hash_id("slack:T1") == sha256(b"slack:T1").hexdigest()
    assert hash_id("\ud800") != hash_id("\ud801")
