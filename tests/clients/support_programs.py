"""The clients' programs and the abilities that each must show. Runs them with connections to this machine only."""

from __future__ import annotations

import asyncio
import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from core import PROJECT_ROOT

HERE = Path(__file__).parent
PROGRAMS = HERE / "programs"
LOOPBACK_ONLY = HERE / "loopback_only"
ENVIRONMENT = PROJECT_ROOT / ".venv-clients"
NODE_MODULES = HERE / "node_modules"
MODEL = "whisper"
RUN_LIMIT_S = 240
# The clients' own switches for telemetry and for tables that they would fetch.
SILENCE = {
    "AI_SDK_LOG_WARNINGS": "false",
    "DO_NOT_TRACK": "1",
    "HAYSTACK_TELEMETRY_ENABLED": "False",
    "LITELLM_LOCAL_MODEL_COST_MAP": "True",
    "OPENAI_AGENTS_DISABLE_TRACING": "1",
}


@dataclass(frozen=True)
class Program:
    """A client's program. `columns`: its abilities for each column of the table in docs/clients.md."""

    file: str
    client: str
    package: str
    columns: dict[str, tuple[str, ...]]

    @property
    def abilities(self) -> tuple[str, ...]:
        return tuple(ability for abilities in self.columns.values() for ability in abilities)

    @property
    def in_javascript(self) -> bool:
        return self.file.endswith(".mjs")

    @property
    def command(self) -> list[str]:
        if self.in_javascript:
            guard = (LOOPBACK_ONLY / "loopback_only.mjs").as_uri()
            return [str(ENVIRONMENT / "bin" / "node"), "--import", guard, self.file]
        return [str(ENVIRONMENT / "bin" / "python"), self.file]


ALL = (
    Program(
        "openai_python.py",
        "openai",
        "openai",
        {
            "chat": ("models", "chat", "choices", "errors"),
            "stream": ("stream",),
            "structured output": ("structured", "structured_stream", "json_object"),
            "tools": ("tools", "tools_auto", "tools_stream"),
            "embeddings": ("embeddings",),
        },
    ),
    Program(
        "openai_async.py",
        "openai, async",
        "openai",
        {
            "chat": ("chat",),
            "stream": ("stream",),
            "structured output": ("structured",),
            "tools": ("tools",),
            "embeddings": ("embeddings",),
        },
    ),
    Program(
        "openai_responses.py",
        "openai, Responses",
        "openai",
        {
            "Responses": (
                *("responses", "conversation", "responses_stream", "responses_structured"),
                *("responses_structured_stream", "responses_tools", "responses_tools_stream", "responses_errors"),
            ),
        },
    ),
    Program(
        "instructor_client.py",
        "instructor",
        "instructor",
        {
            "structured output": ("structured", "structured_stream", "json_object"),
            "tools": ("tools", "tools_stream"),
        },
    ),
    Program(
        "pydantic_ai_client.py",
        "Pydantic AI",
        "pydantic-ai-slim",
        {
            "chat": ("chat",),
            "stream": ("stream",),
            "structured output": ("structured", "structured_stream", "prompted"),
            "tools": ("tools", "agent"),
            "Responses": ("responses", "responses_stream", "responses_structured", "responses_tools"),
        },
    ),
    Program(
        "langchain_client.py",
        "LangChain",
        "langchain-openai",
        {
            "chat": ("chat", "errors"),
            "stream": ("stream",),
            "structured output": ("structured", "structured_stream", "json_object"),
            "tools": ("tools", "tools_auto", "tools_stream", "function_calling"),
            "embeddings": ("embeddings",),
            "Responses": ("responses", "responses_stream"),
        },
    ),
    Program(
        "litellm_client.py",
        "LiteLLM",
        "litellm",
        {
            "chat": ("chat", "errors"),
            "stream": ("stream",),
            "structured output": ("structured",),
            "tools": ("tools", "tools_stream"),
            "embeddings": ("embeddings",),
            "Responses": ("responses", "responses_stream"),
        },
    ),
    Program(
        "llm_command.py",
        "llm",
        "llm",
        {
            "chat": ("chat",),
            "stream": ("stream",),
            "structured output": ("structured", "short_schema"),
            "tools": ("agent",),
        },
    ),
    Program(
        "openai_agents.py",
        "OpenAI Agents SDK",
        "openai-agents",
        {
            "chat": ("chat",),
            "stream": ("stream",),
            "structured output": ("structured",),
            "tools": ("agent",),
            "Responses": ("responses", "responses_stream", "responses_structured", "responses_agent"),
        },
    ),
    Program(
        "haystack_client.py",
        "Haystack",
        "haystack-ai",
        {
            "chat": ("chat",),
            "stream": ("stream",),
            "structured output": ("structured",),
            "tools": ("tools",),
            "embeddings": ("embeddings",),
        },
    ),
    Program(
        "openai_node.mjs",
        "openai (npm)",
        "openai",
        {
            "chat": ("chat", "errors"),
            "stream": ("stream",),
            "structured output": ("structured", "structured_stream"),
            "tools": ("tools", "tools_stream", "agent"),
            "embeddings": ("embeddings",),
            "Responses": ("responses", "responses_stream", "responses_structured"),
        },
    ),
    Program(
        "ai_sdk_compatible.mjs",
        "Vercel AI SDK, @ai-sdk/openai-compatible",
        "@ai-sdk/openai-compatible",
        {
            "chat": ("chat", "errors"),
            "stream": ("stream",),
            "structured output": ("structured", "structured_stream", "object", "object_stream", "choice"),
            "tools": ("tools", "tools_stream", "agent"),
            "embeddings": ("embeddings",),
        },
    ),
    Program(
        "ai_sdk_openai.mjs",
        "Vercel AI SDK, @ai-sdk/openai",
        "@ai-sdk/openai",
        {
            "chat": ("chat",),
            "stream": ("stream",),
            "structured output": ("structured",),
            "tools": ("tools", "tools_stream"),
            "embeddings": ("embeddings",),
            "Responses": (
                *("responses", "responses_stream", "responses_structured"),
                *("responses_tools", "responses_tools_stream", "responses_agent"),
            ),
        },
    ),
)


