"""`python -m core.runtime.die_with_parent PARENT_PID COMMAND…` runs COMMAND; the kernel ends it with PARENT_PID.

`csps-llm up` starts everything through this, so that not even its own SIGKILL leaves a process behind. SIGKILL and not
SIGTERM, because a process that hangs must go as well; none of ours loses acknowledged work by it. Linux alone has
such a wish for the parent's death; elsewhere the command simply runs.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1


def end_with_parent(parent_pid: int) -> None:
    """Raises SystemExit if the parent ended before the kernel could be asked."""
    if sys.platform != "linux":
        return
    if ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGKILL) != 0:
        raise OSError(ctypes.get_errno(), "prctl(PR_SET_PDEATHSIG)")
    if os.getppid() != parent_pid:
        raise SystemExit(0)


if __name__ == "__main__":
    end_with_parent(int(sys.argv[1]))
    os.execvp(sys.argv[2], sys.argv[2:])  # noqa: S606 - a shell is what this avoids
