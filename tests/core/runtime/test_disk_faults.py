"""A refusal of the disk is told by its cause."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from core.contract import LANGUAGES
from core.runtime.disk_faults import KEYS, explain_disk_fault, find_disk_fault


@pytest.mark.parametrize(
    ("number", "english", "french"),
    [
        (errno.ENOSPC, "the disk is full", "le disque est plein"),
        (errno.EDQUOT, "quota", "quota"),
        (errno.EROFS, "mounted read-only", "en lecture seule"),
        (errno.EACCES, "owner or the permissions", "le propriétaire ou les permissions"),
        (errno.EPERM, "owner or the permissions", "le propriétaire ou les permissions"),
        (errno.ENAMETOOLONG, "the path is too long", "le chemin est trop long"),
        (errno.EIO, "reports an error", "signale une erreur"),
        (errno.EMFILE, "too many files are open", "trop de fichiers"),
    ],
)
def test_each_cause_has_its_own_words(number: int, english: str, french: str) -> None:
    """Only a refusal of permission speaks of ownership."""
    exc = OSError(number, os.strerror(number))
    assert english in explain_disk_fault(exc)
    assert french in explain_disk_fault(exc, "fr")
    assert ("owner" in explain_disk_fault(exc)) is (number in (errno.EACCES, errno.EPERM))


def test_the_end_of_a_sentence_has_no_full_stop() -> None:
    """The caller names the file before it, and ends the sentence."""
    for number in KEYS:
        for language in LANGUAGES:
            assert not explain_disk_fault(OSError(number, ""), language).endswith(".")


def test_another_cause_keeps_the_words_of_the_system() -> None:
    """An error without a number still has the name of its class."""
    assert explain_disk_fault(OSError(errno.ENOLCK, "No locks available")) == "No locks available"
    assert explain_disk_fault(OSError()) == "OSError"


def test_a_probe_finds_the_cause_and_leaves_nothing(tmp_path: Path) -> None:
    """A folder that works has no fault."""
    assert find_disk_fault(tmp_path) is None
    assert list(tmp_path.iterdir()) == []
    fault = find_disk_fault(tmp_path / "none")
    assert fault is not None
    assert fault.errno == errno.ENOENT
