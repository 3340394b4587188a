"""The conversations of an owner: lists, search, titles, pins, ratings, deletion; and revised exchanges."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, replace

import pytest
import sqlalchemy as sa

from core.contract import Attachment, Rating, Source
from core.conversation.exchanges import Exchange, ExchangeKey, Question
from core.conversation.owned import COMMENT_LIMIT_CHARS, TITLE_LIMIT_CHARS, OwnedConversations
from core.conversation.sessions import Sessions
from core.conversation.tables import exchange_ratings, forgotten_states
from core.errors import SessionUnknown
from core.rag.retrieved import RetrievedDocument
from core.storage.database import Database
from tests.support.databases import dump_tables

ANA, BOB = "visitor:ana", "person:bob"


class Clock:
    now = 1_000_000.0

    def __call__(self) -> float:
        self.now += 60
        return self.now


@dataclass
class Store:
    database: Database
    sessions: Sessions
    owned: OwnedConversations

    async def ask(self, text: str, answer: str = "Yes.", owner: str | None = ANA, conversation: str = "") -> str:
        """Adds an exchange to a conversation, by default a new one. Returns the conversation's id."""
        name = conversation or await self.sessions.open("whisper", owner)
        entered = await self.sessions.enter(name, "whisper", owner)
        key = await self.sessions.begin_exchange(entered.id, Question(text))
        await self.sessions.finish_exchange(key, answer, "stop")
        return name

    async def titles(self, search: str = "", owner: str = ANA) -> list[str]:
        return [each.title for each in await self.owned.list(owner, search)]

    async def count(self, table: sa.Table) -> int:
        counted = sa.select(sa.func.count()).select_from(table)
        return await self.database.read(lambda db: db.execute(counted).scalar_one())


@pytest.fixture
async def store(database_url: str) -> AsyncIterator[Store]:
    database, clock = Database(database_url), Clock()
    await database.upgrade()
    yield Store(database, Sessions(database, clock), OwnedConversations(database, clock))
    await database.close()


async def test_the_list_has_the_latest_first_and_pins_before(store: Store) -> None:
    """A further question brings a conversation up; a pinned one stays above; one without a question is not listed."""
    first, _second, third = [await store.ask(text) for text in ("one", "two", "three")]
    await store.sessions.open("whisper", ANA)
    await store.ask("theirs", owner=BOB)
    await store.ask("nobody's", owner=None)
    assert ["three", "two", "one"] == await store.titles()

    await store.ask("more", conversation=first)
    assert ["one", "three", "two"] == await store.titles()

    await store.owned.change(third, ANA, pinned=True)
    await store.ask("more", conversation=first)
    assert ["three", "one", "two"] == await store.titles()
    await store.owned.change(third, ANA, pinned=False)
    assert ["one", "three", "two"] == await store.titles()


async def test_a_title_is_the_question_until_it_is_renamed(store: Store) -> None:
    """A title is one line that ends after a word. An empty one brings the question back, without a pasted context."""
    name = await store.ask("|CONTEXT|a long report|/CONTEXT| How many\n\tdays?")
    assert ["How many days?"] == await store.titles()

    renamed = await store.owned.change(name, ANA, title="  Leave\n2026\0 ")
    assert ("Leave 2026", name) == (renamed.title, renamed.id)
    long = await store.owned.change(name, ANA, title="word " * 40)
    assert long.title.endswith("word…")
    assert TITLE_LIMIT_CHARS >= len(long.title)
    assert f"{'a' * TITLE_LIMIT_CHARS}…" == (await store.owned.change(name, ANA, title="a" * 200)).title

    assert "How many days?" == (await store.owned.change(name, ANA, title=" \n")).title
    unchanged = await store.owned.change(name, ANA)
    assert unchanged == await store.owned.get(name, ANA)


