import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { clearInterval, setInterval } from 'node:timers';
import { fileURLToPath } from 'node:url';

/** A test that says nothing for so long hangs: upstream's own limit is 20 s, which a blocked process does not keep. */
const silence = 60_000;

/** Characters of a process's output that are kept: the tests write much that nobody reads. */
const lastWords = 1000;

/**
 * Runs upstream's tests in a process of their own and returns each test's outcome by its key, `{ status, reason }`. A test
 * in which the process dies or hangs has the status `died`; another process runs those that come after it.
 *
 * @param suite - `core`, the folder of tfjs-core as CommonJS, and `files`, the test files in it
 * @param run - `backend`, `threads` (wasm with our kernels only), `ours`: whether `useBackend` installs our kernels
 */
export async function runTests({ core, files }, run) {
  const folder = mkdtempSync(join(tmpdir(), 'multigrad-upstream-'));
  try {
    const outcomes = new Map();
    for (let number = 0; ; number += 1) {
      const skip = [...outcomes.keys()];
      const { ended, running, done, death } = await oneProcess(join(folder, `${number}`), {
        ...run,
        core,
        files,
        skip,
      });
      for (const [key, outcome] of ended) outcomes.set(key, outcome);
      if (done) return outcomes;
      if (running === null) throw new Error(`No test could be run on ${run.backend}: ${death}`);
      outcomes.set(running, { status: 'died', reason: death });
    }
  } finally {
    rmSync(folder, { recursive: true });
  }
}

async function oneProcess(path, settings) {
  const out = `${path}.jsonl`;
  writeFileSync(out, '');
  writeFileSync(`${path}.json`, JSON.stringify({ ...settings, out }));
  const program = fileURLToPath(new URL('child.mjs', import.meta.url));
  const child = spawn(process.execPath, [program, `${path}.json`], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let words = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text) => (words = (words + text).slice(-lastWords)));
  }
  const end = () => child.kill('SIGKILL');
  process.once('exit', end);
  let hangs = false;
  const watch = setInterval(() => {
    hangs = Date.now() - statSync(out).mtimeMs > silence;
    if (hangs) end();
  }, 1000);
  const [code, signal] = await new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (...how) => resolve(how));
  });
  clearInterval(watch);
  process.off('exit', end);
  const lines = readFileSync(out, 'utf8').trim().split('\n');
  const events = lines.filter((line) => line !== '').map((line) => JSON.parse(line));
  const ended = new Map(events.filter((event) => 'ended' in event).map((e) => [e.ended, e]));
  const running = events.findLast(({ began }) => began !== undefined && !ended.has(began));
  const how = hangs ? `said nothing for ${silence / 1000} s` : `ended with ${signal ?? code}`;
  return {
    ended,
    running: running?.began ?? null,
    done: events.some(({ done }) => done),
    death: `${how}; its last words: ${words.trim()}`,
  };
}
