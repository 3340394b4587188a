"""The bot in Discord, over discord.py. Inside this package `import discord` is the SDK: imports are absolute.

- `mapping`, `interactions`: gateway events → `IncomingMessage`; pure
- `message_content`, `attachments`, `components`, `embeds`, `markup`: the content of a message; pure
- `thread`: the other messages of a thread → turns and files; pure
- `payloads`: values out of payloads that may have any type; pure
- `formatting`, `rendering`: a `Page` → Discord's Markdown, sanitized, and its buttons; pure
- `slash_commands`: the definitions of the slash commands; pure
- `api`: calls to the HTTP API, and what their errors mean
- `gateway`, `resume_position`: one connection to the gateway, resumed after a restart
- `connections`, `shards`, `event_queue`: all connections, and the way of their events to a handler
- `guild_cache`: the bot's roles, and the parents and titles of threads
- `mention_names`: names of the people, roles and channels that a message mentions
- `destinations`, `command_reply`, `places`: posts and edits of an answer, in a channel or as a command's reply
- `outlet`, `refusals`: the forms of an answer, and which one remains after a refusal
- `events`: gateway events → calls of the intake
- `platform`, `files`: the interface that the intake uses; downloads of attached files
- `adapter`: the interface that the process uses
"""
