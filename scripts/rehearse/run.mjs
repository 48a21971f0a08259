import { spawn } from 'node:child_process';

/**
 * Runs a command to its end.
 *
 * @returns what it printed on both streams
 * @throws Error with all that it printed, if it exits with anything but 0
 */
export function run(command, words, { cwd, env = process.env, timeout = 600_000 } = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, words, { cwd, env, stdio: ['ignore', 'pipe', 'pipe'], timeout });
    let output = '';
    for (const stream of [child.stdout, child.stderr])
      stream.setEncoding('utf8').on('data', (text) => (output += text));
    child.on('error', reject);
    child.on('close', (code, signal) => {
      if (code === 0) resolve(output);
      else
        reject(
          new Error(`${[command, ...words].join(' ')} ended with ${signal ?? code}:\n${output}`),
        );
    });
  });
}