def missing_installation() -> str | None:
    """Says what `make test-clients` has not installed here."""
    if not (ENVIRONMENT / "bin" / "python").exists():
        return f"there is no {ENVIRONMENT.name}: `make test-clients` installs the clients"
    if not NODE_MODULES.is_dir():
        return "tests/clients/node_modules is missing: `make test-clients` installs the clients in JavaScript"
    return None


async def run_program(program: Program, base_url: str, folder: Path, *abilities: str) -> dict[str, Any]:
    """Returns what the program printed, by ability. `folder`: its home, and the list of connections it may not make."""
    refused = folder / "refused"
    child = await asyncio.create_subprocess_exec(
        *program.command,
        *abilities,
        cwd=PROGRAMS,
        env=program_environment(base_url, folder, refused),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        async with asyncio.timeout(RUN_LIMIT_S):
            printed, complaints = await child.communicate()
    finally:
        if child.returncode is None:
            child.kill()
            await child.wait()
    assert child.returncode == 0, complaints.decode()
    assert not refused.exists(), f"it tried to reach {sorted(set(refused.read_text().split()))}"
    shown: dict[str, Any] = json.loads(printed.decode().strip().splitlines()[-1])
    return shown


def program_environment(base_url: str, folder: Path, refused: Path) -> dict[str, str]:
    inherited = {name: os.environ[name] for name in ("PATH", "LD_LIBRARY_PATH", "LANG") if name in os.environ}
    return {
        **inherited,
        **SILENCE,
        "HOME": str(folder),
        "PYTHONPATH": str(LOOPBACK_ONLY),
        "PYTHONDONTWRITEBYTECODE": "1",
        "REFUSED_CONNECTIONS": str(refused),
        "OPENAI_BASE_URL": base_url,
        "OPENAI_API_KEY": "none",
    }
