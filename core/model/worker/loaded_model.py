"""Assembles the model process: model, inference thread, prompt tokenizer, and the operations that the server calls."""

from __future__ import annotations

import asyncio
import dataclasses
import threading
from collections import deque
from collections.abc import Callable, Mapping
from collections.abc import Sequence as SequenceOf
from dataclasses import dataclass
from datetime import timedelta
from functools import cache
from pathlib import Path

import numpy as np

from core.contract import Json, Sampling
from core.errors import BadRequest, NotAnEmbedder, StorageError
from core.model.worker.constrained.decoder import ConstrainedDecoder
from core.model.worker.constrained.grammar import GrammarCompiler
from core.model.worker.constrained.known_schemas import GrammarWarmUp, KnownSchemas
from core.model.worker.conversation import Conversations
from core.model.worker.inference import InferenceThread
from core.model.worker.llama.runner import LlamaRunner
from core.model.worker.metrics import ModelMetrics
from core.model.worker.options import PINNED_PREFIXES, WorkerOptions
from core.model.worker.prefix_cache import PrefixCache
from core.model.worker.prefix_store import PrefixStore
from core.model.worker.prompt_tokenizer import PromptTokenizer
from core.model.worker.scheduler import Scheduler
from core.model.worker.sequence import Sequence, SequenceOutput, TextOutput
from core.model.worker.speculation import Speculation
from core.model.worker.suspended.identity import fingerprint
from core.model.worker.suspended.state_folder import FolderLimits, StateFolder, delete_all
from core.model.worker.suspended.state_store import SuspendedStore
from core.openai.engine_requests import EngineChatRequest
from core.runtime.disk_faults import explain_disk_fault

IDLE_SHARE = 0.25  # of the KV cache, for paused conversations
HIGH_WATER = 256  # queued outputs above which a sequence is paused


class OutputQueue:
    """One request's outputs, on the event loop.

    A slow consumer loses nothing: it gets the texts that wait for it as one, and pauses its sequence if they are many.
    """

    def __init__(self) -> None:
        self._outputs: deque[SequenceOutput] = deque()
        self._arrived = asyncio.Event()
        self._paused = False
        self.pause: Callable[[bool], None] = lambda paused: None

    def put(self, output: SequenceOutput) -> None:
        self._outputs.append(output)
        self._arrived.set()
        if not self._paused and len(self._outputs) > HIGH_WATER:
            self._paused = True
            self.pause(True)

    async def get(self, timeout_s: float) -> SequenceOutput | None:
        """Returns the next output, with all text up to the next other one; None if none arrives within the timeout."""
        if not self._outputs:
            self._arrived.clear()
            try:
                async with asyncio.timeout(timeout_s):
                    await self._arrived.wait()
            except TimeoutError:
                return None
        output = self._next()
        if self._paused and not self._outputs:
            self._paused = False
            self.pause(False)
        return output

    def _next(self) -> SequenceOutput:
        texts: list[str] = []
        while self._outputs and isinstance(output := self._outputs[0], TextOutput):
            texts.append(output.text)
            self._outputs.popleft()
        return TextOutput("".join(texts)) if texts else self._outputs.popleft()


@dataclass(frozen=True, slots=True)
class ReplyHandle:
    """A submitted request. `answer_prefix`: the beginning of the answer, which no output repeats."""

    outputs: OutputQueue
    sequence: Sequence
    answer_prefix: str


