"""The intake: turns a platform's message into an answer or a finished command.

intake               takes each message once, and knows what runs
admission            who gets an answer, how often, and from which personality (pure)
commands             commands as people type them (pure)
conversation_queue   runs deliveries: one at a time per conversation, a limited number overall
delivery_runner      retries a delivery until it is finished, and drops it after too many crashes
message_handler      answers a message: as a reply, JSON or a job
command_handler      runs a command and confirms it
bot                  the parts that all of these share, and the texts in which a bot presents itself
"""
