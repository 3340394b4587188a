"""Empty databases, one for each way of comparing vectors."""

from __future__ import annotations

from itertools import count
from pathlib import Path

import pytest
import sqlalchemy as sa

from tests.support.databases import execute

NUMBERS = count(1)


@pytest.fixture(params=["sqlite", "postgresql", "pgvector"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """`pgvector`: PostgreSQL where this user may create the extension; `postgresql`: where this user may not."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'facts.db'}"
    return str(request.getfixturevalue("postgresql_url" if request.param == "pgvector" else "plain_url"))


@pytest.fixture
def plain_url(postgresql_url: str) -> str:
    """Connects as a user who may create tables but no extension."""
    user = f"plain{next(NUMBERS)}"
    execute(postgresql_url, f"CREATE ROLE {user} LOGIN", f"GRANT ALL ON SCHEMA public TO {user}")
    return sa.make_url(postgresql_url).set(username=user).render_as_string(hide_password=False)
