"""The pool: requests wait for their model, failures stay with their model, loads are as few as possible."""

from __future__ import annotations

import random
from collections import OrderedDict

import pytest
from structlog.testing import capture_logs

from core.errors import ModelRefused, ModelUnavailable, Stopping
from core.model.host.tickets import Ticket
from core.model.worker.announcements import WorkerFailed
from tests.core.model.host.support_workers import Workers, deployment, settle

A, B, C = (deployment(name) for name in "abc")


async def test_a_request_waits_until_its_model_is_loaded() -> None:
    """The next one is answered at once, by the same worker."""
    workers = Workers()
    first = workers.pool.request(A)
    assert await first.wait(0) is None
    worker = await workers.load("a")
    second = workers.pool.request(A)

    assert worker is await first.wait(0) is await second.wait(0)
    assert ["a"] == workers.ids


async def test_the_expected_wait_follows_the_size_and_the_loads_so_far() -> None:
    """It shrinks while the model loads."""
    workers = Workers(budget=10**12)
    large = deployment("large", 2 * 10**10)
    ticket = workers.pool.request(large)
    before = ticket.expected_wait_s
    workers.clock.now += 5
    assert before is not None
    assert before - 5 == pytest.approx(ticket.expected_wait_s)
    workers.clock.now += 995
    await workers.load("large")
    other = workers.pool.request(deployment("other", 2 * 10**10))

    assert other.expected_wait_s is not None
    assert other.expected_wait_s > before, "this disk is slower than the first guess"


async def test_a_full_pool_unloads_the_least_recently_used() -> None:
    """Its process ends before the next one starts."""
    workers = Workers()
    for model in (A, B):
        ticket = workers.pool.request(model)
        await workers.load(model.model_id)
        ticket.release()
        workers.clock.now += 1
    workers.pool.request(A).release()
    waiting = workers.pool.request(C)
    await settle()
    await workers.load("c")

    assert {"a", "c"} == workers.loaded
    assert not waiting.is_waiting


async def test_a_busy_pool_lets_requests_wait_and_then_serves_them_in_order() -> None:
    """The busy model takes no new requests once the waiting one has lost its patience; no answer is cut."""
    workers = Workers(budget=12)
    running = workers.pool.request(A)
    await workers.load("a")
    waiting = workers.pool.request(B)
    assert waiting.expected_wait_s is None, "nobody knows when answers end"
    during = workers.pool.request(A)
    assert not during.is_waiting
    await workers.pass_time(60)
    late = workers.pool.request(A)
    assert late.is_waiting
    during.release()
    assert not workers.latest("a").stopped
    running.release()
    await settle()
    await workers.load("b")
    assert not waiting.is_waiting
    waiting.release()
    await workers.pass_time(60)
    await workers.load("a")

    assert not late.is_waiting
    assert ["a", "b", "a"] == workers.ids


async def test_a_request_that_goes_away_is_not_loaded_for() -> None:
    """Its model is not loaded, and nobody leaves for it."""
    workers = Workers(budget=12)
    running = workers.pool.request(A)
    await workers.load("a")
    workers.pool.request(B).release()
    await workers.pass_time(60)
    running.release()
    await settle()

    assert ["a"] == workers.ids
    assert {"a"} == workers.loaded


async def test_a_model_that_cannot_be_loaded_fails_alone() -> None:
    """Its requests get the worker's message without the folder; after a while it is tried again."""
    workers = Workers()
    fine = workers.pool.request(A)
    await workers.load("a")
    broken = workers.pool.request(B)
    await settle()
    with capture_logs() as logs:
        workers.latest("b").end("exit code 2", failure=WorkerFailed("/models/b.gguf is cut", permanent=True))
        await settle()

    with pytest.raises(ModelRefused, match=r"^b\.gguf is cut"):
        await broken.wait(0)
    with pytest.raises(ModelRefused, match=r"b\.gguf is cut"):
        workers.pool.request(B)
    assert not fine.is_waiting
    assert [("model_load_failed", "/models/b.gguf")] == [(each["event"], each["path"]) for each in logs]
    await workers.pass_time(600)
    again = workers.pool.request(B)
    await workers.load("b")
    assert not again.is_waiting


