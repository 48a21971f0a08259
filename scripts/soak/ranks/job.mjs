// Starts a job of several ranks, watches what it prints, and ends it where it does not end by itself.
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';
import { clearInterval, clearTimeout, setInterval, setTimeout } from 'node:timers';
import { addresses, endInside, spaces, writeAgent } from './hosts.mjs';

const root = join(import.meta.dirname, '../../..');
const multigrad = join(root, 'packages/cli/bin/multigrad.js');
const program = join(import.meta.dirname, 'train.mjs');

/** How each communicator starts ranks here, or on two hosts. */
const launchers = {
  tcp: ({ ranks, hosts }) => [
    ...(hosts ? ['ip', 'netns', 'exec', spaces[0]] : []),
    ...[process.execPath, multigrad, 'launch', '-n', String(ranks)],
    ...(hosts ? ['--hosts', addresses.join(','), '--address', addresses[0]] : []),
  ],
  mpi: ({ ranks, hosts, agent }) => {
    const network = ['btl_tcp_if_include', 'oob_tcp_if_include'];
    return [
      ...(hosts ? ['ip', 'netns', 'exec', spaces[0]] : []),
      ...['mpirun', '--oversubscribe', ...(process.getuid() === 0 ? ['--allow-run-as-root'] : [])],
      ...(hosts
        ? [
            ...['--host', addresses.map((address) => `${address}:1`).join(',')],
            ...['--mca', 'plm_rsh_agent', agent, '--mca', 'btl', 'tcp,self'],
            ...network.flatMap((name) => ['--mca', name, '10.78.0.0/24']),
          ]
        : []),
      ...['-n', String(ranks)],
    ];
  },
};

/**
 * Runs a job to its end.
 *
 * @param alone - whether the launcher is ended by hand once all ranks have ended: the daemons of `mpirun` wait for each other
 *   for ever where the cable between them is cut
 * @param limit - seconds after which all of it is killed
 * @param onLine - takes each line that it prints, and what ends it
 * @returns exit code (null where it had to be killed), what it printed, and for how many seconds it ran
 */
export async function runJob(
  { communicator, ranks, hosts = false, alone = false, scratch, plan, limit },
  onLine,
) {
  const agent = hosts
    ? writeAgent(join(scratch, 'bin'), communicator === 'tcp' ? 'ssh' : 'agent')
    : '';
  const [command, ...args] = [
    ...launchers[communicator]({ ranks, hosts, agent }),
    ...[process.execPath, program, JSON.stringify(plan)],
  ];
  const began = performance.now();
  const child = spawn(command, args, {
    cwd: root,
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, PATH: `${join(scratch, 'bin')}:${process.env.PATH}`, NO_COLOR: '1' },
  });
  const texts = { output: '', errors: '' };
  let rest = '';
  child.stdout.on('data', (data) => {
    texts.output += data;
    const lines = (rest + data).split('\n');
    rest = lines.pop();
    for (const line of lines) onLine?.(line);
  });
  child.stderr.on('data', (data) => (texts.errors += data));
  let killed = false;
  const endAll = () => {
    process.kill(-child.pid, 'SIGKILL');
    for (const pid of pidsIn(texts.output)) end(pid);
    if (hosts) endInside();
  };
  const late = setTimeout(() => {
    killed = true;
    endAll();
  }, limit * 1000);
  let byHand = null;
  const watch = setInterval(() => {
    const pids = pidsIn(texts.output);
    if (!alone || pids.filter(Boolean).length < ranks || pids.some(isAlive)) return;
    clearInterval(watch);
    byHand = performance.now();
    // What the ranks printed last is on its way through the launcher.
    setTimeout(endAll, 2000);
  }, 100);
  const exitCode = await new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', resolve);
  });
  clearTimeout(late);
  clearInterval(watch);
  const left = pidsIn(texts.output).filter(isAlive);
  left.forEach(end);
  const seconds = (performance.now() - began) / 1000;
  return {
    exitCode: killed ? null : byHand === null ? exitCode : 1,
    ...{ left: left.length, ended: byHand ?? performance.now(), seconds },
    ...texts,
  };
}

/** The ranks' processes by rank, as they have printed them. */
export function pidsIn(output) {
  const pids = [];
  for (const [, rank, pid] of output.matchAll(/rank (\d+) is process (\d+)/g))
    pids[rank] = Number(pid);
  return pids;
}

/** Whether a process runs: one that has ended may stand in the table until its parent has looked. */
function isAlive(pid) {
  try {
    return !/\) Z/.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    return false;
  }
}

function end(pid) {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It has ended meanwhile.
  }
}
