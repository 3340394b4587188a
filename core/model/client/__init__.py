"""OpenAI's API as everything above the models uses it: to the local model process, or to engines behind URLs."""

from core.model.client.model_client import ASSUMED_WINDOW_TOKENS, ModelClient, ModelInfo, local_url, strip_version

__all__ = ["ASSUMED_WINDOW_TOKENS", "ModelClient", "ModelInfo", "local_url", "strip_version"]
