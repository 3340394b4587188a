"""Tasks that run beside the code that starts them."""

from __future__ import annotations

import asyncio
import gc

import pytest
from structlog.testing import capture_logs

from core.errors import Overloaded
from core.runtime.background_tasks import BackgroundTasks, run_beside


async def fail(after: asyncio.Event) -> None:
    await after.wait()
    raise ValueError("broken")


async def test_a_started_task_survives_garbage_collection() -> None:
    """No caller holds it, and it still ends."""
    tasks, ended = BackgroundTasks(), asyncio.Event()

    async def work() -> None:
        await asyncio.sleep(0)
        ended.set()

    tasks.start(work())
    gc.collect()
    await tasks.join()

    assert ended.is_set()


async def test_a_failure_is_logged() -> None:
    """The caller does not see it."""
    tasks, go = BackgroundTasks(), asyncio.Event()
    go.set()
    with capture_logs() as logs:
        tasks.start(fail(go))
        await tasks.join()
        await asyncio.sleep(0)

    assert [entry["event"] for entry in logs] == ["background_task_failed"]


async def test_close_cancels_what_runs() -> None:
    """A cancelled task is no failure."""
    tasks = BackgroundTasks()
    with capture_logs() as logs:
        tasks.start(asyncio.Event().wait())  # type: ignore[arg-type]
        await asyncio.sleep(0)
        await tasks.close()

    assert logs == []


async def test_shielded_work_continues_after_a_cancellation() -> None:
    """The caller is cancelled at once; the work ends, and its failure is logged."""
    tasks, go = BackgroundTasks(), asyncio.Event()
    with capture_logs() as logs:
        caller = asyncio.create_task(tasks.shield(fail(go)))
        await asyncio.sleep(0)
        caller.cancel()
        await asyncio.wait([caller])
        go.set()
        await tasks.join()
        await asyncio.sleep(0)

    assert caller.cancelled()
    assert [entry["event"] for entry in logs] == ["background_task_failed"]


async def test_a_failure_of_shielded_work_reaches_the_caller() -> None:
    """It is not logged as well."""
    tasks, go = BackgroundTasks(), asyncio.Event()
    go.set()
    with capture_logs() as logs, pytest.raises(ValueError, match="broken"):
        await tasks.shield(fail(go))

    assert logs == []


async def test_work_beside_a_block_ends_with_it() -> None:
    """It is cancelled at the end; a failure of it does not reach the block."""
    cancelled, go = asyncio.Event(), asyncio.Event()

    async def work() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            cancelled.set()

    go.set()
    async with run_beside(work()), run_beside(fail(go)):
        await asyncio.sleep(0)

    assert cancelled.is_set()


async def test_concurrency_and_number_of_tasks_are_limited() -> None:
    """The third task of a limit of two is dropped; the second waits for the first."""
    tasks, go, running = BackgroundTasks(concurrency=1, limit=2), asyncio.Event(), list[str]()

    async def work(name: str) -> None:
        running.append(name)
        await go.wait()

    with capture_logs() as logs:
        for name in ("a", "b", "c"):
            tasks.start(work(name))
        await asyncio.sleep(0)
        assert running == ["a"]
        go.set()
        await tasks.join()

    assert running == ["a", "b"]
    assert [entry["event"] for entry in logs] == ["background_task_dropped"]
    assert logs[0]["task"].endswith("work")


async def test_an_error_of_ours_is_a_warning() -> None:
    """It has a code and a message, and needs no traceback."""

    async def work() -> None:
        raise Overloaded("busy")

    tasks = BackgroundTasks()
    with capture_logs() as logs:
        tasks.start(work())
        await tasks.join()
        await asyncio.sleep(0)

    assert [(entry["log_level"], entry["code"]) for entry in logs] == [("warning", "overloaded")]
