"""The inference thread with little room, many requests and shared prefixes."""

from __future__ import annotations

from collections.abc import Sequence as SequenceOf
from pathlib import Path

import pytest

from core.errors import Overloaded, PromptTooLong
from core.model.worker.admission import OVERTAKING_LIMIT
from core.model.worker.llama.runner import BatchRow, KvCacheFull
from core.model.worker.options import PINNED_PREFIXES
from core.model.worker.prefix_store import PrefixStore
from core.model.worker.sequence import QueuedOutput, Sequence
from tests.core.model.worker.support_fake_model import (
    PERSONALITY,
    BlockBeforeBatch,
    CallAtStep,
    FakeClock,
    InferenceHarness,
    error,
    finished,
    greets,
    rambles,
)


@pytest.mark.parametrize("suspend_bytes", [0, 100_000])
@pytest.mark.parametrize("idle_cells", [0, 100])
def test_preempted_answers_are_unchanged(suspend_bytes: int, idle_cells: int) -> None:
    """A preempted sequence continues where it stopped, from host memory or by computing again."""
    prompts = [f"{n} " * 20 for n in range(4)]
    with InferenceHarness(rambles, cells=300, suspend_bytes=suspend_bytes, idle_cells=idle_cells) as harness:
        sequences = [harness.ask(prompt) for prompt in prompts]
        for sequence, prompt in zip(sequences, prompts, strict=True):
            assert finished(harness, sequence).reason == "stop"
            assert harness.text(sequence) == rambles(prompt)

        assert harness.metric("csps_model_preemptions_total") > 0
        harness.assert_nothing_left()


def test_a_preempted_sequence_does_not_preempt_others_in_turn() -> None:
    """It restarts only if it fits beside the pending tokens of the others. (Both alternated for ever.)"""
    with InferenceHarness(lambda prompt: "y" * 150, cells=230, batch_tokens=64) as harness:
        first, second = harness.ask("a" * 49), harness.ask("b" * 49)

        assert [finished(harness, sequence).reason for sequence in (first, second)] == ["stop", "stop"]
        assert harness.model.refusals <= 5


def test_an_unexpectedly_full_cache_does_not_loop() -> None:
    """If llama.cpp has fewer free cells than we count, one answer ends short, and all others are served."""
    with InferenceHarness(rambles, cells=400) as harness:
        CallAtStep(harness, 20, lambda: setattr(harness.model, "capacity", len(harness.model.cells)))
        with harness.held():
            sequences = [harness.ask(f"number {n}") for n in range(3)]
        ends = [finished(harness, sequence).reason for sequence in sequences]

        assert "length" in ends
        assert harness.model.refusals < 50


def test_a_single_answer_ends_only_with_the_whole_cache() -> None:
    """Alone, it is cut only where its next token has no cell in the empty cache."""
    with InferenceHarness(rambles, cells=150) as harness:
        sequence = harness.ask("s" * 60)

        assert finished(harness, sequence).reason == "length"
        assert harness.text(sequence) == rambles("s" * 60)[:90]
        harness.assert_nothing_left()


def test_a_single_answer_is_restored_into_a_full_cache() -> None:
    """If llama.cpp refuses it a cell that we count as free, it is suspended and restored, once for a token."""
    with InferenceHarness(rambles, cells=400) as harness:
        real = harness.model.decode

        def refuse_once(rows: SequenceOf[BatchRow]) -> list[int]:
            if len(harness.model.batches) == 30 and not harness.model.refusals:
                harness.model.refusals += 1
                raise KvCacheFull("no room")
            return real(rows)

        harness.model.decode = refuse_once  # type: ignore[method-assign]
        sequence = harness.ask("alone")

        assert finished(harness, sequence).reason == "stop"
        assert harness.text(sequence) == rambles("alone")
        assert harness.metric("csps_model_preemptions_total") == 1
        harness.assert_nothing_left()


def test_a_prompt_longer_than_the_cache_is_refused() -> None:
    """It could never start, and would keep all later ones from it."""
    with InferenceHarness(greets, cells=100) as harness:
        refused = harness.ask("x" * 100)
        after = harness.ask("I am Bo")

        assert isinstance(error(harness, refused), PromptTooLong)
        finished(harness, after)
        harness.assert_nothing_left()


