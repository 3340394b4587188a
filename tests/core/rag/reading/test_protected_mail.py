"""Messages that are signed, encrypted, encoded or collected in mailboxes."""

from __future__ import annotations

import base64

import pytest

from core.contract import Omission
from core.errors import UnreadableDocument
from core.rag.documents import Document
from core.rag.reading.formats import detect_format, read_document
from core.rag.reading.mail.internet_message import PARTS_LIMIT
from tests.support.outlook_files import OutlookFile

HEAD = b"From: a@example.ca\nSubject: Parking\n"
INNER = b"Content-Type: text/plain\n\nThe fee is $25 a day.\n"
SIGNED_PARTS = (
    b'Content-Type: multipart/signed; protocol="application/%b-signature"; boundary=x\n\n--x\n' + INNER + b"\n--x\n"
    b"Content-Type: application/%b-signature; name=smime.p7s\n\nMIIB\n--x--\n"
)


def read(body: bytes, name: str = "message.eml") -> Document:
    return read_document(body, "", name=name)


def text_of(body: bytes, name: str = "message.eml") -> str:
    return "\n\n".join(
        f"{each.heading}: {each.text}" if each.heading else each.text for each in read(body, name).passages
    )


def tlv(tag: int, content: bytes, *, open_ended: bool = False) -> bytes:
    """Builds a value of BER: with its length, or with a mark at its end."""
    if open_ended:
        return bytes([tag, 0x80]) + content + b"\0\0"
    size = len(content)
    return bytes([tag, size] if size < 128 else [tag, 0x82, size >> 8, size & 255]) + content


def cms(last: int, content: bytes, *, open_ended: bool = False) -> bytes:
    """Builds content of PKCS #7: signed (2) or enveloped (3)."""
    kind = bytes.fromhex("06092a864886f70d0107") + bytes([last])
    data = bytes.fromhex("06092a864886f70d010701")
    pieces = [content[at : at + 20] for at in range(0, len(content), 20)] if open_ended else [content]
    octets = b"".join(tlv(0x04, piece) for piece in pieces)
    octets = tlv(0x24, octets, open_ended=True) if open_ended else octets
    inner = tlv(0x30, data + tlv(0xA0, octets, open_ended=open_ended), open_ended=open_ended)
    fields = (
        tlv(0x02, b"\1") + tlv(0x31, b"") + inner + tlv(0x31, tlv(0x30, tlv(0x02, b"\1") + tlv(0x04, b"signature")))
    )
    return tlv(0x30, kind + tlv(0xA0, tlv(0x30, fields, open_ended=open_ended)), open_ended=False)


def protected(content: bytes) -> bytes:
    packed = base64.encodebytes(content)
    return (
        HEAD + b"Content-Type: application/pkcs7-mime; name=smime.p7m\nContent-Transfer-Encoding: base64\n\n" + packed
    )


@pytest.mark.parametrize("kind", [b"pkcs7", b"pgp"])
def test_a_signature_is_no_attached_file(kind: bytes) -> None:
    assert text_of(HEAD + SIGNED_PARTS % (kind, kind)) == "From: a@example.ca\n\nThe fee is $25 a day."


@pytest.mark.parametrize("open_ended", [False, True])
def test_a_text_within_its_signature_is_read(open_ended: bool) -> None:
    """Outlook sends such messages, and streaming programs cut the text into pieces."""
    body = protected(cms(2, INNER, open_ended=open_ended))

    assert text_of(body) == "From: a@example.ca\n\nThe fee is $25 a day."


@pytest.mark.parametrize("content", [INNER, SIGNED_PARTS % (b"pkcs7", b"pkcs7")])
def test_outlook_stores_signed_text_in_a_file(content: bytes) -> None:
    stored = cms(2, content) if content == INNER else content
    file = OutlookFile({"0037": "Parking"}, attachments=[{"3707": "smime.p7m"}], contents={0: stored})

    assert text_of(file.build(), "message.msg") == "The fee is $25 a day."


@pytest.mark.parametrize(
    ("body", "name"),
    [
        (protected(cms(3, INNER)), "message.eml"),
        (HEAD + b"Content-Type: multipart/encrypted; boundary=x\n\n--x\n\nVersion: 1\n--x--\n", "message.eml"),
        (b"-----BEGIN PGP MESSAGE-----\n\nhQEM\n", "message.asc"),
        (bytes.fromhex("76e80460c411e386") + bytes(20), "message.rpmsg"),
        (OutlookFile({}, attachments=[{"3707": "smime.p7m"}], contents={0: cms(3, INNER)}).build(), "message.msg"),
    ],
)
def test_encrypted_messages_are_refused_as_such(body: bytes, name: str) -> None:
    with pytest.raises(UnreadableDocument, match="recipients") as refusal:
        read(body, name)
    assert refusal.value.reason == "encrypted"


def test_an_encrypted_part_of_a_message_is_named() -> None:
    parts = (
        b"Content-Type: multipart/mixed; boundary=y\n\n--y\n"
        + INNER
        + b"\n--y\n"
        + protected(cms(3, INNER))
        + b"\n--y--\n"
    )

    assert text_of(HEAD + parts).endswith("Attached files, which were not read: smime.p7m")


def test_an_attached_message_may_be_encoded() -> None:
    """RFC 2046 forbids it, and some servers do it."""
    packed = base64.encodebytes(b"Subject: Old rules\n\nThe fee was $20 a day.\n")
    attached = b"--y\nContent-Type: message/rfc822\nContent-Transfer-Encoding: base64\n\n" + packed + b"\n--y--\n"

    read_text = text_of(HEAD + b"Content-Type: multipart/mixed; boundary=y\n\n" + attached)

    assert read_text == "From: a@example.ca\n\nAttached message: Old rules: The fee was $20 a day."


def test_a_report_says_why_a_message_was_not_delivered() -> None:
    fields = b"Reporting-MTA: dns; example.ca\n\nFinal-Recipient: rfc822; b@example.ca\nStatus: 5.1.1\n"
    report = b"--y\nContent-Type: message/delivery-status\n\n" + fields + b"\n--y--\n"

    assert text_of(HEAD + b"Content-Type: multipart/report; boundary=y\n\n" + report).endswith(
        "Reporting-MTA: dns; example.ca\n\nFinal-Recipient: rfc822; b@example.ca\nStatus: 5.1.1"
    )


def test_each_message_of_a_mailbox_is_a_section() -> None:
    second = b"Subject: Second\nContent-Transfer-Encoding: base64\n\n" + base64.encodebytes(b"The fee is $25.")
    mailbox = (
        b"From a@x Tue May  5 21:30:00 2026\nSubject: First\n\nThe fee is due.\n\nFrom b@x Tue May  5 21:31:00 2026\n"
        + second
    )

    assert "mail" == detect_format(mailbox, "application/mbox", "mails.mbox")
    assert text_of(mailbox, "mails.mbox") == "First: The fee is due.\n\nSecond: The fee is $25."


def test_missing_parts_are_said() -> None:
    parts = b"".join(b"--y\n\nword\n" for _ in range(PARTS_LIMIT + 1))

    assert read(HEAD + b"Content-Type: multipart/mixed; boundary=y\n\n" + parts).omissions == (Omission("characters"),)
