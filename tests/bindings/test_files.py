"""bindings.files: the text of attached files, and the reasons why others are not read."""

from __future__ import annotations

from typing import get_args

import pytest

from bindings.delivery.outlet import Refused, Unreachable
from bindings.files import (
    FILES_LIMIT,
    MessageFiles,
    TextFile,
    UnreadFile,
    UnreadReason,
    decode_text,
    explain_unread,
    read_files,
)
from bindings.incoming import AttachedFile
from core.contract import Attachment, Omission
from core.errors import DocumentFault, UnreadableDocument
from tests.bindings.intake.support_intake import FakeChannels
from tests.support.fake_engine import FakeEngine

PARTLY = (Omission("pages", 60, 113),)
LIMIT = 1000


async def read(name: str, body: bytes | Exception, media_type: str = "", size: int | None = None) -> MessageFiles:
    return await read_files(
        FakeEngine(), FakeChannels(files={"u": body}), (AttachedFile(name, "u", media_type, size),), LIMIT
    )


@pytest.mark.parametrize(
    ("name", "media_type", "shape"),
    [
        ("a.txt", "", "text"),
        ("A.MD", "application/octet-stream", "text"),
        ("page.html", "", "document"),
        ("Report.PDF", "application/octet-stream", "document"),
        ("letter.docx", "", "document"),
        ("page", "text/html; charset=utf-8", "document"),
        ("rows.csv", "", "csv"),
        ("rows.tsv", "text/plain", "csv"),
        ("s.json", "", "json"),
        ("rows.jsonl", "", "jsonl"),
        ("unnamed", "application/json; charset=utf-8", "json"),
        ("notes", "text/plain", "text"),
        ("main.ts", "video/mp2t", "document"),
        ("deploy.yaml", "application/octet-stream", "document"),
        ("table.csv", "application/vnd.ms-excel", "csv"),
        ("Dockerfile", "", "document"),
        ("unknown.qqq", "application/octet-stream", "document"),
        ("letter.doc", "application/msword", "document"),
    ],
)
async def test_text_is_read(name: str, media_type: str, shape: str) -> None:
    """The file name gives the format, else the media type. The engine reads what is no plain text, rows or JSON."""
    files = await read(name, "é\n".encode(), media_type)

    assert (TextFile(name, shape, "é\n"),) == files.readable  # type: ignore[arg-type]
    assert Attachment(name, "é\n") == files.readable[0].attachment
    assert files.unread == ()


@pytest.mark.parametrize(
    ("name", "body", "size", "why"),
    [
        ("program.exe", b"MZ", None, "kind"),
        ("picture.png", b"", None, "picture"),
        ("minutes.mp3", b"", None, "recording"),
        ("all.zip", b"PK", None, "archive"),
        ("large.txt", b"", LIMIT + 1, "size"),
        ("larger.txt", b"a" * (LIMIT + 1), None, "size"),
        ("liar.txt", b"a" * (LIMIT + 1), 5, "size"),
        ("lost.txt", Refused("gone from there"), None, "fetch"),
        ("far.txt", Unreachable("no answer"), None, "fetch"),
    ],
)
async def test_an_unread_file_has_a_reason(name: str, body: bytes | Exception, size: int | None, why: str) -> None:
    """The name of a picture, recording, archive or program is enough; a limit holds for the body too."""
    assert MessageFiles((), (UnreadFile(name, why),)) == await read(name, body, size=size)  # type: ignore[arg-type]


async def test_a_file_of_a_known_unreadable_kind_or_size_is_not_fetched() -> None:
    channels = FakeChannels(files={"u": b"x"})
    files = (AttachedFile("picture.png", "u", ""), AttachedFile("large.txt", "u", "", LIMIT + 1))
    await read_files(FakeEngine(), channels, files, LIMIT)

    assert [] == channels.fetched


class Reading(FakeEngine):
    """Raises the problem, or returns text without its end."""

    def __init__(self, problem: UnreadableDocument | None = None) -> None:
        super().__init__()
        self.problem = problem

    async def read(self, name: str, body: bytes, media_type: str) -> Attachment:
        if self.problem is not None:
            raise self.problem
        return Attachment(name, "The beginning.", omissions=PARTLY)


@pytest.mark.parametrize(("reason", "why"), [("pictures", "pictures"), ("locked", "locked"), (None, "content")])
async def test_an_unreadable_document_has_the_reason_of_the_engine(
    reason: DocumentFault | None, why: UnreadReason
) -> None:
    """Without a reason, the general one applies."""
    engine = Reading(UnreadableDocument("no text in it", reason))
    files = await read_files(engine, FakeChannels(files={"u": b"%PDF"}), (AttachedFile("scan.pdf", "u", ""),), LIMIT)

    assert MessageFiles((), (UnreadFile("scan.pdf", why),)) == files


@pytest.mark.parametrize("body", [b"a\0b", b"%PDF-1.7", b"PK\x03\x04", b"{\\rtf1"])
async def test_a_file_whose_bytes_are_no_text_is_read_by_the_engine(body: bytes) -> None:
    """Its name may be wrong. The engine tells the format by the bytes, or the reason why it is not read."""
    engine = Reading(UnreadableDocument("this is no text", "kind"))
    files = await read_files(engine, FakeChannels(files={"u": body}), (AttachedFile("a.txt", "u", ""),), LIMIT)

    assert MessageFiles((), (UnreadFile("a.txt", "kind"),)) == files


