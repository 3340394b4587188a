"""The bot in Microsoft Teams: webhook calls in, calls to the Bot Connector out. Only this package imports botbuilder.

Pure:
- `activities`     JSON → botbuilder's `Activity`, or BadRequest
- `html_tokens`, `html_frames`, `html_tables`, `message_html`   a message's HTML → Markdown, quotes and unread parts
- `cards`, `attachments`   cards, files, forwarded and quoted messages
- `message_content`   all of these → `MessageContent`
- `authors`        the groups of a message's author
- `graph_messages` messages of Microsoft Graph → the turns and files of a thread
- `mapping`        an activity → `IncomingMessage`
- `formatting`     the model's Markdown → Markdown that pings nobody, loads nothing and masks no link
- `messages`       a `Page` → an activity
- `streaming`      the next part of a streamed message

With I/O:
- `transport`      HTTP with deadlines, to trusted hosts
- `webhook_auth`   checks that a webhook call comes from Microsoft
- `credentials`    the bot's own token for the connector
- `connector`      the Bot Connector's calls, over our transport
- `chat_writer`    the messages of one answer, in its place or in the asker's own chat
- `stream_writer`  one streamed message, continued by updates after its stream
- `outlet`         the forms of one answer, from a stream down to a direct message
- `files`          downloads, and answers that a person saves to OneDrive
- `graph`          reads threads and shared files from Microsoft Graph
- `turns`          an activity → the intake
- `adapter`        the webhook, and the parts together, as the process and the intake need them
"""
