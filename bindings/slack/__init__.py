"""Slack: Socket Mode or HTTP events in, messages and native streams out.

mapping        an event of Slack → IncomingMessage (pure)
interactions   a slash command or a press on a button → IncomingMessage (pure)
mrkdwn         Slack's text in (pure)
defuse         a model's Markdown, made so that it pings, unfurls and masks nothing (pure)
formatting     a page → blocks (pure)
signature      whether a webhook is Slack's (pure)
webhook        HTTP in
sockets        Socket Mode in
app            what was delivered → the intake, by slack_bolt
api            calls to Slack, and its errors as ours
budget         how many calls of a kind Slack allows
outlet         one answer in one place: a native stream, or a message that is edited
streams        native streams: what each has shown
history        what was said in a thread
welcome        the greeting and suggested prompts of an assistant or agent
aside          an answer that only one person sees, by a response URL
files          files in and out
people         names and languages of people
platform       what the intake asks of this platform
adapter        all of it together
words          what Slack shows of ours, in English and French
"""
