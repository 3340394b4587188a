"""Messages of the Internet and of Outlook: headers, text, attached messages, and the names of files."""

from __future__ import annotations

import pytest

from benchmarks.corpus.mail import INVITATION, message, messages, outlook_files
from core.errors import UnreadableDocument
from core.rag.documents import Document
from core.rag.reading.formats import detect_format, read_document
from core.rag.reading.mail.compressed_rtf import unpack_rtf
from tests.support.ole_files import ole_file
from tests.support.outlook_files import OutlookFile, packed_rtf

HEAD = "From: Anne Roy <anne.roy@example.ca>\nTo: hr@example.ca\nDate: 2026-05-05 21:30 -0500"


def read(body: bytes, name: str = "message.eml") -> Document:
    return read_document(body, "", name=name)


def texts(document: Document) -> list[tuple[str, str]]:
    return [(passage.heading, passage.text) for passage in document.passages]


def read_sample(name: str) -> Document:
    return read(messages()[name][0].as_bytes())


def read_outlook(file: OutlookFile) -> Document:
    return read(file.build(), "message.msg")


def test_the_subject_is_the_title_and_the_date_keeps_its_offset() -> None:
    """Tuesday evening in Winnipeg is not told as Wednesday."""
    document = read_sample("plain")

    assert document.title == "Parking"
    assert texts(document) == [("", f"{HEAD}\n\nThe fee is $25 a day.\n\nIt begins on May 1.")]


def test_encoded_words_and_charsets_are_decoded() -> None:
    """The names of headers are in the message's language."""
    document = read_sample("french")

    assert document.title == "Congés d’été"
    assert "De\u00a0: Anne Roy" in document.passages[0].text
    assert "Les congés sont approuvés.\nÀ bientôt" in document.passages[0].text


@pytest.mark.parametrize("subject", ["Congés".encode(), "Congés".encode("cp1252"), b"=?utf-8?q?Cong=C3=A9s?="])
def test_headers_that_break_the_rules_are_decoded(subject: bytes) -> None:
    """Some programs write bytes beyond ASCII."""
    assert read(b"Subject: " + subject + b"\n\ntext").title == "Congés"


def test_a_message_in_html_keeps_its_headings_and_tables() -> None:
    assert texts(read_sample("html"))[1] == (
        "Hours",
        "We open at 8:30.\n\n| Day | Until |\n| --- | --- |\n| Monday | 16:00 |",
    )


def test_of_two_forms_one_is_read() -> None:
    """The plain one, unless it only says that there is another."""
    assert read_sample("both").passages[0].text.count("Sign the form") == 1
    assert "The cafeteria closes" in read_sample("shell").passages[0].text
    assert "shows no HTML" not in read_sample("shell").passages[0].text


def test_attached_files_are_named() -> None:
    """The person and the model learn that they were not read."""
    assert (
        read_sample("attached")
        .passages[0]
        .text.endswith("Please find the contract attached.\n\nAttached files, which were not read: contrat signé.pdf")
    )


def test_pictures_within_the_text_are_no_attachments() -> None:
    """Logos of signatures have an id to which the text refers."""
    made = message("Hello")
    made.set_content("<p>Hello <img src=cid:logo></p>", subtype="html")
    made.add_related(b"x", maintype="image", subtype="png", cid="<logo>", filename="logo.png")

    assert texts(read(made.as_bytes())) == [("", f"{HEAD}\n\nHello")]


def test_an_attached_message_is_a_section() -> None:
    assert texts(read_sample("forwarded"))[1] == (
        "Attached message: Parking",
        f"{HEAD}\n\nThe fee is $25 a day.\n\nIt begins on May 1.",
    )


def test_messages_in_messages_end() -> None:
    """Those beyond a depth are named like files."""
    body = b"Subject: 0\n\ninnermost"
    for number in range(1, 20):
        body = b"Subject: %d\nContent-Type: message/rfc822\n\n%b" % (number, body)
    document = read(body)

    assert document.passages[-1].text.endswith("not read: 13")


def test_an_invitation_says_what_when_and_where() -> None:
    made = message("Invitation")
    made.set_content(INVITATION, subtype="calendar")

    assert texts(read(made.as_bytes())) == [
        (
            "",
            f"{HEAD}\n\nQuarterly review\n2026-05-12 13:00 America/Toronto – 2026-05-12 14:00 America/Toronto\n"
            "Room 410, 90 Elgin Street\n\nBring the figures of the first quarter.\nLunch is served.",
        )
    ]


def test_lines_that_go_on_are_joined() -> None:
    """In the form "flowed", a blank at the end says so; the mark of a signature also ends with one."""
    body = b"Subject: x\nContent-Type: text/plain; format=flowed\n\nThe fee is \n$25 a day.\n-- \nAnne"

    assert read(body).passages[0].text == "The fee is $25 a day.\n-- \nAnne".replace("-- ", "--")


def test_a_saved_page_of_one_file_is_read() -> None:
    """MHTML, which some programs also name .doc."""
    made = message("Page")
    made.set_content("<h1>Leave</h1><p>Ten days.</p>", subtype="html")
    body = b"MIME-Version: 1.0\n" + made.as_bytes()

    assert "Ten days." in read(body, "page.mht").passages[-1].text
    assert "mail" == detect_format(body, "application/msword", "export.doc")


