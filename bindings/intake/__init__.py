"""The intake: what becomes of a message between the platform that brought it and the answer that goes back.

intake         takes messages, each once
admission, routing       who is answered, and by which personality
commands, commanding     what a message wants done (pure), and the doing
workload, performing     what is under way, in which order, until it is at its end
asked, answering         a message with all that it is answered from, and the answer
delivering, notices      under which notices it is delivered; what people are told about the bot
"""
