"""`python -m bindings.discord`."""

import sys

from bindings.discord.adapter import build
from bindings.hosting import process

sys.exit(process.main("discord", build))
