"""Adapters to chat platforms, a process each: an event of the platform in, a `Prompt` out; events in, its calls out.

slack/ discord/ teams/   one platform each: mapping and formatting (pure), outlet, adapter
intake/                    what becomes of a message: admitted, put in order, answered or done
toil/                    JSON in a conversation, and CSV files row by row
delivery/                one answer to one place: throttled, split, edited, finished once

incoming                 what an adapter makes of an event
platform                 what the intake asks of an adapter
process, listener        the process around an adapter, and its HTTP side
files, bodies            what is attached; what is sent, up to a limit
store, tables            what is remembered
metrics                  what is counted
bot, words               what all of this shares; sentences in English and French
"""
