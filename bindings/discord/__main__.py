"""`python -m bindings.discord`."""

import sys

from bindings.discord.adapter import DiscordAdapter
from bindings.hosting import process

sys.exit(process.main("discord", DiscordAdapter))
