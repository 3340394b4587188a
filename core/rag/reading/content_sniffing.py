"""Detects formats by content: the first bytes, the parts of ZIP and OLE files, the first tag or header of a text. Pure.

Returns the names of rows in `core.runtime.format_table`; None if the content does not tell.
"""

from __future__ import annotations

import io
import re
import zipfile

from core.errors import UnreadableDocument
from core.runtime.file_formats import looks_like_table

ZIP_STARTS = (b"PK\x03\x04", b"PK\x05\x06", b"PK\x07\x08")
OLE_START = b"\xd0\xcf\x11\xe0"
PDF_START, PDF_START_REACH = b"%PDF-", 1024
STARTS: tuple[tuple[bytes, str], ...] = (
    (b"{\\rtf", "rich_text"),
    *((start, "picture") for start in (b"\x89PNG", b"\xff\xd8\xff", b"8BPS\x00", b"\xd7\xcd\xc6\x9a", b"\xff\x0a")),
    *((start, "picture") for start in (b"II*\x00", b"MM\x00*", b"\x00\x00\x01\x00", b"\x00\x00\x00\x0cJXL")),
    *((start, "recording") for start in (b"\xff\xfb", b"\xff\xf3", b"\xff\xf2", b"\x1aE\xdf\xa3", b"\x30\x26\xb2\x75")),
    *((start, "recording") for start in (b"\x00\x00\x01\xba", b"\x00\x00\x01\xb3")),
    *((start, "archive") for start in (b"\x1f\x8b", b"7z\xbc\xaf", b"Rar!\x1a", b"\xfd7zXZ", b"\x28\xb5\x2f\xfd")),
    *((start, "program") for start in (b"\x7fELF", b"\xca\xfe\xba\xbe", b"\xcf\xfa\xed\xfe", b"\x00asm")),
    *((start, "convert") for start in (b"%!PS", b"\xc5\xd0\xd3\xc6", b"\xffWPC", b"\xe4\x52\x5c\x7b\x8c\xd8\xa7\x4d")),
    (b"\x76\xe8\x04\x60\xc4\x11\xe3\x86", "encrypted"),  # message.rpmsg
    *((start, "database") for start in (b"SQLite format 3\x00", b"\x00\x01\x00\x00Standard ")),
    *((start, "old_workbook") for start in (b"\x09\x00\x04\x00", b"\x09\x02\x06\x00", b"\x09\x04\x06\x00")),
)
# Letters alone may as well begin a text: they count if a zero byte follows.
LETTER_STARTS: tuple[tuple[bytes, str], ...] = (
    *((start, "picture") for start in (b"GIF8", b"BM")),
    *((start, "recording") for start in (b"ID3", b"OggS", b"fLaC", b"FLV\x01", b"#!AMR", b"MThd", b"FORM")),
    *((start, "archive") for start in (b"BZh", b"MSCF", b"!<arch>", b"Rar!")),
    *((start, "convert") for start in (b"AT&TFORM", b"AC10", b"ITSF", b"!BDN")),
    (b"MZ", "program"),
    (b"PAR1", "database"),
    *((start, "font") for start in (b"OTTO", b"wOFF", b"wOF2", b"\x00\x01\x00\x00\x00")),
)
RIFF_KINDS = {b"WEBP": "picture", b"WAVE": "recording", b"AVI ": "recording"}
PICTURE_BRANDS = (b"heic", b"heix", b"heif", b"mif1", b"msf1", b"avif", b"avis", b"crx ")
LETTERS_REACH_BYTES = 4096
TAR_PLACE = 257