class LoadedModel:
    """One loaded model, ready to serve requests."""

    def __init__(self, runner: LlamaRunner, options: WorkerOptions) -> None:
        self.id = options.model_id
        self.file = file = options.file
        self.window = runner.window
        self.embeds = runner.embeds
        self._runner = runner
        self._loop = asyncio.get_running_loop()
        self.prompts = PromptTokenizer(runner)
        self._grammars: GrammarCompiler | None = None
        self._grammars_lock = threading.Lock()
        keep_s = timedelta(days=options.keep_days).total_seconds()
        self._schemas = KnownSchemas(Path(options.data_folder) / "schemas", file.fingerprint, keep_s)
        self.warm_up = GrammarWarmUp(self._schemas, lambda schema: self.grammars.matcher(schema))  # type: ignore[arg-type]
        scheduler = Scheduler(options.slots, options.queue_limit)
        self.metrics = ModelMetrics(scheduler)
        self._conversations = Conversations()
        prefixes = Path(options.data_folder) / "prefixes"
        self._inference = InferenceThread(
            runner,
            scheduler,
            PrefixCache(
                runner,
                cells=runner.cache_tokens,
                slots=runner.sequences,
                idle_cells=int(runner.cache_tokens * IDLE_SHARE),
                suspend_bytes=options.suspend_mb * 1024 * 1024,
                share=runner.shares_prefixes,
            ),
            deliver=self._deliver,
            metrics=self.metrics,
            store=PrefixStore(prefixes, f"{file.fingerprint} {runner.build}", PINNED_PREFIXES),
            suspended=suspended_store(options, runner.state_settings),
            # A recurrent state cannot be cut, so a refused draft could not be dropped.
            speculation=Speculation() if runner.shares_prefixes else None,
        )
        self._inference.start()

    async def chat(self, request: EngineChatRequest) -> ReplyHandle:
        """Submits a chat request. Raises BadRequest, PromptTooLong, SchemaRefused."""
        if self.embeds:
            raise BadRequest(f"{self.file.name} is an embedder; it does not chat")
        key = request.prompt_cache_key
        conversation = self._conversations.get(key) if key else None  # before the first wait: it may be forgotten now
        schema = request.enforced_schema
        thinks = schema is None  # a schema constrains the first character, so no thinking can precede it
        prompt = await asyncio.to_thread(lambda: self.prompts.chat(request.plain_messages(), thinks=thinks))
        room = self.window - len(prompt.tokens)
        budget = min(request.sampling.max_tokens or room, room)
        constraint, begun = (
            (None, [])
            if schema is None
            else await asyncio.to_thread(lambda: self._constraint(schema, prompt.tokens.tolist(), request, budget))
        )
        outputs = OutputQueue()
        sequence = Sequence(
            prompt=np.concatenate([prompt.tokens, np.asarray(begun, np.int32)]),
            max_tokens=budget - len(begun),
            sampling=self._with_end_marks(request.sampling) if schema is None else request.sampling,
            outputs=outputs.put,
            user=request.user,
            pinned_tokens=prompt.system_tokens if request.keep_prefix else 0,
            begun_tokens=len(begun),
            constraint=constraint,
            conversation=conversation,
            priority=request.priority,
        )
        outputs.pause = lambda paused: self._inference.pause(sequence, paused)
        self._inference.submit(sequence)
        text = b"".join(self._runner.vocabulary.pieces[token] for token in begun).decode()
        return ReplyHandle(outputs, sequence, prompt.answer_prefix + text)

    def _constraint(
        self, schema: Mapping[str, Json] | bool, prompt: list[int], request: EngineChatRequest, budget: int
    ) -> tuple[ConstrainedDecoder, list[int]]:
        """Returns a constraint, and the tokens that it dictates at once: they are computed with the prompt.

        Blocks while it compiles. Raises SchemaRefused.
        """
        decoder = self.grammars.decoder(schema, prompt)
        self._schemas.count_use(schema if isinstance(schema, bool) else dict(schema))
        return decoder, [] if request.sampling.stop else decoder.begin(budget)  # they might hold a stop string

    def _with_end_marks(self, sampling: Sampling) -> Sampling:
        """Adds the strings that end the answers of a model whose vocabulary has no token for its turn borders."""
        return dataclasses.replace(sampling, stop=(*sampling.stop, *self.prompts.stop))

    def cancel(self, reply: ReplyHandle) -> None:
        self._inference.cancel(reply.sequence)

    async def forget(self, keys: SequenceOf[str]) -> None:
        """Deletes the states of the conversations with these keys. Raises StorageError if the disk refuses."""
        self._conversations.forget(keys)
        try:
            await self._inference.forget(keys)
        except OSError as exc:
            raise StorageError(f"suspended conversations cannot be deleted: {explain_disk_fault(exc)}") from exc

    async def embed(self, tokens: list[int]) -> list[float]:
        """Returns one text's embedding. Raises NotAnEmbedder, or BadRequest if the text is empty or too long."""
        if not self.embeds:
            raise NotAnEmbedder(f"{self.file.name} is not an embedder")
        if len(tokens) > self._runner.batch_tokens:
            raise BadRequest(
                f"the text has {len(tokens)} tokens; an embedding takes at most {self._runner.batch_tokens}"
            )
        if not tokens:
            raise BadRequest("an empty text has no embedding")
        return await asyncio.wrap_future(self._inference.run(lambda: self._runner.embed(tokens)))

    @property
    def grammars(self) -> GrammarCompiler:
        """The grammar compiler, built at the first schema because that takes half a second. Thread-safe."""
        with self._grammars_lock:
            if self._grammars is None:
                self._grammars = GrammarCompiler(self._runner.vocabulary)
            return self._grammars

    @property
    def stalled(self) -> bool:
        return self._inference.watch.is_overdue()

    def close(self, flush_s: float = 0.0) -> None:
        """Writes idle conversations to disk for at most `flush_s` seconds, then frees the model."""
        self.warm_up.stop()
        self._inference.stop(flush_s)
        self._runner.close()

    def _deliver(self, outputs: list[tuple[Sequence, SequenceOutput]]) -> None:
        self._loop.call_soon_threadsafe(dispatch, outputs)


def dispatch(outputs: list[tuple[Sequence, SequenceOutput]]) -> None:
    """Passes a step's outputs to their queues, on the event loop."""
    for sequence, output in outputs:
        sequence.outputs(output)


def suspended_store(options: WorkerOptions, state_settings: str) -> SuspendedStore | None:
    """Returns the store of suspended conversations; None, without any file left, if the settings allow no bytes."""
    root = Path(options.data_folder) / "suspended"
    limits = FolderLimits(options.suspend_disk_mb * 1024 * 1024, timedelta(days=options.keep_days).total_seconds())
    if not limits.bytes:
        delete_all(root)
        return None

    @cache  # the file may be replaced later, while this process still has the old one
    def identity() -> str:
        return f"{fingerprint(Path(options.path))} {state_settings}"

    return SuspendedStore(lambda: StateFolder(root, identity(), limits))
