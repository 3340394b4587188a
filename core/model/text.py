"""Turns a sequence's token bytes into text that may be shown: whole characters, and nothing of a stop string."""

from __future__ import annotations

import codecs

from core.openai.thinking import overlap


class Detokenizer:
    """Feeds on bytes, gives text. Holds back incomplete UTF-8 and whatever may be the beginning of a stop string."""

    def __init__(self, stop: tuple[str, ...] = ()) -> None:
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._stop = tuple(s for s in stop if s)
        self._held = ""
        self.stopped = False

    def feed(self, data: bytes) -> str:
        """The text that is now certain. Once a stop string has come, `stopped` is set and nothing follows."""
        return self._release(self._decoder.decode(data))

    def finish(self) -> str:
        """The rest, at the end of generation: what was held back is text after all."""
        text = self._release(self._decoder.decode(b"", final=True)) + self._held
        self._held = ""
        return text

    def _release(self, text: str) -> str:
        if self.stopped:
            return ""
        text = self._held + text
        found = [at for at in (text.find(stop) for stop in self._stop) if at >= 0]
        if found:
            self.stopped, self._held = True, ""
            return text[: min(found)]
        keep = max((overlap(text, stop) for stop in self._stop), default=0)
        self._held = text[len(text) - keep :]
        return text[: len(text) - keep]
