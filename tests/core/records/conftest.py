"""People's records on each kind of database."""

from __future__ import annotations

import pytest

from core.storage.database import Database
from tests.core.records.support_records import Clock, People


@pytest.fixture
async def people(database: Database) -> People:
    await database.upgrade()
    return People(database, Clock())
