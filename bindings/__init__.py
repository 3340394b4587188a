"""Adapters to chat platforms, a process each: an event of the platform in, a `Prompt` out; events in, its calls out.

slack/ discord/ teams/   one platform each: mapping and formatting (pure), outlet, adapter
delivery/                one answer to one place: throttled, split, edited, finished once

incoming                 what an adapter makes of an event
platform                 what the desk asks of an adapter
process, listener        the process around an adapter, and its HTTP side
metrics                  what is counted

desk                     takes messages, each once
admission, routing       who is answered, and by which personality
commands, commanding     what a message wants done (pure), and the doing
workload, performing     what is under way, in which order, until it is at its end
asked, answering         a message with all that it is answered from, and the answer
delivering, notices      under which notices it is delivered; what people are told about the bot
files, schemas           what is attached; the JSON Schema in it (pure)
toil, jobs, job_run, job_files   JSON in a conversation, and CSV files row by row
store, tables            what is remembered
bot, words               what all of this shares; sentences in English and French
"""
