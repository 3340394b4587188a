"""Vectors in PostgreSQL: when they are stored there, whether results equal those in memory, and their index."""

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


def stored_backends(url: str) -> dict[str, str]:
    """Returns the stored backend by collection."""
    engine = sa.create_engine(url)
    with engine.connect() as db:
        backends = {row.name: row.form for row in db.execute(sa.select(collections))}
    engine.dispose()
    return backends


# ---------------------------------------------------------------- the choice of a backend


async def test_the_database_decides_the_backend(database_url: str, request: pytest.FixtureRequest) -> None:
    """PostgreSQL with pgvector compares vectors; else the process does."""
    await sync(await opened(database_url), "hr", origin("folder", HELD))

    expected = PGVECTOR if request.node.callspec.params["database_url"] == "pgvector" else MEMORY
    assert {"hr": expected} == stored_backends(database_url)


async def test_a_collection_keeps_its_backend(plain_url: str, postgresql_url: str) -> None:
    """After pgvector is installed, new collections use it. Old ones still work, and move when added anew."""
    early = await opened(plain_url)
    await sync(early, "old", origin("folder", HELD))
    execute(postgresql_url, "CREATE EXTENSION vector")
    later = await opened(plain_url)
    await sync(later, "new", origin("folder", HELD))
    await sync(later, "old", origin("more", {"leave": document("Leave", "Vacation is carried over.")}))

    assert {"old": MEMORY, "new": PGVECTOR} == stored_backends(plain_url)
    for store in (early, later):
        assert {"old", "new"} == {each.collection for each in await store.search(["old", "new"], "acting pay", 2)}
        assert 2 == len(await store.search(["old"], "acting pay"))
    await later.remove("old")
    await sync(later, "old", origin("folder", HELD))
    assert {"old": PGVECTOR, "new": PGVECTOR} == stored_backends(plain_url)
    assert 1 == len(await early.search(["old"], "acting pay"))


async def test_missing_permission_for_the_extension_is_logged(plain_url: str) -> None:
    """The store works without it."""
    with capture_logs() as logs:
        await sync(await opened(plain_url), "hr", origin("folder", HELD))

    events = {each["event"]: each for each in logs}
    assert "permission denied" in events["pgvector_creation_failed"]["problem"]
    assert "CREATE EXTENSION vector" in events["pgvector_unavailable"]["needed"]


@pytest.mark.parametrize(
    "made", ["UPDATE pg_extension SET extversion = '0.7.4'", "ALTER EXTENSION vector SET SCHEMA elsewhere"]
)
async def test_an_unusable_pgvector_is_not_used(postgresql_url: str, made: str) -> None:
    """It may be old, or in a schema outside the search_path."""
    execute(postgresql_url, "CREATE EXTENSION vector", "CREATE SCHEMA elsewhere", made)
    with capture_logs() as logs:
        await sync(await opened(postgresql_url), "hr", origin("folder", HELD))

    assert {"hr": MEMORY} == stored_backends(postgresql_url)
    assert ["pgvector_unavailable"] == [each["event"] for each in logs if each["event"].startswith("pgvector")]


# ---------------------------------------------------------------- results


def random_vectors(count: int, dimensions: int, seed: int = 0) -> Floats:
    """Returns random vectors of length 1, in clusters, like those of texts."""
    chance = np.random.default_rng(seed)
    centres = np.random.default_rng(7).normal(size=(50, dimensions))
    rows = centres[chance.integers(0, 50, count)] + chance.normal(size=(count, dimensions))
    return np.asarray(rows / np.linalg.norm(rows, axis=1, keepdims=True), dtype=np.float32)


def create_collection(db: sa.Connection, name: str, form: str, count: int) -> tuple[int, list[int]]:
    """Creates a collection of one document with `count` passages, without vectors. Returns its id and theirs."""
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
    collection, ids = create_collection(db, name, PGVECTOR, len(rows))
    pgvector.add(db, collection, ids, rows)
    return pgvector.load(db, collection, rows.shape[1], None), ids


