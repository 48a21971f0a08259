// A program that greets with one line of JSON and then answers each request, line by line.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';

/**
 * @param {string} command
 * @param {string[]} parameters
 * @returns `{ greeting, ask, close }`; or `{ missing }`, the reason why it did not start
 */
export async function startLineProcess(command, parameters) {
  const child = spawn(command, parameters, { stdio: ['pipe', 'pipe', 'pipe'] });
  let trouble = '';
  child.stderr.setEncoding('utf8').on('data', (text) => (trouble += text));
  const lines = createInterface({ input: child.stdout });
  const failed = Promise.race([
    once(child, 'error').then(([error]) => error.message),
    once(child, 'close').then(() => trouble.trim().split('\n').at(-1) || 'it ended'),
  ]);
  const next = async () => {
    const line = await Promise.race([once(lines, 'line'), failed]);
    if (typeof line === 'string') throw new Error(line);
    return JSON.parse(line[0]);
  };
  try {
    const greeting = await next();
    return {
      greeting,
      ask(request) {
        child.stdin.write(`${JSON.stringify(request)}\n`);
        return next();
      },
      close() {
        child.stdin.end();
      },
    };
  } catch (error) {
    return { missing: error.message };
  }
}

/** The other side in JavaScript: greets, then answers each request; what it throws becomes `{ error }`. */
export async function answerLines(greeting, answer) {
  const say = (value) => process.stdout.write(`${JSON.stringify(value)}\n`);
  say(greeting);
  for await (const line of createInterface({ input: process.stdin })) {
    try {
      say(await answer(JSON.parse(line)));
    } catch (error) {
      say({ error: error instanceof Error ? error.message : String(error) });
    }
  }
}
