"""Tells a PostgreSQL that is away from one that refuses, and has libpq notice soon that its machine is gone."""

from __future__ import annotations

import time
from typing import Any

import sqlalchemy
from sqlalchemy import event
from sqlalchemy.exc import InvalidatePoolError, OperationalError, SQLAlchemyError

# "admin_shutdown", "crash_shutdown", "cannot_connect_now": https://www.postgresql.org/docs/current/errcodes-appendix.html
AWAY_STATES = frozenset({"57P01", "57P02", "57P03"})
CONNECTION_FAILED = "08"  # the class of all such states
# Without these, a connection to a machine that is gone hangs for the system's minutes. The URL's own options win.
OPTIONS = {
    "connect_timeout": "5",
    "keepalives_idle": "10",
    "keepalives_interval": "5",
    "keepalives_count": "3",
    "tcp_user_timeout": "20000",
}
# A ping is a transaction of its own. Below this, PostgreSQL had hardly time to restart since the connection was used.
PING_AFTER_S = 0.5
RETURNED_AT = "returned_at"


def is_away(exc: SQLAlchemyError) -> bool:
    """True if PostgreSQL cannot be reached, starts or stops, or if the connection broke."""
    if not isinstance(exc, OperationalError) or not hasattr(exc.orig, "sqlstate"):  # SQLite's have none
        return False
    state: str | None = getattr(exc.orig, "sqlstate")  # noqa: B009 - only the errors of psycopg have it
    return exc.connection_invalidated or state is None or state in AWAY_STATES or state.startswith(CONNECTION_FAILED)


def with_options(url: sqlalchemy.URL) -> sqlalchemy.URL:
    if url.drivername != "postgresql+psycopg":
        return url
    return url.set(query={**OPTIONS, **url.query})


def ping_idle_connections(engine: sqlalchemy.Engine) -> None:
    """Has a connection pinged before a transaction, if it was idle, and replaced if PostgreSQL restarted meanwhile.

    A busy service pings almost never. `pool_pre_ping` would ping before each transaction.
    """

    def note_return(_connection: Any, record: Any) -> None:
        record.info[RETURNED_AT] = time.monotonic()

    def ping_if_idle(connection: Any, record: Any, _proxy: Any) -> None:
        returned_at = record.info.get(RETURNED_AT)
        if returned_at is None or time.monotonic() - returned_at < PING_AFTER_S:
            return
        try:
            engine.dialect.do_ping(connection)
        except engine.dialect.loaded_dbapi.Error as exc:
            raise InvalidatePoolError from exc

    event.listen(engine, "checkin", note_return)
    event.listen(engine, "checkout", ping_if_idle)
