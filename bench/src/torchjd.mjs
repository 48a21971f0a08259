// TorchJD in a Python process of its own, asked line by line.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const script = fileURLToPath(new URL('../peers/torchjd_solve.py', import.meta.url));

/**
 * @param {string} python
 * @returns the process with `cases`, `version`, `ask` and `close`; or `{ missing }`, the reason why there is none
 */
export async function startTorchJD(python) {
  const child = spawn(python, [script], { stdio: ['pipe', 'pipe', 'pipe'] });
  let trouble = '';
  child.stderr.setEncoding('utf8').on('data', (text) => (trouble += text));
  const lines = createInterface({ input: child.stdout });
  const failed = Promise.race([
    once(child, 'error').then(([error]) => error.message),
    once(child, 'exit').then(() => trouble.trim().split('\n').at(-1) || 'it ended'),
  ]);
  const next = async () => {
    const line = await Promise.race([once(lines, 'line'), failed]);
    if (typeof line === 'string') throw new Error(line);
    return JSON.parse(line[0]);
  };
  try {
    const { torch, cases } = await next();
    return {
      version: `torch ${torch}`,
      cases,
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
