"""The models that there are, the best one for this machine, and their files. Knows no llama.cpp.

specs         a model and the source of its file, as values
catalogue     config/models.toml; engine_entry: the engines of a remote model
fit           which models fit a machine (pure); resources finds the facts for it
choice        the default model, and why; selection: the one of `csps-llm models use`
installed     the models on disk; model_parts, gguf_file, gguf_header, gguf_shape: their files
starter       the model that is installed with the service
download      fetches models from the hub
"""
