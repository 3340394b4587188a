// A help desk's ticket, and a tool: the data that the programs in JavaScript share.
import { z } from "zod";

export const QUESTION = "What is the capital of Canada? Answer in one sentence.";
export const REQUEST =
  "Read this message and fill in the ticket: 'Hello, this is Marie Tremblay (marie@example.gc.ca). " +
  "The printer on the third floor shows error 49 and nobody can print.'";
export const WEATHER = "What is the weather in Ottawa, in Celsius? Use the tool.";
export const SENTENCES = ["The printer is broken.", "L’imprimante est en panne.", "The cafeteria opens at noon."];

export const Ticket = z.object({
  category: z.enum(["printer", "network", "account"]),
  urgent: z.boolean(),
  floor: z.number().int(),
  person: z.object({ name: z.string(), email: z.string().nullable() }),
  words: z.array(z.string()).max(3).describe("at most three keywords"),
});

export const Place = z.object({ city: z.string(), unit: z.enum(["celsius", "fahrenheit"]) });

export function weather({ city, unit }) {
  return `Light snow in ${city}, ${unit === "celsius" ? -4 : 25} degrees ${unit}.`;
}
