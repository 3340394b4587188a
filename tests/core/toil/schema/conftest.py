"""Shared fixtures of the schema tests."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.core.toil.schema.support_starter import Starter


@pytest.fixture(scope="package")
def starter() -> Iterator[Starter]:
    built = Starter()
    yield built
    built.close()
