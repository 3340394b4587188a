"""Bounds and unpacks responses: readable types, known character sets, limits of size and effort.

Pure but for the stream that it reads. Knows no URL policy, no redirects and no cache. Requests ask for uncompressed
bodies. If a server compresses anyway, the body is unpacked in steps that end at the limit.
"""

from __future__ import annotations

import asyncio
import codecs
import re
import zlib
from collections.abc import AsyncIterable, Iterator
from email.message import Message
from typing import Protocol

import httpx

from core.errors import FetchFailed, FetchFault
from core.rag.documents import one_line
from core.runtime.format_table import READABLE_MEDIA_TYPES, guess_media_type

# Bodies of other types are not downloaded. `core.rag.reading.formats` decides how they are read, by their bytes first.
# Text of all kinds, RSS, Atom, RDF, GeoJSON, JSON Feed …
FETCHABLE_FAMILIES = re.compile(r"text/[a-z0-9.+-]+|application/[a-z0-9.-]+\+(xml|json)")
CUTTABLE_TYPES = re.compile(r"text/(?!json)[a-z0-9.+-]+|application/(csv|xml|[a-z0-9.-]+\+xml)")
TYPES_OF_ANY_FILE = {"", "application/octet-stream", "binary/octet-stream"}  # file stores send these for any file
MEDIA_REASONS: dict[str, FetchFault] = {"image": "picture", "audio": "recording", "video": "recording"}
# By name: some of Python's encodings take long (punycode) or unpack (zip).
TEXT_CHARSETS = re.compile(
    r"utf-8|utf-16(-[bl]e)?|ascii|iso8859-\d+|cp125\d|cp437|cp85\d|koi8-[ru]|mac-roman|gb2312|gbk|gb18030|big5"
    r"|shift_jis|cp932|euc_jp|iso2022_jp|euc_kr"
)
CHARSET_NAME = re.compile(r"[A-Za-z0-9_:-]{1,40}")
CONTENT_TYPE_LIMIT_CHARS = 200
DISPOSITION_LIMIT_CHARS = 1000
FILE_NAME_LIMIT_CHARS = 200
PIECES_LIMIT = 20_000
PIECES_PER_TURN = 64
STEP_BYTES = 2**16


def parse_media_type(headers: httpx.Headers, path: str) -> str:
    """Returns the type in lower case, without parameters. Raises FetchFailed for one that is not read.

    An unspecific type is replaced by that of the file's name, or of the suffix of `path`.
    """
    declared: str = headers.get("content-type", "").split(";", 1)[0].strip().lower()
    if declared in TYPES_OF_ANY_FILE:
        declared = guess_media_type(parse_file_name(headers)) or guess_media_type(path) or declared
    if declared in READABLE_MEDIA_TYPES or FETCHABLE_FAMILIES.fullmatch(declared):
        return declared
    problem = "the site sent a type of content that is not read: neither text, HTML, XML, JSON, PDF nor an Office file"
    raise FetchFailed(problem, MEDIA_REASONS.get(declared.partition("/")[0], "kind"))


def parse_file_name(headers: httpx.Headers) -> str:
    """Returns the name under which browsers would save the file, "" if the site gives none (RFC 6266)."""
    message = Message()
    message["content-disposition"] = headers.get("content-disposition", "")[:DISPOSITION_LIMIT_CHARS]
    try:
        return one_line(message.get_filename(""))[:FILE_NAME_LIMIT_CHARS]
    except (ValueError, LookupError):  # an unknown charset
        return ""


def is_cuttable(media_type: str) -> bool:
    """Tells whether the beginning of such a body can be read alone."""
    return CUTTABLE_TYPES.fullmatch(media_type) is not None


def parse_charset(headers: httpx.Headers) -> str | None:
    """Returns Python's name of the header's charset, if texts of the Web use it."""
    message = Message()
    message["content-type"] = headers.get("content-type", "")[:CONTENT_TYPE_LIMIT_CHARS]
    declared = message.get_param("charset")
    if not isinstance(declared, str) or not CHARSET_NAME.fullmatch(declared):
        return None
    try:
        name = codecs.lookup(declared).name
    except LookupError:
        return None
    return name if TEXT_CHARSETS.fullmatch(name) else None


