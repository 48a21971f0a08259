import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { beforeAll, describe, expect, it } from 'vitest';
import { mpirun, root } from './mpirun.ts';
import { jsonLines } from './processes.ts';

// Training by several processes is training by one that sees whole batches, but for the order of sums.

interface GroupDecision {
  readonly cosines: readonly (readonly number[])[];
  readonly weights: readonly number[];
}

interface Outcome {
  readonly strategy: string;
  readonly ranks: number;
  readonly steps: number;
  readonly weights: readonly number[];
  readonly parameters: readonly (readonly [name: string, size: number])[];
  readonly bytes: { readonly reduceScatter: number; readonly allGather: number };
  readonly decisions: readonly (readonly GroupDecision[])[];
}

const program = join(root, 'tests/mpi/programs/agreement.mjs');
const names = [
  'sum',
  'mmpareto',
  'mmpareto:rescale=tensor',
  'pcgrad',
  'mgda',
  'upgrad',
  'graddrop',
];

async function alone(mode: 'plain' | 'reversed'): Promise<Map<string, Outcome>> {
  const { stdout } = await promisify(execFile)(process.execPath, [program, mode], {
    maxBuffer: 2 ** 28,
  });
  return byStrategy(stdout);
}

function byStrategy(output: string): Map<string, Outcome> {
  return new Map((jsonLines(output) as Outcome[]).map((one) => [one.strategy, one]));
}

function distance(a: readonly number[], b: readonly number[]): number {
  const largest = Math.max(...a.map(Math.abs));
  return Math.max(...a.map((value, i) => Math.abs(value - b[i]!))) / largest;
}

let plain: Map<string, Outcome>;
let reversed: Map<string, Outcome>;
const together = new Map<number, Map<string, Outcome>>();

beforeAll(async () => {
  plain = await alone('plain');
  reversed = await alone('reversed');
  for (const ranks of [1, 2, 4]) {
    const { exitCode, output, errors } = await mpirun(['-n', String(ranks), 'node', program]);
    expect(exitCode, errors).toBe(0);
    together.set(ranks, byStrategy(output));
  }
}, 600_000);

describe.each(names)('%s', (name) => {
  it.each([1, 2, 4])('by %i ranks is that by one process', (ranks) => {
    const expected = plain.get(name)!;
    const found = together.get(ranks)!.get(name)!;
    const noise = distance(expected.weights, reversed.get(name)!.weights);
    const off = distance(expected.weights, found.weights);
    console.log(
      `${name}, ${ranks} ranks, ${expected.steps} steps: weights ${off.toExponential(1)} apart, sums reordered ${noise.toExponential(1)}`,
    );
    expect(found.ranks).toBe(ranks);
    expect(off).toBeLessThan(Math.max(1e-5, 10 * noise));
    expected.decisions.forEach((groups, step) => {
      groups.forEach(({ cosines }, group) => {
        const own = found.decisions[step]![group]!;
        cosines.flat().forEach((cosine, place) => {
          if (Math.abs(cosine) < 1e-5) return;
          expect(Math.sign(own.cosines.flat()[place]!), `step ${step}`).toBe(Math.sign(cosine));
        });
      });
    });
  });

  it('moves what the formula says', () => {
    const { parameters, steps, bytes } = together.get(2)!.get(name)!;
    const size = (head: boolean): number =>
      parameters
        .filter(([own]) => /-[abc]\//.test(own) === head)
        .reduce((sum, [, count]) => sum + count, 0);
    // The sum is observed at every step, which moves the three gradients too.
    const shared = name === 'sum' ? 3 + 2 : 3 + 1;
    const heads = name === 'sum' ? 1 + 2 : 2;
    const numbers = shared * size(false) + heads * size(true);
    expect((bytes.reduceScatter + bytes.allGather) / 4 / steps).toBe(numbers);
  });
});
