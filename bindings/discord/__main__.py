"""`python -m bindings.discord`."""

import sys

from bindings import process
from bindings.discord.adapter import build

sys.exit(process.main("discord", build))