@pytest.mark.parametrize(
    ("search", "found"),
    [
        ("congé", ["Congés parentaux"]),
        ("CONGES", ["Congés parentaux"]),
        ("conge\u0301s", ["Congés parentaux"]),
        ("main d'oeuvre", ["La main d’œuvre"]),
        ("ŒUVRE", ["La main d’œuvre"]),
        ("été noël", ["La main d’œuvre"]),
        ("parentaux allocation", ["Congés parentaux"]),
        ("parentaux œuvre", []),
        ("renamed", ["Renamed"]),
        ("three", ["Renamed"]),
        ("100%", []),
        ("_", []),
        ("  ", ["Renamed", "La main d’œuvre", "Congés parentaux"]),
    ],
)
async def test_search_ignores_accents_and_letter_case(store: Store, search: str, found: list[str]) -> None:
    """It finds words in titles, questions and answers, in any order, and signs of SQL patterns are ordinary text."""
    parental = await store.ask("Congés parentaux", "Dix-huit mois.")
    await store.ask("Et l’ALLOCATION?", "Oui.", conversation=parental)
    await store.ask("La main d’œuvre", "De l'été à NOËL.")
    await store.owned.change(await store.ask("Question three"), ANA, title="Renamed")
    await store.ask("congé œuvre three", owner=BOB)

    assert found == await store.titles(search)


@pytest.mark.parametrize("owner", [BOB, "visitor:", "", "VISITOR:ANA"])
async def test_others_cannot_change_a_conversation(store: Store, owner: str) -> None:
    """The error is that of an unknown id, and nothing changes."""
    name = await store.ask("mine")

    for refused in (
        store.owned.get(name, owner),
        store.owned.change(name, owner, title="theirs", pinned=True),
        store.owned.rate(Rating(name, 1, "bad"), owner),
        store.sessions.forget(name, owner),
    ):
        with pytest.raises(SessionUnknown):
            await refused
    [mine] = await store.owned.list(ANA)
    assert ("mine", False, 0) == (mine.title, mine.pinned, await store.count(exchange_ratings))


async def test_all_of_one_owner_are_forgotten(store: Store) -> None:
    """Others keep theirs. The model process is to forget what it has computed of each that was deleted."""
    for text in ("one", "two"):
        name = await store.ask(text)
        await store.owned.rate(Rating(name, 1, "good", "thanks"), ANA)
    theirs, nobodys = await store.ask("theirs", owner=BOB), await store.ask("open", owner=None)

    assert 2 == await store.sessions.forget_all(ANA)
    assert store.sessions.deleted.is_set()
    assert (2, 0) == (await store.count(forgotten_states), await store.count(exchange_ratings))
    assert ([], ["theirs"]) == (await store.titles(), await store.titles(owner=BOB))
    await store.sessions.resume(theirs, "whisper", BOB)
    await store.sessions.resume(nobodys, "whisper")
    assert 0 == await store.sessions.forget_all(ANA)
    for nobody in ("", "visitor:"):
        assert 0 == await store.sessions.forget_all(nobody)


async def test_a_rating_is_replaced_and_goes_with_its_exchange(store: Store) -> None:
    """The last verdict counts. A revised or deleted answer has none."""
    name = await store.ask("How?")
    await store.owned.rate(Rating(name, 1, "good"), ANA)
    await store.owned.rate(Rating(name, 1, "bad", "wrong\0 " + "x" * COMMENT_LIMIT_CHARS), ANA)
    rows = await store.database.read(lambda db: db.execute(sa.select(exchange_ratings)).all())
    assert [("bad", "wrong x")] == [(row.verdict, row.comment[:7]) for row in rows]

    with pytest.raises(SessionUnknown):
        await store.owned.rate(Rating(name, 2, "good"), ANA)
    await revise(store, name, "How else?")
    assert 0 == await store.count(exchange_ratings)

    await store.owned.rate(Rating(name, 1, "good"), ANA)
    await store.sessions.forget(name, ANA)
    assert 0 == await store.count(exchange_ratings)


async def test_a_conversation_without_an_owner_is_rated_by_its_id(store: Store) -> None:
    """Whoever has the id may, as for everything else."""
    name = await store.ask("How?", owner=None)
    await store.owned.rate(Rating(name, 1, "good"), None)
    await store.owned.rate(Rating(name, 1, "good"), ANA)

    assert 1 == await store.count(exchange_ratings)


