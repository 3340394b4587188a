"""The hashes that stand in the bots' tables (`core.storage.bot_tables`) for identities. Contains no queries."""

from __future__ import annotations

from bindings.incoming import Place
from core.runtime.digest import hash_id
from core.storage.bot_tables import EMPTY_PAYLOAD as EMPTY_PAYLOAD
from core.storage.bot_tables import attempts as attempts
from core.storage.bot_tables import bot_processes as bot_processes
from core.storage.bot_tables import deliveries as deliveries
from core.storage.bot_tables import feedback as feedback
from core.storage.bot_tables import one_time_notices as one_time_notices
from core.storage.bot_tables import personality_choices as personality_choices
from core.storage.bot_tables import tables as tables


def hash_workspace(platform: str, tenant: str) -> str:
    return hash_id(f"{platform}:{tenant}")


def hash_message(place: Place, message: str) -> str:
    """Hashes a message id with its channel only: an event about a deleted message may not name the thread."""
    return hash_id(f"{place.platform}:{place.channel}:{message}")


def hash_author(platform: str, user: str) -> str:
    """Hashes a person over all workspaces, by the name under which access lists and records know them."""
    return hash_id(f"{platform}:{user}")
