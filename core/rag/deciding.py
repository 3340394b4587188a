"""The question to a model that lookups ask, such as which sources to read. Knows no engine and no wire format."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping

from core.configuration.personalities import Personality
from core.contract import Json

DEADLINE_S = 8.0  # the user waits; without an answer, the lookup goes by the question's words

# Asks a model: (personality, prompt, schema) → a value that conforms to the schema, within DEADLINE_S. None: this model
# cannot decide, as the starter model. Raises CspsError.
Decide = Callable[[Personality, str, Mapping[str, Json]], Awaitable[Json]]