@pytest.mark.parametrize("media_type", ["", "application/octet-stream", "text/plain"])
def test_a_message_is_detected_by_its_headers(media_type: str) -> None:
    """Two letters at the start of a text are no header."""
    received = b"Received: from example.ca by example.org; Tue, 5 May 2026 21:30:00 -0500\nFrom: a@example.ca\n\nHi"

    assert "mail" == detect_format(received, media_type, "")
    assert "text" == detect_format(b"To: the staff\nFrom: the boss\n\nHi", media_type, "")


@pytest.mark.parametrize(
    "body",
    [
        b"Content-Type: multipart/mixed\n\nno boundary",
        b"Content-Type: multipart/mixed; boundary=x\n\n--x\n\ntext\n--x\nContent-Transfer-Encoding: base64\n\n!!!\n",
        b"Subject: =?no-such?q?x?=\nDate: yesterday\nContent-Type: text/plain; charset=no-such\n\ntext",
        b"From: <>,,;\nTo: \"unclosed\nContent-Disposition: attachment; filename*=x'y'%ff\n\nx",
    ],
)
def test_damaged_messages_are_read_as_far_as_possible(body: bytes) -> None:
    assert read(body).passages


def test_a_header_is_decoded_up_to_a_limit() -> None:
    """The decoder of encoded words would take minutes for a large one."""
    assert len(read(b"Subject: " + b"=?utf-8?q?a?= " * 100_000 + b"\n\ntext").title) < 1000


def test_bytes_without_headers_are_no_message() -> None:
    with pytest.raises(UnreadableDocument, match="no headers"):
        read(b"\nonly text")


def test_an_outlook_message_is_read() -> None:
    """The date is that of the headers, which have the sender's offset."""
    document = read_outlook(outlook_files()["outlook-plain"][0])

    assert document.title == "Parking"
    assert texts(document) == [("", f"{HEAD.replace('hr@example.ca', 'HR Service')}\n\nThe fee is $25 a day.")]


def test_an_outlook_message_without_headers_has_its_time_in_utc() -> None:
    """A draft or a sent message; the address of a directory is not shown."""
    file = OutlookFile(
        {"0037": "x", "0C1A": "Anne Roy", "0C1F": "/O=EX/CN=RECIPIENTS", "1000": "Hi"},
        fixed={0x0039: 134_225_244_000_000_000},
    )

    assert read_outlook(file).passages[0].text == "From: Anne Roy\nDate: 2026-05-06 07:00 +0000\n\nHi"


def test_an_old_outlook_message_has_a_codepage() -> None:
    file = OutlookFile({"0037": "Congés", "1000": "Les congés sont payés."}, fixed={0x3FDE: 1252}, codepage="cp1252")

    assert (read_outlook(file).title, read_outlook(file).passages[0].text) == ("Congés", "Les congés sont payés.")


def test_the_parts_of_an_outlook_message() -> None:
    """Files are named, attached messages are read."""
    document = read_outlook(outlook_files()["outlook-attached"][0])

    assert document.passages[0].text.endswith("Attached files, which were not read: map.pdf")
    assert texts(document)[1] == ("Attached message: Rules", "From: Luc Roy\n\nCars must show a permit.")


def test_an_outlook_message_of_rich_text_alone_is_read() -> None:
    assert (
        read_outlook(outlook_files()["outlook-rich"][0])
        .passages[0]
        .text.endswith("The form is due on May 1.\n\nSign it before.")
    )


def test_html_within_rich_text_is_found() -> None:
    """Outlook wraps the HTML of a message into RTF."""
    rtf = (
        rb"{\rtf1\ansi\fromhtml1 {\*\htmltag64 <p>}\htmlrtf {\htmlrtf0 Caf\'e9 {\*\htmltag84 <b>}open"
        rb"{\*\htmltag92 </b>}\htmlrtf }\htmlrtf0 {\*\htmltag72 </p>}}"
    )

    assert read_outlook(OutlookFile({"0037": "x"}, {"1009": packed_rtf(rtf)})).passages[0].text == "Café open"


@pytest.mark.parametrize(
    ("packed", "expected"),
    [
        (
            "2d0000002b0000004c5a4675f1c5c7a703000a007263706731323542320af32068656c090020627705b06c647d0a800fa0",
            b"{\\rtf1\\ansi\\ansicpg1252\\pard hello world}\r\n",
        ),
        ("1a0000001c0000004c5a4675e2d44b51410004205758595a0d6e7d010eb0", b"{\\rtf1 WXYZWXYZWXYZWXYZWXYZ}"),
    ],
)
def test_compressed_rtf_is_unpacked(packed: str, expected: bytes) -> None:
    """The examples of [MS-OXRTFCP]; in the second one a run reaches into what it writes itself."""
    assert expected == unpack_rtf(bytes.fromhex(packed))


@pytest.mark.parametrize(
    "body",
    [
        ole_file({"__properties_version1.0": b"short"}),
        OutlookFile({"0037": "x" * 5000}, {"1009": b"no header"}).build()[:4000],
    ],
)
def test_a_damaged_outlook_message_is_refused(body: bytes) -> None:
    with pytest.raises(UnreadableDocument) as refusal:
        read(body, "message.msg")

    assert refusal.value.reason in ("damaged", "empty")
