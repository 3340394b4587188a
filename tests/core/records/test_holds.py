"""Holds: what they cover is deleted by nothing, and people do not see them."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from core.conversation.exchanges import ExchangeKey, Question
from core.conversation.owned import OwnedConversations
from core.errors import BadRequest, NotFound, SessionUnknown
from core.records import deletion, holding
from core.records.export import RecordsReader, Selection
from core.records.subjects import EVERYBODY, Subject, find_conversation, find_user
from tests.core.records.support_records import ANA, BOB, DAY_S, NOW, People
from tests.support.databases import dump_tables
from tests.support.purging import purge

MONTH = timedelta(days=30)


async def hold(people: People, subject: Subject, from_at: float = 0.0) -> int:
    return await people.database.write(
        lambda db: holding.place(db, subject, "dan@host", "request 17", from_at, people.clock.now)
    )


async def release(people: People, number: int) -> int:
    _, copies = await people.database.write(lambda db: holding.release(db, number, "dan@host", people.clock.now))
    return copies


async def exported(people: People, subject: Subject = EVERYBODY) -> dict[str, list[dict[str, Any]]]:
    reader = RecordsReader(people.database, Selection(subject))
    await reader.resolve()
    return {
        "conversations": [each async for each in reader.conversations()],
        "deliveries": [each async for each in reader.deliveries()],
        "feedback": [each async for each in reader.feedback()],
        "copies": [each async for each in reader.copies()],
    }


async def test_a_purge_passes_over_held_records(people: People) -> None:
    """A person's on the page, and theirs with a bot with its feedback; other people's are deleted."""
    await people.ask(ANA, "held words")
    await people.ask(BOB, "other words")
    await people.ask_bot("U1", "held words", 1)
    await people.ask_bot("U2", "other words", 2, "2.0")
    await hold(people, find_user("ana@example.gc.ca"))
    await hold(people, find_user("slack:U1"))

    await purge(people.database, MONTH, NOW + 40 * DAY_S)

    left = await exported(people)
    assert [2, 1, 1, 0] == [len(each) for each in left.values()]
    assert "other words" not in str(left)
    assert "comment held words" in str(left["conversations"])


@pytest.mark.parametrize("how", ["one", "all"])
async def test_a_person_deletes_a_held_conversation(people: People, how: str) -> None:
    """It disappears for the person as any other does, and a copy stays for the export."""
    name = await people.ask(ANA, "held words")
    await hold(people, find_user("ana@example.gc.ca"))

    if how == "one":
        await people.sessions.forget(name, ANA)
    else:
        assert 1 == await people.sessions.forget_all(ANA)

    assert () == await OwnedConversations(people.database).list(ANA)
    with pytest.raises(SessionUnknown):
        await people.sessions.resume(name, "whisper", ANA)
    found = await exported(people, find_user("ana@example.gc.ca"))
    assert [] == found["conversations"]
    [copy] = found["copies"]
    [exchange] = copy["conversation"]["exchanges"]
    assert ("held words", "answer held words", "comment held words") == (
        exchange["question"],
        exchange["answer"],
        exchange["rating"]["comment"],
    )
    assert "file held words" == exchange["attachments"][0]["text"]
    assert "named held words" == copy["conversation"]["title"]
    assert (await exported(people, find_user("bob@example.gc.ca")))["copies"] == []


async def test_an_edited_question_of_a_held_conversation_stays_as_a_copy(people: People) -> None:
    name = await people.ask(ANA, "first words")
    await hold(people, find_conversation(name))
    conversation = await people.sessions.resume(name, "whisper", ANA)
    await people.sessions.begin_exchange(conversation.id, Question("second words"), revised=1)
    await people.sessions.withdraw_exchange(ExchangeKey(conversation.id, 1))

    copies = (await exported(people))["copies"]

    questions = [each["conversation"]["exchanges"][0]["question"] for each in copies]
    assert ["first words", "second words"] == questions


@pytest.mark.parametrize("how", ["forget", "workspace", "question deleted"])
async def test_a_bot_forgets_a_held_conversation(people: People, how: str) -> None:
    """Its messages and feedback stay as copies; the platform's conversation begins anew."""
    incoming = await people.ask_bot("U1", "held words")
    await hold(people, find_user("slack:U1"))
    await people.sessions.forget(incoming.place.conversation)
    match how:
        case "forget":
            await people.store.forget(incoming.place)
        case "workspace":
            await people.store.delete_workspace("slack", "T1")
        case _:
            record = await people.store.latest_answer(incoming.place, before=1000)
            assert record is not None
            await people.store.finish(record.delivery, "gone")

    found_now = await exported(people)
    kinds = sorted(each["kind"] for each in found_now["copies"])
    assert ["conversation", "delivery"] == kinds
    delivery = next(each for each in found_now["copies"] if each["kind"] == "delivery")
    assert "held words" == delivery["delivery"]["message"]["text"]
    assert ["comment held words"] == [each["comment"] for each in delivery["feedback"]]
    assert [] == found_now["conversations"]
    assert len((await exported(people, find_user("slack:U1")))["copies"]) == 2
    assert len((await exported(people, find_user("slack:T1:U1")))["copies"]) == 2


