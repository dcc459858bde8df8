// Evaluates JSONata expressions with the reference implementation. Reads one JSON object a line,
// {"expression", "variables"}, and writes one a line: {"value"}, {} for undefined, or {"error"}.

import { createInterface } from "node:readline";
import jsonata from "jsonata";

for await (const line of createInterface({ input: process.stdin })) {
  const { expression, variables } = JSON.parse(line);
  let result;
  try {
    result = { value: await jsonata(expression).evaluate(undefined, variables) };
  } catch (problem) {
    result = { error: `${problem.code}: ${problem.message}` };
  }
  process.stdout.write(`${JSON.stringify(result)}\n`);
}