@pytest.fixture
def db(postgresql_url: str) -> Iterator[sa.Connection]:
    """Opens one transaction in an empty store with pgvector."""
    yield from connected(postgresql_url)


def connected(url: str) -> Iterator[sa.Connection]:
    upgrade(sa.make_url(url))
    engine = sa.create_engine(url)
    with engine.begin() as connection:
        assert pgvector.create(connection)
        yield connection
    engine.dispose()


def test_both_backends_find_the_same(db: sa.Connection) -> None:
    """Cosines are equal to half precision; passages without vectors are in no result."""
    rows = random_vectors(500, DIMENSIONS)
    vectors, ids = stored(db, "hr", rows)
    stored(db, "other", rows)
    memory_vectors.add(db, vectors.collection, ids, rows)
    loaded = memory_vectors.load(db, vectors.collection, DIMENSIONS, None)
    question = random_vectors(1, DIMENSIONS, seed=1)[0]

    assert (500, 500) == (len(loaded), len(vectors))
    assert loaded.nearest(db, question, 20) == pytest.approx(vectors.nearest(db, question, 20), abs=1e-3)
    wanted = [*ids[3:9], 10**9]
    assert ids[3:9] == sorted(vectors.cosines(db, wanted, question))
    assert loaded.cosines(db, wanted, question) == pytest.approx(vectors.cosines(db, wanted, question), abs=1e-3)


def test_vectors_are_stored_to_the_last_bit(db: sa.Connection) -> None:
    """Every finite float16 is read back unchanged."""
    halves = np.arange(2**16, dtype=np.uint16).view(STORED)
    finite = halves[np.isfinite(halves)].astype(np.float32).reshape(-1, 128)
    vectors, _ = stored(db, "hr", finite)

    read = db.execute(sa.select(pgvector.halfvecs.c.vector).order_by(pgvector.halfvecs.c.passage)).scalars()
    assert vectors.size == len(finite)
    assert (finite.view(np.uint32) == np.array(list(read), dtype=np.float32).view(np.uint32)).all()


def test_a_question_is_sent_as_a_vector(db: sa.Connection) -> None:
    """PostgreSQL would parse a text anew for every row."""
    vectors, _ = stored(db, "hr", random_vectors(9, DIMENSIONS))
    for question in random_vectors(9, DIMENSIONS):
        vectors.nearest(db, question, 3)

    statement = (
        "SELECT parameter_types::text[] FROM pg_prepared_statements WHERE statement LIKE '%%ORDER BY distance%%'"
    )
    assert [["halfvec", "smallint"]] == list(db.exec_driver_sql(statement).scalars())


def test_long_vectors_are_stored_inline(db: sa.Connection) -> None:
    """Otherwise each would be fetched separately for comparison."""
    stored(db, "hr", random_vectors(9, 1536))

    elsewhere = "SELECT pg_relation_size(reltoastrelid) FROM pg_class WHERE relname = 'fact_halfvecs'"
    assert 0 == db.exec_driver_sql(elsewhere).scalar_one()


def test_vectors_are_deleted_with_their_passages(db: sa.Connection) -> None:
    """The database deletes them with the passages."""
    vectors, ids = stored(db, "hr", random_vectors(9, DIMENSIONS))
    db.execute(passages.delete().where(passages.c.id.in_(ids[:4])))

    assert ids[4:] == sorted(vectors.nearest(db, random_vectors(1, DIMENSIONS)[0], 9))
    assert 5 == len(pgvector.load(db, vectors.collection, DIMENSIONS, vectors))


# ---------------------------------------------------------------- the index


