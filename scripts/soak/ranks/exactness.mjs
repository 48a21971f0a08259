// Every strategy, trained in several ways by several ranks, beside one process: the weights agree within twice the distance of
// one process whose samples come in another order.
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import process from 'node:process';
import { promisify } from 'node:util';

const root = join(import.meta.dirname, '../../..');
const program = join(import.meta.dirname, 'exactness-program.mjs');
const multigrad = join(root, 'packages/cli/bin/multigrad.js');
/** Below this a distance is a rounding of the last digits of float32. */
const floor = 1e-6;

async function train(command) {
  const [file, ...args] = command;
  const { stdout } = await promisify(execFile)(file, args, { maxBuffer: 2 ** 28, cwd: root });
  const lines = stdout.split('\n').filter((line) => line.startsWith('{'));
  return lines.map((line) => JSON.parse(line));
}

const starts = {
  tcp: (ranks) => [process.execPath, multigrad, 'launch', '-n', String(ranks)],
  mpi: (ranks) => [
    ...['mpirun', '--oversubscribe', ...(process.getuid() === 0 ? ['--allow-run-as-root'] : [])],
    ...['-n', String(ranks)],
  ],
};

function distance(a, b) {
  const most = (values) => values.reduce((before, value) => Math.max(before, Math.abs(value)), 0);
  return most(a.map((value, i) => value - b[i])) / most(a);
}

/**
 * Trains by one process in both orders, and by each number of ranks.
 *
 * @param communicators - of `tcp` and `mpi`
 * @returns for each communicator and number of ranks: how many ways agree, the largest distance, and those that do not
 */
export async function exactness({ communicators, ranks }) {
  const plain = await train([process.execPath, program, 'plain']);
  const reversed = await train([process.execPath, program, 'reversed']);
  const found = [];
  for (const communicator of communicators) {
    for (const size of ranks) {
      const together = await train([
        ...starts[communicator](size),
        ...[process.execPath, program, 'ranks'],
      ]);
      const result = { communicator, ranks: size, agree: 0, refused: 0, largest: 0, apart: [] };
      for (const [index, { strategy, way, weights, error }] of plain.entries()) {
        const own = together[index];
        if (own?.strategy !== strategy || own.way !== way) {
          throw new Error(`${communicator}, ${size} ranks: found no ${strategy}, ${way}.`);
        }
        // Where one process cannot train either, all ranks say the same.
        if (error !== null || own.error !== null) {
          if (own.error === error) result.refused += 1;
          else result.apart.push({ strategy, way, error: own.error ?? 'no error', alone: error });
          continue;
        }
        const noise = distance(weights, reversed[index].weights);
        const off = distance(weights, own.weights);
        result.largest = Math.max(result.largest, off);
        if (own.weights.length === weights.length && off <= Math.max(floor, 2 * noise)) {
          result.agree += 1;
        } else result.apart.push({ strategy, way, off, noise });
      }
      console.log(JSON.stringify(result));
      found.push(result);
    }
  }
  return found;
}
