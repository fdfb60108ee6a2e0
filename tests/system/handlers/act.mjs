// As act.py, in Node.js.
import fs from "node:fs";
import { setTimeout } from "node:timers/promises";

function note(at, what, context, more) {
  const line = { at, id: what.id, request: context.awsRequestId, pid: process.pid, guard: process.ppid, ...more };
  fs.appendFileSync(process.env.EVENTS, `${JSON.stringify(line)}\n`);
}

async function act(what, context) {
  switch (what.do) {
    case "print":
      console.log(what.text);
      break;
    case "raise":
      throw new RangeError(what.text);
    case "context":
      note("context", what, context, {
        function_name: context.functionName,
        function_version: context.functionVersion,
        memory_limit_in_mb: context.memoryLimitInMB,
        arn: context.invokedFunctionArn,
        remaining: context.getRemainingTimeInMillis(),
        directory: process.cwd(),
        root: process.env.LAMBDA_TASK_ROOT,
      });
      break;
    case "hold":
      while (!fs.existsSync(`${process.env.FOLDER}/release-${what.id}`)) {
        await setTimeout(10);
      }
  }
}

export async function handler(event, context) {
  for (const record of Object.values(event.records).flat()) {
    const what = JSON.parse(Buffer.from(record.value, "base64").toString());
    note("begin", what, context);
    await act(what, context);
    note("end", what, context);
  }
  return { batchItemFailures: [] };
}
