"""The models behind URLs, each with the pool of its engines, as models.toml lists them now."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Mapping

from core.model.client.capability_learner import CapabilityLearner
from core.model.client.engine_address import address_of, connect
from core.model.client.engine_pool import EnginePool
from core.model.library.catalogue import RemoteModel


class RemotePools(Mapping[str, EnginePool]):
    """The pools by model. `build`: makes the pool of an entry."""

    def __init__(
        self,
        build: Callable[[str, RemoteModel], EnginePool],
        learner: CapabilityLearner,
        models: Mapping[str, RemoteModel],
    ) -> None:
        self._build = build
        self._learner = learner
        self._models: dict[str, RemoteModel] = {}
        self._pools: dict[str, EnginePool] = {}
        self._retired: list[EnginePool] = []
        self.replace(models)

    def __getitem__(self, model: str) -> EnginePool:
        return self._pools[model]

    def __iter__(self) -> Iterator[str]:
        return iter(self._pools)

    def __len__(self) -> int:
        return len(self._pools)

    def replace(self, models: Mapping[str, RemoteModel]) -> None:
        """Uses these models from now on. Raises ConfigError, and changes nothing, if one cannot be used.

        An unchanged model keeps its pool. Answers of a changed one end on the engines that they began on.
        """
        changed = {name: self._build(name, model) for name, model in models.items() if self._models.get(name) != model}
        for pool in changed.values():
            self._learner.watch(pool)
        kept = {name: self._pools[name] for name in models if name not in changed}
        self._retired += [pool for name, pool in self._pools.items() if name not in kept]
        self._pools = {name: changed.get(name) or kept[name] for name in models}
        self._models = dict(models)

    async def close(self) -> None:
        await asyncio.gather(*(pool.close() for pool in (*self._pools.values(), *self._retired)))


def build_pool(name: str, model: RemoteModel, timeout_s: float, environ: Mapping[str, str]) -> EnginePool:
    """`environ`: has the keys. Raises ConfigError."""
    addresses = [address_of(entry, name, environ) for entry in model.engines]
    weights = {address.label: address.weight for address in addresses}
    engines = [connect(address, model.context_window, timeout_s) for address in addresses]
    return EnginePool(engines, weights, name, model.title)
