"""E-mail addresses, also as people hide them: "jane [at] example [dot] ca", "jane arobase exemple point ca".

Starts from each sign or word for "@" and looks at most 64 characters back and 255 ahead (RFC 5321, 4.5.3.1).
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from core.privacy.detection_context import TextInContext
from core.privacy.findings import Finding

KIND = "email"
LOCAL = r"[^\W_][\w.+'~-]{0,63}"
BRACKETED_AT = r" ?[\[({<] ?(?:@|at|arobase|arobas|a commercial|chez|à) ?[\])}>] ?"
BRACKETED_DOT = r" ?[\[({<] ?(?:\.|dot|point|pt) ?[\])}>] ?"
SPELLED_DOT = r" (?:dot|point) "
# The word "at" alone is ordinary: it counts between a name with a sign in it, or before a spelled "dot".
AT = re.compile(rf" ?(?:@|%40|&#64;) ?|{BRACKETED_AT}| (?:arobase|arobas|a commercial) ?| at | à ")
LABEL = r"[^\W_](?:[^\W_]|-){0,62}"
DOT = rf"(?:\.|{BRACKETED_DOT}|{SPELLED_DOT}| \. )"
ANY_DOT = re.compile(rf"{BRACKETED_DOT}|{SPELLED_DOT}| \. ")
SPELLED_OUT = re.compile(rf"{BRACKETED_DOT}|{SPELLED_DOT}")
DOMAIN = re.compile(rf"{LABEL}(?:{DOT}{LABEL}){{0,8}}{DOT}([^\W\d_]{{2,24}})(?![^\W_]|-[^\W_])")
LOCAL_BEFORE = re.compile(rf"(?<![\w.+-]){LOCAL}$")
SPELLED_LOCAL = re.compile(rf"(?:(?:{BRACKETED_DOT}|{SPELLED_DOT})[^\W_]{{1,40}})+$")
SPELLED = re.compile(r"dot|point|[\])}>]")
LOCAL_LIMIT_CHARS = 64
LABEL_REACH_CHARS = 24
# Endings of files, which follow "@" in names of packages and images.
FILE_ENDINGS = frozenset(("png", "jpg", "jpeg", "gif", "svg", "webp", "js", "mjs", "ts", "css", "json", "html", "pdf"))


def find(text: TextInContext) -> Iterator[Finding]:
    position = 0
    for at in AT.finditer(text.folded):
        if at.start() < position:
            continue
        domain = DOMAIN.match(text.folded, at.end())
        if domain is None or domain[1] in FILE_ENDINGS or text.folded.startswith(":", domain.end()):
            continue  # "git@github.com:…" is a repository
        start = local_start(text.folded, at.start())
        if start is None or not (
            is_address(text.folded[start : at.start()], at[0], domain[0])
            or text.labels.has(KIND, start - LABEL_REACH_CHARS, start)
        ):
            continue
        position = domain.end()
        yield Finding(KIND, start, position)


def local_start(folded: str, end: int) -> int | None:
    """The place where the part before the "@" begins, also over spelled dots. None: there is none."""
    window_start = max(0, end - LOCAL_LIMIT_CHARS)
    before = folded[window_start:end]
    spelled = SPELLED_LOCAL.search(before) if SPELLED.search(before) else None
    local = LOCAL_BEFORE.search(before[: spelled.start()] if spelled else before)
    return window_start + local.start() if local else None


def canonical(passage: str) -> str:
    """The address as a mail program would write it. `passage`: a finding, in small letters."""
    if " " not in passage and "@" in passage:
        return passage
    return ANY_DOT.sub(".", AT.sub("@", passage, count=1)).replace(" ", "")


def is_address(local: str, at: str, domain: str) -> bool:
    if at.strip() not in ("at", "à"):
        return True
    has_sign = any(char in "._+" or char.isdigit() for char in local) and any(char.isalpha() for char in local)
    is_spelled = SPELLED_OUT.search(domain) is not None
    return is_spelled or (has_sign and "." in domain)
