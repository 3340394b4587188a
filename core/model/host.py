"""Puts the model process together: the model, its inference thread and what the server needs of them."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from core.configuration.settings import ModelSettings, Settings
from core.contract import Sampling
from core.errors import BadRequest, NotAnEmbedder
from core.model import catalog
from core.model.catalog import ModelFile
from core.model.cores import physical_cores
from core.model.grammar import GrammarCompiler
from core.model.inference import PINNED_PREFIXES, InferenceThread
from core.model.llama.loading import RunnerConfig, load, transcode
from core.model.llama.runner import SEQUENCE_LIMIT, LlamaRunner
from core.model.metrics import ModelMetrics
from core.model.prefix_cache import PrefixCache
from core.model.prefix_store import PrefixStore
from core.model.prompt_tokenizer import PromptTokenizer, TokenPrompt
from core.model.reader import OutputQueue
from core.model.scheduler import Scheduler
from core.model.sequence import Sequence, SequenceOutput
from core.openai.engine_requests import ChatRequest

Result = TypeVar("Result")

IDLE_SHARE = 0.25  # of the KV cache, for conversations that pause
STALLED_S = 120.0  # no step of a healthy model takes so long


@dataclass(frozen=True, slots=True)
class ReplyHandle:
    """A submitted request: where its outputs arrive, and what to cancel. `opening`: what the answer begins with."""

    reader: OutputQueue
    sequence: Sequence
    opening: str


class ModelHost:
    """One loaded model, serving. `load` blocks for as long as the file takes to read."""

    def __init__(self, runner: LlamaRunner, file: ModelFile, settings: ModelSettings, data_folder: Path) -> None:
        self.file = file
        self.modified_at = file.path.stat().st_mtime  # seconds since 1970; the file may be moved while it is in use
        self.window = runner.window
        self.embeds = runner.embeds
        self.description = runner.description
        self._runner = runner
        self._loop = asyncio.get_running_loop()
        self.prompts = PromptTokenizer(runner)
        self._grammars: GrammarCompiler | None = None
        self._grammars_lock = threading.Lock()
        scheduler = Scheduler(settings.slots, settings.queue_limit)
        self.metrics = ModelMetrics(scheduler)
        self._inference = InferenceThread(
            runner,
            scheduler,
            PrefixCache(
                runner,
                cells=runner.cache_tokens,
                slots=runner.sequences,
                idle_cells=int(runner.cache_tokens * IDLE_SHARE),
                suspend_bytes=settings.suspend_mb * 1024 * 1024,
                share=runner.shares_prefixes,
            ),
            deliver=self._deliver,
            metrics=self.metrics,
            store=PrefixStore(data_folder / "prefixes", f"{file.fingerprint} {runner.build}", PINNED_PREFIXES),
        )
        self._inference.start()

    async def chat(self, request: ChatRequest) -> ReplyHandle:
        """Queue a request. Raises BadRequest, PromptTooLong, SchemaRefused."""
        if self.embeds:
            raise BadRequest(f"{self.file.name} is an embedder; it does not chat")
        schema = request.schema_to_hold
        thinks = schema is None  # what is held to a schema from its first character cannot think before it
        prompt = await asyncio.to_thread(lambda: self.prompts.chat(request.plain_messages(), thinks=thinks))
        constraint = None if schema is None else await asyncio.to_thread(lambda: self.grammars.steering(schema))
        reader = OutputQueue()
        sequence = Sequence(
            prompt=prompt.tokens,
            max_tokens=self._budget(prompt, request.sampling),
            sampling=request.sampling,
            reader=reader,
            user=request.user,
            kept_prefix=prompt.shared if request.keep_prefix else 0,
            constraint=constraint,
        )
        reader.pause = lambda paused: self._inference.pause(sequence, paused)
        self._inference.submit(sequence)
        return ReplyHandle(reader, sequence, prompt.opening)

    def cancel(self, reply: ReplyHandle) -> None:
        self._inference.cancel(reply.sequence)

    async def embed(self, tokens: list[int]) -> list[float]:
        """One text's embedding. Raises BadRequest if the model is no embedder, or the text too long for it."""
        if not self.embeds:
            raise NotAnEmbedder(f"{self.file.name} is not an embedder")
        if len(tokens) > self._runner.batch_tokens:
            raise BadRequest(f"a text of {len(tokens)} tokens; an embedding takes {self._runner.batch_tokens} at most")
        if not tokens:
            raise BadRequest("an empty text has no embedding")
        return await self._on_inference_thread(lambda: self._runner.embed(tokens))

    @property
    def grammars(self) -> GrammarCompiler:
        """Built at the first schema: not everybody toils, and it takes half a second. Any thread."""
        with self._grammars_lock:
            if self._grammars is None:
                self._grammars = GrammarCompiler(self._runner.vocabulary)
            return self._grammars

    @property
    def stalled(self) -> bool:
        return self._inference.step_took_s > STALLED_S

    def close(self) -> None:
        self._inference.stop()
        self._runner.close()

    def _deliver(self, outputs: list[tuple[Sequence, SequenceOutput]]) -> None:
        self._loop.call_soon_threadsafe(dispatch, outputs)

    async def _on_inference_thread(self, work: Callable[[], Result]) -> Result:
        return await asyncio.wrap_future(self._inference.run(work))

    def _budget(self, prompt: TokenPrompt, sampling: Sampling) -> int:
        room = self.window - len(prompt.tokens)
        return min(sampling.max_tokens or room, room)


def dispatch(outputs: list[tuple[Sequence, SequenceOutput]]) -> None:
    """Hand a step's outputs to their readers, on the event loop."""
    for sequence, output in outputs:
        sequence.reader(output)


def find_model(settings: Settings) -> ModelFile:
    """The file that the settings ask for, made ready. Blocks for a download. Raises ConfigError."""
    threads = settings.model.cpu_threads or physical_cores()
    return catalog.find(settings, lambda source, target: transcode(source, target, threads))


def load_runner(file: ModelFile, settings: ModelSettings) -> LlamaRunner:
    """Blocks while the weights are read. Raises ConfigError."""
    config = RunnerConfig(
        window=settings.context_window,
        cache_tokens=settings.cache_tokens,
        sequences=min(2 * settings.slots + PINNED_PREFIXES, SEQUENCE_LIMIT),
        threads=settings.cpu_threads or physical_cores(),
        gpu_layers=settings.gpu_layers,
    )
    return load(file.path, config)
