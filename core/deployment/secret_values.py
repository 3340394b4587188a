"""Decides what stands in place of secrets: nothing, until the operator asks for their values."""

from __future__ import annotations

from core.deployment.service_plan import DATABASE_EXAMPLE, ServicePlan
from core.errors import ConfigError

FILL_IN = "FILL-IN"


def secret_values(plan: ServicePlan, *, with_values: bool, needs_database: bool = False) -> dict[str, str]:
    """The secrets by variable. `needs_database`: the target cannot run on SQLite.

    Raises ConfigError if values are asked for and the database is one that the target cannot use.
    """
    found = dict(plan.environment.secrets)
    if needs_database and not plan.shares_database:
        if with_values:
            raise ConfigError("DATABASE_URL names no PostgreSQL, which pods need to share: set it before the export")
        found["DATABASE_URL"] = DATABASE_EXAMPLE
    if with_values:
        return found
    placeholders = dict.fromkeys(found, FILL_IN)
    return {**placeholders, **({"DATABASE_URL": DATABASE_EXAMPLE} if "DATABASE_URL" in found else {})}
