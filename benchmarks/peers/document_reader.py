"""Reads documents with another program, in that program's Python: `python document_reader.py NAME`.

Stdin has a file path on each line. Stdout gets one line of JSON for each: {"text", "ms"} or {"refused"}.
"""

import json
import os
import sys
import time


def markitdown():
    from markitdown import MarkItDown

    converter = MarkItDown()
    return lambda path: converter.convert(path).markdown


def docling():
    from docling.document_converter import DocumentConverter

    converter = DocumentConverter()
    return lambda path: converter.convert(path).document.export_to_markdown()


def unstructured():
    from unstructured.partition.auto import partition

    return lambda path: "\n\n".join(element.text for element in partition(path, strategy="fast"))


def poppler():
    import subprocess

    return lambda path: subprocess.run(["pdftotext", path, "-"], capture_output=True, check=True).stdout.decode()


READERS = {each.__name__: each for each in (markitdown, docling, unstructured, poppler)}


def main():
    replies = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)  # libraries print
    read = READERS[sys.argv[1]]()
    for line in sys.stdin:
        start = time.perf_counter()
        try:
            reply = {"text": read(line.rstrip("\n"))}
        except Exception as exc:  # noqa: BLE001 - a reader that fails is a result
            reply = {"refused": f"{type(exc).__name__}: {exc}"[:200]}
        reply["ms"] = (time.perf_counter() - start) * 1000
        replies.write(json.dumps(reply) + "\n")


main()
