"""Chat templates for model files that carry none: base models, and files whose maker left the template out.

The vocabulary tells which turn borders the model knows: a border that is a token of its own was seen in training, and
ends an answer. Without any known border the template is ChatML, as in llama.cpp; its end mark is then plain text, at
which an answer stops.
"""

from __future__ import annotations

from collections.abc import Collection

# For model files without a template: most small chat models were trained on ChatML.
CHATML = (
    "{% for message in messages %}<|im_start|>{{ message.role }}\n{{ message.content }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
CHATML_END = "<|im_end|>"
GEMMA = (
    "{{ bos_token }}{% if messages[0].role == 'system' %}{{ raise_exception('no system role') }}{% endif %}"
    "{% for message in messages %}<start_of_turn>{{ 'model' if message.role == 'assistant' else message.role }}\n"
    "{{ message.content | trim }}<end_of_turn>\n{% endfor %}"
    "{% if add_generation_prompt %}<start_of_turn>model\n{% endif %}"
)
LLAMA_3 = (
    "{{ bos_token }}{% for message in messages %}<|start_header_id|>{{ message.role }}<|end_header_id|>\n\n"
    "{{ message.content | trim }}<|eot_id|>{% endfor %}"
    "{% if add_generation_prompt %}<|start_header_id|>assistant<|end_header_id|>\n\n{% endif %}"
)
MISTRAL = (
    "{{ bos_token }}{% if messages[0].role == 'system' %}{{ raise_exception('no system role') }}{% endif %}"
    "{% for message in messages %}{% if message.role == 'user' %}[INST]{{ message.content }}[/INST]{% else %}"
    "{{ message.content }}{{ eos_token }}{% endif %}{% endfor %}"
)
BORDERS = (  # tokens that only one family has, and its template
    (("<|im_start|>", CHATML_END), CHATML),
    (("<start_of_turn>", "<end_of_turn>"), GEMMA),
    (("<|start_header_id|>", "<|eot_id|>"), LLAMA_3),
    (("[INST]", "[/INST]"), MISTRAL),
)


def choose_template(special: Collection[str]) -> tuple[str, tuple[str, ...]]:
    """Returns the template for a vocabulary with these special tokens, and the strings at which its answers stop."""
    for borders, template in BORDERS:
        if all(border in special for border in borders):
            return template, ()
    return CHATML, (CHATML_END,)
