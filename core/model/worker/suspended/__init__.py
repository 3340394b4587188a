"""Idle conversations on disk: encrypted files with a budget, written behind and read when their next turn comes.

state_key.py     the key of this data folder, and the names that it gives to models and conversations
state_file.py    one conversation's file: segments, each encrypted and authenticated
state_folder.py  all files: budget, age, damage, forgetting
state_store.py   the thread that reads and writes
disk_tier.py     all of it, as the inference thread sees it
write_behind.py  which conversation is copied next, and when
state_fetcher.py the states that waiting requests have read
identity.py      the model file and settings that a state is valid for
"""
