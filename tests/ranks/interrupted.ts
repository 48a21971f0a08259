import { type ChildProcess, spawn } from 'node:child_process';
import {
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { trainingOptions } from '../mpi/training.ts';
import { root } from './launched.ts';

/** A run that ends by being interrupted alone, and makes no checkpoint within an epoch unless it is. */
export const long: string = [
  ...trainingOptions('out'),
  ...['--epochs', '1000', '--checkpoint', '100000'],
].join(' ');

/** A folder outside of the repository, which has packages and this script of npm: `train`, the {@link long} run. */
export function newPackage(): string {
  const folder = mkdtempSync(join(tmpdir(), 'multigrad-interrupted-'));
  symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'));
  const manifest = { private: true, type: 'module', scripts: { train: `multigrad ${long}` } };
  writeFileSync(join(folder, 'package.json'), JSON.stringify(manifest));
  return folder;
}

/** Whom a signal reaches: the terminal's group, as with Ctrl-C; every process of a job; the one that was started alone. */
export type Reach = 'group' | 'all' | 'one';

/** What an interrupted run left. */
export interface Left {
  readonly status: string;
  /** Steps that the run's records have, and the step of its newest checkpoint. */
  readonly steps: number;
  readonly saved: number;
  readonly errors: string;
}

/**
 * Starts a command that trains the {@link long} run in a folder, interrupts it after an epoch, and waits until all of its
 * processes have ended.
 *
 * @param shell - in which npm runs programs: some die of a signal before the program does, others become the program
 */
export async function interrupted(
  folder: string,
  command: readonly string[],
  name: NodeJS.Signals,
  reach: Reach,
  shell = 'sh',
): Promise<Left> {
  rmSync(join(folder, 'out'), { recursive: true, force: true });
  const child = spawn(command[0]!, command.slice(1), {
    cwd: folder,
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: {
      ...process.env,
      ...{ NO_COLOR: '1', FORCE_COLOR: '0' },
      ...{ npm_config_script_shell: shell, npm_config_update_notifier: 'false' },
    },
  });
  let [output, errors, sent] = ['', '', false];
  child.stderr.on('data', (data: Buffer) => (errors += data.toString()));
  child.stdout.on('data', (data: Buffer) => {
    output += data.toString();
    if (sent || !output.includes('epoch 1/')) return;
    sent = true;
    send(child, name, reach);
  });
  // The pipes are closed once every process that writes into them has ended.
  await new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', resolve);
  });
  if (!sent) throw new Error(`The run ended before its first epoch: ${output}${errors}`);
  return { ...leftIn(join(folder, 'out')), errors };
}

function send(child: ChildProcess, name: NodeJS.Signals, reach: Reach): void {
  const pid = child.pid!;
  if (reach === 'group') process.kill(-pid, name);
  else if (reach === 'one') process.kill(pid, name);
  else for (const one of [pid, ...below(pid)]) tell(one, name);
}

function tell(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch {
    // It has ended meanwhile, by the signal to its parent.
  }
}

/** All processes that one has started, and those that these have. */
function below(pid: number): number[] {
  const children = new Map<number, number[]>();
  for (const entry of readdirSync('/proc').filter((one) => /^\d+$/.test(one))) {
    try {
      const status = readFileSync(`/proc/${entry}/status`, 'utf8');
      const parent = Number(/^PPid:\s+(\d+)/m.exec(status)![1]);
      children.set(parent, [...(children.get(parent) ?? []), Number(entry)]);
    } catch {
      // It has ended meanwhile.
    }
  }
  const all = (parent: number): number[] =>
    (children.get(parent) ?? []).flatMap((one) => [one, ...all(one)]);
  return all(pid);
}

/** What a run left in its folder. */
export function leftIn(out: string): Omit<Left, 'errors'> {
  const runs = join(out, 'runs');
  const run = join(runs, readdirSync(runs)[0]!);
  const { status, steps } = JSON.parse(readFileSync(join(run, 'result.json'), 'utf8')) as Left;
  const saved = readdirSync(join(run, 'checkpoints')).map((name) =>
    Number(/^step-(\d+)-/.exec(name)?.[1] ?? 0),
  );
  return { status, steps, saved: Math.max(...saved) };
}
