"""OpenAI's API as everything above the models uses it: to the local model process, or to engines behind URLs.

model_client.py       the entry: which engines answer for which model
engine_pool.py        the engines of one model: choice (balancer.py), failover (failures.py, silence.py),
                      and which ones are asked (circuit_breaker.py)
engine_connection.py  one engine over HTTP: chat_request.py is what it gets, responses.py and served_models.py read it
window_finder.py      a window that the list of models does not tell (Ollama)
remote_pools.py       the pools of the models of models.toml, and of their changes
default_model.py      the model for calls that name none
engine_address.py     URLs, keys and connections, from the settings and models.toml
capability_*.py       what an engine can do: tried out once (probe), remembered (store), beside the answers (learner)
examination.py        an engine for an operator: does it answer, and what does it lack
known_models.py       the models that a personality may name, and the prices of models
"""

from core.model.client.engine_address import local_url
from core.model.client.engine_connection import EngineConnection
from core.model.client.engine_metrics import EngineMetrics
from core.model.client.examination import EngineExamination
from core.model.client.known_models import known_models, model_prices
from core.model.client.model_client import ModelClient
from core.model.client.served_models import ASSUMED_WINDOW_TOKENS, ListedFile, ModelInfo, ServedModels

__all__ = [
    "ASSUMED_WINDOW_TOKENS",
    "EngineConnection",
    "EngineExamination",
    "EngineMetrics",
    "ListedFile",
    "ModelClient",
    "ModelInfo",
    "ServedModels",
    "known_models",
    "local_url",
    "model_prices",
]
