"""What a form of keeping vectors has to do. There are two, `memory` and `pgvector`; this knows neither."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

import numpy as np
import sqlalchemy as sa
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Cosines = Mapping[int, float]  # by passage

STORED = np.float16  # half the space; cosines differ in the fourth place


class Held(Protocol):
    """A collection's vectors as they were when it was read, all of `dimensions`. Its length is their number."""

    @property
    def collection(self) -> int: ...

    @property
    def dimensions(self) -> int: ...

    def __len__(self) -> int: ...

    def nearest(self, db: sa.Connection, question: Floats, limit: int) -> Cosines:
        """Of the `limit` highest, or of nearly those."""
        ...

    def cosines(self, db: sa.Connection, wanted: Sequence[int], question: Floats) -> Cosines:
        """Of those passages that are here; exact."""
        ...


class Form(Protocol):
    """Vectors vanish with their passages; the database sees to that."""

    def add(self, db: sa.Connection, collection: int, passages: Sequence[int], rows: Floats) -> None:
        """A row, of length 1, for each passage."""
        ...

    def read(self, db: sa.Connection, collection: int, dimensions: int, before: Held | None) -> Held:
        """`before` is what was read last of this collection."""
        ...

    def index(self, db: sa.Connection, collection: int) -> None:
        """When many were added: what makes searching them fast. A transaction by itself, as it may lock the table."""
        ...

    def unindex(self, db: sa.Connection, collection: int) -> None:
        """Before a collection is removed: takes back `index`. A transaction by itself."""
        ...
