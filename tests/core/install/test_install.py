"""The steps of an installation: each runs once, and again after a failure or a change."""

from __future__ import annotations

from pathlib import Path

from core.install.venv import Venv, python_problem
from tests.core.install.support_checkout import fake_root, install


def test_an_old_python_is_refused() -> None:
    """The message has its version, and says how to choose another."""
    assert python_problem((3, 11), "python3") is None
    message = python_problem((3, 9), "/usr/bin/python3") or ""
    assert "3.11" in message
    assert "/usr/bin/python3 is 3.9" in message
    assert "PYTHON=" in message


def test_the_record_belongs_to_one_folder(tmp_path: Path) -> None:
    """It is read again by the next run. It tells when the checkout was moved, and a cut-off record counts as none."""
    folder = tmp_path / ".venv"
    folder.mkdir()
    Venv(folder).record("packages", "digest")
    again = Venv(folder)
    assert again.recorded("packages") == "digest"
    assert not again.was_moved()
    moved = folder.rename(tmp_path / "elsewhere")
    assert Venv(moved).was_moved()
    (moved / "installed.json").write_text('{"packages": "dig', encoding="utf-8")
    assert Venv(moved).recorded("packages") is None


def test_an_incomplete_venv_is_not_usable(tmp_path: Path) -> None:
    """A folder without a working Python is created again."""
    folder = tmp_path / ".venv"
    (folder / "bin").mkdir(parents=True)
    assert not Venv(folder).is_usable()
    python = folder / "bin" / "python"
    python.write_text("#!/bin/sh\nexit 1\n", encoding="utf-8")
    python.chmod(0o755)
    assert not Venv(folder).is_usable()


def test_a_second_install_does_nothing(tmp_path: Path) -> None:
    """All steps run once, then none. A changed file brings back only its own step."""
    root = fake_root(tmp_path)
    assert install(root) == ["requirements.lock", "engine0.whl", root.name, "core.model.worker.prepare"]
    assert install(root) == []
    with (root / "pyproject.toml").open("a", encoding="utf-8") as file:
        file.write("# changed\n")
    assert install(root) == [root.name]


def test_a_failed_step_runs_again(tmp_path: Path) -> None:
    """Steps before the failure are not repeated."""
    root = fake_root(tmp_path)
    (root / "fail").write_text("engine0.whl", encoding="utf-8")
    assert install(root) == ["requirements.lock", "engine0.whl"]
    (root / "fail").unlink()
    assert install(root) == ["engine0.whl", root.name, "core.model.worker.prepare"]


def test_an_engine_for_the_gpu_stays_until_cmake_args_change(tmp_path: Path) -> None:
    """`make run` without CMAKE_ARGS does not undo `make install CMAKE_ARGS=-DGGML_CUDA=on`; an empty one does."""
    root = fake_root(tmp_path)
    assert "engine14.whl" in install(root, CMAKE_ARGS="-DGGML_CUDA=on")
    assert install(root) == []
    assert "engine0.whl" in install(root, CMAKE_ARGS="")
