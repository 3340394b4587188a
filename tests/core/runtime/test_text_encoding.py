"""Texts whose sender names no charset."""

from __future__ import annotations

import pytest

from core.runtime.text_encoding import decode_unicode, legacy_encoding

FRENCH = "L’été dernier, les élèves français ont été à Québec où il a plu. C’est « tôt »…"
ENGLISH = "The café’s fee – “$5” – is for résumés."


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32"])
@pytest.mark.parametrize("text", [FRENCH, ENGLISH])
def test_unicode_is_decoded(text: str, encoding: str) -> None:
    """With or without a mark."""
    assert text == decode_unicode(text.encode(encoding))


@pytest.mark.parametrize("encoding", ["cp1252", "mac_roman", "cp850"])
def test_older_charsets_are_told_apart(encoding: str) -> None:
    """By the letters inside French words."""
    body = FRENCH.encode(encoding, "ignore")

    assert decode_unicode(body) is None
    assert encoding == legacy_encoding(body)


@pytest.mark.parametrize("text", [ENGLISH, "plain", "“Yes” – and ‘no’…", "Ž", ""])
def test_doubtful_texts_are_windows_1252(text: str) -> None:
    """Browsers think so too."""
    assert "cp1252" == legacy_encoding(text.encode("cp1252"))


def test_faulty_bytes_are_few() -> None:
    """A text with more faulty bytes than letters of UTF-8 is no UTF-8."""
    assert "été \ufffd" == decode_unicode("été ".encode() + b"\xff")
    assert "café Café été" == decode_unicode("café Café ".encode() + "été".encode("cp1252"))
    assert decode_unicode("é".encode() + "été".encode("cp1252")) is None


@pytest.mark.parametrize("body", [bytes(range(256)), b"\x01\x00\x02\x00\x03\x00\x04\x00", b"\x00" * 64, b"a\x00", b""])
def test_binary_data_is_no_text(body: bytes) -> None:
    """Small numbers of two bytes look like UTF-16, but are control characters."""
    assert decode_unicode(body) is None
