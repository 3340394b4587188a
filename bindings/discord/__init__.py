"""The bot in Discord, over discord.py. Inside this package `import discord` is the SDK: imports are absolute.

- `mapping`, `interactions`    events, as the gateway sends them → `IncomingMessage`; pure
- `formatting`, `grids`, `rendering`    a `Page` → Discord's Markdown, defused, and its buttons; pure
- `http`, `calls`    one try of one call, and what its failure means
- `destinations`, `outlet`    where an answer goes: a channel, or the reply that a slash command awaits
- `client`, `bookmark`    the gateway, kept open, and resumed after a restart
- `commands`, `words`    slash commands as Discord is told of them; what people read in Discord alone
- `inbox`, `indicator`, `files`    events that wait to be worked on; "is writing"; what people attached
- `events`, `surroundings`    what becomes of an event; `adapter`, `platform`    what the process and the intake see
"""
