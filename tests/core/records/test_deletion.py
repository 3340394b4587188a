"""Deletion with proof: all of a person's records go, others stay, and nothing of them is in any file."""

from __future__ import annotations

import json
from dataclasses import asdict
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from core.records import deletion
from core.records.deletion import Deletion, DeletionProof
from core.records.signing_key import is_signed, public_pem
from core.records.subjects import Subject, find_conversation, find_user
from core.runtime.digest import hash_id
from core.storage.database import Database
from tests.core.records.support_records import ANA, BOB, DAY_S, NOW, Clock, People, found_in
from tests.support.databases import dump_tables
from tests.support.purging import purge

KEY = Ed25519PrivateKey.generate()
WORDS = "plutonium-quartz"


async def delete(people: People, subject: Subject) -> Deletion:
    return await people.database.erase(lambda db: deletion.delete(db, subject, "dan@host", "request 17", KEY, NOW))


async def test_all_of_a_person_is_deleted(people: People, database_url: str) -> None:
    """Other people's records stay. The proof counts rows and names ids by hashes."""
    name = await people.ask(ANA, WORDS)
    await people.ask(BOB, "other words")

    proof = (await delete(people, find_user("Ana@example.gc.ca"))).proof

    tables = dump_tables(database_url)
    assert WORDS not in str(tables)
    assert "other words" in str(tables["turns"])
    assert {"conversations": 1, "turns": 1, "turn_ratings": 1} == proof.rows
    assert (hash_id(name),) == proof.conversations
    assert ("dan@host", "request 17", "2023-11-14T22:13:20+00:00") == (proof.who, proof.reason, proof.at)


@pytest.mark.parametrize("name", ["slack:U1", "slack:T1:U1"])
async def test_all_of_a_persons_questions_to_a_bot_are_deleted(people: People, database_url: str, name: str) -> None:
    """Their conversations go as a whole, with messages of others in them; other conversations stay."""
    await people.ask_bot("U1", WORDS, 1)
    await people.ask_bot("U2", f"about {WORDS}", 2)
    await people.ask_bot("U2", "other words", 3, "2.0")

    proof = (await delete(people, find_user(name))).proof

    assert WORDS not in str(dump_tables(database_url))
    assert {"deliveries": 2, "feedback": 2, "conversations": 1, "turns": 2} == proof.rows
    assert 1 == len(dump_tables(database_url)["deliveries"])


async def test_one_conversation_is_deleted(people: People, database_url: str) -> None:
    """By its id, and by its hash."""
    first, second = await people.ask(ANA, "first words"), await people.ask(ANA, "second words")
    await people.ask(ANA, "third words")

    await delete(people, find_conversation(first))
    await delete(people, find_conversation(hash_id(second)))

    assert ["third words"] == [row["question"] for row in dump_tables(database_url)["turns"]]


async def test_a_proof_is_stored_and_signed(people: People) -> None:
    """A proof that was changed does not verify. It has no words and no name."""
    await people.ask(ANA, WORDS)
    await delete(people, find_user("ana@example.gc.ca"))

    [proof] = await people.database.read(deletion.find_proofs)

    signature = bytes.fromhex(proof.signature)
    assert is_signed(public_pem(KEY), signature, proof.signed_content())
    changed = DeletionProof(**{**asdict(proof), "rows": {}})
    assert not is_signed(public_pem(KEY), signature, changed.signed_content())
    assert not {WORDS, "ana@"} & set(json.dumps(asdict(proof)).split())


async def test_nothing_to_delete_is_proved_too(people: People) -> None:
    assert {} == (await delete(people, find_user("nobody@example.gc.ca"))).proof.rows


async def test_files_of_jobs_and_pages_are_deleted(people: People, tmp_path: Path) -> None:
    """The page that the conversation cites, and searches, whose addresses have its words. Other pages stay."""
    await people.ask(ANA, WORDS)
    incoming = await people.ask_bot("U1", WORDS)
    record = await people.store.latest_answer(incoming.place, before=1000)
    assert record is not None
    job = tmp_path / "jobs" / "slack" / record.delivery.answer_id / "rows"
    job.parent.mkdir(parents=True)
    job.write_text(WORDS)
    pages = tmp_path / "pages"
    pages.mkdir()
    for number, url in enumerate(("https://example.gc.ca/leave", "https://a.ca/?q=words", "https://b.ca/other")):
        head = {"url": url, "media_type": "text/html", "charset": None, "fetched_at": "2026-01-01T00:00:00+00:00"}
        (pages / f"{number}.page").write_bytes(json.dumps({**head, "body": 1}).encode() + b"\nx")

    for name in ("ana@example.gc.ca", "slack:U1"):
        deletion.delete_files(tmp_path, await delete(people, find_user(name)))

    assert not job.parent.exists()
    assert ["2.page"] == [path.name for path in pages.iterdir()]


@pytest.fixture
async def on_disk(tmp_path: Path) -> People:
    """People on an SQLite database, whose files a test reads."""
    database = Database(f"sqlite:///{tmp_path / 'csps-llm.db'}")
    await database.upgrade()
    return People(database, Clock())


@pytest.mark.parametrize("how", ["person", "person, all", "bot", "purge", "operator", "operator, bot"])
async def test_deleted_words_are_in_no_file(on_disk: People, tmp_path: Path, how: str) -> None:
    """While the database is open: neither in it nor in its write-ahead log."""
    people = on_disk
    name = await people.ask(ANA, WORDS)
    await people.ask(BOB, "other words")
    incoming = await people.ask_bot("U1", "bot-words")
    words = "bot-words" if "bot" in how else WORDS
    assert found_in(tmp_path, words) != []

    match how:
        case "person":
            await people.sessions.forget(name, ANA)
        case "person, all":
            await people.sessions.forget_all(ANA)
        case "bot":
            await people.sessions.forget(incoming.place.conversation)
            await people.store.forget(incoming.place)
        case "purge":
            await purge(people.database, timedelta(days=30), NOW + 40 * DAY_S)
        case "operator":
            await delete(people, find_user("ana@example.gc.ca"))
        case _:
            await delete(people, find_user("slack:U1"))

    assert [] == found_in(tmp_path, words)
    await people.database.close()
    assert [] == found_in(tmp_path, words)
