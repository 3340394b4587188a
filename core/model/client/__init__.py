"""OpenAI's API as everything above the models uses it: to the local model process, or to engines behind URLs."""

from core.model.client.model_client import ModelClient, local_url, strip_version
from core.model.client.served_models import ASSUMED_WINDOW_TOKENS, ModelInfo, ServedModels

__all__ = ["ASSUMED_WINDOW_TOKENS", "ModelClient", "ModelInfo", "ServedModels", "local_url", "strip_version"]
