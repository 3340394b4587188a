"""Encrypted texts: what is stored, who may read it, and keys that are wrong, missing or changed."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
import sqlalchemy as sa
from cryptography.fernet import Fernet

from core.contract import Rating
from core.conversation.exchanges import Question
from core.conversation.owned import OwnedConversations
from core.conversation.sessions import Sessions
from core.errors import ConfigError, StorageError
from core.records import encrypting
from core.storage import encryption
from core.storage.database import Database
from core.storage.encryption import KeyRing, fingerprint_of
from tests.support.databases import dump_tables

ANA = "person:ana"
WORDS = "plutonium quartz é"


def new_key() -> str:
    return Fernet.generate_key().decode()


async def opened(url: str, *keys: str) -> Database:
    database = Database(url, KeyRing.from_text(",".join(keys)) if keys else None)
    await database.upgrade()
    return database


async def ask(database: Database, words: str = WORDS) -> str:
    sessions = Sessions(database)
    name = await sessions.open("whisper", ANA)
    key = await sessions.begin_exchange((await sessions.resume(name, "whisper", ANA)).id, Question(words))
    await sessions.finish_exchange(key, f"answer {words}", "stop")
    await OwnedConversations(database).rate(Rating(name, 1, "bad", f"comment {words}"), ANA)
    return name


async def answers(database: Database, name: str) -> list[str]:
    return [each.answer for each in (await Sessions(database).resume(name, "whisper", ANA)).exchanges]


async def test_no_word_is_stored_in_clear(database_url: str) -> None:
    """Queries and the search work as ever."""
    database = await opened(database_url, new_key())
    name = await ask(database)
    await OwnedConversations(database).change(name, ANA, title="Zirconium")

    assert [f"answer {WORDS}"] == await answers(database, name)
    assert 1 == len(await OwnedConversations(database).list(ANA, "PLUTONIUM"))
    assert 1 == len(await OwnedConversations(database).list(ANA, "zirconium"))
    stored = str(dump_tables(database_url))
    assert not [word for word in ("plutonium", "quartz", "Zirconium") if word in stored]
    await database.close()


@pytest.mark.parametrize("keys", [(), (new_key(),)])
async def test_a_missing_or_wrong_key_refuses_to_start(database_url: str, keys: tuple[str, ...]) -> None:
    """The sentence names the setting."""
    await (await opened(database_url, new_key())).close()
    database = Database(database_url, KeyRing.from_text(keys[0]) if keys else None)

    with pytest.raises(ConfigError, match="RECORDS_KEY_FILE"):
        await database.upgrade()
    await database.close()


async def test_older_texts_are_encrypted_beside_the_service(database_url: str) -> None:
    """Texts from before are readable all the while; once all are encrypted, nothing is left to do."""
    plain = await opened(database_url)
    name = await ask(plain)
    await plain.close()
    database = await opened(database_url, new_key())
    assert [f"answer {WORDS}"] == await answers(database, name)

    await encrypting.run(database)

    assert [f"answer {WORDS}"] == await answers(database, name)
    assert "plutonium" not in str(dump_tables(database_url))
    assert not await database.read(encryption.is_pending)
    assert database.keys
    assert 0 == await encrypting.encrypt_once(database, database.keys)
    await database.close()


async def test_texts_of_an_older_key_are_read_and_encrypted_again(database_url: str) -> None:
    """Then the older key is needed no more."""
    old, new = new_key(), new_key()
    first = await opened(database_url, old)
    name = await ask(first)
    await first.close()
    both = await opened(database_url, new, old)
    assert [f"answer {WORDS}"] == await answers(both, name)
    await encrypting.run(both)
    await both.close()

    last = await opened(database_url, new)

    assert [f"answer {WORDS}"] == await answers(last, name)
    assert fingerprint_of(old) not in str(dump_tables(database_url))
    await last.close()


async def test_a_running_process_notices_a_new_key_in_the_file(database_url: str, tmp_path: Path) -> None:
    """It reads texts of the new key, and encrypts with it."""
    file, old, new = tmp_path / "records.key", new_key(), new_key()
    file.write_text(f"{old}\n")
    running, rotating = Database(database_url, KeyRing.from_file(file)), Database(database_url, KeyRing.from_file(file))
    await running.upgrade()
    await ask(running, "first")
    file.write_text(f"{new}\n{old}\n")
    os.utime(file, ns=(1, 1))
    await ask(rotating, "second")
    await ask(running, "third")

    stored = [str(row["question"]) for row in dump_tables(database_url)["turns"]]
    fingerprints = [text.removeprefix(encryption.PREFIX).partition(":")[0] for text in stored]
    assert [fingerprint_of(old), fingerprint_of(new), fingerprint_of(new)] == fingerprints
    assert 3 == len(await OwnedConversations(running).list(ANA))
    await running.close()
    await rotating.close()


async def test_a_changed_text_is_refused(database_url: str) -> None:
    database = await opened(database_url, new_key())
    name = await ask(database)
    await database.write(
        lambda db: db.execute(sa.text("UPDATE turns SET answer = replace(answer, 'gAAAAA', 'gAAAAB')"))
    )

    with pytest.raises(StorageError, match="was changed in the database"):
        await answers(database, name)
    await database.close()


async def test_a_process_without_the_key_that_still_runs_is_refused(database_url: str) -> None:
    """It started before texts were encrypted."""
    old = await opened(database_url)
    new = await opened(database_url, new_key())
    name = await ask(new)

    with pytest.raises(StorageError, match="set RECORDS_KEY_FILE and restart"):
        await answers(old, name)
    await old.close()
    await new.close()


@pytest.mark.parametrize("words", ["\x02", "\x02abc", "\x02" * 3 + "abc:def", "{}", "[]", "x" * 100_000, "é\U0001f600"])
async def test_any_text_can_be_stored(database_url: str, words: str) -> None:
    """Also one that looks as if it were encrypted, with a key and before there is one."""
    plain = await opened(database_url)
    before = await ask(plain, words)
    await plain.close()
    database = await opened(database_url, new_key())
    after = await ask(database, words)
    await encrypting.run(database)

    assert [f"answer {words}"] == await answers(database, before) == await answers(database, after)
    [question] = (await Sessions(database).resume(after, "whisper", ANA)).exchanges
    assert words == question.question.text
    await database.close()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "there is no key"),
        ("not a key\n", "expected keys of 32 bytes"),
        ("é\n", "cannot be read as lines of keys"),
        (None, "there is no file"),
    ],
)
def test_a_file_without_a_key_is_refused(tmp_path: Path, content: str | None, message: str) -> None:
    """The sentence says what to do."""
    file = tmp_path / "records.key"
    if content is not None:
        file.write_text(content, encoding="utf-8")

    with pytest.raises(ConfigError, match=message):
        KeyRing.from_file(file)
