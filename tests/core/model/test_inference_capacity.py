"""The loop that serves everybody: little room, many who wait, and prefixes that many share."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.errors import Overloaded
from core.model.inference import PINNED_PREFIXES
from core.model.prefix_store import PrefixStore
from core.model.sequence import QueuedOutput, Sequence
from tests.core.model.support_fake_model import (
    PERSONALITY,
    AtStep,
    Bench,
    FakeClock,
    Hold,
    error,
    finished,
    greets,
    rambles,
)


@pytest.mark.parametrize("suspend_bytes", [0, 100_000])
@pytest.mark.parametrize("idle_cells", [0, 100])
def test_answers_that_do_not_fit_together_are_the_same_in_the_end(suspend_bytes: int, idle_cells: int) -> None:
    """One steps back, from host memory or from the start again, and goes on where it was."""
    prompts = [f"{n} " * 20 for n in range(4)]
    with Bench(rambles, cells=300, suspend_bytes=suspend_bytes, idle_cells=idle_cells) as bench:
        asked = [bench.ask(prompt) for prompt in prompts]
        for sequence, prompt in zip(asked, prompts, strict=True):
            assert finished(bench, sequence).reason == "stop"
            assert bench.text(sequence) == rambles(prompt)

        assert bench.metric("csps_model_preemptions_total") > 0
        bench.assert_nothing_left()


def test_who_stepped_back_does_not_push_the_others_out_at_once() -> None:
    """It starts again only where it fits beside what they will compute next; else both would stand still, for ever,
    one restored and thrown out in each step. (They did.)"""
    with Bench(lambda prompt: "y" * 150, cells=230, batch_tokens=64) as bench:
        first, second = bench.ask("a" * 49), bench.ask("b" * 49)

        assert [finished(bench, sequence).reason for sequence in (first, second)] == ["stop", "stop"]
        assert bench.model.refusals <= 5


def test_a_batch_that_finds_no_room_against_the_books_does_not_spin() -> None:
    """Should llama.cpp count otherwise than we do, an answer ends short, but everybody else is served."""
    with Bench(rambles, cells=400) as bench:
        asked = [bench.ask(f"number {n}") for n in range(3)]
        AtStep(bench, 20, lambda: setattr(bench.model, "capacity", len(bench.model.cells)))
        ends = [finished(bench, sequence).reason for sequence in asked]

        assert "length" in ends
        assert bench.model.refusals < 50


def test_a_long_prompt_is_read_in_slices_while_others_are_written_to() -> None:
    """Each step has a token for the one that is being written, also while the newcomer's prompt is read."""
    with Bench(rambles, cells=900) as bench:
        first = bench.ask("first")
        late: list[Sequence] = []
        AtStep(bench, 10, lambda: late.append(bench.ask("z" * 500)))
        finished(bench, first)
        finished(bench, late[0])
        reading = [batch for batch in bench.model.batches if any(122 in row.tokens for row in batch)]
        both = [batch for batch in reading if len(batch) == 2]

        assert len(both) >= 500 // 64
        assert all(len(batch[0].tokens) == 1 for batch in both), "who writes comes first"
        assert bench.text(late[0]) == rambles("z" * 500)


def test_equal_prompts_that_come_together_are_computed_once() -> None:
    """The others wait for the first one's prefix instead of computing it too."""
    bench = Bench(greets, slots=8, cells=900)
    asked = [bench.ask("x" * 200 + f" I am {n}") for n in range(8)]
    with bench:
        for n, sequence in enumerate(asked):
            finished(bench, sequence)
            assert bench.text(sequence) == greets(str(n))

        # One prefix, and eight answers with what a batch left of the prompt.
        assert bench.model.computed_tokens < 200 + 8 * (64 + len(greets("0").encode()))


# --- the queue --------------------------------------------------------------------------------------------------------


def test_a_full_queue_turns_the_next_away() -> None:
    """At once, with a guess when to come back; those before are served."""
    with Bench(greets, slots=1, queue_limit=2) as bench:
        hold = Hold(bench)
        served = [bench.ask("I am One")]
        assert hold.reached.wait(20)
        served += [bench.ask("I am Two"), bench.ask("I am Three")]
        refused = bench.ask("I am Four")
        hold.go.set()

        overloaded = error(bench, refused)
        assert isinstance(overloaded, Overloaded)
        assert overloaded.retry_after_s
        for sequence in served:
            finished(bench, sequence)
        bench.assert_nothing_left()


