"""Runs the bot: `python -m bindings.teams`."""

import sys

from bindings.hosting import process
from bindings.teams.adapter import build

sys.exit(process.main("teams", build))
