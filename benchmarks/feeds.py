"""Reads the feeds of feedparser's own test suite, and checks what they say of titles, links, dates and texts.

Each file of the suite states in a comment what a parser must find in it, such as
`entries[0]['title'] == 'Example Atom'`. A check applies if it compares one of these fields to a literal:

- the title or link of the feed, or of an entry;
- the date of an entry: `published_parsed`, else `updated_parsed`, else `created_parsed`, because a document shows one;
- the summary, description or content of an entry.

The dates that the suite's program lists count as well. A check does not apply if the literal has no word or is no
address of the Web, because a document has neither. Texts are compared as words, because documents have no markup. A
check passes if the words stand together in the passages, the address is that of a passage or of the document, or the
moment is the same.

    .venv/bin/python -m benchmarks.feeds [--failures]
"""

from __future__ import annotations

import argparse
import ast
import codecs
import re
from calendar import timegm
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urljoin

from core.errors import UnreadableDocument
from core.rag.documents import Document
from core.rag.reading.feeds.entries import title_line
from core.rag.reading.feeds.xml_feed import parse_feed
from core.rag.reading.raw_document import RawDocument
from tests.support.packages import Package, fetch

TARGET = 0.98
SUITE = Package(
    "pypi",
    "feedparser",
    "6.0.14",
    "088679b0c4b543ee211a820dd544698c76a402122eae7473c04a43425f283d06",
    ("--no-binary", "feedparser", "--no-build-isolation"),
)
BASE = "http://127.0.0.1:8097/"  # the suite's own server
HEADER = re.compile(rb"^Header:\s+([^:]+):(.+)$", re.MULTILINE)
EXPECTATION = re.compile(rb"Expect:\s*(.*)\s*-->")
SKIP_UNLESS = re.compile(rb"SkipUnless:\s*__import__\('codecs'\)\.lookup\('([^']+)'\)")
WORD = re.compile(r"\w+")
TEXTS = ("title", "summary", "description", "value")
DATES = ("published_parsed", "updated_parsed", "created_parsed")
FieldPath = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class FeedCheck:
    """A field of a feed, such as ("entries", 0, "title"), and its expected value."""

    file: str
    path: FieldPath
    expected: object

    @property
    def field(self) -> str:
        return "text" if self.path[-1] in TEXTS[1:] else "date" if self.path[-1] in DATES else str(self.path[-1])


def read_suite() -> Iterator[tuple[RawDocument, list[FeedCheck]]]:
    """Yields each feed with the checks that apply to it. Raises PackageNotFetched."""
    (folder,) = fetch(SUITE).glob("feedparser-*/tests")
    yield from read_date_tests(folder / "runtests.py")
    for file in sorted(folder.rglob("*.xml")):
        body = file.read_bytes()
        name = str(file.relative_to(folder))
        expectation = EXPECTATION.search(body)
        if (
            expectation
            and is_possible(body)
            and (checks := parse_checks(name, expectation[1].decode("utf-8", "replace")))
        ):
            yield to_raw(name, body), checks


def read_date_tests(program: Path) -> Iterator[tuple[RawDocument, list[FeedCheck]]]:
    """Yields a feed for each date that the suite's program lists with its moment."""
    for node in ast.walk(ast.parse(program.read_text(encoding="utf-8"))):
        if not isinstance(node, ast.Assign) or ast.unparse(node.targets[0]) != "date_tests":
            continue
        assert isinstance(node.value, ast.Dict)
        for written, moment in (case for value in node.value.values for case in ast.literal_eval(value)):
            if moment is not None and written:
                body = f"<rss><channel><item><title>t</title><pubDate>{written}</pubDate></item></channel></rss>"
                yield RawDocument(body.encode()), [FeedCheck(written, ("entries", 0, "published_parsed"), moment)]


def is_possible(body: bytes) -> bool:
    """Tells whether this Python knows the charset that the suite asks for before it runs the file."""
    needed = SKIP_UNLESS.search(body)
    try:
        return needed is None or bool(codecs.lookup(needed[1].decode()))
    except LookupError:
        return False


