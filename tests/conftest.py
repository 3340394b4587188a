"""Fixtures for every test, and which tests are slow."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog
from hypothesis import HealthCheck
from hypothesis import settings as hypothesis_settings

from core.configuration import settings

# The speed of this machine is no property of the code under test.
hypothesis_settings.register_profile("any-machine", deadline=None, suppress_health_check=[HealthCheck.too_slow])
hypothesis_settings.load_profile("any-machine")

pytest_plugins = ("tests.support.databases", "tests.support.starter")


# Each starts something that takes seconds: the model, a browser, a PostgreSQL server.
SLOW_FIXTURES = {"starter_file", "browser", "postgresql"}
SLOW_DATABASES = {"postgresql", "pgvector"}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Marks tests as slow by what they start; single slow tests carry `pytest.mark.slow` themselves."""
    for item in items:
        fixtures = set(getattr(item, "fixturenames", ()))
        values = item.callspec.params.values() if hasattr(item, "callspec") else ()
        if fixtures & SLOW_FIXTURES or any(isinstance(each, str) and each in SLOW_DATABASES for each in values):
            item.add_marker(pytest.mark.slow)


@pytest.fixture(autouse=True)
def own_logging() -> Iterator[None]:
    """Restores the process's logging after each test: its level, and a stream that the test closes."""
    before = structlog.get_config()
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    structlog.configure(**before)
    root.handlers[:], root.level = handlers, level


@pytest.fixture
def own_settings(tmp_path: Path) -> settings.Settings:
    """The shipped configuration. Data goes to the test's folder; no variable of the environment counts."""
    return settings.load({"CSPS_LLM_DATA": str(tmp_path / "var"), "LLM_WAIT_S": "20"})