def test_a_request_without_room_is_passed_by_a_few_that_fit() -> None:
    """Later requests use the room meanwhile, at most OVERTAKING_LIMIT of them: then it is the next one."""
    harness = InferenceHarness(rambles, slots=3, cells=400, idle_cells=0, clock=FakeClock(tick_s=0.001))
    runs = harness.ask("r" * 100, user="first")
    large = harness.ask("l" * 299, user="large")
    small = [harness.ask(f"{n} small one", user=f"user {n}", max_tokens=5) for n in range(3 * OVERTAKING_LIMIT)]
    with harness:
        for sequence in (runs, large, *small):
            finished(harness, sequence)
        begun = sorted([large, *small], key=lambda sequence: sequence.admitted_at_s)

        assert begun.index(large) == OVERTAKING_LIMIT
        assert large.overtaken == OVERTAKING_LIMIT


def test_a_long_prompt_is_computed_in_slices_beside_decoding() -> None:
    """Each step holds a token of the running answer and a slice of the new prompt."""
    with InferenceHarness(rambles, cells=900) as harness:
        late: list[Sequence] = []
        CallAtStep(harness, 10, lambda: late.append(harness.ask("z" * 500)))
        first = harness.ask("first")
        finished(harness, first)
        finished(harness, late[0])
        prefill = [batch for batch in harness.model.batches if any(122 in row.tokens for row in batch)]
        both = [batch for batch in prefill if len(batch) == 2]

        assert len(both) >= 500 // 64
        assert all(len(batch[0].tokens) == 1 for batch in both), "decode comes first"
        assert harness.text(late[0]) == rambles("z" * 500)


def test_equal_prompts_that_come_together_are_computed_once() -> None:
    """The other requests wait for the first one's prefix."""
    harness = InferenceHarness(greets, slots=8, cells=900)
    sequences = [harness.ask("x" * 200 + f" I am {n}") for n in range(8)]
    with harness:
        for n, sequence in enumerate(sequences):
            finished(harness, sequence)
            assert harness.text(sequence) == greets(str(n))

        # One prefix, and for each answer at most one batch of its own prompt.
        assert harness.model.computed_tokens < 200 + 8 * (64 + len(greets("0").encode()))


# --- the queue -------------------------------------------------------------------------------------------------------


def test_a_full_queue_refuses_the_next_request() -> None:
    """It fails at once with a time to retry; earlier requests are served."""
    with InferenceHarness(greets, slots=1, queue_limit=2) as harness:
        hold = BlockBeforeBatch(harness)
        served = [harness.ask("I am One")]
        assert hold.reached.wait(20)
        served += [harness.ask("I am Two"), harness.ask("I am Three")]
        refused = harness.ask("I am Four")
        hold.go.set()

        overloaded = error(harness, refused)
        assert isinstance(overloaded, Overloaded)
        assert overloaded.retry_after_s
        for sequence in served:
            finished(harness, sequence)
        harness.assert_nothing_left()


def test_a_full_queue_refuses_whoever_has_most_waiting() -> None:
    """Another user's first request takes the place of the latest one of the user who fills the queue."""
    with InferenceHarness(greets, slots=1, queue_limit=3) as harness:
        hold = BlockBeforeBatch(harness)
        served = [harness.ask("I am One", user="crowd")]
        assert hold.reached.wait(20)
        served += [harness.ask(f"I am {n}", user="crowd") for n in ("Two", "Three")]
        refused = harness.ask("I am Four", user="crowd")
        served.append(harness.ask("I am Other", user="other"))
        hold.go.set()

        assert isinstance(error(harness, refused), Overloaded)
        for sequence in served:
            assert finished(harness, sequence).reason == "stop"
        harness.assert_nothing_left()


def test_a_person_takes_the_slot_of_a_batch() -> None:
    """A row of a batch is suspended for a person, and continues its text afterwards. One slot is left to batches."""
    with InferenceHarness(rambles, slots=2, cells=900, clock=FakeClock(tick_s=0.001)) as harness:
        with harness.held():
            rows = [harness.ask(f"row {n}", user="batch", priority="batch") for n in range(2)]
            people: list[Sequence] = []
            CallAtStep(harness, 20, lambda: people.extend(harness.ask(f"person {n}", user=f"{n}") for n in range(2)))
        for row in rows:
            finished(harness, row)
        for person in people:
            finished(harness, person)

        assert harness.ended.index(people[0]) < harness.ended.index(rows[1])
        assert harness.ended[0] is rows[0]
        assert harness.metric("csps_model_preemptions_total") == 1
        for sequence, prompt in [(rows[0], "row 0"), (rows[1], "row 1"), (people[0], "person 0")]:
            assert harness.text(sequence) == rambles(prompt)
        harness.assert_nothing_left()


