"""Files inside a request of OpenAI's, as base64. Decodes them; the engine reads their text."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from core.contract import Attachment
from core.errors import BadRequest
from core.runtime.file_names import clean_name

FILES_LIMIT = 16
NAME_LIMIT_CHARS = 255
DATA_URL = re.compile(r"data:([^;,]{0,255})(?:;[^;,]{0,255}){0,8};base64,", re.ASCII)
UNNAMED_FILE = "file"
UNKNOWN_TYPE = "application/octet-stream"
REFERENCES = {
    "file_id": "this service stores no files: send the content as `file_data`",
    "file_url": "files are not fetched: send the content as `file_data`",
}


@dataclass(frozen=True, slots=True)
class InputFile:
    name: str
    media_type: str
    content: bytes


def decode_file(fields: Mapping[str, Any]) -> InputFile:
    """Decodes `file_data`, a data URL or base64 alone, and `filename`. Raises ValueError with a remedy."""
    for name, remedy in REFERENCES.items():
        if fields.get(name) is not None:
            raise ValueError(f"`{name}` is refused: {remedy}")
    data, name = fields.get("file_data"), fields.get("filename") or UNNAMED_FILE
    if not isinstance(data, str) or not isinstance(name, str) or len(name) > NAME_LIMIT_CHARS:
        raise ValueError(f"a file needs `file_data`, and a `filename` of at most {NAME_LIMIT_CHARS} characters")
    head = DATA_URL.match(data)
    try:
        content = base64.b64decode(data[head.end() if head else 0 :], validate=True)
    except (binascii.Error, ValueError) as exc:
        raise ValueError("`file_data` must be a data URL such as `data:application/pdf;base64,…`") from exc
    return InputFile(clean_name(name) or UNNAMED_FILE, (head and head[1]) or UNKNOWN_TYPE, content)


class FileReader(Protocol):
    """The operation of the engine that reads a file."""

    async def read(self, name: str, body: bytes, media_type: str) -> Attachment: ...


async def read_files(engine: FileReader, files: Sequence[InputFile]) -> tuple[Attachment, ...]:
    """Reads the files one after another. Raises UnreadableDocument, and BadRequest if they are too many."""
    if len(files) > FILES_LIMIT:
        raise BadRequest(f"the request has {len(files)} files; the limit is {FILES_LIMIT}")
    return tuple([await engine.read(file.name, file.content, file.media_type) for file in files])
