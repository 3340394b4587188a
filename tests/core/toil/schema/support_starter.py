"""The starter model's vocabulary and grammars, without its weights."""

from __future__ import annotations

import ctypes
import json

import llama_cpp.llama_cpp as llama

from core.contract import Json
from core.model.library.starter import bundled_starter
from core.model.worker.constrained.grammar import GrammarCompiler, JsonMatcher
from core.model.worker.llama.vocabulary import read_vocabulary


class Starter:
    def __init__(self) -> None:
        llama.llama_backend_init()
        parameters = llama.llama_model_default_params()
        parameters.vocab_only = True
        self._model = llama.llama_model_load_from_file(str(bundled_starter()).encode(), parameters)
        self.vocabulary = read_vocabulary(self._model)
        self.grammars = GrammarCompiler(self.vocabulary)

    def close(self) -> None:
        llama.llama_model_free(self._model)

    def tokens(self, text: str) -> list[int]:
        raw = text.encode()
        buffer = (ctypes.c_int32 * (len(raw) + 8))()
        count = llama.llama_tokenize(self.vocabulary.handle, raw, len(raw), buffer, len(buffer), False, False)
        return list(buffer[:count])

    def constrain(self, schema: Json) -> JsonMatcher:
        """Raises SchemaRefused."""
        return self.grammars.matcher(schema if isinstance(schema, dict) else {})

    def can_write(self, constraint: JsonMatcher, value: Json) -> bool:
        """True if a constrained model can write this value and stop after it."""
        text = json.dumps(value, separators=(", ", ": "), ensure_ascii=False)
        tokens = [*self.tokens(text), min(self.vocabulary.end)]
        return bool(constraint._matcher.deep_copy().validate_tokens(tokens) == len(tokens))