def test_a_burst_fills_the_slots_before_the_queue() -> None:
    """An idle model refuses no request that it could serve now. (It did.)"""
    harness = InferenceHarness(greets, slots=4, queue_limit=1)
    sequences = [harness.ask(f"I am {n}") for n in range(5)]
    with harness:
        for sequence in sequences:
            finished(harness, sequence)


def test_waiting_requests_get_position_and_expected_wait() -> None:
    """Positions fall to 1; the wait is known after the first request."""
    with InferenceHarness(rambles, slots=1, clock=FakeClock(tick_s=0.4)) as harness:
        sequences = [harness.ask(f"number {n}") for n in range(3)]
        for sequence in sequences:
            finished(harness, sequence)
        reports = [output for output in harness.outputs[sequences[2]] if isinstance(output, QueuedOutput)]
        positions = [output.position for output in reports]

        assert positions[0] == 2
        assert positions == sorted(positions, reverse=True)
        assert positions[-1] == 1
        assert reports[0].wait_s is None
        assert reports[-1].wait_s


def test_users_take_turns() -> None:
    """A user with ten requests does not delay another user."""
    harness = InferenceHarness(greets, slots=1)
    crowd = [harness.ask(f"I am Crowd-{n}", user="crowd") for n in range(10)]
    other = harness.ask("I am Other", user="other")
    with harness:
        for sequence in (other, *crowd):
            finished(harness, sequence)

        assert harness.ended.index(other) == 1


# --- prefixes of personalities ---------------------------------------------------------------------------------------


def test_a_personality_stays_in_the_cache_and_on_disk(tmp_path: Path) -> None:
    """Later requests do not evict it, and the next start restores it."""
    store = PrefixStore(tmp_path, "model", 4)
    length = len(PERSONALITY)
    with InferenceHarness(greets, idle_cells=0, suspend_bytes=0, store=store) as harness:
        finished(harness, harness.ask(f"{PERSONALITY}I am One", pinned_tokens=length))
        finished(harness, harness.ask("x " * 100))
        second = finished(harness, harness.ask(f"{PERSONALITY}I am Two", pinned_tokens=length))
        assert second.usage.cached_tokens == length

    with InferenceHarness(greets, idle_cells=0, store=PrefixStore(tmp_path, "model", 4)) as harness:
        first = harness.ask(f"{PERSONALITY}I am Back", pinned_tokens=length)
        assert finished(harness, first).usage.cached_tokens == length
        assert harness.text(first) == greets("Back")
        assert harness.metric("csps_model_prefixes_restored_total") == 1


def test_other_prefixes_are_shared_but_not_saved(tmp_path: Path) -> None:
    """A batch's schema precedes each of its rows: it is computed once, and never saved. (It was.)"""
    store = PrefixStore(tmp_path, "model", 4)
    schema = '{"type": "object", "title": "Secret"} ' * 2
    with InferenceHarness(greets, store=store) as harness:
        finished(harness, harness.ask(f"{PERSONALITY}I am One", pinned_tokens=len(PERSONALITY)))
        finished(harness, harness.ask(f"{PERSONALITY}{schema}row 0"))
        rows = [finished(harness, harness.ask(f"{PERSONALITY}{schema}row {n}")) for n in range(1, 4)]
        assert all(row.usage.cached_tokens >= len(PERSONALITY + schema) for row in rows)

    (saved,) = store.load()
    assert bytes(saved[0].tolist()).decode() == PERSONALITY


def test_repeated_schemas_do_not_displace_personalities(tmp_path: Path) -> None:
    """Their number and their use do not matter. (Sixteen displaced one.)"""
    with InferenceHarness(greets, cells=600, ids=40, idle_cells=0, suspend_bytes=0) as harness:
        finished(harness, harness.ask(f"{PERSONALITY}I am One", pinned_tokens=len(PERSONALITY)))
        for n in range(PINNED_PREFIXES + 1):
            for _ in range(2):
                finished(harness, harness.ask(f"{n} {'schema ' * 8} I am Row"))

        again = finished(harness, harness.ask(f"{PERSONALITY}I am Two", pinned_tokens=len(PERSONALITY)))
        assert again.usage.cached_tokens == len(PERSONALITY)
