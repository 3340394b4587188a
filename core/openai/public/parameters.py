"""The parameters of chat requests that are not served: harmless ones, those that would change the answer, unknown ones.

A client that sends more than its user asked for must work, and nobody may get another answer than the one asked for.
So a parameter is ignored if the answer without it is as right, and refused by name if not. An unknown parameter is
ignored, as by most engines, because clients are ahead of us; the response names it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from core.contract import Json
from core.errors import ParameterRefused

# They concern the caller's records, prices, caches, safety reports, the speed, or how long the model thinks.
WITHOUT_EFFECT = frozenset(
    {
        # OpenAI
        *("metadata", "prediction", "prompt_cache_key", "prompt_cache_options", "prompt_cache_retention"),
        *("reasoning_effort", "service_tier", "store", "verbosity"),
        # OpenRouter, Anthropic's compatible API, Groq, DeepSeek, Qwen
        *("reasoning", "include_reasoning", "reasoning_format", "reasoning_split", "thinking", "enable_thinking"),
        *("thinking_budget", "chat_template_kwargs", "cache_control", "session_id"),
        *("provider", "transforms", "route", "models"),
        # Ollama, llama-server, vLLM, LM Studio
        *("keep_alive", "think", "num_ctx", "cache_prompt", "id_slot", "n_keep", "timings_per_token", "ttl"),
        *("return_progress", "skip_special_tokens", "spaces_between_special_tokens", "priority", "request_id"),
    }
)
NO_LOGITS = "the text is not the model's tokens alone: thinking is removed, citations are checked, sources are listed"
UNKNOWN_IDS = "the ids of tokens belong to one model, and the operator may change the model"
BY_OPERATOR = "sampling beyond `temperature`, `top_p`, `top_k`, `min_p` and penalties is not served"
BY_FORMAT = "use `response_format` of type `json_schema`"
CHAT_ONLY = "it belongs to text completions, which are not served"
TEXT_ONLY = "answers are text"
BY_LIMIT = "use `max_completion_tokens`"
# Each with the values that ask for nothing, and the reason why others are refused.
CHANGING: Mapping[str, tuple[tuple[Json, ...], str]] = {
    "functions": (([],), "use `tools`"),
    "function_call": (("none", "auto"), "use `tool_choice`"),
    "logit_bias": (({},), UNKNOWN_IDS),
    "logprobs": ((False,), NO_LOGITS),
    "top_logprobs": ((0,), NO_LOGITS),
    "prompt_logprobs": ((0,), NO_LOGITS),
    "modalities": ((["text"],), TEXT_ONLY),
    "audio": ((), TEXT_ONLY),
    "moderation": ((), "nothing here moderates texts"),
    "web_search_options": ((), "a personality searches its own sources"),
    "plugins": (([],), "a personality searches its own sources"),
    "best_of": ((1,), "use `n`"),
    "use_beam_search": ((False,), BY_OPERATOR),
    "length_penalty": ((1,), BY_OPERATOR),
    "typical_p": ((1,), BY_OPERATOR),
    "tfs_z": ((1,), BY_OPERATOR),
    "top_a": ((0,), BY_OPERATOR),
    "mirostat": ((0,), BY_OPERATOR),
    "xtc_probability": ((0,), BY_OPERATOR),
    "dry_multiplier": ((0,), BY_OPERATOR),
    "dynatemp_range": ((0,), BY_OPERATOR),
    "min_tokens": ((0,), "the model decides where its answer ends"),
    "ignore_eos": ((False,), "the model decides where its answer ends"),
    **dict.fromkeys(("n_predict", "num_predict", "max_new_tokens", "max_output_tokens"), ((-1,), BY_LIMIT)),
    "repeat_last_n": ((64,), BY_OPERATOR),  # as the model process has it
    "random_seed": ((), "use `seed`"),
    "stop_sequences": (([],), "use `stop`"),
    "system": (("",), "send it as a message of the role `system`"),
    "instructions": (("",), "send them as a message of the role `system`"),
    "input": ((), "send `messages`; /v1/responses takes `input`"),
    "options": (({},), "send its parameters beside `messages`"),
    "safe_prompt": ((False,), "instructions are the personality's"),
    "truncate_prompt_tokens": ((), "the oldest exchanges are left out if they do not fit"),
    "n_probs": ((0,), NO_LOGITS),
    "stop_token_ids": (([],), f"{UNKNOWN_IDS}; use `stop`"),
    "bad_words": (([],), "words cannot be forbidden"),
    "include_stop_str_in_output": ((False,), "the answer ends before a stop string"),
    "continue_final_message": ((False,), "an answer that the caller began is not continued"),
    "add_generation_prompt": ((True,), "an answer that the caller began is not continued"),
    "echo": ((False,), CHAT_ONLY),
    "suffix": (("",), CHAT_ONLY),
    "prompt": ((), CHAT_ONLY),
    "grammar": (("",), BY_FORMAT),
    "json_schema": ((), BY_FORMAT),
    "format": (("",), BY_FORMAT),
    "structured_outputs": ((), BY_FORMAT),
    **{f"guided_{kind}": ((), BY_FORMAT) for kind in ("json", "regex", "choice", "grammar")},
}
PLAIN_NAME = re.compile(r"[A-Za-z0-9_.-]{1,64}", re.ASCII)
NAMES_LIMIT = 20


def check_unserved(fields: Mapping[str, Any]) -> tuple[str, ...]:
    """The names of unknown parameters, for the response. Raises ParameterRefused for one that changes the answer."""
    unknown = []
    for name, value in fields.items():
        if value is None or name in WITHOUT_EFFECT:
            continue
        if name not in CHANGING:
            unknown.append(name)
            continue
        neutral, reason = CHANGING[name]
        if value not in neutral:
            raise ParameterRefused(f"`{name}` is not supported: {reason}", name)
    return tuple(name for name in unknown if PLAIN_NAME.fullmatch(name))[:NAMES_LIMIT]