async def test_a_hold_covers_what_comes_later(people: People) -> None:
    await hold(people, find_user("ana@example.gc.ca"))
    name = await people.ask(ANA, "later words")
    await people.sessions.forget(name, ANA)

    assert 1 == len((await exported(people))["copies"])


async def test_a_hold_begins_at_its_day(people: People) -> None:
    """What was used last before that day is deleted as ever."""
    before = await people.ask(ANA, "earlier words")
    people.clock.now += 2 * DAY_S
    after = await people.ask(ANA, "later words")
    await hold(people, find_user("ana@example.gc.ca"), NOW + DAY_S)
    for name in (before, after):
        await people.sessions.forget(name, ANA)

    [copy] = (await exported(people))["copies"]
    assert "later words" == copy["conversation"]["exchanges"][0]["question"]


async def test_a_release_deletes_the_copies(people: People) -> None:
    """Unless another hold covers them. The next purge then deletes what is old."""
    name = await people.ask(ANA, "held words")
    await people.ask(ANA, "old words")
    first = await hold(people, find_user("ana@example.gc.ca"))
    second = await hold(people, find_conversation(name))
    await people.sessions.forget(name, ANA)

    assert 0 == await release(people, first)
    assert 1 == await release(people, second)
    with pytest.raises(NotFound, match="no active hold has the number"):
        await release(people, second)
    await purge(people.database, MONTH, NOW + 40 * DAY_S)

    assert {"conversations": [], "copies": []}.items() <= (await exported(people)).items()


async def test_a_held_person_is_named_by_hashes_only(people: People) -> None:
    await hold(people, find_user("ana@example.gc.ca"))
    url = people.database._engine.url.render_as_string(hide_password=False)

    assert "ana@" not in str(dump_tables(url))


async def test_the_same_place_begins_anew_under_a_hold(people: People) -> None:
    """A bot's conversation that was forgotten has the same id when people go on."""
    incoming = await people.ask_bot("U1", "held words")
    await hold(people, find_user("slack:U1"))
    await people.sessions.forget(incoming.place.conversation)
    await people.store.forget(incoming.place)
    await people.ask_bot("U1", "new words", 2)

    found = await exported(people)
    assert ["new words"] == [each["exchanges"][0]["question"] for each in found["conversations"]]


async def test_nobody_may_delete_what_is_held(people: People) -> None:
    """An operator's deletion is refused, and tells how to end the hold."""
    await people.ask(ANA, "held words")
    await hold(people, find_user("ana@example.gc.ca"))
    with pytest.raises(BadRequest, match="a hold covers"):
        await people.database.write(
            lambda db: deletion.delete(
                db, find_user("ana@example.gc.ca"), "dan", "asked", Ed25519PrivateKey.generate(), NOW
            )
        )

    assert 1 == len((await exported(people))["conversations"])
