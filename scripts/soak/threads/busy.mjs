// Processes that compete for the processor, and children under the eyes of a watchdog.
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { clearTimeout, setTimeout } from 'node:timers';

// Ends with its parent, however that ends.
const compete =
  'const { ppid } = process; while (process.ppid === ppid) for (let i = 0; i < 1e8; i += 1);';

/** Runs `work` while so many processes do nothing but compute. */
export async function whileBusy(count, work) {
  const competitors = Array.from({ length: count }, () =>
    spawn(process.execPath, ['-e', compete], { stdio: 'ignore' }),
  );
  try {
    return await work();
  } finally {
    for (const competitor of competitors) competitor.kill('SIGKILL');
  }
}

/**
 * Runs a program of this folder that prints lines; one that prints nothing for `silence` seconds is killed.
 *
 * @returns its lines, and how it ended: `done`, `hang`, or what it complained about
 */
export async function watched(program, args, { silence, onLine = () => undefined }) {
  const child = spawn(process.execPath, [program, ...args.map(String)]);
  const lines = [];
  let complaints = '';
  let hung = false;
  const kill = () => {
    hung = true;
    child.kill('SIGKILL');
  };
  let timer = setTimeout(kill, silence * 1000);
  child.stderr.on('data', (text) => (complaints += text));
  const reading = createInterface({ input: child.stdout }).on('line', (line) => {
    clearTimeout(timer);
    timer = setTimeout(kill, silence * 1000);
    lines.push(line);
    onLine(line);
  });
  const closed = new Promise((resolve) => reading.on('close', resolve));
  const code = await new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', resolve);
  });
  await closed;
  clearTimeout(timer);
  return { lines, outcome: hung ? 'hang' : code === 0 ? 'done' : `code ${code}: ${complaints}` };
}
