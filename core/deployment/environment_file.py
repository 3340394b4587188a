"""Writes files of variables that systemd (EnvironmentFile=) and Compose (env_file) read alike."""

from __future__ import annotations

from collections.abc import Mapping

from core.errors import ConfigError

# Between double quotes, both read these after a backslash: systemd.exec(5), and Compose's "Interpolation".
ESCAPED = str.maketrans({character: f"\\{character}" for character in '"\\$`'})


def write_variables(variables: Mapping[str, str], comment: str) -> str:
    lines = [f"# {line}" for line in comment.splitlines()]
    return "\n".join([*lines, *(f"{name}={quote(name, value)}" for name, value in variables.items()), ""])


def quote(name: str, value: str) -> str:
    """Raises ConfigError for a value of several lines, which these files cannot hold."""
    if not value.isprintable():
        raise ConfigError(f"{name}: its value has a line break or another control character; write it without")
    return f'"{value.translate(ESCAPED)}"'
