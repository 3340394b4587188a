"""Which models are loaded: as many as fit, the least recently used leaves first, none with running answers."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from core.model.host.deployment import total_bytes
from core.model.host.residency import Awaited, Resident, WorkerState, plan
from tests.core.model.host.support_workers import deployment

A, B, C, D = (deployment(name) for name in "abcd")
NOW = 100.0


def loaded(model=A, running: int = 0, used: float = 0.0, state: WorkerState = "ready", **fields: bool) -> Resident:  # type: ignore[no-untyped-def]
    return Resident(model, model.memory, state, running, used, **fields)


def awaited(model=C, since: float = 90.0, patience_s: float = 5.0, not_before: float = 0.0) -> Awaited:  # type: ignore[no-untyped-def]
    return Awaited(model, model.memory, since, patience_s, not_before)


def test_a_model_that_fits_is_loaded_beside_the_others() -> None:
    """Nothing is unloaded."""
    decided = plan([loaded(A)], [awaited(B)], 25, NOW)

    assert ((B,), ()) == (decided.loads, decided.unloads)


def test_the_least_recently_used_model_leaves_first() -> None:
    """Its memory is free only when its process has ended, so the load waits for that."""
    decided = plan([loaded(A, used=5), loaded(B, used=4)], [awaited(C)], 25, NOW)
    after = plan([loaded(A, used=5), loaded(B, used=4, state="stopping")], [awaited(C)], 25, NOW)
    freed = plan([loaded(A, used=5)], [awaited(C)], 25, NOW)

    assert ((), (B,), False) == (decided.loads, decided.unloads, decided.waits_for_answers)
    assert ((), ()) == (after.loads, after.unloads)
    assert (C,) == freed.loads


def test_an_idle_model_leaves_before_a_busy_one() -> None:
    """Also if it was used more recently."""
    decided = plan([loaded(A, running=1, used=1), loaded(B, used=9)], [awaited(C)], 25, NOW)

    assert (B,) == decided.unloads


def test_a_busy_model_answers_on_while_the_waiting_one_has_patience() -> None:
    """After that it takes no new requests, and leaves when its answers have ended."""
    residents = [loaded(A, running=2, used=1), loaded(B, running=1, used=9)]
    patient = plan(residents, [awaited(C, since=98)], 25, NOW)
    impatient = plan(residents, [awaited(C, since=90)], 25, NOW)
    drained = plan([loaded(A, used=1), loaded(B, running=1, used=9)], [awaited(C, since=90)], 25, NOW)

    assert (frozenset(), 103.0, True) == (patient.closed, patient.again_at, patient.waits_for_answers)
    assert (frozenset({A}), ()) == (impatient.closed, impatient.unloads)
    assert (A,) == drained.unloads


def test_a_large_model_needs_several_to_leave() -> None:
    """Idle ones leave at once, busy ones after their answers."""
    decided = plan([loaded(A, used=1), loaded(B, running=1)], [awaited(deployment("large", 22))], 25, NOW)

    assert ((A,), frozenset({A, B})) == (decided.unloads, decided.closed)


def test_a_later_model_does_not_overtake() -> None:
    """Otherwise small models would keep a large one waiting for ever."""
    large, small = deployment("large", 20), deployment("small", 2)
    decided = plan([loaded(A, running=1)], [awaited(small, since=95), awaited(large, since=91)], 25, NOW)

    assert () == decided.loads


def test_models_load_at_the_same_time_if_both_fit() -> None:
    """In the order of their first requests."""
    assert (B, A) == plan([], [awaited(A, since=95), awaited(B, since=91)], 25, NOW).loads


def test_a_model_above_the_budget_is_loaded_alone() -> None:
    """The starter answers on any machine."""
    large = deployment("large", 100)

    assert (large,) == plan([], [awaited(large)], 25, NOW).loads
    assert (A,) == plan([loaded(A)], [awaited(large)], 25, NOW).unloads


def test_an_outdated_model_leaves_when_it_is_idle() -> None:
    """Whether its room is needed or not."""
    assert (A,) == plan([loaded(A, is_current=False), loaded(B)], [], 25, NOW).unloads
    assert () == plan([loaded(A, running=1, is_current=False), loaded(B)], [], 25, NOW).unloads


def test_workers_of_one_file_share_its_pages() -> None:
    """Two windows of one file of 20 bytes take 20 and twice 5 bytes."""
    narrow = deployment("narrow", 10, path="/same")
    wide = deployment("wide", 10, path="/same", window=8192)

    assert 15 == total_bytes([narrow.memory, wide.memory])
    assert (wide,) == plan([loaded(narrow)], [awaited(wide)], 15, NOW).loads


def test_a_model_that_failed_waits_for_the_end_of_its_pause() -> None:
    """The plan says when to look again."""
    decided = plan([], [awaited(A, not_before=107.0)], 25, NOW)

    assert ((), 107.0) == (decided.loads, decided.again_at)
    assert (A,) == plan([], [awaited(A, not_before=107.0)], 25, 107.0).loads


MODELS = [deployment(name, size) for name, size in zip("abcdef", (3, 5, 8, 10, 13, 21), strict=True)]
times = st.floats(0, 100)


@given(
    st.lists(
        st.tuples(st.sampled_from(MODELS), st.integers(0, 2), times, st.booleans()), unique_by=lambda each: each[0]
    ),
    st.lists(st.tuples(st.sampled_from(MODELS), times), unique_by=lambda each: each[0]),
)
def test_no_plan_breaks_the_rules(residents: list[tuple], requests: list[tuple]) -> None:  # type: ignore[type-arg]
    """Running answers keep their model, the budget holds, and what leaves takes no requests."""
    present = [loaded(model, running, used, is_current=current) for model, running, used, current in residents]
    held = {each.deployment for each in present}
    wanted = [awaited(model, since) for model, since in requests if model not in held]
    decided = plan(present, wanted, 30, NOW)

    busy = {each.deployment for each in present if each.running}
    assert not busy & set(decided.unloads)
    assert set(decided.loads) <= {each.deployment for each in wanted}
    total = total_bytes([*(each.memory for each in present), *(each.memory for each in decided.loads)])
    assert not decided.loads or total <= 30 or (not present and len(decided.loads) == 1)
    if wanted and not decided.loads and not busy:
        assert decided.unloads, "an idle pool always makes room"
