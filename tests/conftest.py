"""Fixtures for every test, and the list of slow tests."""

from __future__ import annotations

import gc
import logging
import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog
from hypothesis import HealthCheck
from hypothesis import settings as hypothesis_settings

from core.configuration import settings

os.environ["LLM_AUTO"] = "off"  # no test downloads a model; inherited by the processes that tests start

# The speed of the machine must not decide the result of a test.
hypothesis_settings.register_profile("any-machine", deadline=None, suppress_health_check=[HealthCheck.too_slow])
hypothesis_settings.load_profile("any-machine")

# A shell ignores SIGINT in its background jobs, and children inherit that: Ctrl+C in a test would then do nothing.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

pytest_plugins = ("tests.support.databases", "tests.support.llama_server", "tests.support.starter")


# Each starts a program that takes seconds: the model, a browser, a PostgreSQL server.
SLOW_FIXTURES = {"starter_file", "browser", "postgresql"}
SLOW_DATABASES = {"postgresql", "pgvector"}
# Modules that take more than a second, by `pytest --durations=0`: they start processes, wait, or try many cases.
SLOW_MODULES = {
    "bindings/delivery/test_splitting.py",
    "bindings/discord/test_adapter.py",
    "bindings/discord/test_with_intake.py",
    "bindings/intake/test_intake.py",
    "bindings/intake/test_intake_commands.py",
    "bindings/intake/test_intake_jobs.py",
    "bindings/intake/test_intake_kills.py",
    "bindings/intake/test_intake_trouble.py",
    "bindings/slack/test_end_to_end.py",
    "bindings/slack/test_interactions.py",
    "bindings/slack/test_sockets.py",
    "bindings/teams/test_end_to_end.py",
    "bindings/teams/test_files.py",
    "bindings/teams/test_outlet.py",
    "bindings/teams/test_turns.py",
    "bindings/teams/test_webhook.py",
    "bindings/test_hostile_length.py",
    "bindings/test_processes.py",
    "bindings/test_shared_processes.py",
    "core/cli/test_chat.py",
    "core/cli/test_cli.py",
    "core/cli/test_doctor.py",
    "core/cli/test_facts.py",
    "core/cli/test_sources.py",
    "core/cli/test_supervisor.py",
    "core/cli/test_toil.py",
    "core/cli/test_up.py",
    "core/conversation/test_attachments.py",
    "core/conversation/test_cut_attachments.py",
    "core/conversation/test_generation.py",
    "core/conversation/test_repeated_prompts.py",
    "core/conversation/test_retrieval.py",
    "core/conversation/test_sessions.py",
    "core/install/test_install.py",
    "core/model/client/test_contract.py",
    "core/model/client/test_engine_pool.py",
    "core/model/client/test_model_client.py",
    "core/model/client/test_other_engines.py",
    "core/model/worker/suspended/test_state_folder.py",
    "core/model/worker/suspended/test_state_key.py",
    "core/model/worker/test_damaged_model.py",
    "core/model/worker/test_prefix_cache_accounting.py",
    "core/model/test_process.py",
    "core/rag/facts/test_kill.py",
    "core/rag/facts/test_recall.py",
    "core/rag/facts/test_store.py",
    "core/rag/fetching/test_fetch_bodies.py",
    "core/rag/reading/test_reading.py",
    "core/rag/sources/test_finder.py",
    "core/rag/test_embeddings.py",
    "core/runtime/test_hang_guards.py",
    "core/storage/test_migration.py",
    "core/storage/test_upgrade.py",
    "core/toil/batch/test_rows.py",
    "core/toil/schema/test_round_trip.py",
    "core/toil/test_toiler.py",
    "core/toil/test_validator_pool.py",
    "test_recovery.py",
    "web/test_file_upload.py",
    "web/test_hostile.py",
    "web/test_server.py",
    "web/test_toil_batch.py",
}
TESTS = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Marks tests as slow by their fixtures and modules. Other slow tests have `pytest.mark.slow` themselves."""
    slow_files = {TESTS / module for module in SLOW_MODULES}
    assert all(file.exists() for file in slow_files), "SLOW_MODULES names a module that was moved"
    for item in items:
        fixtures = set(getattr(item, "fixturenames", ()))
        values = item.callspec.params.values() if hasattr(item, "callspec") else ()
        starts = fixtures & SLOW_FIXTURES or item.path in slow_files
        if starts or any(isinstance(each, str) and each in SLOW_DATABASES for each in values):
            item.add_marker(pytest.mark.slow)


def pytest_collection_finish() -> None:
    """Exempts the objects of all modules and tests from garbage collection, which would visit them again and again."""
    gc.collect()
    gc.freeze()


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
    """The shipped configuration. Data goes to the test's folder; environment variables have no effect."""
    return settings.load({"CSPS_LLM_DATA": str(tmp_path / "var"), "LLM_WAIT_S": "20", "LLM_AUTO": "off"})
