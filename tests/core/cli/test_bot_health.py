"""core.cli.bot_health: `up` reports once that a platform refuses a bot's token, and once that it accepts it again."""

from __future__ import annotations

import asyncio
from contextlib import suppress

from aiohttp import web

from core.cli.bot_health import BotMonitor, fetch_token_problem
from tests.core.cli.test_readiness import FakeLog

REFUSED = {"status": "unready", "code": "credentials_refused", "detail": "the token was revoked"}


async def test_a_refused_token_is_reported_until_it_is_accepted() -> None:
    """Other reasons for not being ready are the business of others."""
    answers = [REFUSED, REFUSED, {"status": "ready"}, {"status": "unready", "code": "overloaded", "detail": "busy"}]
    all_asked = asyncio.Event()

    async def readyz(_: web.Request) -> web.Response:
        if len(answers) == 1:
            all_asked.set()
        return web.json_response(answers.pop(0) if len(answers) > 1 else answers[0])

    app = web.Application()
    app.router.add_get("/readyz", readyz)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    log = FakeLog()
    monitor = asyncio.create_task(
        BotMonitor({"slack": f"http://127.0.0.1:{site.port}"}, log, "en", interval_s=0.0).run()
    )
    try:
        event, message = await log.next()
        assert ("bot_token_refused", True) == (event, "the token was revoked" in message)
        assert "bot_token_accepted" == (await log.next())[0]
        await asyncio.wait_for(all_asked.wait(), 30)
        assert log.queue.empty()
    finally:
        monitor.cancel()
        with suppress(asyncio.CancelledError):
            await monitor
        await runner.cleanup()


async def test_a_bot_that_does_not_run_has_no_problem() -> None:
    assert await fetch_token_problem("http://127.0.0.1:9") is None
