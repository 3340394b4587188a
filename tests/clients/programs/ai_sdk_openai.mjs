// The Vercel AI SDK with its provider for OpenAI: responses by default, and chat completions by name.
import { createOpenAI } from "@ai-sdk/openai";
import { embedMany, generateText, Output, stepCountIs, streamText, tool } from "ai";
import { show } from "./abilities.mjs";
import { Place, QUESTION, REQUEST, SENTENCES, Ticket, WEATHER, weather } from "./tickets.mjs";

const openai = createOpenAI({ baseURL: process.env.OPENAI_BASE_URL, apiKey: process.env.OPENAI_API_KEY });
const model = openai("whisper");
const chatModel = openai.chat("whisper");
const lookUp = { description: "Tells the weather in a city.", inputSchema: Place };
const shown = (calls) => calls.map(({ toolCallId, toolName, input }) => ({ id: toolCallId, name: toolName, arguments: input }));

async function collect(pieces) {
  const collected = [];
  for await (const piece of pieces) collected.push(piece);
  return collected;
}

async function answer(model) {
  const { text, finishReason } = await generateText({
    model, instructions: "Answer briefly.", prompt: QUESTION, maxOutputTokens: 48,
  });
  return { text, finish_reason: finishReason };
}

async function answerStreamed(model) {
  const running = streamText({ model, prompt: QUESTION, maxOutputTokens: 48 });
  const pieces = await collect(running.textStream);
  return { pieces, text: await running.text, finish_reason: await running.finishReason };
}

async function answerTyped(model) {
  const { output } = await generateText({ model, prompt: REQUEST, output: Output.object({ schema: Ticket }) });
  return { value: output };
}

async function callTool(model) {
  const { toolCalls, finishReason } = await generateText({
    model, prompt: WEATHER, tools: { weather: tool(lookUp) }, toolChoice: "required",
  });
  return { calls: shown(toolCalls), finish_reason: finishReason };
}

async function callToolStreamed(model) {
  const running = streamText({
    model, prompt: WEATHER, tools: { weather: tool(lookUp) }, toolChoice: { type: "tool", toolName: "weather" },
  });
  const events = await collect(running.fullStream);
  const pieces = events.filter((event) => event.type === "tool-input-delta").map((event) => event.delta);
  return { pieces, text: pieces.join(""), calls: shown(await running.toolCalls) };
}

// The service stores no responses: with `store: false`, the SDK sends earlier calls again.
async function loop(model) {
  const cities = [];
  const execute = async (place) => (cities.push(place.city), weather(place));
  const { text } = await generateText({
    model, prompt: WEATHER, tools: { weather: tool({ ...lookUp, execute }) }, stopWhen: stepCountIs(4), maxOutputTokens: 64,
    prepareStep: ({ stepNumber }) => ({ toolChoice: stepNumber === 0 ? "required" : "auto" }),
    providerOptions: { openai: { store: false } },
  });
  return { cities, text };
}

const chat = () => answer(chatModel);
const stream = () => answerStreamed(chatModel);
const structured = () => answerTyped(chatModel);
const tools = () => callTool(chatModel);
const tools_stream = () => callToolStreamed(chatModel);
const responses = () => answer(model);
const responses_stream = () => answerStreamed(model);
const responses_structured = () => answerTyped(model);
const responses_tools = () => callTool(model);
const responses_tools_stream = () => callToolStreamed(model);
const responses_agent = () => loop(model);

async function embeddings() {
  const encoder = openai.embeddingModel("use-multilingual-v3");
  return { vectors: (await embedMany({ model: encoder, values: SENTENCES })).embeddings };
}

await show(
  "@ai-sdk/openai", chat, stream, structured, tools, tools_stream, embeddings,
  responses, responses_stream, responses_structured, responses_tools, responses_tools_stream, responses_agent,
);
