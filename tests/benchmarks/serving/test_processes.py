"""Memory and processor time of servers with several processes."""

from __future__ import annotations

import os
from pathlib import Path

from benchmarks.serving.processes import cpu_s, process_tree, resident_mb


def add_process(proc: Path, pid: int, name: str, ticks: tuple[int, int], pages: int, children: str = "") -> None:
    task = proc / str(pid) / "task" / str(pid)
    task.mkdir(parents=True)
    (task / "children").write_text(children)
    (proc / str(pid) / "statm").write_text(f"9999 {pages} 1 1 0 1 0\n")
    fields = " ".join(["S", *["0"] * 10, str(ticks[0]), str(ticks[1]), *["7"] * 30])
    (proc / str(pid) / "stat").write_text(f"{pid} ({name}) {fields}\n")


def test_children_count(tmp_path: Path) -> None:
    """A model process computes in a worker, its child; a name with brackets and blanks shifts no field."""
    add_process(tmp_path, 1, "host", (10, 5), 100, "2 ")
    add_process(tmp_path, 2, "a (worker) 3", (200, 85), 1000)

    assert [1, 2] == list(process_tree(1, tmp_path))
    assert 300 / os.sysconf("SC_CLK_TCK") == cpu_s(1, tmp_path)
    assert 1100 * os.sysconf("SC_PAGE_SIZE") / 1e6 == resident_mb(1, tmp_path)


def test_own_process_is_measured() -> None:
    """The files of the kernel have this form."""
    assert resident_mb(os.getpid()) > 1
    assert cpu_s(os.getpid()) > 0
