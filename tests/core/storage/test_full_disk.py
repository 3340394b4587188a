"""A database that cannot write tells the cause."""

from __future__ import annotations

import errno
from pathlib import Path

import pytest
import sqlalchemy as sa

from core.errors import StorageError
from core.storage import database as storage
from core.storage.database import Database


async def fill(database: Database) -> None:
    """Writes more than the pages that the database may have, as on a full disk."""

    def work(db: sa.Connection) -> None:
        db.exec_driver_sql("PRAGMA max_page_count = 8")
        db.exec_driver_sql("CREATE TABLE words (text)")
        db.exec_driver_sql("INSERT INTO words VALUES (zeroblob(1000000))")

    await database.write(work)


@pytest.mark.parametrize("fault", [errno.EDQUOT, errno.EROFS, errno.EACCES, None])
async def test_a_refused_write_tells_the_cause(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fault: int | None
) -> None:
    """SQLite knows one error for a full disk and an exhausted quota; the disk itself is asked for the cause."""
    monkeypatch.setattr(storage, "find_disk_fault", lambda _folder: OSError(fault, "") if fault else None)
    expected = {errno.EDQUOT: "quota", errno.EROFS: "read-only", errno.EACCES: "permissions", None: "the disk is full"}
    database = Database(f"sqlite:///{tmp_path / 'test.db'}")
    with pytest.raises(StorageError, match=f"the database refused: .*{expected[fault]}"):
        await fill(database)
    await database.close()


async def test_an_error_of_ours_has_no_cause_in_the_disk(tmp_path: Path) -> None:
    """The disk is not asked about a wrong statement."""
    database = Database(f"sqlite:///{tmp_path / 'test.db'}")
    with pytest.raises(StorageError, match="no such table"):
        await database.read(lambda db: db.exec_driver_sql("SELECT * FROM missing_words").all())
    await database.close()


def test_a_file_that_cannot_be_created_tells_the_cause(tmp_path: Path) -> None:
    """The kernel refuses a name of 300 letters."""
    with pytest.raises(StorageError, match="the path is too long"):
        Database(f"sqlite:///{tmp_path / ('x' * 300)}")
