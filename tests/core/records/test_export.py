"""Exports: their files, what they select, and that changes are seen. Pages have no markup of people."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from lxml import html

from core.records.archive import MANIFEST, ArchiveWriter, Verification, verify
from core.records.export import RecordsReader, Selection
from core.records.export_files import ExportFiles
from core.records.subjects import EVERYBODY, Subject, find_conversation, find_user
from tests.core.records.support_records import ANA, BOB, DAY_S, NOW, People

HOSTILE = "<script>alert(1)</script> \"'&<img src=x onerror=alert(1)> \ud800"
DESCRIPTION = {"subject": "everybody", "at": "2026-04-01T00:00:00+00:00", "who": "dan@host"}


async def export(
    people: People, folder: Path, subject: Subject = EVERYBODY, since: float | None = None, until: float | None = None
) -> Path:
    path = folder / "export.zip"
    (folder / "parts").mkdir(exist_ok=True)
    files = ExportFiles(ArchiveWriter(path, Ed25519PrivateKey.generate()), folder / "parts")
    await files.write(RecordsReader(people.database, Selection(subject, since, until)), DESCRIPTION)
    return path


def lines(path: Path, name: str) -> list[dict[str, Any]]:
    with zipfile.ZipFile(path) as archive:
        return [json.loads(line) for line in archive.read(f"{name}.jsonl").splitlines()]


async def test_an_export_has_everything_that_is_stored(people: People, tmp_path: Path) -> None:
    """Questions, answers, files, sources and ratings of the page; messages to bots and feedback on their answers."""
    await people.ask(ANA, "words")
    await people.ask_bot("U1", "bot words")
    path = await export(people, tmp_path)

    web, bot = lines(path, "conversations")
    [exchange] = web["exchanges"]
    assert ("named words", "context words", "whisper") == (web["title"], web["context"], web["personality"])
    assert ("words", "answer words", "toy", "2023-11-14T22:13:20+00:00") == (
        exchange["question"],
        exchange["answer"],
        exchange["model"],
        exchange["asked_at"],
    )
    assert "file words" == exchange["attachments"][0]["text"]
    assert "https://example.gc.ca/leave" == exchange["sources"][0]["url"]
    assert {"verdict": "bad", "comment": "comment words"}.items() <= exchange["rating"].items()
    assert "bot words" == bot["exchanges"][0]["question"]
    assert "bot words" == lines(path, "deliveries")[0]["message"]["text"]
    assert "comment bot words" == lines(path, "feedback")[0]["comment"]


async def test_an_export_selects_by_person_conversation_and_day(people: People, tmp_path: Path) -> None:
    """A conversation is exported with its exchanges of that time alone."""
    name = await people.ask(ANA, "first")
    await people.ask(BOB, "other")
    people.clock.now += 2 * DAY_S
    await people.ask(ANA, "second")

    async def questions(subject: Subject, since: float | None = None, until: float | None = None) -> list[str]:
        found = lines(await export(people, tmp_path, subject, since, until), "conversations")
        return [exchange["question"] for each in found for exchange in each["exchanges"]]

    ana = find_user("ana@example.gc.ca")
    assert ["first", "second"] == await questions(ana)
    assert ["first"] == await questions(find_conversation(name))
    assert ["second"] == await questions(ana, since=NOW + DAY_S)
    assert ["first"] == await questions(ana, until=NOW + DAY_S)
    assert [] == await questions(ana, since=NOW + DAY_S, until=NOW + DAY_S + 1)
    assert ["first", "other", "second"] == await questions(EVERYBODY)


async def test_pages_show_the_words_and_no_markup_of_people(people: People, tmp_path: Path) -> None:
    """Each page has a language, a title, one first heading, and a policy that forbids scripts."""
    await people.ask(ANA, HOSTILE.replace("\ud800", ""))
    await people.ask_bot("U1", HOSTILE.replace("\ud800", ""))
    path = await export(people, tmp_path)
    with zipfile.ZipFile(path) as archive:
        pages = {name: archive.read(name).decode() for name in archive.namelist() if name.endswith(".html")}

    assert {"index.html", "feedback.html", "html/1.html", "html/2.html"} == set(pages)
    for page in pages.values():
        tree = html.fromstring(page)
        assert [] == tree.xpath("//script | //img | //@onerror")
        assert "en" == tree.get("lang")
        assert 1 == len(tree.xpath("//h1"))
        assert tree.xpath("//title/text()")
        assert "default-src 'none'" in tree.xpath("//meta[@http-equiv]/@content")[0]
    assert "<script>alert(1)</script>" in html.fromstring(pages["html/1.html"]).text_content()
    assert html.fromstring(pages["html/1.html"]).xpath("//h2/span[@lang='fr']")


async def test_links_of_the_index_lead_to_pages(people: People, tmp_path: Path) -> None:
    await people.ask(ANA, "words")
    path = await export(people, tmp_path)
    with zipfile.ZipFile(path) as archive:
        links = html.fromstring(archive.read("index.html").decode()).xpath("//a/@href")
        assert {"html/1.html", "feedback.html"} == set(links) <= set(archive.namelist())


async def test_a_fresh_export_is_genuine(people: People, tmp_path: Path) -> None:
    await people.ask(ANA, "words")
    found = verify(await export(people, tmp_path))

    assert found.problem is None
    assert found.manifest is not None
    assert DESCRIPTION.items() <= found.manifest.items()
    assert {"conversations.jsonl": 1, "deliveries.jsonl": 0, "feedback.jsonl": 0, "held_copies.jsonl": 0} == (
        found.manifest["records"]
    )


def rewrite(path: Path, changes: dict[str, bytes | None], added: dict[str, bytes]) -> Verification:
    """Verifies a copy of the archive with other files. None removes one."""
    copy = path.with_name("copy.zip")
    with zipfile.ZipFile(path) as old, zipfile.ZipFile(copy, "w") as new:
        for name in old.namelist():
            content = changes.get(name, old.read(name))
            if content is not None:
                new.writestr(name, content)
        for name, content in added.items():
            new.writestr(name, content)
    return verify(copy)


@pytest.mark.parametrize(
    ("changes", "added", "problem"),
    [
        ({"conversations.jsonl": b"{}"}, {}, "conversations.jsonl"),
        ({"index.html": None}, {}, "index.html"),
        ({}, {"more.txt": b"x"}, "more.txt"),
        ({MANIFEST: b"{}"}, {}, MANIFEST),
        ({"manifest.sig": b"no hex"}, {}, MANIFEST),
        ({"public_key.pem": b"no key"}, {}, MANIFEST),
        ({"manifest.sig": None}, {}, "manifest.sig"),
    ],
)
async def test_a_changed_export_is_not_genuine(
    people: People, tmp_path: Path, changes: dict[str, bytes | None], added: dict[str, bytes], problem: str
) -> None:
    """A file that is changed, removed or added; the manifest, its signature and the key."""
    await people.ask(ANA, "words")

    assert problem == rewrite(await export(people, tmp_path), changes, added).problem


async def test_an_export_signed_by_another_key_names_that_key(people: People, tmp_path: Path) -> None:
    """Whoever makes a whole archive anew cannot sign it as this service."""
    first = verify(await export(people, tmp_path))
    second = verify(await export(people, tmp_path))

    assert first.key != second.key
