import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import { jsonLines } from '../mpi/processes.ts';
import { root } from './launched.ts';

/** The program in which rank 1 differs from rank 0 by what its argument names. */
export const program: string = join(root, 'tests/ranks/programs/one-differs.mjs');

const digests = (size: number): string => `batch 0 of epoch 0, ${size} samples, digest \\w{8}`;
const code = '"code \\w{16}"';

/** What the program's argument may be, and what every rank says of it. */
export const differences: readonly (readonly [argument: string, said: RegExp])[] = [
  ['rate', /optimizer\.options\.learningRate: 0\.01 on rank 0, 0\.02 on rank 1/],
  ['optimizer', /optimizer\.kind: "Momentum" on rank 0, "Adam" on rank 1/],
  ['decay', /options\.weightDecay: "0\.01" on rank 0, "0\.02" on rank 1/],
  ['loss scale', /options\.lossScale: "8" on rank 0, "16" on rank 1/],
  ['clip', /options\.clip\.globalNorm: "1" on rank 0, "2" on rank 1/],
  [
    'batch size',
    new RegExp(`Found a part of ${digests(8)} on rank 0, a part of ${digests(12)} on rank 1`),
  ],
  [
    'data',
    new RegExp(`Found a part of ${digests(8)} on rank 0, a part of ${digests(8)} on rank 1`),
  ],
  ['strategy options', /strategy\.answers: "[-\de. ;]+" on rank 0, "[-\de. ;]+" on rank 1/],
  ['code', new RegExp(`options\\.objectives: ${code} on rank 0, ${code} on rank 1`)],
];

/** How a job of the program ended. */
interface Ended {
  readonly exitCode: number | null;
  readonly output: string;
  readonly errors: string;
}

interface Said {
  readonly rank: number;
  readonly steps: number;
  readonly kernel: readonly number[];
}

/** Checks that a job was refused before a step, with the difference. */
export function expectRefused({ exitCode, output, errors }: Ended, said: RegExp): void {
  expect(errors).toMatch(said);
  expect([0, null]).not.toContain(exitCode);
  const ends = saidIn(output);
  // Some launchers end the other ranks as soon as the first one has failed.
  expect(ends.length).toBeGreaterThan(0);
  for (const { steps, kernel } of ends)
    expect({ steps, kernel }).toEqual({ steps: 0, kernel: [1, -2] });
}

/** Checks that two ranks trained to the same weights. */
export function expectTrained({ exitCode, output, errors }: Ended): void {
  expect(exitCode, errors).toBe(0);
  const ends = saidIn(output);
  expect(ends.map(({ steps }) => steps)).toEqual([6, 6]);
  expect(ends[1]!.kernel).toEqual(ends[0]!.kernel);
  expect(ends[0]!.kernel).not.toEqual([1, -2]);
}

/** What each rank printed; launchers may write its number in front. */
function saidIn(output: string): Said[] {
  return jsonLines(output.replaceAll(/^\[\d+\] /gm, '')) as Said[];
}

/**
 * Runs a command that starts two ranks whose programs differ in a file that both import, as after an edit on one host.
 *
 * @param rank - the variable of the environment that holds a rank's number
 * @param start - starts two ranks of a command
 */
export async function expectEditRefused(
  rank: string,
  start: (command: readonly string[]) => Promise<Ended>,
): Promise<void> {
  // Inside of the repository, where imports are found.
  const place = join(root, 'node_modules/.cache/multigrad-tests');
  mkdirSync(place, { recursive: true });
  const folder = mkdtempSync(join(place, 'edited-'));
  try {
    for (const [name, factor] of [
      ['0', 1],
      ['1', 2],
    ] as const) {
      mkdirSync(join(folder, name));
      writeFileSync(join(folder, name, 'loss.mjs'), `export const factor = ${factor};\n`);
      writeFileSync(
        join(folder, name, 'train.mjs'),
        `import { openRanks } from '@multigrad/distributed/node';
import { factor } from './loss.mjs';

const communicator = await openRanks();
console.log(JSON.stringify({ factor }));
await communicator.close();
`,
      );
    }
    const { exitCode, output, errors } = await start([
      ...['sh', '-c', `exec node "${folder}/$${rank}/train.mjs"`],
    ]);
    expect(errors).toMatch(
      /same code, options and data\. Found\n.*program\.loss\.mjs: "\w{16}" on rank 0, "\w{16}" on rank 1/,
    );
    expect(errors).not.toContain('program.main');
    expect(output).toBe('');
    expect([0, null]).not.toContain(exitCode);
  } finally {
    rmSync(folder, { recursive: true });
  }
}