CONTENT_TYPES = "[Content_Types].xml"
CONTENT_TYPES_LIMIT_BYTES = 1 << 20
OFFICE_MAINS = (
    (re.compile(rb"(?:wordprocessingml|ms-word)[\w.-]*\.main\+xml", re.IGNORECASE), "word"),
    (re.compile(rb"(?:presentationml|ms-powerpoint)[\w.-]*\.main\+xml", re.IGNORECASE), "slides"),
    (re.compile(rb"(?:spreadsheetml|ms-excel)[\w.-]*\.(?:main|binary\.macroEnabled\.main)", re.IGNORECASE), "workbook"),
    (re.compile(rb"ms-visio|ms-package\.xps|fixeddocument", re.IGNORECASE), "convert"),
)
OFFICE_FOLDERS = {"word": "word", "ppt": "slides", "xl": "workbook", "visio": "convert"}
OPEN_TYPES = (  # the beginnings of the part "mimetype"
    (b"application/vnd.oasis.opendocument.text", "open_document"),
    (b"application/vnd.oasis.opendocument.spreadsheet", "workbook"),
    (b"application/vnd.oasis.opendocument.presentation", "open_slides"),
    (b"application/vnd.oasis.opendocument", "convert"),
    (b"application/vnd.sun.xml", "convert"),
    (b"application/epub+zip", "book"),
)
IWORK_PARTS = ("Index/Document.iwa", "Index.zip", "index.apxl", "index.xml")
RIGHTS = "DRMEncrypted"  # in the names of a file that rights protect, instead of a password ([MS-OFFCRYPTO])
OLE_STREAMS = (
    ("EncryptedPackage", "locked"),
    ("__properties_version1.0", "outlook"),
    ("WordDocument", "old_word"),
    ("PowerPoint Document", "old_slides"),
    ("Workbook", "workbook"),
    ("Book", "workbook"),
    ("VisioDocument", "convert"),
    ("Quill", "convert"),  # Publisher
)

# After blanks, <?xml …?>, comments and <!DOCTYPE …>. Possessive: each character is read once.
ROOT = re.compile(r"(?:\s+|<\?[^>]*>|<!--.*?-->|<!(?!--)[^>]*>|\]>)*+<(?:\w+:)?(\w+)", re.DOTALL)
FEED_ROOTS = {"rss", "feed"}
RDF_FEED = re.compile(r"http://purl\.org/rss/|netscape\.com/rdf/simple/")  # RSS 1.0 and 0.90; other RDF is data
OFFICE_ROOTS = {"workbook", "package", "worddocument"}
PAGE_ROOTS = {"html", "head", "body", "main", "article", "section", "div", "p", "h1", "table", "meta", "title"}
JSON_FEED = re.compile(r'"version"\s*:\s*"https://jsonfeed\.org/')
FLAT_PACKAGE = "http://schemas.microsoft.com/office/2006/xmlPackage"  # DOCX or PPTX as one XML file
FLAT_MAINS = (("Word.", "word"), ("PowerPoint.", "slides"), ("/word/", "word"), ("/ppt/", "slides"))
XML_SPREADSHEET = "urn:schemas-microsoft-com:office:spreadsheet"
WORD_2003 = re.compile(r'progid="Word\.|http://schemas\.microsoft\.com/office/word/2003/wordml')
OPEN_XML = "<office:document xmlns"  # an OpenDocument text as one XML file
MAIL_HEADER = re.compile(
    r"(?:from|to|cc|subject|date|received|return-path|message-id|mime-version|delivered-to|x-[a-z-]{1,60}"
    r"|content-type|reply-to|dkim-signature|arc-seal|snapshot-content-location)[ \t]*:",
    re.IGNORECASE,
)
MAIL_MARKS = re.compile(r"^(?:received|message-id|mime-version|return-path)[ \t]*:", re.IGNORECASE | re.MULTILINE)


def sniff_binary(body: bytes) -> str | None:
    """Returns the format of binary content. "zip" and "ole": such a file, and nothing more is known of it.

    Raises UnreadableDocument for a locked file.
    """
    if PDF_START in body[:PDF_START_REACH]:
        return "pdf"
    if body.startswith(ZIP_STARTS):
        return sniff_zip(body)
    if body.startswith(OLE_START):
        return sniff_ole(body)
    return sniff_start(body)


def sniff_start(body: bytes) -> str | None:
    if body[4:8] == b"ftyp":
        return "picture" if body[8:12] in PICTURE_BRANDS else "recording"
    if body.startswith(b"RIFF") and body[8:12] in RIFF_KINDS:
        return RIFF_KINDS[body[8:12]]
    if body[TAR_PLACE : TAR_PLACE + 5] == b"ustar":
        return "archive"
    starts = STARTS if b"\x00" not in body[:LETTERS_REACH_BYTES] else (*STARTS, *LETTER_STARTS)
    return next((name for start, name in starts if body.startswith(start)), None)


def sniff_zip(body: bytes) -> str:
    """Returns the format by the names of a ZIP file's parts; of a damaged one, by the names in its bytes."""
    try:
        with zipfile.ZipFile(io.BytesIO(body)) as packed:
            return sniff_parts(packed)
    except (zipfile.BadZipFile, ValueError, NotImplementedError, OSError, EOFError, RuntimeError):
        named = (kind for folder, kind in OFFICE_FOLDERS.items() if f"{folder}/".encode() in body)
        return next(named, "zip")


