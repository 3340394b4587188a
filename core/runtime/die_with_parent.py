"""`python -m core.runtime.die_with_parent PARENT_PID COMMAND…` runs COMMAND; the kernel kills it when PARENT_PID ends.

`csps-llm up` starts every process through this module, so even its own SIGKILL leaves no process behind. The signal is
SIGKILL, not SIGTERM, because a process that hangs must end as well; no process of ours loses acknowledged work by it.
Only Linux offers this (prctl, PR_SET_PDEATHSIG); on other systems the command simply runs.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1


def end_with_parent(parent_pid: int) -> None:
    """Asks the kernel to kill this process with its parent. Raises SystemExit if the parent has already ended."""
    if sys.platform != "linux":
        return
    if ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGKILL) != 0:
        raise OSError(ctypes.get_errno(), "prctl(PR_SET_PDEATHSIG)")
    if os.getppid() != parent_pid:
        raise SystemExit(0)


if __name__ == "__main__":
    end_with_parent(int(sys.argv[1]))
    os.execvp(sys.argv[2], sys.argv[2:])  # noqa: S606 - a shell is what this avoids