class Large:
    """A collection large enough for an index, beside a small one."""

    def __init__(self, db: sa.Connection) -> None:
        self.db = db
        self.rows = random_vectors(pgvector.INDEX_MIN_VECTORS, DIMENSIONS)
        self.loaded, self.ids = stored(db, "large", self.rows)
        self.small, _ = stored(db, "small", self.rows[:100])
        for each in (self.loaded, self.small):
            pgvector.index(db, each.collection)

    def plan(self, collection: int) -> str:
        """Returns the plan of a search."""
        nearest = pgvector.distance_query(collection, self.rows[0]).order_by(sa.literal_column("distance"))
        query = nearest.limit(50)
        text = str(query.compile(self.db, compile_kwargs={"literal_binds": True}))
        return "\n".join(self.db.exec_driver_sql(f"EXPLAIN {text.replace('%', '%%')}").scalars())

    def scans(self) -> int:
        """Returns how often this transaction used the index."""
        name = pgvector.index_name(self.loaded.collection, DIMENSIONS)
        counted = self.db.execute(sa.select(sa.func.pg_stat_get_xact_numscans(sa.func.to_regclass(name))))
        return int(counted.scalar_one())

    def recall(self, questions: Floats, alive: slice = slice(None)) -> float:
        """Returns the share of the truly nearest fifty that is vectors."""
        shares = []
        for question in questions:
            best = np.argsort(-(self.rows[alive] @ question))[:50]
            neighbours = self.loaded.nearest(self.db, question, 50)
            assert 50 == len(neighbours)
            shares.append(len(neighbours.keys() & set(np.array(self.ids[alive])[best].tolist())) / 50)
        return float(np.mean(shares))


@pytest.fixture(scope="module")
def large(postgresql: str) -> Iterator[Large]:
    execute(postgresql, "CREATE DATABASE large")
    for connection in connected(sa.make_url(postgresql).set(database="large").render_as_string(hide_password=False)):
        yield Large(connection)


@pytest.fixture
def undone(large: Large) -> Iterator[Large]:
    """Undoes what the test does to it."""
    savepoint = large.db.begin_nested()
    yield large
    savepoint.rollback()


def test_a_large_collection_uses_its_index(large: Large) -> None:
    """A small one is searched without one; the planner decides both."""
    assert f"Index Scan using fact_halfvecs_{large.loaded.collection}_{DIMENSIONS} " in large.plan(
        large.loaded.collection
    )
    assert {DIMENSIONS} == pgvector.indexed_dimensions(large.db, large.loaded.collection)
    assert set() == pgvector.indexed_dimensions(large.db, large.small.collection)
    assert "fact_halfvecs_of" in large.plan(large.small.collection)


@pytest.mark.parametrize("plans", ["auto", "force_generic_plan"])
def test_the_index_is_used_by_all_plans(undone: Large, plans: str) -> None:
    """PostgreSQL makes a generic plan after some questions, and it uses the index too."""
    undone.db.exec_driver_sql(f"SET LOCAL plan_cache_mode = {plans}")
    before = undone.scans()
    for question in undone.rows[:20]:
        undone.loaded.nearest(undone.db, question, 50)

    assert 20 == undone.scans() - before


def test_the_index_finds_nearly_all_of_the_nearest(large: Large) -> None:
    """This holds for five of them as for fifty."""
    assert large.recall(random_vectors(40, DIMENSIONS, seed=2)) >= 0.99


def test_deleted_vectors_take_no_places(undone: Large) -> None:
    """They stay in the index until it is vacuumed; the search continues after them."""
    question = random_vectors(1, DIMENSIONS, seed=3)[0]
    order = np.argsort(-(undone.rows @ question))
    gone = np.array(undone.ids)[order[:1500]].tolist()
    undone.db.execute(passages.delete().where(passages.c.id.in_(gone)))
    best = np.array(undone.ids)[order[1500:1550]].tolist()

    neighbours = undone.loaded.nearest(undone.db, question, 50)

    assert 50 == len(neighbours)
    assert len(neighbours.keys() & set(best)) >= 45