async def test_the_database_has_no_secret_of_an_owner(store: Store, database_url: str) -> None:
    """Only hashes of owners, and of ids that alone give access."""
    await store.ask("mine", owner="visitor:c0ffee")
    open_id = await store.ask("open", owner=None)
    stored = str(dump_tables(database_url))

    assert "c0ffee" not in stored
    assert open_id not in stored


# ---------------------------------------------------------------- revised exchanges


async def revise(store: Store, name: str, text: str, context: str | None = None) -> ExchangeKey:
    """Replaces the last question, as `core.conversation.recording` does."""
    entered = await store.sessions.enter(name, "whisper", ANA, revises=True)
    revised = entered.repeated.number if entered.repeated else None
    return await store.sessions.begin_exchange(entered.id, Question(text), context, revised=revised)


async def test_a_revised_exchange_keeps_its_number(store: Store) -> None:
    """The earlier exchanges stay; the new answer replaces the old one with its files and sources."""
    name = await store.ask("first")
    entered = await store.sessions.enter(name, "whisper", ANA)
    key = await store.sessions.begin_exchange(entered.id, Question("second", (Attachment("a.txt", "A"),)))
    await store.sessions.finish_exchange(key, "Old [1].", "stop", [Source(1, "Old")], model="old-model")

    entered = await store.sessions.enter(name, "whisper", ANA, revises=True)
    assert ["first"] == [each.question.text for each in entered.exchanges]
    revised = await revise(store, name, "better")
    assert key == revised
    [_first, running] = (await store.sessions.resume(name, "whisper", ANA)).exchanges
    assert Exchange(Question("better")) == replace(running, number=None)
    assert running.model is None

    await store.sessions.finish_exchange(revised, "New.", "stop")
    found = await store.sessions.resume(name, "whisper", ANA)
    assert [("first", "Yes."), ("better", "New.")] == [(each.question.text, each.answer) for each in found.exchanges]
    assert ["first"] == await store.titles()


async def test_revising_the_first_exchange_begins_anew(store: Store) -> None:
    """The lead context, the page of the first question and the title are those of the new question."""
    name = await store.sessions.open("whisper", ANA)
    entered = await store.sessions.enter(name, "whisper", ANA)
    key = await store.sessions.begin_exchange(entered.id, Question("old"), "pasted")
    await store.sessions.store_lead_documents(entered.id, [RetrievedDocument("Page", ())])
    await store.sessions.finish_exchange(key, "Old.", "stop")

    entered = await store.sessions.enter(name, "whisper", ANA, revises=True)
    assert (None, (), ()) == (entered.context, entered.lead_documents, entered.exchanges)
    await revise(store, name, "new")

    found = await store.sessions.resume(name, "whisper", ANA)
    assert (None, ()) == (found.context, found.lead_documents)
    assert ["new"] == await store.titles()


async def test_a_later_exchange_keeps_the_lead_context(store: Store) -> None:
    """Only the first question brings it."""
    name = await store.sessions.open("whisper", ANA)
    entered = await store.sessions.enter(name, "whisper", ANA)
    await store.sessions.finish_exchange(
        await store.sessions.begin_exchange(entered.id, Question("a"), "pasted"), "A", "stop"
    )
    await store.ask("b", conversation=name)
    await revise(store, name, "c", "ignored")

    assert "pasted" == (await store.sessions.resume(name, "whisper", ANA)).context


async def test_nothing_to_revise_is_a_new_exchange(store: Store) -> None:
    """So is an exchange that another process added after the revised one was read."""
    name = await store.sessions.open("whisper", ANA)
    assert 1 == (await revise(store, name, "first")).number

    entered = await store.sessions.enter(name, "whisper", ANA, revises=True)
    assert entered.repeated is not None
    await store.ask("second", conversation=name)
    key = await store.sessions.begin_exchange(entered.id, Question("third"), revised=entered.repeated.number)
    assert 3 == key.number
