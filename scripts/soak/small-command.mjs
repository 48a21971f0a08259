// The command line within this process, on a small run: what the soak tests interrupt, fail and resume.
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';
import { runCommandLine } from '../../packages/cli/dist/index.js';

// Each run in this process asks to be told of its end, and none of them ends.
process.setMaxListeners(0);

/** Two epochs of two steps, each of which is recorded and makes a checkpoint. */
export const settings = [
  ...['train', 'cg-mnist', '--strategy', 'pcgrad', '--preset', 'quick', '--backend', 'cpu'],
  ...['--train-size', '8', '--test-size', '3', '--validation-size', '3', '--batch-size', '4'],
  ...['--epochs', '2', '--width', '1', '--observe', '1', '--checkpoint', '1'],
];
/** With these after them, two epochs of four steps. */
export const longer = ['--train-size', '16'];
const out = 'out';
export const runPath = join(out, 'runs', 'pcgrad-seed0');

/** Runs a command in a folder. @returns the exit code, or what was thrown, and what was printed */
async function command(args, folder, files) {
  const lines = [];
  const print = (line) => lines.push(line);
  const { signal } = new AbortController();
  const environment = {
    ...{ terminal: null, print, complain: print, folder, signal },
    // To draw takes longer than to train, and opens no file.
    draw: () => Promise.resolve('<svg></svg>'),
    ...(files === undefined ? {} : { files }),
  };
  try {
    return { code: await runCommandLine(args, environment), lines };
  } catch (error) {
    return { code: error, lines };
  }
}

export const train = (folder, files, more = []) =>
  command([...settings, ...more, '--out', out], folder, files);
export const resume = (folder, files) => command(['resume', out], folder, files);

/** The process that wrote a folder is taken for dead: it was this one. */
export function forgetHolder(folder) {
  const names = list(join(folder, out)).filter((name) => name.startsWith('lock.json'));
  for (const name of names) {
    const path = join(folder, out, name);
    const text = readFileSync(path, 'utf8');
    try {
      const dead = { ...JSON.parse(text), process: 2 ** 30, instance: '' };
      writeFileSync(path, JSON.stringify(dead));
    } catch {
      // It was cut short: nobody is told from it.
    }
  }
}

function list(folder) {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

const text = (...path) => readFileSync(join(...path), 'utf8');

/** What a run left that no clock decides: its records, how it ended, and its weights as hexadecimal digits. */
export function figures(folder) {
  const run = join(folder, runPath);
  const records = (file) =>
    text(run, file)
      .split('\n')
      .slice(0, -1)
      .map((line) =>
        JSON.parse(line, (key, value) =>
          ['milliseconds', 'stepTime', 'seconds'].includes(key) ? undefined : value,
        ),
      );
  const { status, epochs, steps, conflicts, lines } = JSON.parse(text(run, 'result.json'));
  const names = readdirSync(join(run, 'checkpoints')).filter((name) => name.startsWith('step-'));
  const [newest] = names.sort().reverse();
  const file = join(run, 'checkpoints', newest, 'weights.safetensors');
  return JSON.stringify({
    config: JSON.parse(text(folder, out, 'config.json')),
    records: [records('epochs.jsonl'), records('steps.jsonl')],
    result: { status, epochs, steps, conflicts, lines },
    weights: readFileSync(file).toString('hex'),
  });
}

/** Steps of the checkpoints of a run, in order. */
export function checkpointSteps(folder) {
  return list(join(folder, runPath, 'checkpoints'))
    .filter((name) => name.startsWith('step-'))
    .map((name) => Number(name.slice(5, 13)))
    .sort((a, b) => a - b);
}
