"""Vectors that PostgreSQL compares: when it is asked to, that it finds what memory finds, and by its index."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator

import numpy as np
import pytest
import sqlalchemy as sa
from structlog.testing import capture_logs

from core.rag.facts import memory_vectors, pgvector
from core.rag.facts.document_rows import open_collection
from core.rag.facts.glossary import Glossary
from core.rag.facts.store import FactStore
from core.rag.facts.sync import sync
from core.rag.facts.tables import STORED, Floats, collections, documents, passages
from core.rag.facts.vector_backends import MEMORY, PGVECTOR
from core.storage.database import Database, upgrade
from tests.core.rag.facts.support_fakes import WordEmbedder, document, origin
from tests.support.databases import execute

DIMENSIONS = 64
HELD = {"pay": document("Pay", "Acting pay begins on the third day.")}


async def opened(url: str, embedder: WordEmbedder | None = None) -> FactStore:
    database = Database(url)
    await database.upgrade()
    store = FactStore(database, embedder or WordEmbedder(), Glossary())
    await store.detect_vector_backend()
    return store


def forms_of(url: str) -> dict[str, str]:
    """By collection."""
    engine = sa.create_engine(url)
    with engine.connect() as db:
        found = {row.name: row.form for row in db.execute(sa.select(collections))}
    engine.dispose()
    return found


# ---------------------------------------------------------------- which form


async def test_vectors_are_kept_as_the_database_can(database_url: str, request: pytest.FixtureRequest) -> None:
    """PostgreSQL compares them if it has pgvector; else, the process does."""
    await sync(await opened(database_url), "hr", origin("folder", HELD))

    expected = PGVECTOR if request.node.callspec.params["database_url"] == "pgvector" else MEMORY
    assert {"hr": expected} == forms_of(database_url)


async def test_a_collection_stays_as_it_began(plain_url: str, postgresql_url: str) -> None:
    """When pgvector is installed, new collections use it; old ones are found as before, and move if added anew."""
    early = await opened(plain_url)
    await sync(early, "old", origin("folder", HELD))
    execute(postgresql_url, "CREATE EXTENSION vector")
    later = await opened(plain_url)
    await sync(later, "new", origin("folder", HELD))
    await sync(later, "old", origin("more", {"leave": document("Leave", "Vacation is carried over.")}))

    assert {"old": MEMORY, "new": PGVECTOR} == forms_of(plain_url)
    for store in (early, later):
        assert {"old", "new"} == {each.collection for each in await store.search(["old", "new"], "acting pay", 2)}
        assert 2 == len(await store.search(["old"], "acting pay"))
    await later.remove("old")
    await sync(later, "old", origin("folder", HELD))
    assert {"old": PGVECTOR, "new": PGVECTOR} == forms_of(plain_url)
    assert 1 == len(await early.search(["old"], "acting pay"))


async def test_who_may_not_create_the_extension_is_told(plain_url: str) -> None:
    """And the store works without."""
    with capture_logs() as logs:
        await sync(await opened(plain_url), "hr", origin("folder", HELD))

    told = {each["event"]: each for each in logs}
    assert "permission denied" in told["pgvector_not_created"]["problem"]
    assert "CREATE EXTENSION vector" in told["pgvector_not_used"]["needed"]


@pytest.mark.parametrize(
    "made", ["UPDATE pg_extension SET extversion = '0.7.4'", "ALTER EXTENSION vector SET SCHEMA elsewhere"]
)
async def test_a_pgvector_that_cannot_be_used_is_left_alone(postgresql_url: str, made: str) -> None:
    """An old one, or one in a schema that is not searched."""
    execute(postgresql_url, "CREATE EXTENSION vector", "CREATE SCHEMA elsewhere", made)
    with capture_logs() as logs:
        await sync(await opened(postgresql_url), "hr", origin("folder", HELD))

    assert {"hr": MEMORY} == forms_of(postgresql_url)
    assert ["pgvector_not_used"] == [each["event"] for each in logs if each["event"].startswith("pgvector")]


# ---------------------------------------------------------------- what is found


def made_up(count: int, dimensions: int, seed: int = 0) -> Floats:
    """Of length 1, in clusters, as texts are."""
    chance = np.random.default_rng(seed)
    centres = np.random.default_rng(7).normal(size=(50, dimensions))
    rows = centres[chance.integers(0, 50, count)] + chance.normal(size=(count, dimensions))
    return np.asarray(rows / np.linalg.norm(rows, axis=1, keepdims=True), dtype=np.float32)


def begun(db: sa.Connection, name: str, form: str, count: int) -> tuple[int, list[int]]:
    """A collection of one document of so many passages, all without vectors: its id and theirs."""
    collection = open_collection(db, name, form).id
    row = {
        "collection": collection,
        "origin": "",
        "key": "",
        "title": "",
        "digest": "",
        "embedder": "",
        "fetched_at": 0,
    }
    key = db.execute(documents.insert().values(row).returning(documents.c.id)).scalar_one()
    db.exec_driver_sql(
        "INSERT INTO fact_passages (document, number, heading, text, stems) "
        f"SELECT {key:d}, each, '', '', '' FROM generate_series(1, {count:d}) AS each"
    )
    ids = db.execute(sa.select(passages.c.id).where(passages.c.document == key).order_by(passages.c.id))
    return collection, list(ids.scalars())


def stored(db: sa.Connection, name: str, rows: Floats) -> tuple[pgvector.PgVectors, list[int]]:
    collection, ids = begun(db, name, PGVECTOR, len(rows))
    pgvector.add(db, collection, ids, rows)
    return pgvector.load(db, collection, rows.shape[1], None), ids


@pytest.fixture
def db(postgresql_url: str) -> Iterator[sa.Connection]:
    """One transaction in an empty store with pgvector."""
    yield from connected(postgresql_url)


def connected(url: str) -> Iterator[sa.Connection]:
    upgrade(sa.make_url(url))
    engine = sa.create_engine(url)
    with engine.begin() as connection:
        assert pgvector.create(connection)
        yield connection
    engine.dispose()


def test_both_forms_find_the_same(db: sa.Connection) -> None:
    """With the same cosines, but for what halves of numbers leave out; what is in no vector is in no answer."""
    rows = made_up(500, DIMENSIONS)
    found, ids = stored(db, "hr", rows)
    stored(db, "other", rows)
    memory_vectors.add(db, found.collection, ids, rows)
    held = memory_vectors.load(db, found.collection, DIMENSIONS, None)
    question = made_up(1, DIMENSIONS, seed=1)[0]

    assert (500, 500) == (len(held), len(found))
    assert held.nearest(db, question, 20) == pytest.approx(found.nearest(db, question, 20), abs=1e-3)
    wanted = [*ids[3:9], 10**9]
    assert ids[3:9] == sorted(found.cosines(db, wanted, question))
    assert held.cosines(db, wanted, question) == pytest.approx(found.cosines(db, wanted, question), abs=1e-3)


def test_vectors_are_stored_to_the_last_bit(db: sa.Connection) -> None:
    """Every finite half is written so that it is read as itself."""
    halves = np.arange(2**16, dtype=np.uint16).view(STORED)
    finite = halves[np.isfinite(halves)].astype(np.float32).reshape(-1, 128)
    found, _ = stored(db, "hr", finite)

    read = db.execute(sa.select(pgvector.halfvecs.c.vector).order_by(pgvector.halfvecs.c.passage)).scalars()
    assert found.size == len(finite)
    assert (finite.view(np.uint32) == np.array(list(read), dtype=np.float32).view(np.uint32)).all()


def test_a_question_is_read_once(db: sa.Connection) -> None:
    """PostgreSQL is given a vector, and no text that it would have to read anew for every row."""
    found, _ = stored(db, "hr", made_up(9, DIMENSIONS))
    for question in made_up(9, DIMENSIONS):
        found.nearest(db, question, 3)

    kept = "SELECT parameter_types::text[] FROM pg_prepared_statements WHERE statement LIKE '%%ORDER BY distance%%'"
    assert [["halfvec", "smallint"]] == list(db.exec_driver_sql(kept).scalars())


def test_long_vectors_lie_in_their_rows(db: sa.Connection) -> None:
    """Or each would have to be fetched by itself to be compared."""
    stored(db, "hr", made_up(9, 1536))

    elsewhere = "SELECT pg_relation_size(reltoastrelid) FROM pg_class WHERE relname = 'fact_halfvecs'"
    assert 0 == db.exec_driver_sql(elsewhere).scalar_one()


def test_vectors_go_with_their_passages(db: sa.Connection) -> None:
    """Whoever deletes them."""
    found, ids = stored(db, "hr", made_up(9, DIMENSIONS))
    db.execute(passages.delete().where(passages.c.id.in_(ids[:4])))

    assert ids[4:] == sorted(found.nearest(db, made_up(1, DIMENSIONS)[0], 9))
    assert 5 == len(pgvector.load(db, found.collection, DIMENSIONS, found))


# ---------------------------------------------------------------- the index


class Large:
    """A collection that is worth an index, beside one that is not."""

    def __init__(self, db: sa.Connection) -> None:
        self.db = db
        self.rows = made_up(pgvector.INDEX_MIN_VECTORS, DIMENSIONS)
        self.held, self.ids = stored(db, "large", self.rows)
        self.small, _ = stored(db, "small", self.rows[:100])
        for each in (self.held, self.small):
            pgvector.index(db, each.collection)

    def plan(self, collection: int) -> str:
        """How the nearest are found."""
        asked = pgvector.nearest_query(collection, self.rows[0], 50)
        text = str(asked.compile(self.db, compile_kwargs={"literal_binds": True}))
        return "\n".join(self.db.exec_driver_sql(f"EXPLAIN {text.replace('%', '%%')}").scalars())

    def scans(self) -> int:
        """How often the index was used in this transaction."""
        name = pgvector.index_name(self.held.collection, DIMENSIONS)
        counted = self.db.execute(sa.select(sa.func.pg_stat_get_xact_numscans(sa.func.to_regclass(name))))
        return int(counted.scalar_one())

    def recall(self, questions: Floats, alive: slice = slice(None)) -> float:
        """The share of the truly nearest fifty that is found."""
        shares = []
        for question in questions:
            best = np.argsort(-(self.rows[alive] @ question))[:50]
            found = self.held.nearest(self.db, question, 50)
            assert 50 == len(found)
            shares.append(len(found.keys() & set(np.array(self.ids[alive])[best].tolist())) / 50)
        return float(np.mean(shares))


@pytest.fixture(scope="module")
def large(postgresql: str) -> Iterator[Large]:
    execute(postgresql, "CREATE DATABASE large")
    for connection in connected(sa.make_url(postgresql).set(database="large").render_as_string(hide_password=False)):
        yield Large(connection)


@pytest.fixture
def undone(large: Large) -> Iterator[Large]:
    """What the test does to it is taken back."""
    savepoint = large.db.begin_nested()
    yield large
    savepoint.rollback()


def test_many_are_found_by_their_own_index(large: Large) -> None:
    """And a small collection without one; the planner is not told to."""
    assert f"Index Scan using fact_halfvecs_{large.held.collection}_{DIMENSIONS} " in large.plan(large.held.collection)
    assert {DIMENSIONS} == pgvector.indexed_dimensions(large.db, large.held.collection)
    assert set() == pgvector.indexed_dimensions(large.db, large.small.collection)
    assert "fact_halfvecs_of" in large.plan(large.small.collection)


@pytest.mark.parametrize("plans", ["auto", "force_generic_plan"])
def test_the_index_is_used_again_and_again(undone: Large, plans: str) -> None:
    """Also by plans that PostgreSQL makes for all questions, after it has seen some of them."""
    undone.db.exec_driver_sql(f"SET LOCAL plan_cache_mode = {plans}")
    before = undone.scans()
    for question in undone.rows[:20]:
        undone.held.nearest(undone.db, question, 50)

    assert 20 == undone.scans() - before


def test_the_index_finds_nearly_all_of_the_nearest(large: Large) -> None:
    """Fifty of them as well as five."""
    assert large.recall(made_up(40, DIMENSIONS, seed=2)) >= 0.99


def test_what_was_deleted_takes_no_places(undone: Large) -> None:
    """Deleted vectors stay in the index until it is vacuumed; the search goes on behind them."""
    question = made_up(1, DIMENSIONS, seed=3)[0]
    order = np.argsort(-(undone.rows @ question))
    gone = np.array(undone.ids)[order[:1500]].tolist()
    undone.db.execute(passages.delete().where(passages.c.id.in_(gone)))
    best = np.array(undone.ids)[order[1500:1550]].tolist()

    found = undone.held.nearest(undone.db, question, 50)

    assert 50 == len(found)
    assert len(found.keys() & set(best)) >= 45


def test_the_index_goes_with_its_collection(undone: Large) -> None:
    """And no other one."""
    pgvector.unindex(undone.db, undone.small.collection)
    assert {DIMENSIONS} == pgvector.indexed_dimensions(undone.db, undone.held.collection)
    pgvector.unindex(undone.db, undone.held.collection)
    assert set() == pgvector.indexed_dimensions(undone.db, undone.held.collection)


def test_an_index_is_made_for_each_number_of_dimensions(db: sa.Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    """While another embedder's vectors replace the old ones both are there; then the old index goes."""
    monkeypatch.setattr(pgvector, "INDEX_MIN_VECTORS", 10)
    found, ids = stored(db, "hr", made_up(20, 8))
    pgvector.index(db, found.collection)
    db.execute(passages.delete().where(passages.c.id.in_(ids[:10])))
    other, others = begun(db, "other", PGVECTOR, 10)
    pgvector.add(db, found.collection, others, made_up(10, 16))
    pgvector.index(db, found.collection)
    assert {8, 16} == pgvector.indexed_dimensions(db, found.collection)
    assert set() == pgvector.indexed_dimensions(db, other)
    assert others == sorted(pgvector.PgVectors(found.collection, 16, 10).nearest(db, made_up(1, 16)[0], 20))

    db.execute(passages.delete().where(passages.c.id.in_(ids)))
    pgvector.index(db, found.collection)

    assert {16} == pgvector.indexed_dimensions(db, found.collection)