async def read_body(
    headers: httpx.Headers, pieces: AsyncIterable[bytes], limit_bytes: int, *, cut: bool = False
) -> bytes:
    """Returns the unpacked body. A longer one is refused, or cut at the limit. Raises FetchFailed."""
    unpacked = unpacker(headers.get("content-encoding", ""))
    if not cut and int(headers.get("content-length", "0")) > limit_bytes:
        raise body_too_long(limit_bytes)
    body, count = bytearray(), 0
    async for piece in pieces:
        count += 1
        if count > PIECES_LIMIT:
            raise FetchFailed("the site sends its page in too many small pieces", "broken")
        if count % PIECES_PER_TURN == 0:
            await asyncio.sleep(0)  # buffered pieces come without waiting: let other tasks run
        for part in unpacked.feed(piece):
            body += part
            if len(body) > limit_bytes:
                if cut:
                    return bytes(body[:limit_bytes])
                raise body_too_long(limit_bytes)
    unpacked.finish()
    return bytes(body)


def body_too_long(limit_bytes: int) -> FetchFailed:
    return FetchFailed(f"the page is larger than {limit_bytes} bytes", "large")


class Unpacker(Protocol):
    def feed(self, data: bytes) -> Iterator[bytes]:
        """Yields the unpacked `data` in parts of at most STEP_BYTES, each made when it is requested."""

    def finish(self) -> None:
        """Ends the body. Raises FetchFailed if it is incomplete."""


def unpacker(encoding: str) -> Unpacker:
    match encoding.strip().lower():
        case "" | "identity":
            return PassThrough()
        case "gzip" | "x-gzip":
            return Inflater(zlib.MAX_WBITS | 16)
        case "deflate":
            return DeflateUnpacker()
        case _:
            raise FetchFailed("the site sent its page in an unsupported compression", "broken")


class PassThrough:
    def feed(self, data: bytes) -> Iterator[bytes]:
        yield data

    def finish(self) -> None:
        pass


class Inflater:
    """Unpacks zlib's formats, by `window_bits`."""

    def __init__(self, window_bits: int) -> None:
        self._window_bits = window_bits
        self._inflate = zlib.decompressobj(window_bits)

    def feed(self, data: bytes) -> Iterator[bytes]:
        more = bool(data)
        while more:
            if self._inflate.eof:  # gzip may have several members
                self._inflate = zlib.decompressobj(self._window_bits)
            try:
                part = self._inflate.decompress(data, STEP_BYTES)
            except zlib.error as exc:
                raise FetchFailed("the site sent a page that cannot be unpacked", "broken") from exc
            data = self._inflate.unconsumed_tail or self._inflate.unused_data
            more = bool(data) or (len(part) == STEP_BYTES and not self._inflate.eof)
            yield part

    def finish(self) -> None:
        if not self._inflate.eof:
            raise incomplete_body()


class DeflateUnpacker:
    """Unpacks both forms of deflate that servers send. The first two bytes tell which."""

    def __init__(self) -> None:
        self._start = b""
        self._inflating: Inflater | None = None

    def feed(self, data: bytes) -> Iterator[bytes]:
        if self._inflating is None:
            data = self._start = self._start + data
            if len(data) < 2:
                return
            self._inflating = Inflater(zlib.MAX_WBITS if has_zlib_header(data) else -zlib.MAX_WBITS)
        yield from self._inflating.feed(data)

    def finish(self) -> None:
        if self._inflating is None:
            raise incomplete_body()
        self._inflating.finish()


def incomplete_body() -> FetchFailed:
    return FetchFailed("the site sent only a part of its page", "broken")


def has_zlib_header(data: bytes) -> bool:
    return data[0] & 0x0F == zlib.DEFLATED and int.from_bytes(data[:2], "big") % 31 == 0
