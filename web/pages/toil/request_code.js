/** The request of the playground as programs that a person can run. Pure. */

import { requestBody, taskFields } from './requests.js';

const PYTHON_WORDS = { true: 'True', false: 'False', null: 'None' };

/** For a POSIX shell: nothing in a quoted here-document is replaced. */
export function asCurl(url, task) {
  const body = requestBody(taskFields(task), task.schema);
  return `curl '${url}' -H 'Content-Type: application/json' --data-binary @- <<'REQUEST'\n${body}\nREQUEST`;
}

/** For Python 3 without further packages. Throws SyntaxError if the schema is no JSON. */
export function asPython(url, task) {
  const body = JSON.stringify(JSON.parse(requestBody(taskFields(task), task.schema)), null, 4);
  const literal = body.replaceAll(/"(?:[^"\\]|\\.)*"|true|false|null/g, (token) => PYTHON_WORDS[token] ?? token);
  return `import json
from urllib.request import Request, urlopen

task = ${literal}
request = Request("${url}", json.dumps(task).encode(), {"Content-Type": "application/json"})
with urlopen(request) as response:
    print(json.load(response))`;
}