async def test_a_worker_that_dies_is_started_again_after_a_pause() -> None:
    """The pause doubles: no tight loop. A request meanwhile waits for it."""
    workers = Workers()
    workers.pool.request(A)
    await workers.load("a")
    pauses = []
    for _ in range(3):
        workers.latest("a").end("SIGKILL")
        await settle()
        waiting = workers.pool.request(A)
        assert waiting.is_waiting
        pause_s = 0.0
        while len(workers.ids) < len(pauses) + 2:
            await workers.pass_time(0.5)
            pause_s += 0.5
        pauses.append(pause_s)
        await workers.load("a")
        assert not waiting.is_waiting

    assert [0.5, 1.0, 2.0] == pauses


async def test_a_worker_that_dies_while_it_loads_is_an_error_of_its_model() -> None:
    """The requests that wait get it now rather than after ever longer pauses."""
    workers = Workers()
    waiting = workers.pool.request(A)
    await settle()
    workers.latest("a").end("SIGKILL")
    await settle()

    with pytest.raises(ModelUnavailable, match="while it loaded: SIGKILL") as failed:
        await waiting.wait(0)
    assert failed.value.retry_after_s


async def test_a_model_above_the_budget_is_refused_with_the_numbers() -> None:
    """It says what to change. The starter is tried on any machine."""
    workers = Workers(budget=25 * 10**6)

    with pytest.raises(ModelRefused, match=r"needs about 30 MB .* 25 MB .*LLM_MEMORY_MB"):
        workers.pool.request(deployment("large", 30 * 10**6))
    assert workers.pool.request(deployment("starter", 30 * 10**6, starter=True)).is_waiting


async def test_an_outdated_model_leaves_after_its_answers() -> None:
    """A model that requests may mean stays."""
    workers = Workers()
    old = workers.pool.request(A)
    await workers.load("a")
    workers.pool.request(B).release()
    workers.pool.preload(B)
    await workers.load("b")
    workers.pool.keep([B])
    await settle()
    assert {"a", "b"} == workers.loaded
    old.release()
    await settle()

    assert {"b"} == workers.loaded


async def test_closing_refuses_what_waits_and_stops_what_is_loaded() -> None:
    """Running answers may end before that. Nothing is started afterwards."""
    workers = Workers()
    running = workers.pool.request(A)
    await workers.load("a")
    waiting = workers.pool.request(B)
    await settle()
    workers.pool.stop_loading()
    assert not workers.latest("a").stopped
    running.release()
    await workers.pool.close()

    with pytest.raises(Stopping):
        await waiting.wait(0)
    with pytest.raises(Stopping):
        workers.pool.request(A)
    assert all(each.stopped for each in workers.started)


@pytest.mark.parametrize("seed", range(5))
async def test_loads_are_as_few_as_lru_allows(seed: int) -> None:
    """Requests one after the other cause exactly the loads of a least-recently-used cache for two models."""
    workers, chance = Workers(), random.Random(seed)
    order = [chance.choice((A, B, C)) for _ in range(60)]
    cache: OrderedDict[str, None] = OrderedDict()
    optimum = 0
    for model in order:
        optimum += model.model_id not in cache
        cache[model.model_id] = None
        cache.move_to_end(model.model_id)
        if len(cache) > 2:
            cache.popitem(last=False)
        ticket: Ticket = workers.pool.request(model)
        await settle()
        if ticket.is_waiting:
            await workers.load(model.model_id)
        assert not ticket.is_waiting
        ticket.release()
        workers.clock.now += 1

    assert optimum == workers.pool.loads
