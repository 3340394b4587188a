// OpenAI's own client for JavaScript.
import OpenAI from "openai";
import { zodFunction, zodResponseFormat, zodTextFormat } from "openai/helpers/zod";
import { caught, show } from "./abilities.mjs";
import { Place, QUESTION, REQUEST, SENTENCES, Ticket, WEATHER, weather } from "./tickets.mjs";

const client = new OpenAI({ baseURL: process.env.OPENAI_BASE_URL, apiKey: process.env.OPENAI_API_KEY });

const ask = (text) => [{ role: "developer", content: "Answer briefly." }, { role: "user", content: text }];
const weatherTool = zodFunction({ name: "weather", parameters: Place, description: "Tells the weather in a city." });
const shown = (calls) =>
  calls.map(({ id, function: { name, arguments: text } }) => ({ id, name, arguments: JSON.parse(text) }));

async function chat() {
  const completion = await client.chat.completions.create({
    model: "whisper", messages: ask(QUESTION), max_completion_tokens: 48,
  });
  const [choice] = completion.choices;
  return { text: choice.message.content, finish_reason: choice.finish_reason, usage: completion.usage };
}

// The streaming helper collects the chunks to the same completion.
async function stream() {
  const pieces = [];
  const running = client.chat.completions
    .stream({ model: "whisper", messages: ask(QUESTION), temperature: 0, stream_options: { include_usage: true } })
    .on("content", (piece) => pieces.push(piece));
  const completion = await running.finalChatCompletion();
  const [choice] = completion.choices;
  return { pieces, text: choice.message.content, finish_reason: choice.finish_reason, usage: completion.usage };
}

async function structured() {
  const completion = await client.chat.completions.parse({
    model: "whisper", messages: ask(REQUEST), response_format: zodResponseFormat(Ticket, "ticket"), max_tokens: 400,
  });
  return { value: completion.choices[0].message.parsed };
}

async function structured_stream() {
  const pieces = [];
  const running = client.chat.completions
    .stream({ model: "whisper", messages: ask(REQUEST), response_format: zodResponseFormat(Ticket, "ticket"), max_tokens: 400 })
    .on("content", (piece) => pieces.push(piece));
  const { message } = (await running.finalChatCompletion()).choices[0];
  return { pieces, text: message.content, value: message.parsed };
}

async function tools() {
  const messages = ask(WEATHER);
  const request = { model: "whisper", messages, tools: [weatherTool] };
  const first = (await client.chat.completions.parse({ ...request, tool_choice: "required" })).choices[0];
  messages.push(first.message);
  for (const call of first.message.tool_calls) {
    messages.push({ role: "tool", tool_call_id: call.id, content: weather(call.function.parsed_arguments) });
  }
  const second = await client.chat.completions.create({ ...request, tool_choice: "none", max_tokens: 48 });
  return {
    calls: shown(first.message.tool_calls),
    finish_reason: first.finish_reason,
    text: second.choices[0].message.content,
  };
}

async function tools_stream() {
  const running = client.chat.completions.stream({
    model: "whisper", messages: ask(WEATHER), tools: [weatherTool], tool_choice: { type: "function", function: { name: "weather" } },
  });
  const pieces = [];
  running.on("tool_calls.function.arguments.delta", (event) => pieces.push(event.arguments_delta));
  const { message, finish_reason } = (await running.finalChatCompletion()).choices[0];
  const text = message.tool_calls.map((call) => call.function.arguments).join("");
  return { pieces, text, finish_reason, calls: shown(message.tool_calls) };
}

// The helper runs the function and asks again, until there is an answer or the number of turns is reached.
async function agent() {
  const cities = [];
  const look = (place) => (cities.push(place.city), weather(place));
  const running = client.chat.completions.runTools(
    {
      model: "whisper", messages: ask(WEATHER), temperature: 0,
      tools: [zodFunction({ name: "weather", parameters: Place, function: look, description: "Tells the weather in a city." })],
    },
    { maxChatCompletions: 4 },
  );
  const completion = await running.finalChatCompletion();
  return { cities, text: completion.choices[0].message.content };
}

// Without `encoding_format`, this client asks for base64.
async function embeddings() {
  const model = "use-multilingual-v3";
  const answer = await client.embeddings.create({ model, input: SENTENCES });
  const single = await client.embeddings.create({ model, input: SENTENCES[0], encoding_format: "float" });
  return { vectors: answer.data.map((item) => item.embedding), single: single.data[0].embedding };
}

async function responses() {
  const answer = await client.responses.create({ model: "whisper", input: QUESTION, max_output_tokens: 64 });
  return { text: answer.output_text, status: answer.status };
}

async function responses_stream() {
  const pieces = [];
  const running = client.responses
    .stream({ model: "whisper", input: QUESTION, max_output_tokens: 64 })
    .on("response.output_text.delta", (event) => pieces.push(event.delta));
  return { pieces, text: (await running.finalResponse()).output_text };
}

async function responses_structured() {
  const answer = await client.responses.parse({
    model: "whisper", input: REQUEST, text: { format: zodTextFormat(Ticket, "ticket") }, max_output_tokens: 400,
  });
  return { value: answer.output_parsed };
}

async function errors() {
  const wrong = {
    unknown_model: { model: "nobody" },
    parameter: { temperature: 9 },
    too_long: { messages: ask("word ".repeat(30000)) },
  };
  const shownErrors = {};
  for (const [name, body] of Object.entries(wrong)) {
    const error = await caught(() => client.chat.completions.create({ model: "whisper", messages: ask("Hi"), ...body }));
    shownErrors[name] = { type: error.constructor.name, status: error.status, code: error.code, param: error.param };
  }
  return shownErrors;
}

await show(
  "openai", chat, stream, structured, structured_stream, tools, tools_stream, agent,
  embeddings, responses, responses_stream, responses_structured, errors,
);
