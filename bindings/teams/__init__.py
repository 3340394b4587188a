"""The bot in Microsoft Teams: webhook calls in, calls to the Bot Connector out. Only this package imports botbuilder.

Pure:
- `activities`     JSON → botbuilder's `Activity`, or BadRequest
- `message_html`   the code blocks and quotes in a message's HTML
- `mapping`        an activity → `IncomingMessage`
- `formatting`     the model's Markdown → Markdown that pings nobody, loads nothing and masks no link
- `messages`       a `Page` → an activity
- `streaming`      the next part of a streamed message

With I/O:
- `transport`      HTTP with deadlines, to trusted hosts
- `webhook_auth`   checks that a webhook call comes from Microsoft
- `credentials`    the bot's own token for the connector
- `connector`      botbuilder's connector client over our transport
- `outlet`         one answer: a stream, or edits of a message
- `files`          downloads, and answers that a person saves to OneDrive
- `turns`          an activity → the intake
- `adapter`        the webhook, and the parts together, as the process and the intake need them
"""
