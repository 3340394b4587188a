"""The real web process on a database and an engine, with its use of the processor and of memory."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.known_engine import until_healthy
from benchmarks.serving.servers import free_port

TICKS_S = 1 / os.sysconf("SC_CLK_TCK")
PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")


@dataclass
class WebProcess:
    """`log` is where its lines go. `core`: the only one that it may use; None: any."""

    port: int
    environ: Mapping[str, str]
    log: Path
    core: int | None = None
    process: asyncio.subprocess.Process | None = None
    rss_mb: list[float] = field(default_factory=list)  # sampled

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def start(self) -> None:
        """Returns once it is ready."""
        with self.log.open("ab") as lines:
            self.process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "web"), env={**os.environ, **self.environ}, stdout=lines, stderr=lines
            )
        if self.core is not None:
            os.sched_setaffinity(self.process.pid, {self.core})
        await until_healthy(f"{self.url}/readyz")

    async def stop(self) -> int:
        """Stops it as a service manager does. Returns the exit code."""
        assert self.process
        if self.process.returncode is None:
            self.process.send_signal(signal.SIGTERM)
        return await self.process.wait()

    def cpu_s(self) -> float:
        """The processor's time that it has used."""
        assert self.process
        fields = Path(f"/proc/{self.process.pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) * TICKS_S

    def sample_memory(self) -> None:
        assert self.process
        pages = int(Path(f"/proc/{self.process.pid}/statm").read_text(encoding="utf-8").split()[1])
        self.rss_mb.append(pages * PAGE_BYTES / 2**20)


def build_web(folder: Path, name: str, database_url: str, engine_url: str, **environ: str) -> WebProcess:
    port, data = free_port(), folder / name
    shared = {
        "DATABASE_URL": database_url,
        "CSPS_LLM_DATA": str(data),
        "HOST": "127.0.0.1",
        "PORT": str(port),
        "LLM_URL": f"{engine_url}/v1",
        "RAG_EMBEDDINGS_URL": f"{engine_url}/v1",  # has none: no process loads an encoder
        "RAG_EMBEDDINGS_MODEL": "none",
        "WEB_CONNECTIONS": "10000",
        "LOG_FORMAT": "json",
        "LOG_LEVEL": "warning",
    }
    return WebProcess(port, {**shared, **environ}, folder / f"{name}.log")


@asynccontextmanager
async def running(*processes: WebProcess) -> AsyncIterator[None]:
    try:
        await asyncio.gather(*(process.start() for process in processes))
        yield
    finally:
        for each in processes:
            if each.process and each.process.returncode is None:
                each.process.kill()
                await each.process.wait()