def test_a_burst_fills_the_slots_before_the_queue() -> None:
    """An idle model turns nobody away that it could serve now. (It did.)"""
    bench = Bench(greets, slots=4, queue_limit=1)
    asked = [bench.ask(f"I am {n}") for n in range(5)]
    with bench:
        for sequence in asked:
            finished(bench, sequence)


def test_who_waits_hears_where_they_stand() -> None:
    """Position from 1, falling; the expected wait once it can be told."""
    with Bench(rambles, slots=1, clock=FakeClock(tick_s=0.4)) as bench:
        asked = [bench.ask(f"number {n}") for n in range(3)]
        for sequence in asked:
            finished(bench, sequence)
        news = [output for output in bench.outputs[asked[2]] if isinstance(output, QueuedOutput)]
        positions = [output.position for output in news]

        assert positions[0] == 2
        assert positions == sorted(positions, reverse=True)
        assert positions[-1] == 1
        assert news[0].wait_s is None
        assert news[-1].wait_s


def test_a_crowd_does_not_keep_another_user_waiting() -> None:
    """Turns are taken by user, not by request."""
    bench = Bench(greets, slots=1)
    crowd = [bench.ask(f"I am Crowd-{n}", user="crowd") for n in range(10)]
    other = bench.ask("I am Other", user="other")
    with bench:
        for sequence in (other, *crowd):
            finished(bench, sequence)

        assert bench.ended.index(other) == 1


# --- prefixes of personalities ----------------------------------------------------------------------------------------


def test_a_personality_is_kept_for_good(tmp_path: Path) -> None:
    """In the KV cache, however much comes after it, and on disk for the next start."""
    store = PrefixStore(tmp_path, "model", 4)
    length = len(PERSONALITY)
    with Bench(greets, idle_cells=0, suspend_bytes=0, store=store) as bench:
        finished(bench, bench.ask(f"{PERSONALITY}I am One", pinned_tokens=length))
        finished(bench, bench.ask("x " * 100))
        second = finished(bench, bench.ask(f"{PERSONALITY}I am Two", pinned_tokens=length))
        assert second.usage.cached_tokens == length

    with Bench(greets, idle_cells=0, store=PrefixStore(tmp_path, "model", 4)) as bench:
        first = bench.ask(f"{PERSONALITY}I am Back", pinned_tokens=length)
        assert finished(bench, first).usage.cached_tokens == length
        assert bench.text(first) == greets("Back")
        assert bench.metric("csps_model_prefixes_restored_total") == 1


def test_what_nobody_asked_to_keep_is_shared_and_not_kept(tmp_path: Path) -> None:
    """A batch's schema stands in front of each of its rows: it is computed once, and never on disk. (It was.)"""
    store = PrefixStore(tmp_path, "model", 4)
    schema = '{"type": "object", "title": "Secret"} ' * 2
    with Bench(greets, store=store) as bench:
        finished(bench, bench.ask(f"{PERSONALITY}I am One", pinned_tokens=len(PERSONALITY)))
        finished(bench, bench.ask(f"{PERSONALITY}{schema}row 0"))
        rows = [finished(bench, bench.ask(f"{PERSONALITY}{schema}row {n}")) for n in range(1, 4)]
        assert all(row.usage.cached_tokens >= len(PERSONALITY + schema) for row in rows)

    (kept,) = store.load()
    assert bytes(kept[0].tolist()).decode() == PERSONALITY


def test_callers_schemas_do_not_displace_the_personalities(tmp_path: Path) -> None:
    """However many there are, and however often each is used. (Sixteen did.)"""
    with Bench(greets, cells=600, ids=40, idle_cells=0, suspend_bytes=0) as bench:
        finished(bench, bench.ask(f"{PERSONALITY}I am One", pinned_tokens=len(PERSONALITY)))
        for n in range(PINNED_PREFIXES + 1):
            for _ in range(2):
                finished(bench, bench.ask(f"{n} {'schema ' * 8} I am Row"))

        again = finished(bench, bench.ask(f"{PERSONALITY}I am Two", pinned_tokens=len(PERSONALITY)))
        assert again.usage.cached_tokens == len(PERSONALITY)
