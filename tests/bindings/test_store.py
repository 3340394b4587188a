"""bindings.store: deliveries, choices, notices and feedback, until they are forgotten."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from bindings.delivery.outlet import PostedPage
from bindings.delivery_records import Delivery, LedgerState
from bindings.incoming import AttachedFile, BotCommand, FoundParts, IncomingMessage, Place, ThreadMessages, UnreadPart
from bindings.store import DeliveryLedger, Store
from bindings.tables import tables
from core.contract import Attachment, Turn
from core.storage.database import Database
from tests.bindings.intake.support_intake import DIRECT, THREAD, Clock, message
from tests.support.databases import create_as_version_0_1_0, dump_tables, execute
from tests.support.purging import purge


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def store(database: Database, clock: Clock) -> Store:
    await database.upgrade()
    return Store(database, clock)


async def take(store: Store, incoming: IncomingMessage) -> Delivery:
    delivery = await store.take(incoming, "message")
    assert delivery is not None
    return delivery


async def test_an_event_is_taken_once(store: Store) -> None:
    """This holds for simultaneous repeats, and for another process."""
    taken = await asyncio.gather(*(store.take(message("hello"), "message") for _ in range(8)))
    assert 1 == sum(delivery is not None for delivery in taken)

    other = Store(store._database)
    assert await other.take(message("hello"), "message") is None
    assert await other.take(message("hello", 2), "message") is not None


async def test_a_message_is_stored_unchanged(store: Store) -> None:
    """It has lone surrogates, NUL, files, quotes and a route."""
    place = replace(THREAD, route={"service_url": "https://example.org"})
    incoming = replace(
        message("é\0\ud800 \U0001f600", place=place, language="fr"),
        files=(AttachedFile("a.txt", "u", "text/plain", 5),),
        quoted=(Attachment("q", "text"),),
        command=BotCommand("regenerate", "x"),
        toil=True,
    )
    delivery = await take(store, incoming)

    record = await store.record(delivery.number)

    assert record is not None
    assert (incoming, delivery, LedgerState(), None, False) == (
        record.incoming,
        record.delivery,
        record.pages,
        record.thread_messages,
        record.uploaded,
    )


async def test_unfinished_deliveries_of_other_processes_are_listed_in_order(database: Database, store: Store) -> None:
    """Finished ones, other platforms' and the process's own are not listed."""
    first, second, third = [await take(store, message("x", number)) for number in (1, 2, 3)]
    await store.take(message("x", 4, Place("discord", "G", "C", None, "channel")), "message")
    await store.finish(second, "done")

    after = Store(database)
    await after.take(message("x", 5), "message")

    assert [first, third] == await after.unfinished("slack")
    assert await store.unfinished("slack") != []  # those of the other process


async def test_attempts_are_counted_over_processes(database: Database, store: Store) -> None:
    """The count ends when the delivery is finished; cleared attempts do not count."""
    poison, other = [await take(store, message("x", number)) for number in (1, 2)]
    assert [1, 2] == [await store.record_attempt(poison.answer_id) for _ in range(2)]
    await store.record_attempt(other.answer_id)
    await store.clear_attempt(other.answer_id)

    after = Store(database)

    assert [2, 0] == [delivery.crashes for delivery in await after.unfinished("slack")]
    await after.finish(poison, "failed")
    assert 1 == await after.record_attempt(poison.answer_id)


@pytest.mark.parametrize("way", ["forget", "uninstalled", "purge"])
async def test_no_attempt_count_outlives_its_delivery(
    store: Store, database: Database, database_url: str, clock: Clock, way: str
) -> None:
    """This holds for each way in which a delivery is deleted."""
    for number in (1, 2):
        await store.record_attempt((await take(store, message("x", number))).answer_id)
    if way == "forget":
        await store.forget(THREAD, before=None)
    elif way == "uninstalled":
        await store.delete_workspace("slack", "T1")
    else:
        clock.now += 100
        await purge(database, timedelta(seconds=50), clock.now)

    assert [] == dump_tables(database_url)["resumed"]


async def test_an_older_database_is_upgraded(store: Store, database_url: str, other_url: str) -> None:
    """Missing tables and columns are created; the stored ids of messages are understood."""
    delivery = await take(store, message("x"))
    (row,) = dump_tables(database_url)["deliveries"]
    create_as_version_0_1_0(other_url, {"deliveries": [{**row, "refs": '["a"]'}]})
    execute(other_url, "DROP TABLE resumed")
    older = Database(other_url)
    await older.upgrade()
    upgraded = Store(older)

    assert 1 == await upgraded.record_attempt(delivery.answer_id)
    record = await upgraded.record(delivery.number)
    assert record is not None
    assert LedgerState(("a",)) == record.pages
    await older.close()


async def test_refs_are_stored_for_the_next_process(store: Store) -> None:
    delivery = await take(store, message("x"))
    record = await store.record(delivery.number)
    assert record is not None
    ledger = DeliveryLedger(store, record, resumed=False)
    for ref in ("a", "b", "c"):
        await ledger.add(ref)
    await ledger.discard("b")
    await ledger.forget_leftover(PostedPage("", "b"))

    again = await store.record(delivery.number)
    assert again is not None
    assert ["a", "c"] == DeliveryLedger(store, again, resumed=True).refs == ledger.refs


async def test_the_form_of_an_answer_is_stored_for_the_next_process(store: Store) -> None:
    """So are the pages of earlier forms that are to be deleted. The answer is found by its new message."""
    delivery = await take(store, message("x"))
    record = await store.record(delivery.number)
    assert record is not None
    ledger = DeliveryLedger(store, record, resumed=False)
    await ledger.add("a")
    await ledger.change_form("direct")
    await ledger.add("b")
    await ledger.add("c")
    await ledger.discard("c")

    again = await store.record(delivery.number)
    assert again is not None
    restored = DeliveryLedger(store, again, resumed=True)
    assert ("direct", ["b"]) == (restored.form, restored.refs)
    assert [PostedPage("", "a"), PostedPage("direct", "c")] == restored.leftovers
    assert delivery.answer_id == await store.find_answer(THREAD, "b")


async def test_a_page_that_is_posted_again_is_no_leftover(store: Store) -> None:
    """Discord returns an earlier message for the same nonce. To delete it would lose the answer."""
    delivery = await take(store, message("x"))
    record = await store.record(delivery.number)
    assert record is not None
    ledger = DeliveryLedger(store, record, resumed=False)
    await ledger.add("a")
    await ledger.discard("a")
    await ledger.add("a")

    again = await store.record(delivery.number)
    assert again is not None
    restored = DeliveryLedger(store, again, resumed=True)
    assert (["a"], []) == (restored.refs, restored.leftovers)


async def test_the_reason_of_a_failure_is_stored(store: Store, database_url: str) -> None:
    delivery = await take(store, message("x"))
    await store.finish(delivery, "failed", "Slack refused \0 chat.postMessage" + "!" * 999)

    [row] = dump_tables(database_url)["deliveries"]
    assert "failed" == row["state"]
    assert str(row["reason"]).startswith("Slack refused")
    assert len(str(row["reason"])) <= 500


async def test_thread_messages_are_stored(store: Store) -> None:
    delivery = await take(store, message("x"))
    messages = ThreadMessages(
        (Turn("user", "psst", "Ann"),),
        (AttachedFile("a.txt", "u1", "text/plain", 3),),
        FoundParts((AttachedFile("b.txt", "u2", "text/plain"),), (Attachment("a", "b"),), (UnreadPart("file"),)),
    )
    await store.save_thread_messages(delivery.number, messages)

    record = await store.record(delivery.number)
    assert record is not None
    assert messages == record.thread_messages


async def test_the_latest_answer_is_from_the_same_conversation(store: Store) -> None:
    """An id from another conversation finds nothing, so that a known id gives no access."""
    first, second = [await take(store, message(str(number), number)) for number in (1, 2)]
    under_way = await take(store, message("3", 3))
    command = await store.take(message("help", 4), "help")
    elsewhere = await take(store, message("5", 5, DIRECT))
    assert command
    for delivery in (first, second, command, elsewhere):
        await store.finish(delivery, "done")

    latest, named = await store.latest_answer(THREAD, 99), await store.latest_answer(THREAD, 99, first.answer_id)

    assert latest
    assert named
    assert [second, first] == [latest.delivery, named.delivery]
    before = await store.latest_answer(THREAD, second.number)
    assert before
    assert first == before.delivery
    assert await store.latest_answer(THREAD, 99, elsewhere.answer_id) is None
    assert await store.latest_answer(THREAD, 99, under_way.answer_id) is None


async def test_a_conversation_keeps_its_personality_until_another_is_chosen(store: Store) -> None:
    assert "whisper" == await store.pin_personality(THREAD, "whisper")
    assert "whisper" == await store.pin_personality(THREAD, "chuchotte")
    await store.choose_personality(THREAD, "guide")
    assert "guide" == await store.pin_personality(THREAD, "chuchotte")
    assert await store.chosen_personality(DIRECT) is None


async def test_the_latest_feedback_of_a_person_replaces_the_previous_one(store: Store, database_url: str) -> None:
    """Other people's feedback stays. Feedback for an unknown answer is refused."""
    answer = (await take(store, message("x"))).answer_id
    assert await store.save_feedback(answer, "slack:T1:U1", "bad", "wrong")
    assert await store.save_feedback(answer, "slack:T1:U1", "good", "r\0ight" + "!" * 9999)
    assert await store.save_feedback(answer, "slack:T1:U2", "bad", "")
    assert not await store.save_feedback("nothing", "slack:T1:U1", "good", "")

    rows = dump_tables(database_url)["feedback"]
    assert {("good", "right!"), ("bad", "")} == {(row["value"], str(row["comment"])[:6]) for row in rows}
    assert max(len(str(row["comment"])) for row in rows) <= 2000
    assert "slack:T1" not in str(rows)


