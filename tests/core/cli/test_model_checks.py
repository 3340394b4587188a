"""The checks of `doctor` on the default model."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from core.cli import hardware_checks, model_checks
from core.cli.findings import Finding, FindingBuilder
from core.configuration import settings
from core.model.hardware.machine import Machine
from core.model.hardware.memory import MachineMemory
from core.model.library import resources
from core.model.library.selection import write_selection
from core.model.library.starter import bundled_starter, starter_path
from tests.core.model.library.test_installed import begin_download, store

GIB = 1 << 30
REPO = "mistralai/Ministral-3-3B-Instruct-2512-GGUF"
FILE = "Ministral-3-3B-Instruct-2512-Q4_K_M.gguf"

PLAN = {
    "gpu_layers": 0,
    "layers": 31,
    "cells": 16_384,
    "cache_bytes": 377_487_360,
    "kv_type": "f16",
    "threads": 2,
    "threads_batch": 2,
    "tuned": False,
}


@pytest.fixture(autouse=True)
def laptop(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine on which Ministral 3B is the best."""
    machine = Machine(2, 8 * GIB, 6 * GIB, bandwidth_bytes_per_s=20e9)
    monkeypatch.setattr(resources, "inspect_machine", lambda *_: machine)
    monkeypatch.setattr(resources, "is_offline", lambda *_: False)
    monkeypatch.setattr(model_checks, "read_memory", lambda: MachineMemory(8 * GIB, 4 * GIB))
    monkeypatch.setattr(hardware_checks, "ask_engine", lambda *_: PLAN)


def check(tmp_path: Path, **variables: str) -> dict[str, Finding]:
    chosen = settings.load({"CSPS_LLM_DATA": str(tmp_path), "LLM_AUTO": "off", **variables})
    return {finding.check: finding for finding in model_checks.check_models(FindingBuilder("en"), chosen)}


def copy_starter(target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy(bundled_starter(), target)


def test_a_model_that_is_not_here_yet(tmp_path: Path) -> None:
    """The advice says what answers meanwhile, and how to say no. A begun download shows how far it is."""
    found = check(tmp_path, LLM_AUTO="on")

    assert "warn" == found["Default model"].state
    assert "Ministral 3 3B Instruct (the best of the catalogue for this machine)" in found["Default model"].found
    assert all(words in found["Default model"].advice for words in ("SmolLM2-135M", "LLM_AUTO=off"))
    assert "starter model, not prepared yet" in found["Model file"].found
    assert "fit this machine, which reads 20 GB of its memory in a second" in found["Catalogue"].found

    begin_download(tmp_path / "models", FILE, 43, repo=REPO)
    assert "stopped at 43%" in check(tmp_path, LLM_AUTO="on")["Default model"].found


def test_a_downloaded_model(tmp_path: Path) -> None:
    """Its file, memory and speed are shown."""
    copy_starter(tmp_path / "models" / REPO.replace("/", "--") / FILE)  # any model of the right name
    found = check(tmp_path, LLM_AUTO="on")

    assert {"ok"} == {finding.state for finding in found.values()}
    assert FILE in found["Model file"].found
    assert "about 6.5 tokens/s" in found["Speed"].found


def test_the_starter_is_a_warning(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The advice leads to better models. Its memory is compared with the machine's."""
    copy_starter(starter_path(tmp_path / "models"))
    found = check(tmp_path)

    assert ("warn", "warn") == (found["Default model"].state, found["Model file"].state)
    assert "csps-llm models list" in found["Default model"].advice
    assert "ok" == found["Memory"].state
    assert "188.7 MB of it for the context" in found["Memory"].found  # 8192 tokens × 23,040 bytes
    for there, state in ((MachineMemory(8 << 30, 1 << 20), "warn"), (MachineMemory(1 << 28, 1 << 20), "problem")):
        monkeypatch.setattr(model_checks, "read_memory", lambda there=there: there)
        assert state == check(tmp_path)["Memory"].state


def test_an_unusable_file(tmp_path: Path) -> None:
    """The advice differs for a missing file and a damaged one."""
    missing = check(tmp_path, LLM_MODEL_FILE=str(tmp_path / "none.gguf"))["Model file"]
    assert ("problem", "Correct LLM_MODEL_FILE.") == (missing.state, missing.advice)
    (tmp_path / "bad.gguf").write_bytes(b"GGUF\x03")
    damaged = check(tmp_path, LLM_MODEL_FILE=str(tmp_path / "bad.gguf"))["Model file"]
    assert "problem" == damaged.state
    assert "damaged" in damaged.advice
    store(tmp_path / "models", FILE, b"GGUF\x03", repo=REPO)
    assert "problem" == check(tmp_path, LLM_MODEL="ministral-3b")["Model file"].state


def test_a_selection_that_no_longer_exists(tmp_path: Path) -> None:
    write_selection(tmp_path, "gone-7b")
    chosen = settings.load({"CSPS_LLM_DATA": str(tmp_path), "LLM_AUTO": "on"})
    findings = list(model_checks.check_models(FindingBuilder("en"), chosen))

    assert any(finding.state == "warn" and "gone-7b" in finding.found for finding in findings)


def test_a_broken_catalogue_or_name_is_a_problem(tmp_path: Path) -> None:
    """`up` does not start with it."""
    assert "problem" == check(tmp_path, LLM_MODEL="no-such-model")["Default model"].state
    config = tmp_path / "config"
    config.mkdir()
    (config / "models.toml").write_text("[x]\n", encoding="utf-8")
    found = check(tmp_path, CSPS_LLM_CONFIG=str(config))

    assert ["Default model"] == list(found)
    assert "models.toml" in found["Default model"].found


def test_a_machine_that_is_too_small(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resources, "inspect_machine", lambda *_: Machine(1, GIB, GIB // 2, bandwidth_bytes_per_s=3e9))
    found = check(tmp_path, LLM_AUTO="on")

    assert "no model of the catalogue can be used here" in found["Default model"].found
    assert "warn" == found["Catalogue"].state
