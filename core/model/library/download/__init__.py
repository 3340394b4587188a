"""Downloads model files from the hub: in parts, resumed after any stop, checked before their first use.

fetching.py          `fetch`: one model, from the name of its repository to a file in the models folder
repository_files.py  the files of a repository that make one model, and those on disk
hub.py               the hub's API: the files of a repository, the address of one
http_access.py       the HTTP client: proxy, certificates, token, redirects
model_download.py    the files of one model, and its progress
transfer.py          the bytes of one file: requests at once, retries, the checksum
partial_file.py      the bytes on disk, and the record of which have arrived
progress.py          progress as a value, and the file through which other processes see it
leftovers.py         files that belong to nothing any more
failures.py          the reasons for which a download ends
"""
