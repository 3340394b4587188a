"""The command line of benchmarks.serving, and the servers that follow from it."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.serving import __main__ as program
from benchmarks.serving.servers import LOCKED, OURS, SAME_SOURCE, THEIRS, our_command
from benchmarks.serving.workloads.chat import ChatWorkload
from benchmarks.serving.workloads.options import WorkloadOptions

MODEL = Path("model.gguf")


def chosen(*arguments: str) -> dict[str, list[str]]:
    """The settings that are tried of each server."""
    options = program.parse([*arguments])
    groups = program.candidates(ChatWorkload(WorkloadOptions(MODEL, clients=options.clients)), options)
    return {group[0].name: [command.setting for command in group] for group in groups}


@pytest.fixture(autouse=True)
def compiled(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(program, "find_or_build", lambda: Path("/cache/llama-server"))


def test_both_kv_caches_of_llama_servers_are_tried() -> None:
    """Ours and the lock have no such setting."""
    both = ["kv-unified", "no-kv-unified"]

    assert {OURS: [""], THEIRS: both, SAME_SOURCE: both, LOCKED: [""]} == chosen()
    assert ["no-kv-unified"] == chosen("--kv", "streams")[THEIRS]


def test_servers_are_left_out_by_name() -> None:
    """A llama-server of another build stays."""
    assert [OURS, SAME_SOURCE] == list(chosen("--without", f"{LOCKED}, {THEIRS}"))


def test_server_that_cannot_be_compiled_is_left_out(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """One line says why."""

    def fail() -> Path:
        raise program.BuildFailed("there is no compiler")

    monkeypatch.setattr(program, "find_or_build", fail)

    assert SAME_SOURCE not in chosen()
    assert f"without {SAME_SOURCE}: there is no compiler\n" == capsys.readouterr().out


def test_unknown_workload_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    """The error names it."""
    with pytest.raises(SystemExit):
        program.parse(["--only", "chat,chess"])

    assert "unknown workload: chess" in capsys.readouterr().err


def test_every_server_has_room_for_all_clients() -> None:
    """32 clients run at the same time, also where each slot has a cache of its own."""
    workload = ChatWorkload(WorkloadOptions(MODEL, clients=(1, 32)))
    command = our_command(MODEL, workload.capacity)

    assert ("32", str(32 * 512)) == (command.environment["LLM_SLOTS"], command.environment["LLM_CACHE_TOKENS"])


def test_commands_get_their_port_and_lose_their_data() -> None:
    """The port is in the settings of ours; its data folder is deleted with the command."""
    command = our_command(MODEL, ChatWorkload(WorkloadOptions(MODEL)).capacity).at(8123)
    folder = Path(command.environment["CSPS_LLM_DATA"])

    assert "127.0.0.1:8123" == command.environment["LLM_LISTEN"]
    assert folder.is_dir()
    assert command.data is not None
    command.data.cleanup()
    assert not folder.exists()