async def test_a_partly_read_file_is_marked() -> None:
    """The mark reaches the engine."""
    files = await read_files(Reading(), FakeChannels(files={"u": b"%PDF"}), (AttachedFile("long.pdf", "u", ""),), LIMIT)

    assert Attachment("long.pdf", "The beginning.", omissions=PARTLY) == files.readable[0].attachment


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (b"PK\x03\x04", TextFile("t.xls", "workbook", "PK\x03\x04", body=b"PK\x03\x04")),
        ("a;b\né;2".encode("cp1252"), TextFile("t.xls", "csv", "a;b\né;2")),
    ],
)
async def test_a_workbook_keeps_its_bytes_for_its_rows(body: bytes, expected: TextFile) -> None:
    """Older programs export CSV under the name of a workbook; that is rows as it is."""
    channels = FakeChannels(files={"u": body})

    assert MessageFiles((expected,)) == await read_files(
        FakeEngine(), channels, (AttachedFile("t.xls", "u", ""),), LIMIT
    )


async def test_a_long_table_is_read_by_the_engine_and_keeps_its_rows() -> None:
    """The model must see the names of the columns in each passage, and a job the rows as they were sent."""
    rows = "name;fee\n" + "é;1\n" * 1000
    channels = FakeChannels(files={"u": rows.encode("cp1252")})
    (file,) = (await read_files(Reading(), channels, (AttachedFile("t.csv", "u", ""),), 10_000)).readable

    assert ("csv", "The beginning.", PARTLY, rows) == (file.format, file.text, file.omissions, file.verbatim)


async def test_a_table_that_the_engine_refuses_stays_as_it_was_sent() -> None:
    """A cell that never ends is no reason to lose the file."""
    rows = "name;fee\n" + "a;1\n" * 1000
    channels = FakeChannels(files={"u": rows.encode()})
    engine = Reading(UnreadableDocument("a cell is too long", "damaged"))

    (file,) = (await read_files(engine, channels, (AttachedFile("t.csv", "u", ""),), 10_000)).readable
    assert (rows, rows) == (file.text, file.verbatim)


async def test_at_most_16_files_are_read() -> None:
    channels = FakeChannels(files={"u": b"x"})
    files = await read_files(
        FakeEngine(), channels, tuple(AttachedFile(f"{n}.txt", "u", "") for n in range(FILES_LIMIT + 2)), LIMIT
    )

    assert (FILES_LIMIT, FILES_LIMIT) == (len(files.readable), len(channels.fetched))
    assert ["number", "number"] == [each.reason for each in files.unread]


@pytest.mark.parametrize(
    ("body", "text"),
    [
        (b"\xef\xbb\xbfa", "a"),
        ("é".encode("utf-16"), "é"),
        (b"\xfe\xff\x00\xe9", "é"),
        ("œuvre à Montréal".encode("cp1252"), "œuvre à Montréal"),
        (b"\xff\xfea", "\ufffd"),
        (b"", ""),
        (b"\x81", "\ufffd"),
        (b"\0", None),
    ],
)
def test_text_is_decoded_in_its_encoding(body: bytes, text: str | None) -> None:
    """These are the encodings of editors and spreadsheets in both languages. Invalid bytes show as U+FFFD."""
    assert text == decode_text(body)


def test_unread_files_are_listed_by_reason_with_harmless_names() -> None:
    """People choose file names, so line breaks are removed from them. Singular and plural texts differ."""
    unread = (UnreadFile("a.pdf", "kind"), UnreadFile("b\n@all.pdf", "kind"), UnreadFile("c.txt", "size"))

    formats, size = explain_unread(MessageFiles((), unread), 2**20, "fr")

    assert "Non lus\u00a0: a.pdf, b@all.pdf." in formats
    assert "Non lu\u00a0: c.txt. Ce fichier dépasse 1\u00a0Mo" in size


@pytest.mark.parametrize("reason", [each for part in get_args(UnreadReason) for each in get_args(part) or (part,)])
def test_every_reason_has_a_text(reason: UnreadReason) -> None:
    """The reasons of the engine and those of the platforms."""
    (explained,) = explain_unread(MessageFiles((), (UnreadFile("a.pdf", reason),)), 2**20, "en")

    assert "a.pdf" in explained


def test_files_that_were_read_in_part_are_listed_last() -> None:
    """Files that were read completely are not listed."""
    readable = (
        TextFile("whole.pdf", "document", "a"),
        TextFile("long\n.pdf", "document", "a", omissions=PARTLY),
    )
    files = MessageFiles(readable, (UnreadFile("a.pdf", "locked"),))

    assert [
        "Not read: a.pdf. It is locked by a password; attach it without one.",
        "(I read long.pdf only in part: the first 60 of 113 pages.)",
    ] == explain_unread(files, 2**20, "en")


async def test_an_empty_file_is_said() -> None:
    """No question is asked about nothing."""
    assert (UnreadFile("a.txt", "empty"),) == (await read("a.txt", b" \n")).unread


@pytest.mark.parametrize(
    ("name", "body", "expected"),
    [
        ("costs.xls", b"<html><table><tr><td>Pen</td></tr></table></html>", "document"),
        ("costs.xls", b'<Workbook xmlns="urn:schemas-microsoft-com:office:spreadsheet"/>', "workbook"),
        ("costs.txt", b"Item\tCost\nPen\t3\nInk\t4\n", "csv"),
    ],
)
async def test_tables_under_another_name_are_read_as_tables(name: str, body: bytes, expected: str) -> None:
    """Programs export pages and XML as .xls, and tables as .txt."""
    assert expected == (await read(name, body)).readable[0].format
