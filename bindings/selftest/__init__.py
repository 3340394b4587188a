"""Strict stand-ins of the chat platforms on loopback, and the command `selftest`, which lets people act on them.

*_server, *_rules, *_faults     the stand-ins; tests and benchmarks talk to them too; `payloads` holds recorded events
*_stage                         people on a stand-in: their acts as events, the bot's posts as people see them
script                          the steps: config/selftest.toml
player, judge                   plays the steps, and says which came out as expected
bot_process, environment        the adapter's real process, with the operator's settings
echo_model                      a model that repeats what it is shown
loopback                        serves a stand-in on a free port
recording, transcript, pages    what happened, as values, as HTML and as text
run, __main__                   one self-test, and its command line
"""
