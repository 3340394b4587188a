"""Guards against ZIP files that unpack to too much: Office and OpenDocument files are ZIP files. Pure."""

from __future__ import annotations

import zipfile
from io import BytesIO

from core.errors import UnreadableDocument

UNZIPPED_LIMIT_BYTES = 64 * 1024 * 1024
PARTS_LIMIT = 5000


def require_unpacked_size(body: bytes) -> None:
    """Raises UnreadableDocument for too much content, and BadZipFile.

    A ZIP file may unpack to a thousand times its size, but never beyond its own claim.
    """
    with zipfile.ZipFile(BytesIO(body)) as packed:
        parts = packed.infolist()
    if len(parts) > PARTS_LIMIT or sum(part.file_size for part in parts) > UNZIPPED_LIMIT_BYTES:
        raise UnreadableDocument("this file is too large when unpacked: attach it without its pictures", "large")
