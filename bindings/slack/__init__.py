"""The bot in Slack: Socket Mode or HTTP events in, messages and native streams out.

Pure:
- `mapping`       events and Slack's text → `IncomingMessage`
- `interactions`  slash commands and buttons → `IncomingMessage`
- `sanitize`      the model's Markdown → Markdown that pings nobody and masks no link
- `formatting`    a `Page` → blocks
- `tables`        a table of Markdown → Slack's table block
- `sharing`       the button that shows everyone a private answer
- `refusals`      Slack's error codes → delivery errors

With I/O:
- `webhook`, `sockets`   deliveries over HTTP and over Socket Mode
- `event_router`         a delivery → the intake, through slack_bolt
- `assistant`            greeting, suggested prompts and status in direct conversations
- `agent_sessions`       an agent's threads: status and title
- `outlet`, `streams`    one answer: a native stream, an edited message, or a direct message
- `ephemeral_outlet`     an answer that only one person sees
- `services`             the parts that all outlets share
- `history`, `files`     messages and names of people; files in both directions
- `api`                  calls to Slack
- `adapter`              the parts together, as the process and the intake need them
"""
