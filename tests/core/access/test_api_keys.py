"""API keys: their form, what is stored of them, and when one is valid."""

from __future__ import annotations

from dataclasses import replace

import pytest

from core.access.api_keys import ApiKey, id_of, make_key, parse_name, parse_names, parse_rate, parse_scopes
from core.access.key_store import DAY_S, KEPT_DAYS, ApiKeyStore
from core.access.rates import RequestBucket
from core.errors import ConfigError, NotFound
from core.storage.database import Database
from tests.support.databases import dump_tables

NOW = 1_800_000_000.0


def build_key(key_id: str, name: str = "reports") -> ApiKey:
    return ApiKey(key_id, name, ("toil", "v1"), ("group:hr",), 60.0, 1000, NOW)


@pytest.fixture
async def database(database: Database) -> Database:
    """With its tables."""
    await database.upgrade()
    return database


class Times:
    now = NOW

    def __call__(self) -> float:
        return self.now


def test_a_key_has_its_id_and_256_random_bits() -> None:
    """No two are alike. A changed form is no key."""
    key_id, secret = make_key()
    assert key_id == id_of(secret)
    assert secret != make_key()[1]
    for other in (
        "",
        "csps_",
        secret + "a",
        secret[:-1],
        secret.upper(),
        f" {secret}",
        "sk-abc",
        secret.replace("_", "-", 1),
    ):
        assert id_of(other) is None


def test_options_are_read_or_refused() -> None:
    """With the option's name in the error."""
    assert parse_scopes("v1, toil") == ("toil", "v1")
    assert (60.0, 120.0, 500 / 60) == (parse_rate("60/min"), parse_rate("2/s"), parse_rate("500/h"))
    assert parse_names("group:hr, user:ana@example.gc.ca") == ("group:hr", "user:ana@example.gc.ca")
    for parse, value in (
        *((parse_scopes, each) for each in ("", "toil,admin", ",")),
        *((parse_rate, each) for each in ("60", "0/min", "-1/s", "1.5/min", "60/day", "١/s")),
        *((parse_names, each) for each in ("key:other", "operator", "group:", "hr")),
        *((parse_name, each) for each in ("", "a b", "É", "-a", "a" * 65, "a:b")),
    ):
        with pytest.raises(ConfigError, match="--"):
            parse(value)  # type: ignore[operator]


async def test_only_a_hash_of_a_key_is_stored(database: Database, database_url: str) -> None:
    """The whole key is found again; the stored rows do not have its secret."""
    key_id, secret = make_key()
    store = ApiKeyStore(database, Times())
    await store.create(build_key(key_id), secret)

    assert build_key(key_id) == await store.find(secret)
    assert secret.rpartition("_")[2] not in repr(dump_tables(database_url))
    other = secret[:-1] + ("a" if secret[-1] != "a" else "b")
    assert await store.find(other) is None
    assert await store.find(make_key()[1]) is None


async def test_expired_and_revoked_keys_are_not_found(database: Database) -> None:
    """A name is used once, so that the log of accesses has one meaning."""
    times = Times()
    store = ApiKeyStore(database, times)
    (first_id, first), (second_id, second) = make_key(), make_key()
    await store.create(replace(build_key(first_id), expires_at=NOW + 10), first)
    await store.create(build_key(second_id, "other"), second)
    with pytest.raises(ConfigError, match="reports"):
        await store.create(build_key(make_key()[0]), first)

    times.now = NOW + 10
    await store.revoke("other")

    assert [None, None] == [await store.find(first), await store.find(second)]
    assert [None, None] == [await store.find_named("reports"), await store.find_named("other")]
    assert [("other", NOW + 10), ("reports", None)] == [(each.name, each.revoked_at) for each in await store.list()]
    for name in ("other", "unknown"):
        with pytest.raises(NotFound, match=name):
            await store.revoke(name)


async def test_the_last_use_is_stored_to_the_minute(database: Database) -> None:
    times = Times()
    store = ApiKeyStore(database, times)
    key_id, secret = make_key()
    await store.create(build_key(key_id), secret)
    for later, stored in ((0, 0), (59, 0), (61, 61)):
        times.now = NOW + later
        await store.note_use(build_key(key_id))
        assert [NOW + stored] == [each.used_at for each in await store.list()]


async def test_tokens_are_counted_by_days(database: Database, database_url: str) -> None:
    """A new day begins at nothing; old days are deleted."""
    times = Times()
    store = ApiKeyStore(database, times)
    key_id, secret = make_key()
    await store.create(build_key(key_id), secret)
    for tokens in (5, 7):
        await store.count_tokens(key_id, tokens)
    assert await store.tokens_today(key_id) == 12
    times.now += DAY_S
    assert await store.tokens_today(key_id) == 0
    times.now += KEPT_DAYS * DAY_S
    await store.count_tokens(key_id, 1)
    assert [1] == [row["tokens"] for row in dump_tables(database_url)["api_key_days"]]


def test_a_bucket_admits_its_rate() -> None:
    """As many at once as in a minute, then one whenever its time has come. A clock that goes back gives nothing."""
    bucket = RequestBucket.full(30, 0.0)
    assert [0.0] * 30 == [bucket.take(0.0) for _ in range(30)]
    assert bucket.take(0.0) == pytest.approx(2.0)
    assert bucket.take(1.0) == pytest.approx(1.0)
    assert bucket.take(0.5) == pytest.approx(1.0)
    assert bucket.take(2.5) == 0.0


def test_a_slow_bucket_admits_its_first() -> None:
    """One request in two minutes."""
    bucket = RequestBucket.full(0.5, 0.0)
    assert (0.0, 120.0) == (bucket.take(0.0), pytest.approx(bucket.take(0.0)))
