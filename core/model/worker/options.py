"""The options of one worker, which the host hands over as JSON."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path

from core.configuration.settings import Settings
from core.model.hardware.model_shape import KvType
from core.model.library.gguf_file import ModelFile

MEBIBYTE = 1 << 20
PINNED_PREFIXES = 16  # shared beginnings of prompts that stay in the KV cache
SEQUENCE_LIMIT = 256  # LLAMA_MAX_SEQ


@dataclass(frozen=True, slots=True)
class WorkerOptions:
    """The file that a worker loads, and its share of the machine. A value of None is chosen by the worker."""

    path: str  # of the GGUF file
    name: str  # users see it as the name of the model
    starter: bool
    data_folder: str  # for saved prefixes and suspended conversations
    threads: int | None
    slots: int  # answers generated at the same time
    queue_limit: int
    suspend_mb: int
    suspend_disk_mb: int = 0  # for suspended conversations of all models together
    keep_days: int = 30  # days after which an unused conversation leaves the disk
    context_window: int | None = None  # tokens
    cache_tokens: int | None = None
    gpu_layers: int | None = None
    model_id: str = ""  # by which requests and answers name the model
    socket: str = ""  # the Unix socket to listen at; the host chooses one for each start
    drain_s: float = 30.0  # that running answers may continue after SIGTERM
    log_level: str = "info"
    log_format: str = "text"
    kv_type: KvType | None = None
    flash_attention: bool | None = None
    memory_bytes: int | None = field(default=None, compare=False)  # of the machine's memory, at most

    @classmethod
    def from_settings(cls, settings: Settings, file: ModelFile) -> WorkerOptions:
        model = settings.model
        return cls(
            path=str(file.path),
            name=file.name,
            starter=file.starter,
            data_folder=str(settings.data_folder),
            threads=model.cpu_threads,
            slots=model.slots,
            queue_limit=model.queue_limit,
            suspend_mb=model.suspend_mb,
            suspend_disk_mb=model.suspend_disk_mb,
            keep_days=settings.retention["states"].days,
            context_window=model.context_window,
            cache_tokens=model.cache_tokens,
            gpu_layers=model.gpu_layers,
            drain_s=settings.web.drain_s,
            log_level=settings.log.level,
            log_format=settings.log.format,
            kv_type=model.kv_type,
            flash_attention=model.flash_attention,
            memory_bytes=model.memory_mb * MEBIBYTE if model.memory_mb else None,
        )

    @property
    def file(self) -> ModelFile:
        return ModelFile(Path(self.path), self.name, self.starter)

    @property
    def sequences(self) -> int:
        """The sequences in the KV cache: answers, those that continue them, pinned prefixes and a new one."""
        return min(2 * self.slots + PINNED_PREFIXES + 1, SEQUENCE_LIMIT)

    @property
    def idle_sequences(self) -> int:
        """Further sequences that stay in the KV cache after their answers, where cells are left."""
        return 2 * self.slots

    def to_json(self) -> str:
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> WorkerOptions:
        return cls(**json.loads(text))
