"""Reads the page's files once, at the start, as one version with a name. Knows no HTTP.

Browsers keep a version's files for good, because their addresses contain its name. A file that changes while the
service runs belongs to the next start: nobody gets a page of old and new files.
"""

from __future__ import annotations

import gzip
import hashlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from core.contract import Language
from web.page_documents import Completion

# Fixed: a machine's own table may call JavaScript text/plain, and browsers then refuse to run it.
CONTENT_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".ftl": "text/plain; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".ico": "image/x-icon",
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".mjs": "text/javascript; charset=utf-8",
    ".png": "image/png",
    ".svg": "image/svg+xml",
    ".txt": "text/plain; charset=utf-8",
    ".webmanifest": "application/manifest+json",
    ".woff2": "font/woff2",
}
NAME_CHARS = 16


@dataclass(frozen=True)
class PageFile:
    content: bytes
    content_type: str

    @cached_property
    def digest(self) -> str:
        return hashlib.sha256(self.content).hexdigest()[:32]

    @cached_property
    def gzipped(self) -> bytes | None:
        """The compressed content; None if it is not smaller."""
        compressed = gzip.compress(self.content, mtime=0)
        return compressed if len(compressed) < len(self.content) else None


@dataclass(frozen=True)
class PageVersion:
    """`files`: by their path below /static/<name>/. `documents`: the HTML files of the folder, which refer to those."""

    name: str
    files: Mapping[str, PageFile]
    documents: Mapping[str, PageFile]


def read_version(
    folder: Path, texts: Mapping[str, str], root: str, text: Callable[[str, Language], str]
) -> PageVersion:
    """`texts`: further files by their path. `root` and `text`: as in `Completion`."""
    contents = {path: (folder / path).read_bytes() for path in servable_files(folder)}
    contents |= {path: source.encode() for path, source in texts.items()}
    files = {path: PageFile(content, content_type(path)) for path, content in contents.items()}
    documents = {path: files.pop(path) for path in contents if path.endswith(".html")}
    sources = {path: file.content.decode() for path, file in files.items() if path.endswith((".js", ".mjs"))}
    completion = Completion(root, digest(contents), frozenset(files), sources, text)
    return PageVersion(
        completion.version,
        files,
        {
            path: PageFile(completion.complete(each.content.decode()).encode(), each.content_type)
            for path, each in documents.items()
        },
    )


def servable_files(folder: Path) -> Iterator[str]:
    """Yields the path of each file of a known type. A link that leads out of the folder is none of them."""
    folder = folder.resolve()
    for path in sorted(folder.rglob("*")):
        if path.suffix in CONTENT_TYPES and path.is_file() and path.resolve().is_relative_to(folder):
            yield path.relative_to(folder).as_posix()


def digest(contents: Mapping[str, bytes]) -> str:
    """Returns a name that no other set of files has."""
    total = hashlib.sha256()
    for path, content in sorted(contents.items()):
        total.update(f"{path}\0{len(content)}\0".encode() + content)
    return total.hexdigest()[:NAME_CHARS]


def content_type(path: str) -> str:
    return CONTENT_TYPES[Path(path).suffix]
