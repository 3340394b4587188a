"""The parts that all outlets of a process share."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from bindings.incoming import Place
from bindings.slack.agent_sessions import AgentSessions
from bindings.slack.api import SlackApi
from bindings.slack.files import SlackFiles
from bindings.slack.history import ThreadHistory
from bindings.slack.streams import StreamRegistry


@dataclass(frozen=True, slots=True)
class SlackServices:
    """`on_stop` is called with a place and a ref when Slack's stop button ended an answer."""

    api: SlackApi
    streams: StreamRegistry
    files: SlackFiles
    history: ThreadHistory
    sessions: AgentSessions
    on_stop: Callable[[Place, str], None]