def sniff_parts(packed: zipfile.ZipFile) -> str:
    names = packed.namelist()
    if "mimetype" in names and packed.getinfo("mimetype").file_size < CONTENT_TYPES_LIMIT_BYTES:
        declared = packed.read("mimetype").strip()
        if kind := next((kind for start, kind in OPEN_TYPES if declared.startswith(start)), None):
            return kind
    if CONTENT_TYPES in names:
        return sniff_office(packed, names)
    if any(name in IWORK_PARTS for name in names):
        return "convert"
    return "zip"


def sniff_office(packed: zipfile.ZipFile, names: list[str]) -> str:
    if packed.getinfo(CONTENT_TYPES).file_size < CONTENT_TYPES_LIMIT_BYTES:
        types = packed.read(CONTENT_TYPES)
        if kind := next((kind for pattern, kind in OFFICE_MAINS if pattern.search(types)), None):
            return kind
    folders = (name.partition("/")[0].lower() for name in names)
    return next((OFFICE_FOLDERS[folder] for folder in folders if folder in OFFICE_FOLDERS), "zip")


def sniff_ole(body: bytes) -> str:
    """Returns the format by the root's streams; of a damaged file, by the streams' names in its bytes."""
    import olefile  # type: ignore[import-untyped]  # only processes need it that read documents

    entries: list[list[str]] = []
    try:
        with olefile.OleFileIO(io.BytesIO(body)) as parsed:
            entries = parsed.listdir(streams=True, storages=True)
            streams = {entry[0] for entry in entries}
    except Exception:  # noqa: BLE001 - olefile raises anything for damaged directories
        streams = {name for name, _ in OLE_STREAMS if name.encode("utf-16-le") in body}
    kind = next((kind for stream, kind in OLE_STREAMS if stream in streams), "ole")
    if kind == "locked" and any(RIGHTS in part for entry in entries for part in entry):
        return "encrypted"
    if kind == "locked":
        raise UnreadableDocument("this Office file is locked by a password: attach it without one", "locked")
    return kind


def sniff_text(start: str) -> str | None:
    """Returns "feed", "page", "xml", "mail", "csv" or a refused format by the first characters of a text."""
    if start.startswith("-----BEGIN PGP MESSAGE-----"):
        return "encrypted"
    if start.lstrip()[:1] == "{":
        return "feed" if JSON_FEED.search(start) else None
    detected = ROOT.match(start)
    root = detected[1].lower() if detected else ""
    if root in FEED_ROOTS or (root == "rdf" and RDF_FEED.search(start)):
        return "feed"
    if root in OFFICE_ROOTS or (start.lstrip()[:5] == "<?xml" and root != "html"):
        return sniff_office_xml(start, root) or ("xml" if root else None)
    if root in PAGE_ROOTS:
        return "page"
    if looks_like_mail(start):
        return "mail"
    return "csv" if looks_like_table(start) else None


def sniff_xml(start: str) -> str | None:
    """Returns the format of a text that is known to be XML, where `article` and `table` are no page's elements."""
    kind = sniff_text(start)
    detected = ROOT.match(start)
    is_page = detected is not None and detected[1].lower() == "html"
    return kind if kind != "page" or is_page else "xml"


def sniff_office_xml(start: str, root: str) -> str | None:
    if OPEN_XML in start:
        return "open_document"
    if root == "package" and FLAT_PACKAGE in start:
        return next((kind for mark, kind in FLAT_MAINS if mark in start), "convert")
    if root == "workbook" and XML_SPREADSHEET in start:
        return "workbook"
    return "old_word" if WORD_2003.search(start) else None


def looks_like_mail(start: str) -> bool:
    """Tells whether the text begins with headers of a message, and one that only programs write."""
    lines = start.lstrip("\ufeff").splitlines()
    if lines and lines[0].startswith("From "):  # the separator of a mailbox
        lines = lines[1:]
    head = lines[: next((index for index, line in enumerate(lines) if not line.strip()), len(lines))]
    return bool(head) and MAIL_HEADER.match(head[0]) is not None and MAIL_MARKS.search("\n".join(head)) is not None


def looks_binary(start: str) -> bool:
    """Tells whether decoded text has zero bytes."""
    return "\x00" in start
