"""Keeps API keys and what they used. Every method may raise StorageError."""

from __future__ import annotations

import hmac
import json
import time
from collections.abc import Callable
from dataclasses import asdict
from typing import Any

import sqlalchemy as sa

from core.access.api_keys import ApiKey, digest, id_of
from core.access.tables import api_key_days, api_keys
from core.errors import ConfigError, NotFound
from core.storage.database import Database
from core.storage.rows import INSERT

DAY_S = 24 * 60 * 60
KEPT_DAYS = 62  # of counted tokens
USED_STEP_S = 60.0  # the last use is stored once in this time


class ApiKeyStore:
    """`now`: seconds since 1970."""

    def __init__(self, database: Database, now: Callable[[], float] = time.time) -> None:
        self._database = database
        self.now = now

    async def create(self, key: ApiKey, secret: str) -> None:
        """`secret`: the whole key. Raises ConfigError if another key, also a revoked one, has the name."""

        def insert(db: sa.Connection) -> bool:
            if db.execute(sa.select(api_keys.c.id).where(api_keys.c.name == key.name)).first():
                return False
            row = asdict(key) | {"scopes": json.dumps(key.scopes), "names": json.dumps(key.names)}
            db.execute(api_keys.insert().values(row | {"digest": digest(secret)}))
            return True

        if not await self._database.write(insert):
            raise ConfigError(f"--name: there is a key named {key.name}; `csps-llm keys list` shows all")

    async def list(self) -> list[ApiKey]:
        """All keys, by name."""
        rows = await self._database.read(lambda db: db.execute(api_keys.select().order_by(api_keys.c.name)).all())
        return [build_key(row) for row in rows]

    async def revoke(self, name: str) -> None:
        """Raises NotFound if no valid key has the name."""
        mine = sa.and_(api_keys.c.name == name, api_keys.c.revoked_at.is_(None))
        change = api_keys.update().where(mine).values(revoked_at=self.now())
        if not await self._database.write(lambda db: db.execute(change).rowcount):
            raise NotFound(f"no key that could be revoked is named {name}")

    async def find(self, secret: str) -> ApiKey | None:
        """The valid key that a program sent; None: it is unknown, expired or revoked."""
        key_id = id_of(secret)
        if key_id is None:
            return None
        row = await self._database.read(lambda db: db.execute(api_keys.select().where(api_keys.c.id == key_id)).first())
        if row is None or not hmac.compare_digest(row.digest, digest(secret)):
            return None
        key = build_key(row)
        return key if key.is_valid(self.now()) else None

    async def find_named(self, name: str) -> ApiKey | None:
        """The valid key of this name."""
        row = await self._database.read(lambda db: db.execute(api_keys.select().where(api_keys.c.name == name)).first())
        key = build_key(row) if row else None
        return key if key and key.is_valid(self.now()) else None

    async def note_use(self, key: ApiKey) -> None:
        """Stores the time of the last use, to the minute."""
        now = self.now()
        is_old = sa.or_(api_keys.c.used_at.is_(None), api_keys.c.used_at < now - USED_STEP_S)
        change = api_keys.update().where(api_keys.c.id == key.id, is_old).values(used_at=now)
        await self._database.write(lambda db: db.execute(change).rowcount)

    async def count_tokens(self, key_id: str, tokens: int) -> None:
        """Adds to the tokens of today."""
        today = int(self.now() // DAY_S)

        def add(db: sa.Connection) -> None:
            row = INSERT[db.dialect.name](api_key_days).values(key=key_id, day=today, tokens=tokens)
            sums = {"tokens": api_key_days.c.tokens + row.excluded.tokens}
            db.execute(row.on_conflict_do_update(index_elements=api_key_days.primary_key.columns, set_=sums))
            db.execute(api_key_days.delete().where(api_key_days.c.day < today - KEPT_DAYS))

        await self._database.write(add)

    async def tokens_today(self, key_id: str) -> int:
        mine = sa.and_(api_key_days.c.key == key_id, api_key_days.c.day == int(self.now() // DAY_S))
        found = await self._database.read(lambda db: db.execute(sa.select(api_key_days.c.tokens).where(mine)).scalar())
        return int(found or 0)


def build_key(row: Any) -> ApiKey:
    fields = {name: value for name, value in row._mapping.items() if name != "digest"}
    return ApiKey(**fields | {"scopes": tuple(json.loads(row.scopes)), "names": tuple(json.loads(row.names))})
