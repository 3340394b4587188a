// Runs the functions of a program and prints their values, or their exceptions, as one JSON object.
import { readFileSync } from "node:fs";

export async function show(name, ...abilities) {
  const file = new URL(`../node_modules/${name}/package.json`, import.meta.url);
  const shown = { version: JSON.parse(readFileSync(file)).version };
  const wanted = process.argv.slice(2);
  for (const ability of abilities) {
    if (wanted.length === 0 || wanted.includes(ability.name)) shown[ability.name] = await run(ability);
  }
  console.log(JSON.stringify(shown));
}

async function run(ability) {
  try {
    return await ability();
  } catch (error) {
    const body = error.responseBody ?? error.lastError?.responseBody ?? "";
    return { failed: error.constructor.name, traceback: `${error.stack}\n${body}` };
  }
}

// Returns the exception that the function throws.
export async function caught(wrong) {
  try {
    await wrong();
  } catch (error) {
    return error;
  }
  return undefined;
}