async def test_forgetting_deletes_all_content_of_a_conversation(store: Store, database_url: str) -> None:
    """Choices and feedback go as well. Event keys and other conversations stay."""
    kept = await take(store, message("elsewhere", 9, DIRECT))
    first, wish = await take(store, message("a secret", 1)), await take(store, message("forget", 2))
    await store.save_thread_messages(first.number, ThreadMessages((Turn("user", "another secret"),)))
    await store.save_feedback(first.answer_id, "u", "bad", "a third secret")
    await store.save_feedback(kept.answer_id, "u", "bad", "")
    await store.choose_personality(THREAD, "guide")
    await store.finish(first, "done")

    await store.forget(THREAD, before=wish.number)

    assert await store.take(message("a secret", 1), "message") is None
    assert await store.record(first.number) is None
    assert await store.record(wish.number) is not None
    assert await store.record(kept.number) is not None
    assert await store.latest_answer(THREAD, 99) is None
    assert await store.chosen_personality(THREAD) is None
    assert not await store.save_feedback(first.answer_id, "u", "good", "")
    dump = str(dump_tables(database_url))
    assert "secret" not in dump
    assert "elsewhere" in dump


async def test_only_finished_messages_keep_their_content(store: Store) -> None:
    """Regenerate needs it. Commands and deleted messages do not keep it."""
    answered, deleted = await take(store, message("x", 1)), await take(store, message("y", 2))
    command = await store.take(message("help", 3), "help")
    assert command
    await store.finish(answered, "done")
    await store.finish(deleted, "gone")
    await store.finish(command, "done")

    assert [True, False, False] == [
        await store.record(each.number) is not None for each in (answered, deleted, command)
    ]


