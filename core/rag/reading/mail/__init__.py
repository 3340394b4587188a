"""Reads messages of the Internet and of Outlook.

internet_message, outlook, compressed_rtf    one format each
message         the document that a message becomes
"""