def test_more_dimensions_than_pgvector_indexes_are_compared_exactly(
    db: sa.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also those whose vectors fill more than a page."""
    monkeypatch.setattr(pgvector, "INDEX_MIN_VECTORS", 1)
    most, more = (stored(db, name, made_up(3, size))[0] for name, size in (("most", 4000), ("more", 4100)))
    for each in (most, more):
        pgvector.index(db, each.collection)
        assert 3 == len(each.nearest(db, made_up(1, each.dimensions)[0], 3))

    assert ({4000}, set()) == (
        pgvector.indexed_dimensions(db, most.collection),
        pgvector.indexed_dimensions(db, more.collection),
    )


@pytest.mark.parametrize("asked", [lambda: pgvector.index_name("1; DROP", 2), lambda: pgvector.index_name(1, "2")])  # type: ignore[arg-type]
def test_only_numbers_name_an_index(asked: Callable[[], str]) -> None:
    """Nothing else reaches the statement."""
    with pytest.raises(ValueError, match="format code"):
        asked()


async def test_indexes_are_in_nobodys_way(postgresql_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Several add, index, change embedders, search and remove at once, and none of them is refused."""
    monkeypatch.setattr(pgvector, "INDEX_MIN_VECTORS", 3)
    stores = [await opened(postgresql_url) for _ in range(3)]
    others = [await opened(postgresql_url, WordEmbedder("other", 128)) for _ in range(3)]
    held = {str(at): document(f"T{at}", f"word{at}") for at in range(5)}
    await sync(stores[0], "shared", origin("folder", held))

    async def use(number: int, store: FactStore, other: FactStore) -> None:
        for _ in range(4):
            await sync(other, f"own{number}", origin("folder", held))
            assert 2 == len(await other.search([f"own{number}"], "word1", 2))
            await sync(store, f"own{number}", origin("folder", held))
            own = {f"{number}-{at}": each for at, each in enumerate(held.values())}
            await sync(store, "shared", origin(f"folder {number}", own))
            assert 2 == len(await store.search(["shared", f"own{number}"], "word1", 2))
            await store.remove(f"own{number}")

    async with asyncio.TaskGroup() as tasks:
        for number, both in enumerate(zip(stores, others, strict=True)):
            tasks.create_task(use(number, *both))

    assert [("shared", 20)] == [(each.name, each.passages) for each in await stores[0].collections()]


async def test_adding_makes_the_index_and_removing_takes_it(
    postgresql_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without anybody asking for it; what is added afterwards is found as well."""
    monkeypatch.setattr(pgvector, "INDEX_MIN_VECTORS", 3)
    store = await opened(postgresql_url)
    many = {str(number): document(f"Title {number}", f"word{number}") for number in range(5)}
    await sync(store, "hr", origin("folder", many))
    engine = sa.create_engine(postgresql_url)
    with engine.connect() as db:
        assert {2048} == pgvector.indexed_dimensions(db, 1)

    await sync(store, "hr", origin("folder", {**many, "more": document("Another", "word77")}))
    assert "Another" == (await store.search(["hr"], "word77"))[0].title
    await store.remove("hr")

    with engine.connect() as db:
        assert set() == pgvector.indexed_dimensions(db, 1)
    engine.dispose()
