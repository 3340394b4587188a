"""Holds: records that nothing may delete while a request, an investigation or a court needs them.

tables.py      the holds, the keys that they cover, and copies of what people deleted meanwhile
conditions.py  which rows a hold covers, as SQL
copies.py      keeps a copy of a held row before it goes; drops copies that no hold covers any more
bots.py        the same for the bots' tables

A purge passes over held rows. A person's own deletion works as ever for the person: the rows go, and a copy stays that
only `csps-llm records export` reads. `core.records.holding` places and releases holds.
"""
