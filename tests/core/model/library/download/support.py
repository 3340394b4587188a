"""Values that tests of downloads share: a small model, limits without pauses, and calls of `fetch`."""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from core.model.library.download.failures import DownloadFailed
from core.model.library.download.fetching import fetch, ignore_progress
from core.model.library.download.policy import TransferPolicy
from core.model.library.download.progress import OnProgress
from core.model.library.specs import HubFile
from core.runtime.backoff import Backoff
from tests.support.fake_hub import REPO, FakeHub, Fault

NAME = "a-model-Q4_K_M.gguf"
PLACE = "someone--A-Model-GGUF"
SOURCE = HubFile(REPO, "*Q4_K_M.gguf")
SEGMENT_BYTES = 16 * 1024
FAST = TransferPolicy(
    connections=3,
    open_every_s=0.0,
    segment_min_bytes=SEGMENT_BYTES,
    segment_max_bytes=SEGMENT_BYTES,
    backoff=Backoff(first_s=0.0, limit_s=0.0),
    report_s=0.01,
)
IMPATIENT = replace(FAST, patience_s=0.0)  # the first broken connection ends the attempt
ANONYMOUS = {"HF_HUB_DISABLE_IMPLICIT_TOKEN": "1"}


def model_bytes(size: int = 200_000, seed: int = 7) -> bytes:
    return b"GGUF" + random.Random(seed).randbytes(size - 4)


async def fetch_from(
    hub: FakeHub,
    models: Path,
    source: HubFile = SOURCE,
    on_progress: OnProgress = ignore_progress,
    policy: TransferPolicy = FAST,
    environ: Mapping[str, str] = ANONYMOUS,
) -> Path:
    """Fetches without any token of this machine, unless `environ` has one."""
    return await fetch(source, models, on_progress, policy, {"HF_ENDPOINT": hub.url, **environ})


async def fetch_a_part(hub: FakeHub, models: Path, source: HubFile = SOURCE) -> None:
    """Begins a download that breaks off after some segments."""
    hub.faults.extend([Fault(after_bytes=1 << 30)] * 4 + [Fault(after_bytes=5000)])
    with pytest.raises(DownloadFailed, match="continues"):
        await fetch_from(hub, models, source, policy=IMPATIENT)
    hub.faults.clear()


def files_in(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())
