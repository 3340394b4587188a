"""Reads the page's files once, at the start, as one version with a name. Knows no HTTP.

Browsers keep a version's files for good, because their addresses contain its name. A file that changes while the
service runs belongs to the next start: nobody gets a page of old and new files.
"""

from __future__ import annotations

import gzip
import hashlib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from html import escape
from pathlib import Path

from web.module_imports import modules_needed

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
OWN_FILE = re.compile(r'\b(href|src)="([^"#:?]+)"')
MODULE = re.compile(r'<script type="module" src="([^"]+)"')


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


def read_version(folder: Path, texts: Mapping[str, str], root: str) -> PageVersion:
    """`texts`: further files by their path. `root`: the address of the service, "./" or a path with slashes around."""
    contents = {path: (folder / path).read_bytes() for path in servable_files(folder)}
    contents |= {path: text.encode() for path, text in texts.items()}
    name = digest(contents)
    files = {path: PageFile(content, content_type(path)) for path, content in contents.items()}
    documents = {path: files.pop(path) for path in contents if path.endswith(".html")}
    return PageVersion(
        name,
        files,
        {path: PageFile(link(each, name, files, root), each.content_type) for path, each in documents.items()},
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


def link(document: PageFile, version: str, files: Mapping[str, PageFile], root: str) -> bytes:
    """Lets a document refer to this version's files, and to all modules that it needs at first."""
    html = document.content.decode()
    folder = f"{'' if root == './' else root}static/{version}/"
    modules = [path for entry in MODULE.findall(html) for path in modules_needed(entry, lambda p: source(files, p))]
    linked = OWN_FILE.sub(lambda m: f'{m[1]}="{folder}{m[2]}"' if m[2] in files else m[0], html)
    head = [f'<meta name="service" content="{escape(root)}">']
    head += [f'<link rel="modulepreload" href="{folder}{escape(path)}">' for path in dict.fromkeys(modules)]
    return linked.replace("</head>", "".join(f"  {each}\n" for each in head) + "</head>", 1).encode()


def source(files: Mapping[str, PageFile], path: str) -> str | None:
    return files[path].content.decode() if path in files else None
