// The Vercel AI SDK with its provider for compatible services.
import { createOpenAICompatible } from "@ai-sdk/openai-compatible";
import { embedMany, generateObject, generateText, Output, stepCountIs, streamObject, streamText, tool } from "ai";
import { caught, show } from "./abilities.mjs";
import { Place, QUESTION, REQUEST, SENTENCES, Ticket, WEATHER, weather } from "./tickets.mjs";

const service = createOpenAICompatible({
  name: "csps-llm",
  baseURL: process.env.OPENAI_BASE_URL,
  apiKey: process.env.OPENAI_API_KEY,
  supportsStructuredOutputs: true,
  includeUsage: true,
});
const model = service("whisper");
const lookUp = { description: "Tells the weather in a city.", inputSchema: Place };
const shown = (calls) => calls.map(({ toolCallId, toolName, input }) => ({ id: toolCallId, name: toolName, arguments: input }));

async function collect(pieces) {
  const collected = [];
  for await (const piece of pieces) collected.push(piece);
  return collected;
}

async function chat() {
  const { text, finishReason, usage } = await generateText({
    model, instructions: "Answer briefly.", prompt: QUESTION, maxOutputTokens: 48,
  });
  return { text, finish_reason: finishReason, usage: { total_tokens: usage.totalTokens } };
}

async function stream() {
  const running = streamText({ model, prompt: QUESTION, maxOutputTokens: 48 });
  const pieces = await collect(running.textStream);
  const usage = { total_tokens: (await running.usage).totalTokens };
  return { pieces, text: await running.text, finish_reason: await running.finishReason, usage };
}

async function structured() {
  const { output } = await generateText({ model, prompt: REQUEST, output: Output.object({ schema: Ticket }) });
  return { value: output };
}

async function structured_stream() {
  const running = streamText({ model, prompt: REQUEST, output: Output.object({ schema: Ticket }) });
  const snapshots = await collect(running.partialOutputStream);
  return { snapshots: snapshots.length, value: await running.output };
}

// The older functions, which many programs still use.
async function object() {
  const { object: value } = await generateObject({ model, schema: Ticket, prompt: REQUEST });
  return { value };
}

async function object_stream() {
  const running = streamObject({ model, schema: Ticket, prompt: REQUEST });
  const snapshots = await collect(running.partialObjectStream);
  return { snapshots: snapshots.length, value: await running.object };
}

async function choice() {
  const { output } = await generateText({
    model, prompt: REQUEST, output: Output.choice({ options: ["printer", "network", "account"] }),
  });
  return { choice: output };
}

async function tools() {
  const tools = { weather: tool(lookUp) };
  const first = await generateText({ model, prompt: WEATHER, tools, toolChoice: "required" });
  const messages = [{ role: "user", content: WEATHER }, ...first.response.messages];
  messages.push({
    role: "tool",
    content: first.toolCalls.map(({ toolCallId, toolName, input }) => ({
      type: "tool-result", toolCallId, toolName, output: { type: "text", value: weather(input) },
    })),
  });
  const second = await generateText({ model, messages, tools, toolChoice: "none", maxOutputTokens: 48 });
  return { calls: shown(first.toolCalls), finish_reason: first.finishReason, text: second.text };
}

async function tools_stream() {
  const running = streamText({
    model, prompt: WEATHER, tools: { weather: tool(lookUp) }, toolChoice: { type: "tool", toolName: "weather" },
  });
  const events = await collect(running.fullStream);
  const pieces = events.filter((event) => event.type === "tool-input-delta").map((event) => event.delta);
  const calls = await running.toolCalls;
  return { pieces, text: pieces.join(""), calls: shown(calls), finish_reason: await running.finishReason };
}

async function agent() {
  const cities = [];
  const execute = async (place) => (cities.push(place.city), weather(place));
  const { text } = await generateText({
    model, prompt: WEATHER, tools: { weather: tool({ ...lookUp, execute }) }, stopWhen: stepCountIs(4), maxOutputTokens: 64,
    prepareStep: ({ stepNumber }) => ({ toolChoice: stepNumber === 0 ? "required" : "auto" }),
  });
  return { cities, text };
}

async function embeddings() {
  const encoder = service.embeddingModel("use-multilingual-v3");
  return { vectors: (await embedMany({ model: encoder, values: SENTENCES })).embeddings };
}

async function errors() {
  const wrong = {
    unknown_model: { model: service("nobody"), prompt: "Hi" },
    parameter: { model, prompt: "Hi", temperature: 9 },
    too_long: { model, prompt: "word ".repeat(30000) },
  };
  const shownErrors = {};
  for (const [name, call] of Object.entries(wrong)) {
    const error = await caught(() => generateText({ ...call, maxRetries: 0 }));
    shownErrors[name] = { type: error.name, status: error.statusCode, code: JSON.parse(error.responseBody).error.code };
  }
  return shownErrors;
}

await show(
  "@ai-sdk/openai-compatible", chat, stream, structured, structured_stream, object, object_stream, choice,
  tools, tools_stream, agent, embeddings, errors,
);