def test_the_index_is_removed_with_its_collection(undone: Large) -> None:
    """Other indexes stay."""
    pgvector.unindex(undone.db, undone.small.collection)
    assert {DIMENSIONS} == pgvector.indexed_dimensions(undone.db, undone.loaded.collection)
    pgvector.unindex(undone.db, undone.loaded.collection)
    assert set() == pgvector.indexed_dimensions(undone.db, undone.loaded.collection)


def test_an_index_is_made_for_each_number_of_dimensions(db: sa.Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two embedders' vectors exist while one replaces the other; then the old index is dropped."""
    monkeypatch.setattr(pgvector, "INDEX_MIN_VECTORS", 10)
    vectors, ids = stored(db, "hr", random_vectors(20, 8))
    pgvector.index(db, vectors.collection)
    db.execute(passages.delete().where(passages.c.id.in_(ids[:10])))
    other, others = create_collection(db, "other", PGVECTOR, 10)
    pgvector.add(db, vectors.collection, others, random_vectors(10, 16))
    pgvector.index(db, vectors.collection)
    assert {8, 16} == pgvector.indexed_dimensions(db, vectors.collection)
    assert set() == pgvector.indexed_dimensions(db, other)
    assert others == sorted(pgvector.PgVectors(vectors.collection, 16, 10).nearest(db, random_vectors(1, 16)[0], 20))

    db.execute(passages.delete().where(passages.c.id.in_(ids)))
    pgvector.index(db, vectors.collection)

    assert {16} == pgvector.indexed_dimensions(db, vectors.collection)


def test_more_dimensions_than_pgvector_indexes_are_compared_exactly(
    db: sa.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """This includes vectors of more than a page."""
    monkeypatch.setattr(pgvector, "INDEX_MIN_VECTORS", 1)
    most, more = (stored(db, name, random_vectors(3, size))[0] for name, size in (("most", 4000), ("more", 4100)))
    for each in (most, more):
        pgvector.index(db, each.collection)
        assert 3 == len(each.nearest(db, random_vectors(1, each.dimensions)[0], 3))

    assert ({4000}, set()) == (
        pgvector.indexed_dimensions(db, most.collection),
        pgvector.indexed_dimensions(db, more.collection),
    )


@pytest.mark.parametrize("query", [lambda: pgvector.index_name("1; DROP", 2), lambda: pgvector.index_name(1, "2")])  # type: ignore[arg-type]
def test_only_numbers_name_an_index(query: Callable[[], str]) -> None:
    """No other value reaches the statement."""
    with pytest.raises(ValueError, match="format code"):
        query()


async def test_concurrent_work_on_indexes_succeeds(postgresql_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Several processes add, index, change embedders, search and remove at once without an error."""
    monkeypatch.setattr(pgvector, "INDEX_MIN_VECTORS", 3)
    stores = [await opened(postgresql_url) for _ in range(3)]
    others = [await opened(postgresql_url, WordEmbedder("other", 128)) for _ in range(3)]
    loaded = {str(at): document(f"T{at}", f"word{at}") for at in range(5)}
    await sync(stores[0], "shared", origin("folder", loaded))

    async def use(number: int, store: FactStore, other: FactStore) -> None:
        for _ in range(4):
            await sync(other, f"own{number}", origin("folder", loaded))
            assert 2 == len(await other.search([f"own{number}"], "word1", 2))
            await sync(store, f"own{number}", origin("folder", loaded))
            own = {f"{number}-{at}": each for at, each in enumerate(loaded.values())}
            await sync(store, "shared", origin(f"folder {number}", own))
            assert 2 == len(await store.search(["shared", f"own{number}"], "word1", 2))
            await store.remove(f"own{number}")

    async with asyncio.TaskGroup() as tasks:
        for number, both in enumerate(zip(stores, others, strict=True)):
            tasks.create_task(use(number, *both))

    assert [("shared", 20)] == [(each.name, each.passages) for each in await stores[0].collections()]


async def test_adding_builds_the_index_and_removing_drops_it(
    postgresql_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No command is needed; passages added later are found as well."""
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
