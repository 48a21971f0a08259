// The Python whose programs we stand beside: the one that `npm run bench:peers` made, unless another is named.
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { startLineProcess } from './line-process.mjs';

export const environment = fileURLToPath(new URL('../../.venv', import.meta.url));
const own = fileURLToPath(new URL('../../.venv/bin/python', import.meta.url));

/** What `--python` means when it is left out. */
export const defaultPython = existsSync(own) ? own : 'python3';

/** Starts a program of `peers/`. */
export function startPeer(python, program, parameters = []) {
  const script = fileURLToPath(new URL(`../../peers/${program}`, import.meta.url));
  return startLineProcess(python, [script, ...parameters]);
}

/** What to print where there is none. */
export function skipped(peer, python, reason) {
  return `${peer} skipped: ${python} says ${reason} (run \`npm run bench:peers\` once, or name another Python with --python)`;
}
