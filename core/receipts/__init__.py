"""Receipts: what an answer was made with, so that somebody can check it later, or make it again.

receipt    the values of a receipt, and its stored form
digests    SHA-256 of documents, prompts and personalities
draft      collects a receipt while its answer is written
store      keeps receipts, with their conversations or by days of their own
replay     makes an answer again, and says where it cannot be the same
A receipt holds no text of people: of documents and prompts it has digests alone.
"""
