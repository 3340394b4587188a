"""Decides which models are loaded. Pure: knows no process, no clock, no asyncio.

As many models stay loaded as fit the memory budget. The least recently used one goes first, never one with running
answers. Waiting models are served in the order in which they began to wait. If none is idle, the waiting one has some
patience, because each swap costs a load. Then the least recently used model takes no new requests until it is idle.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from core.model.host.deployment import Deployment, MemoryUse, total_bytes

WorkerState = Literal["loading", "ready", "stopping"]


@dataclass(frozen=True, slots=True)
class Resident:
    """A model whose process exists. `is_current`: requests may still mean this version of it."""

    deployment: Deployment
    memory: MemoryUse
    state: WorkerState
    running: int  # answers
    last_used: float
    is_current: bool = True


@dataclass(frozen=True, slots=True)
class Awaited:
    """A model that somebody waits for. `not_before`: the end of its pause after a failure."""

    deployment: Deployment
    memory: MemoryUse
    since: float
    patience_s: float
    not_before: float = 0.0


@dataclass(frozen=True, slots=True)
class Plan:
    """The next steps. `closed`: loaded models that take no new requests. `again_at`: the time of the next plan.

    `waits_for_answers`: the next model gets room only when answers of others have ended.
    """

    loads: tuple[Deployment, ...] = ()
    unloads: tuple[Deployment, ...] = ()
    closed: frozenset[Deployment] = frozenset()
    again_at: float | None = None
    waits_for_answers: bool = False


def plan(residents: Sequence[Resident], awaited: Sequence[Awaited], budget_bytes: int, now: float) -> Plan:
    """`awaited` holds no resident. A model above the budget is loaded alone."""
    outdated = [each for each in residents if each.state == "ready" and not each.is_current and not each.running]
    kept = [each for each in residents if each not in outdated]
    present = [each.memory for each in residents]
    again_at = min((each.not_before for each in awaited if each.not_before > now), default=None)
    loads: list[Awaited] = []
    for model in sorted((each for each in awaited if each.not_before <= now), key=lambda each: each.since):
        if present and total_bytes([*present, model.memory]) > budget_bytes:
            return make_room(model, kept, outdated, loads, budget_bytes, now, again_at)
        loads.append(model)
        present.append(model.memory)
    return build_plan(loads, outdated, (), again_at, waits_for_answers=False)


def make_room(
    model: Awaited,
    kept: Sequence[Resident],
    outdated: Sequence[Resident],
    loads: Sequence[Awaited],
    budget_bytes: int,
    now: float,
    again_at: float | None,
) -> Plan:
    """Plans the unloading that `model` needs. Models that began to wait later get no room before it."""
    victims = choose_victims(kept, [*(each.memory for each in loads), model.memory], budget_bytes)
    idle = [each for each in victims if not each.running]
    patient_until = model.since + model.patience_s
    waits_for_answers = len(idle) < len(victims)
    closed = victims
    if waits_for_answers and now < patient_until:
        closed, again_at = idle, min(patient_until, again_at or patient_until)
    return build_plan(loads, [*outdated, *idle], closed, again_at, waits_for_answers=waits_for_answers)


def choose_victims(kept: Sequence[Resident], needs: Sequence[MemoryUse], budget_bytes: int) -> list[Resident]:
    """Returns the models to unload before `needs` fit: idle ones first, then by the time of their last request."""
    ready = (each for each in kept if each.state == "ready")
    staying = sorted(ready, key=lambda each: (each.running > 0, each.last_used))
    fixed = [*(each.memory for each in kept if each.state == "loading"), *needs]
    victims: list[Resident] = []
    while staying and total_bytes([*(each.memory for each in staying), *fixed]) > budget_bytes:
        victims.append(staying.pop(0))
    return victims


def build_plan(
    loads: Sequence[Awaited],
    unloads: Sequence[Resident],
    closed: Sequence[Resident],
    again_at: float | None,
    *,
    waits_for_answers: bool,
) -> Plan:
    return Plan(
        tuple(each.deployment for each in loads),
        tuple(each.deployment for each in unloads),
        frozenset(each.deployment for each in closed),
        again_at,
        waits_for_answers,
    )
