// Signals, closed readers and full disks in every phase of `multigrad train`: it ends with a reason and an exit code,
// and what it leaves can be resumed to the same records and weights.
import { spawn } from 'node:child_process';
import { closeSync, existsSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { nodeFiles } from '../../packages/core/dist/files/index.js';
import { tryCases } from './cases.mjs';
import { newFolder } from './scratch.mjs';
import {
  checkpointSteps,
  figures,
  longer,
  resume,
  runPath,
  settings,
  train,
} from './small-command.mjs';

const worker = join(import.meta.dirname, 'signal-worker.mjs');

export const phases = [
  ...['loading', 'start-up', 'first step', 'mid-epoch', 'record', 'checkpoint', 'evaluation'],
  ...['last step', 'report'],
];

/** The events, each with the reason that is told of it. */
export const events = {
  SIGINT: 'Interrupted, Ctrl-C',
  SIGTERM: 'Interrupted, SIGTERM',
  SIGHUP: 'Interrupted, the terminal was closed (SIGHUP)',
  'closed reader': 'Interrupted, nobody reads the output any longer (EPIPE)',
  'full disk': 'Interrupted, the output failed (ENOSPC)',
  // A signal that is passed on, and what sends another one before SIGKILL: the step is finished all the same.
  'SIGINT then SIGINT': 'Interrupted, Ctrl-C',
  'SIGINT then SIGTERM': 'Interrupted, Ctrl-C',
};

/** Runs the program in a folder. @returns how it ended and what it said */
async function meet(phase, event, folder) {
  const log = event === 'full disk' ? openSync(join(folder, 'log'), 'w') : 'pipe';
  const args = [worker, phase, event, ...settings, ...longer, '--out', 'out'];
  const stdio = ['ignore', log, 'pipe', 'pipe'];
  const child = spawn(process.execPath, args, { cwd: folder, stdio });
  if (log !== 'pipe') closeSync(log);
  let [out, err] = ['', ''];
  child.stdout?.on('data', (data) => (out += data));
  child.stderr.on('data', (data) => (err += data));
  child.stdio[3].on('data', () => {
    child.stdout.destroy();
    writeFileSync(join(folder, 'closed'), '');
  });
  const [code, signal] = await new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (...how) => resolve(how));
  });
  return { code, signal, out, err };
}

/** What a run left: a result, else checkpoints, else nothing. */
function leftIn(folder) {
  const path = join(folder, runPath, 'result.json');
  if (existsSync(path)) return JSON.parse(readFileSync(path, 'utf8')).status;
  return checkpointSteps(folder).length > 0 ? 'checkpoint' : 'nothing';
}

/** Fails where an end is not one that a user can work with. @returns what is left: result, checkpoint, or nothing yet */
function judge(phase, event, { code, signal, err }, folder) {
  const left = leftIn(folder);
  if (!existsSync(join(folder, 'met'))) throw new Error('The phase was never reached.');
  if (/^ +at /m.test(err)) throw new Error(`It ended with a stack. ${err}`);
  if (phase === 'loading' && event.startsWith('SIG')) {
    // Nothing listens yet, and nothing has begun: the system ends the process, and says with which signal.
    if (signal === null || existsSync(join(folder, 'out'))) throw new Error(`Ended by ${signal}.`);
    return 'nothing';
  }
  const isFinished = left === 'finished' && existsSync(join(folder, 'out', 'report.html'));
  // Nothing was left to do but to print: who closed the output did not want it, a full disk is told.
  const last = event === 'full disk' ? 1 : 0;
  if (code !== 130 && !(code === last && isFinished))
    throw new Error(`Exit code ${code}, ${left}. ${err}`);
  const reason = code === 1 ? 'the output failed (ENOSPC)' : events[event];
  if (code !== 0 && !err.includes(reason)) throw new Error(`Its reason: ${err}`);
  const early = phase === 'loading' || phase === 'start-up';
  if (left === 'nothing' && !early) throw new Error('Neither a result nor a checkpoint.');
  return left;
}

/** Goes on, and compares with a run that nothing happened to. */
async function expectWhole(folder, left, expected) {
  let end = await resume(folder);
  if (end.code !== 0 && left === 'nothing') end = await train(folder, undefined, longer);
  const told = end.lines.join('\n');
  if (end.code !== 0) throw new Error(`It did not go on: ${String(end.code)} ${told}`);
  if (/damaged|aside|gap|Lost/.test(told)) throw new Error(`Something was lost: ${told}`);
  if (figures(folder) !== expected) throw new Error('It ended with other figures.');
}

export const pairs = phases.flatMap((phase) => Object.keys(events).map((event) => [phase, event]));

/**
 * Tries every `every`-th of the pairs `from` to `from + count - 1` of phase and event.
 *
 * @returns how many were tried, how often each was left as `finished`, `stopped`, `checkpoint` or `nothing`, and where an
 *   end had no reason or anything was lost
 */
export async function signals({ every, from = 0, count, ...shard }) {
  const root = newFolder('signals');
  try {
    const whole = join(root, 'whole');
    await nodeFiles.makeFolder(whole);
    const { code, lines } = await train(whole, undefined, longer);
    if (code !== 0) throw new Error(lines.join('\n'));
    const expected = figures(whole);
    const counts = { finished: 0, stopped: 0, checkpoint: 0, nothing: 0 };
    const tries = { count: Math.ceil(count / every), ...shard };
    const found = await tryCases('signals', tries, async (index) => {
      const [phase, event] = pairs[from + index * every];
      const folder = join(root, 'run');
      rmSync(folder, { recursive: true, force: true });
      await nodeFiles.makeFolder(folder);
      const end = await meet(phase, event, folder);
      try {
        const left = judge(phase, event, end, folder);
        counts[left] += 1;
        await expectWhole(folder, left, expected);
      } catch (error) {
        const what = `${event}, ${phase}: ${error.stack}\n${end.out}\n${end.err}`;
        throw new Error(what, { cause: error });
      }
    });
    return { counts, ...found };
  } finally {
    rmSync(root, { recursive: true, force: true });
  }
}
