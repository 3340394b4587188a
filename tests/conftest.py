"""What every test may ask for: settings of its own, in a folder of its own."""

from __future__ import annotations

from pathlib import Path

import pytest

from core import settings

pytest_plugins = ("tests.starter",)


@pytest.fixture
def own_settings(tmp_path: Path) -> settings.Settings:
    """The shipped configuration, with its data in the test's folder and no other variable of the environment."""
    return settings.load({"CSPS_LLM_DATA": str(tmp_path / "var"), "LLM_WAIT_S": "20"})
