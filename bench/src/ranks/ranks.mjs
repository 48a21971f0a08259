import { spawnSync } from 'node:child_process';
import { loadavg } from 'node:os';
import { fileURLToPath } from 'node:url';
import { machine } from '../machine.mjs';
import { tablesOf } from './tables.mjs';

const worker = fileURLToPath(new URL('./worker.mjs', import.meta.url));
const multigrad = fileURLToPath(new URL('../../../packages/cli/bin/multigrad.js', import.meta.url));

/** The networks, with the batch of all ranks together. */
const networks = { resnet18: 8, perceptron: 96 };

const has = (program) => spawnSync(program, ['--version']).status === 0;

/** How ranks are started. Each is held to a core of its own, so that one rank alone has as much of the machine as one of two. */
function ways() {
  const pin = has('taskset') ? 'taskset -c ${MULTIGRAD_RANK:-${OMPI_COMM_WORLD_RANK:-0}}' : 'env';
  const pinned = ['sh', '-c', `exec ${pin} "$@"`, 'sh'];
  return {
    alone: pinned,
    tcp: [process.execPath, multigrad, 'launch', '-n', '2', ...pinned],
    ...(has('mpirun')
      ? { mpi: ['mpirun', '-n', '2', '--oversubscribe', '--bind-to', 'none', ...pinned] }
      : {}),
  };
}

function runOf([command, ...before], parameters) {
  const { status, stdout, stderr } = spawnSync(
    command,
    [...before, process.execPath, worker, ...parameters.map(String)],
    {
      encoding: 'utf8',
      timeout: 30 * 60_000,
      env: {
        ...process.env,
        // Open MPI refuses root unless told otherwise.
        ...(process.getuid?.() === 0
          ? { OMPI_ALLOW_RUN_AS_ROOT: '1', OMPI_ALLOW_RUN_AS_ROOT_CONFIRM: '1' }
          : {}),
      },
    },
  );
  if (status !== 0) throw new Error(`${command} ended with ${status}: ${stderr}`);
  return JSON.parse(stdout.split('\n').find((line) => line.startsWith('{')));
}

/**
 * Measures the connection between two ranks and the steps of one and of two ranks, and forecasts the latter from the former.
 *
 * @returns the record that the tables of docs/distributed.md are made of
 */
export function benchRanks({ names, rounds, steps, batch, numbers }) {
  const started = ways();
  const results = names.map((name) => {
    const size = batch ?? networks[name];
    const runs = Array.from({ length: rounds }, () =>
      Object.fromEntries(
        Object.entries(started).map(([way, command]) => [
          way,
          runOf(command, [name, size, steps, numbers]),
        ]),
      ),
    );
    return { network: name, batch: size, runs };
  });
  // How many processes wanted a core in the last 15 minutes: 2 ranks alone make 2.
  const record = { machine: machine(), load: loadavg()[2], results };
  console.log(tablesOf(record).join('\n\n'));
  return record;
}

/** Names of the networks. */
export const rankNetworks = Object.keys(networks);
