"""Judges which models of the catalogue fit a machine, and which is the best of them. Pure: facts in, verdicts out.

A model fits if its file can be stored, its weights and one context window have room in memory, and one reader gets
at least `SPEED_FLOOR` tokens a second. On a GPU with memory of its own the speed is no question.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from core.model.hardware.sizing import WINDOW_LIMIT_TOKENS
from core.model.library.catalogue import CatalogueModel

MIB = 1 << 20
SPEED_FLOOR = 5.0  # tokens a second, about as fast as people read aloud
BANDWIDTH_SHARE = 0.7  # of the measured bandwidth that several cores reach while they decode: docs/decisions/0037
CORE_BYTES_PER_S = 10e9  # of weights that one core decodes, by its arithmetic; measured: docs/decisions/0037
BUFFER_BYTES = 320 * MIB  # llama.cpp's compute buffers, for batches of 512 tokens
SERVICE_BYTES = 768 * MIB  # the web process, bots, readers of documents
SYSTEM_SHARE = 0.1  # of the machine's memory, left to its other programs
DISK_RESERVE_BYTES = 1024 * MIB  # for the database and logs

ObstacleKind = Literal["memory", "speed", "disk", "offline"]


@dataclass(frozen=True, slots=True)
class Resources:
    """The memory and disk for a model. `gpu_*`: memory of all GPUs that the engine uses, unless it is the machine's.

    `stored_bytes`: what is here of each download that began; `downloaded`: the models of which all is here.
    """

    memory_total_bytes: int
    memory_available_bytes: int
    bandwidth_bytes_per_s: float
    disk_free_bytes: int
    gpu_total_bytes: int = 0
    gpu_free_bytes: int = 0
    window_tokens: int | None = None  # None: the model's own, up to WINDOW_LIMIT_TOKENS
    cores: float = math.inf  # the threads for answers; infinite: the arithmetic limits nothing
    offline: bool = False  # nothing may be downloaded
    downloaded: frozenset[str] = frozenset()
    stored_bytes: Mapping[str, int] | None = None

    def memory_room(self, *, was_chosen: bool) -> float:
        """The memory for a model. For one that was chosen before, the total counts: it may be what fills the memory."""
        free = self.memory_total_bytes if was_chosen else self.memory_available_bytes
        return free - SYSTEM_SHARE * self.memory_total_bytes - SERVICE_BYTES

    @property
    def decoded_bytes_per_s(self) -> float:
        """The bytes of weights that the processor goes through in a second: memory or arithmetic is the limit."""
        return min(BANDWIDTH_SHARE * self.bandwidth_bytes_per_s, CORE_BYTES_PER_S * self.cores)

    def gpu_room(self, *, was_chosen: bool) -> float:
        return (1 - SYSTEM_SHARE) * (self.gpu_total_bytes if was_chosen else self.gpu_free_bytes)


@dataclass(frozen=True, slots=True)
class Obstacle:
    """The reason why a model does not fit, in bytes or tokens a second."""

    kind: ObstacleKind
    needed: float
    available: float


@dataclass(frozen=True, slots=True)
class Verdict:
    """The fit of a model to this machine.

    `tokens_per_s` is estimated; None on a GPU, which nobody measured, and for embedders.
    """

    id: str
    needed_bytes: int  # of memory
    on_gpu: bool
    tokens_per_s: float | None
    downloaded: bool = False
    obstacles: tuple[Obstacle, ...] = ()

    @property
    def fits(self) -> bool:
        return not self.obstacles


def judge(model_id: str, model: CatalogueModel, resources: Resources) -> Verdict:
    is_here = model_id in resources.downloaded
    stored = (resources.stored_bytes or {}).get(model_id, 0)
    was_chosen = is_here or stored > 0  # a busy moment is no reason to begin another download
    needed = needed_bytes(model, resources.window_tokens)
    on_gpu = needed <= resources.gpu_room(was_chosen=was_chosen)
    # An embedder reads its weights once for a whole text, so no reader waits for each token.
    speed_counts = not on_gpu and model.kind == "chat"
    rate = resources.decoded_bytes_per_s / model.size_bytes if speed_counts else None
    obstacles = []
    room = resources.memory_room(was_chosen=was_chosen)
    if not on_gpu and needed > room:
        obstacles.append(Obstacle("memory", needed, max(room, 0)))
    if rate is not None and rate < SPEED_FLOOR:
        obstacles.append(Obstacle("speed", SPEED_FLOOR, rate))
    if not is_here:
        obstacles += download_obstacles(model, stored, resources)
    return Verdict(model_id, needed, on_gpu, rate, is_here, tuple(obstacles))


def download_obstacles(model: CatalogueModel, stored_bytes: int, resources: Resources) -> Iterator[Obstacle]:
    missing = model.size_bytes - stored_bytes
    disk_room = max(resources.disk_free_bytes - DISK_RESERVE_BYTES, 0)
    if missing > disk_room:
        yield Obstacle("disk", missing, disk_room)
    if resources.offline:
        yield Obstacle("offline", model.size_bytes, stored_bytes)


def needed_bytes(model: CatalogueModel, window_tokens: int | None) -> int:
    """Returns the memory for the weights, one context window and the buffers."""
    window = min(window_tokens or WINDOW_LIMIT_TOKENS, model.context_window)
    return model.size_bytes + window * model.kv_bytes + BUFFER_BYTES


def judge_all(models: Mapping[str, CatalogueModel], resources: Resources) -> tuple[Verdict, ...]:
    """Returns the verdict on each model, in the catalogue's order."""
    return tuple(judge(model_id, model, resources) for model_id, model in models.items())


def choose_best(models: Mapping[str, CatalogueModel], verdicts: tuple[Verdict, ...]) -> str | None:
    """Returns the first model for chats that fits; None if none does."""
    return next((each.id for each in verdicts if each.fits and models[each.id].kind == "chat"), None)