def to_raw(name: str, body: bytes) -> RawDocument:
    headers = {key.decode().lower(): value.decode().strip() for key, value in HEADER.findall(body)}
    media_type, _, parameters = headers.get("content-type", "application/xml").partition(";")
    charset = re.search(r"charset=[\"']?([^\s;\"']+)", parameters)
    url = urljoin(f"{BASE}tests/{name}", headers.get("content-location", ""))
    return RawDocument(body, media_type.strip(), url=url, charset=charset[1] if charset else None)


def parse_checks(name: str, expression: str) -> list[FeedCheck]:
    try:
        tree = ast.parse(expression.strip(), mode="eval")
    except SyntaxError:
        return []
    found = [check for node in ast.walk(tree) if (check := parse_comparison(name, node))]
    entry_dates = [DATES.index(str(check.path[-1])) for check in found if check.field == "date"]
    shown = DATES[min(entry_dates, default=0)]
    return [check for check in found if check.field != "date" or check.path[-1] == shown]


def parse_comparison(name: str, node: ast.AST) -> FeedCheck | None:
    if not isinstance(node, ast.Compare) or not isinstance(node.ops[0], ast.Eq):
        return None
    path = parse_path(node.left)
    try:
        expected = ast.literal_eval(node.comparators[0])
    except ValueError:
        return None
    check = FeedCheck(name, path, expected)
    return check if applies(check) else None


def parse_path(node: ast.expr) -> FieldPath:
    """Reads `entries[0].content[0]['value']`."""
    if isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Constant):
        return (*parse_path(node.value), node.slice.value)  # type: ignore[arg-type]
    if isinstance(node, ast.Attribute):
        return (*parse_path(node.value), node.attr)
    return (node.id,) if isinstance(node, ast.Name) else ()


def applies(check: FeedCheck) -> bool:
    match check.path:
        case ("feed" | "channel", "title") | ("entries", _, "title" | "summary" | "description"):
            return bool(words_of(check.expected))
        case ("entries", _, "content", _, "value"):
            return bool(words_of(check.expected))
        case ("feed" | "channel", "link") | ("entries", _, "link"):
            return str(check.expected).startswith(("http://", "https://"))
        case ("entries", _, "published_parsed" | "updated_parsed" | "created_parsed"):
            return isinstance(check.expected, tuple)
        case _:
            return False


def words_of(text: object) -> list[str]:
    return WORD.findall(title_line(str(text)).casefold()) if isinstance(text, str) else []


def passes(check: FeedCheck, document: Document) -> bool:
    is_feed = check.path[0] != "entries"
    if check.field == "link":
        links = [document.url] if is_feed else [passage.link for passage in document.passages]
        return check.expected in links
    if check.field == "date":
        assert isinstance(check.expected, tuple)
        moment = datetime.fromtimestamp(timegm(check.expected), UTC)
        return any(passage.published_at == moment for passage in document.passages)
    found = document.title if is_feed else "\n".join(f"{each.heading}\n{each.text}" for each in document.passages)
    # Signs that stand for themselves in a cell or a formula have no words.
    expected, words = words_of(check.expected), WORD.findall(found.casefold())
    return f" {' '.join(expected)} " in f" {' '.join(words)} "


def read(raw: RawDocument) -> Document:
    try:
        return parse_feed(raw)
    except UnreadableDocument:
        return Document("", (), "feed")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--failures", action="store_true", help="also a line for each check that fails")
    options = parser.parse_args()
    checked, passed = Counter[str](), Counter[str]()
    for raw, checks in read_suite():
        document = read(raw)
        for check in checks:
            checked[check.field] += 1
            if passes(check, document):
                passed[check.field] += 1
            elif options.failures:
                print(f"{check.file}: {check.path} == {check.expected!r}; {document}"[:600])
    for field, count in checked.items():
        print(f"{field:6} {passed[field]:5} of {count:5} {passed[field] / count:8.2%}")
    share = passed.total() / checked.total()
    print(f"all    {passed.total():5} of {checked.total():5} {share:8.2%}; target {TARGET:.0%}")
    if share < TARGET:
        raise SystemExit(1)


if __name__ == "__main__":
    main()
