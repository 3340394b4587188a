"""A CSV file whose rows are facts: each row becomes a document. Pure: bytes in, documents out.

Columns are recognised by their names, in English or French: title, text, url, language, id. Other columns are added to
the text with their names. The first cell is the title of a row without one.
"""

from __future__ import annotations

import csv
import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import count

from core.contract import Language
from core.errors import UnreadableDocument
from core.language import detect_language
from core.rag.documents import Document
from core.rag.passages import cut_blocks
from core.rag.reading.charset import decode
from core.rag.reading.raw_document import TITLE_LIMIT_CHARS
from core.rag.reading.tables.csv_table import csv_reader
from core.rag.reading.text import markdown
from core.rag.stemming import folded_words

ROWS_LIMIT = 200_000
COLUMNS: Mapping[str, frozenset[str]] = {
    "title": frozenset(("title", "titre", "name", "nom", "question", "subject", "sujet")),
    "text": frozenset(("text", "texte", "content", "contenu", "body", "answer", "reponse", "description")),
    "url": frozenset(("url", "link", "lien")),
    "language": frozenset(("language", "langue", "lang")),
    "id": frozenset(("id", "key", "cle", "identifier", "identifiant")),
}
LANGUAGES: Mapping[str, Language] = {"en": "en", "fr": "fr", "eng": "en", "fra": "fr", "fre": "fr",
                                     "english": "en", "french": "fr", "anglais": "en", "francais": "fr"}  # fmt: skip


@dataclass(frozen=True, slots=True)
class FactRow:
    """A row, by the meaning of its columns."""

    key: str
    digest: str
    title: str
    text: str
    url: str | None
    language: Language | None

    def document(self) -> Document:
        passages = cut_blocks(markdown.parse_markdown(self.text))
        language = self.language or detect_language(f"{self.title}. {self.text}")
        return Document(self.title, passages, "table", language, self.url)


def parse_rows(body: bytes, charset: str | None = None) -> list[FactRow]:
    """Parses the rows. Each gets a key of its own: its id or URL, else its digest. Raises UnreadableDocument."""
    source = decode(body, charset)
    reader = csv_reader(source)
    try:
        header = next(reader, [])
        roles = column_roles(header)
        limited = limit_rows(reader)
        rows = [build_row(header, roles, cells) for cells in limited if any(cell.strip() for cell in cells)]
    except csv.Error as exc:
        raise UnreadableDocument(f"this CSV file cannot be read: line {reader.line_num}: {exc}", "damaged") from exc
    return list(with_unique_keys(rows))


def limit_rows(rows: Iterator[list[str]]) -> Iterator[list[str]]:
    """A part of a collection would be taken for all of it, so a longer file is refused."""
    for count_before, each in enumerate(rows):
        if count_before >= ROWS_LIMIT:
            raise UnreadableDocument(f"this CSV file has more than {ROWS_LIMIT:,} rows: give it in parts", "large")
        yield each


def column_roles(header: Sequence[str]) -> list[str]:
    """Returns the role of each column: a key of COLUMNS, or "" for other columns and repeated ones."""
    roles: list[str] = []
    for name in header:
        folded = "".join(folded_words(name))
        role_found = next((role for role, names in COLUMNS.items() if folded in names and role not in roles), "")
        roles.append(role_found)
    return roles


def build_row(header: Sequence[str], roles: Sequence[str], cells: Sequence[str]) -> FactRow:
    fields: dict[str, str] = {}
    others = []
    for name, role, cell in zip(header, roles, cells, strict=False):
        value = cell.strip()
        if role:
            fields[role] = value
        elif value:
            others.append(f"{name.strip()}: {value}")
    text = "\n\n".join(part for part in (fields.get("text", ""), *others) if part)
    title = fields.get("title") or next((cell.strip() for cell in cells if cell.strip()), "")
    digest = hashlib.sha256("\0".join([*header, *cells]).encode("utf-8", "replace")).hexdigest()
    language = LANGUAGES.get("".join(folded_words(fields.get("language", ""))))
    url = fields["url"] if fields.get("url", "").startswith(("http://", "https://")) else None
    key = fields.get("id") or url or digest[:16]
    return FactRow(key, digest, title[:TITLE_LIMIT_CHARS], text or title, url, language)


def with_unique_keys(rows: Sequence[FactRow]) -> Iterator[FactRow]:
    """Renames the second row of a key to "key 2", or the next free number. Drops rows that repeat."""
    used_keys = {row.key for row in rows}
    numbers: dict[str, int] = {}
    digests: set[str] = set()
    for row in rows:
        if row.digest in digests:
            continue
        digests.add(row.digest)
        key = row.key
        if row.key in numbers:
            free = (number for number in count(numbers[row.key] + 1) if f"{row.key} {number}" not in used_keys)
            numbers[row.key] = next(free)
            key = f"{row.key} {numbers[row.key]}"
        used_keys.add(key)
        numbers.setdefault(row.key, 1)
        yield replace(row, key=key)
