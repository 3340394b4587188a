"""`kill -9` at any moment: the next process continues, and nothing wrong or superfluous is left."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from core import PROJECT_ROOT
from core.model.library.download.progress import read_progress
from tests.core.model.library.download.support import NAME, PLACE, SOURCE, fetch_from, files_in, model_bytes
from tests.support.fake_hub import FakeHub, HubRequest

SIZE = 4_000_000
PROGRAM = """
import asyncio, sys
from pathlib import Path
from core.model.library.download.fetching import fetch
from core.model.library.specs import HubFile
asyncio.run(fetch(HubFile(sys.argv[1], sys.argv[2]), Path(sys.argv[3])))
"""


def start(hub: FakeHub, models: Path) -> subprocess.Popen[bytes]:
    variables = {**os.environ, "HF_ENDPOINT": hub.url, "HF_HUB_DISABLE_IMPLICIT_TOKEN": "1"}
    arguments = [sys.executable, "-c", PROGRAM, SOURCE.repo, SOURCE.pattern, str(models)]
    return subprocess.Popen(arguments, env=variables, cwd=PROJECT_ROOT, stderr=subprocess.DEVNULL)


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT])
async def test_a_killed_process_continues(tmp_path: Path, number: signal.Signals) -> None:
    """Bytes that arrived before are not fetched again, but for those on their way."""
    with FakeHub({NAME: model_bytes(SIZE)}) as hub:
        reached, release = threading.Event(), threading.Event()

        def hold(_request: HubRequest, position: int) -> None:
            if position >= SIZE // 2:
                reached.set()
                release.wait(60)

        hub.before_block = hold
        process = start(hub, tmp_path)
        assert reached.wait(60)
        process.send_signal(number)
        process.wait(60)
        seen = read_progress(tmp_path, SOURCE)
        release.set()
        assert not (tmp_path / PLACE).exists()

        assert hub.files[NAME] == (await fetch_from(hub, tmp_path)).read_bytes()
        assert seen is not None
        assert "paused" == seen.state
        assert seen.done_bytes > 0.3 * SIZE
        assert hub.sent_bytes < 1.2 * SIZE
        assert [f"{PLACE}/{NAME}"] == files_in(tmp_path)