async def test_the_bot_participates_after_the_first_question(store: Store) -> None:
    """This ends when the conversation is forgotten."""
    assert not await store.is_participating(THREAD)
    await store.take(message("help"), "help")
    assert not await store.is_participating(THREAD)
    await take(store, message("x", 2))
    assert await store.is_participating(THREAD)
    assert not await store.is_participating(DIRECT)
    await store.forget(THREAD, before=None)
    assert not await store.is_participating(THREAD)


async def test_one_time_notices_are_recorded_by_person_and_workspace(store: Store) -> None:
    here, elsewhere = message("x"), message("x", place=replace(THREAD, tenant="T2"))
    await store.record_notice(here, "privacy")
    await store.record_notice(here, "privacy")

    assert await store.has_seen_notice(here, "privacy")
    assert not await store.has_seen_notice(here, "refused")
    assert not await store.has_seen_notice(elsewhere, "privacy")


async def test_purge_deletes_old_data(store: Store, database: Database, clock: Clock) -> None:
    old = await take(store, message("x", 1))
    await store.save_feedback(old.answer_id, "u", "good", "")
    await store.record_notice(message("x"), "privacy")
    await store.choose_personality(THREAD, "guide")
    await store.choose_personality(DIRECT, "guide")
    clock.now += 100
    new = await take(store, message("x", 2))
    await store.pin_personality(DIRECT, "whisper")  # marks the choice as used

    counts = await purge(database, timedelta(seconds=50), clock.now)

    assert {"deliveries": 1, "feedback": 1, "acquaintances": 1, "chosen": 1} == counts

    assert await store.record(old.number) is None
    assert await store.record(new.number) is not None
    assert not await store.has_seen_notice(message("x"), "privacy")
    assert [None, "guide"] == [await store.chosen_personality(THREAD), await store.chosen_personality(DIRECT)]


async def test_deleting_a_workspace_deletes_all_its_data(store: Store, database_url: str) -> None:
    there = message("x", 1, replace(THREAD, tenant="T9"))
    gone, kept = await take(store, there), await take(store, message("y", 2))
    for each in (gone, kept):
        await store.save_feedback(each.answer_id, "u", "good", "")
    await store.record_attempt(gone.answer_id)
    await store.record_notice(there, "privacy")
    await store.choose_personality(there.place, "guide")
    assert [there.place] == await store.places("slack", "T9")

    await store.delete_workspace("slack", "T9")

    counts = {table: len(rows) for table, rows in dump_tables(database_url).items() if table in tables.tables}
    assert counts.pop("bot_processes") == 0
    assert {"deliveries": 1, "feedback": 1, "acquaintances": 0, "chosen": 0, "resumed": 0} == counts
    assert [] == await store.places("slack", "T9")
