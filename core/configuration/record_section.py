"""The section `records` of settings.toml: how long each kind of stored data is kept."""

from __future__ import annotations

from datetime import timedelta
from typing import Literal

from core.configuration.setting_types import OptionalInt, OptionalPath, OptionalSecret, env
from core.configuration.toml import Section

RecordKind = Literal["conversations", "feedback", "jobs", "pages", "receipts", "states", "accesses", "statistics"]


class RecordSettings(Section):
    """Retention by kind of stored data. SESSION_KEEP_DAYS is that of conversations."""

    feedback_days: OptionalInt = env(
        "RECORDS_FEEDBACK_DAYS",
        "The days after which ratings and comments are deleted. A rating on the page goes with its conversation at the"
        " latest. Empty: SESSION_KEEP_DAYS.",
        "365",
        ge=1,
    )
    jobs_days: OptionalInt = env(
        "RECORDS_JOBS_DAYS",
        "The days after which the files of a bot's unfinished job are deleted. Those of finished jobs are deleted at"
        " once. Empty: SESSION_KEEP_DAYS.",
        "7",
        ge=1,
    )
    pages_days: int = env("RECORDS_PAGES_DAYS", "The days after which fetched pages are deleted.", "7", ge=1)
    receipts_days: OptionalInt = env(
        "RECORDS_RECEIPTS_DAYS",
        "The days after which receipts of answers are deleted, also if their conversation was deleted before. Empty: a"
        " receipt is deleted with its conversation; without one, after SESSION_KEEP_DAYS.",
        "730",
        ge=1,
    )
    receipts_unstored: bool = env(
        "RECORDS_RECEIPTS_UNSTORED",
        "Keeps receipts also of answers without a stored conversation, as those of /gpt, /toil and /v1: on or off.",
        "off",
    )
    states_days: OptionalInt = env(
        "RECORDS_STATES_DAYS",
        "The days after which what local models keep on disk of an idle conversation is deleted. Empty:"
        " SESSION_KEEP_DAYS.",
        "7",
        ge=1,
    )
    accesses_days: int = env(
        "RECORDS_ACCESSES_DAYS",
        "The days after which entries of the log of accesses and proofs of deletions are deleted.",
        "730",
        ge=1,
    )
    statistics_days: int = env("RECORDS_STATISTICS_DAYS", "The days that the figures of /admin are kept.", "400", ge=1)
    key_file: OptionalPath = env(
        "RECORDS_KEY_FILE",
        "The file with the keys that encrypt people's texts in the database, one a line: the first encrypts, all of"
        " them decrypt. `csps-llm records rotate-key` makes it. A relative path starts at the data folder. Empty: texts"
        " are not encrypted.",
        "/etc/csps-llm/records.key",
    )
    key: OptionalSecret = env(
        "RECORDS_KEY",
        "The keys themselves, separated by commas, instead of RECORDS_KEY_FILE.",
        "3q2-7wAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",
    )

    def retention(self, conversations_days: int) -> dict[RecordKind, timedelta]:
        """The period of each kind."""
        days: dict[RecordKind, int | None] = {
            "conversations": conversations_days,
            "feedback": self.feedback_days,
            "jobs": self.jobs_days,
            "pages": self.pages_days,
            "receipts": self.receipts_days,
            "states": self.states_days,
            "accesses": self.accesses_days,
            "statistics": self.statistics_days,
        }
        return {kind: timedelta(days=own or conversations_days) for kind, own in days.items()}
