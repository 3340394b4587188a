"""An engine that repeats the question, and a bot process on it. Test files with other needs define their own."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.bindings.intake.support_intake import BotHarness, echo
from tests.support.fake_engine import FakeEngine


@pytest.fixture
def engine() -> FakeEngine:
    return FakeEngine(echo, names=("whisper", "chuchotte", "guide"))


@pytest.fixture
def harness(tmp_path: Path, engine: FakeEngine) -> BotHarness:
    return BotHarness(tmp_path / "var", engine)
