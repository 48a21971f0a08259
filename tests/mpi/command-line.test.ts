import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { mpirun, multigrad, root } from './mpirun.ts';
import { type Measured, measuredIn, training } from './training.ts';

const folder = mkdtempSync(join(tmpdir(), 'multigrad-mpi-'));

afterAll(() => {
  rmSync(folder, { recursive: true });
});

function expectSame(found: Measured, expected: Measured, tolerance: number): void {
  expect(found.losses.length).toBe(expected.losses.length);
  expected.losses.forEach((losses, step) => {
    for (const [name, loss] of Object.entries(losses)) {
      expect(Math.abs(found.losses[step]![name]! - loss) / loss, `step ${step}`).toBeLessThan(
        tolerance,
      );
    }
  });
}

describe('multigrad train under mpirun', () => {
  let alone: Measured;

  beforeAll(async () => {
    const out = join(folder, 'alone');
    // One process of mpirun is a rank by itself; without mpirun the same figures.
    const { exitCode, errors } = await mpirun(['-n', '1', ...training(out)]);
    expect(exitCode, errors).toBe(0);
    alone = measuredIn(out);
  });

  it.each([2, 4])(
    'measures with %i ranks what one measures; the first rank alone talks',
    async (ranks) => {
      const out = join(folder, `by-${ranks}`);
      const { exitCode, output, errors } = await mpirun(['-n', String(ranks), ...training(out)]);
      expect(exitCode, errors).toBe(0);
      expect(errors).toBe('');
      expect(output.match(new RegExp(`${ranks} ranks train together, over MPI`, 'g'))?.length).toBe(
        1,
      );
      expect(output).toMatch(new RegExp(`${ranks} ranks exchanged 0\\.\\d+ MB a step`));
      const found = measuredIn(out);
      expect(found.status).toBe('finished');
      // Networks with kinks: rounding decides now and then.
      expectSame(found, alone, 1e-2);
      expect(found.communication).toMatchObject({ ranks, steps: 48 });
      // A finished run is not done again.
      const again = await mpirun(['-n', String(ranks), ...training(out)]);
      expect(again.exitCode, again.errors).toBe(0);
      expect(again.output).toContain('already holds all that this asks for');
    },
  );

  it('goes on with another number of ranks', async () => {
    const out = join(folder, 'resumed');
    const short = await mpirun(
      ['-n', '2', ...training(out, ['--strategy', './stops.mjs'])],
      made(),
    );
    expect(short.exitCode).not.toBe(0);
    expect(short.errors).toContain('enough of this');
    writeFileSync(join(made(), 'stops.mjs'), strategyFile('never'));
    const { exitCode, errors, output } = await mpirun(
      ['-n', '3', ...training(out, ['--strategy', './stops.mjs'])],
      made(),
    );
    expect(exitCode, errors).toBe(0);
    expect(output).toContain('Going on after step 20.');
    expect(measuredIn(out).losses.length).toBe(48);
  });

  it('refuses ranks that were started with other options or code, and says what differs', async () => {
    const out = join(folder, 'refused');
    const options = await mpirun([
      ...['-n', '1', ...training(out), ':'],
      ...['-n', '1', ...training(out, ['--epochs', '5'])],
    ]);
    expect(options.exitCode).not.toBe(0);
    expect(options.errors).toContain('options.epochs: 3 on rank 0, 5 on rank 1');
    expect(options.seconds).toBeLessThan(60);

    const there = join(folder, 'there');
    mkdirSync(there);
    writeFileSync(join(there, 'stops.mjs'), strategyFile('other'));
    const own = training(out, ['--strategy', './stops.mjs']);
    const code = await mpirun([
      ...['-n', '1', '-wdir', made(), ...own, ':'],
      ...['-n', '1', '-wdir', there, ...own],
    ]);
    expect(code.exitCode).not.toBe(0);
    expect(code.errors).toMatch(/code\.\.\/stops\.mjs: "\w+" on rank 0, "\w+" on rank 1/);

    const several = await mpirun([
      '-n',
      '2',
      'node',
      multigrad,
      'compare',
      'cg-mnist',
      '--out',
      out,
    ]);
    expect(several.exitCode).not.toBe(0);
    expect(several.errors).toContain('use `multigrad train` under `multigrad launch` or mpirun');
    expect(existsSync(out)).toBe(false);
  });

  it('refuses ranks that read other data, and says what differs', async () => {
    const recordings = join(root, 'packages/datasets/data/free-spoken-digits/recordings');
    const [here, there] = ['data-here', 'data-there'].map((name) => join(folder, name)) as [
      string,
      string,
    ];
    for (const place of [here, there])
      cpSync(recordings, join(place, 'spoken'), { recursive: true });
    // On one of the ranks every take of a digit's training is another one.
    const [first, ...others] = readdirSync(recordings).filter((name) =>
      name.startsWith('3_jackson'),
    );
    for (const name of others) cpSync(join(recordings, first!), join(there, 'spoken', name));
    const sizes = ['--train-size', '96', '--validation-size', '0', '--test-size', '32'];
    const own = [
      ...['node', multigrad, 'train', 'av-digits', '--strategy', 'sum', ...sizes],
      ...['--batch-size', '48', '--width', '4', '--backend', 'wasm', '--data', 'spoken'],
      ...['--epochs', '1', '--out', join(folder, 'data')],
    ];
    const { exitCode, errors, seconds } = await mpirun([
      ...['-n', '1', '-wdir', here, ...own, ':'],
      ...['-n', '1', '-wdir', there, ...own],
    ]);
    expect(exitCode).not.toBe(0);
    expect(errors).toMatch(/data\.sums of the first batch\.audio: \S+ on rank 0, \S+ on rank 1/);
    expect(seconds).toBeLessThan(60);
  });

  it('ends all where one rank fails, with its error', async () => {
    const there = join(folder, 'fails');
    mkdirSync(there);
    // The same code everywhere, which fails on one of the ranks.
    writeFileSync(join(there, 'stops.mjs'), strategyFile('on rank 1'));
    const out = join(folder, 'failed');
    const { exitCode, errors, seconds } = await mpirun(
      ['-n', '2', ...training(out, ['--strategy', './stops.mjs'])],
      there,
    );
    expect(exitCode).not.toBe(0);
    expect(errors).toContain(
      'rank 1: Strategy `stops` threw in its `integrate`. Error: enough of this',
    );
    expect(seconds).toBeLessThan(60);
  });

  /** The folder with a strategy in a file that stops the run. */
  function made(): string {
    const path = join(folder, 'own');
    if (existsSync(path)) return path;
    mkdirSync(path);
    writeFileSync(join(path, 'stops.mjs'), strategyFile('at step 22'));
    return path;
  }
});

/** A strategy of a user's, which throws. */
function strategyFile(when: 'at step 22' | 'never' | 'other' | 'on rank 1'): string {
  const condition = {
    'at step 22': 'step === 22',
    never: 'false',
    other: 'step < 0',
    'on rank 1': "step === 3 && process.env.OMPI_COMM_WORLD_RANK === '1'",
  }[when];
  return `
export const plugin = {
  specification: 1,
  name: 'stops',
  title: 'Stops',
  summary: 'The mean of all gradients, until it has enough.',
  paper: null,
  use: 'To stop a run.',
  options: {},
  properties: {
    nonConflicting: { not: 'a mean' },
    permutation: true,
    homogeneity: 1,
    linearUnderRowScaling: true,
    single: 1,
    stationary: 'moves',
  },
  create: () => ({
    specification: 1,
    name: 'stops',
    needs: { gradients: 'rows' },
    init: () => null,
    integrate: ({ objectives, step }, state) => {
      if (${condition}) throw new Error('enough of this');
      const weights = new Float64Array(objectives.length).fill(1 / objectives.length);
      const combine = (rows, { add, scale }) =>
        rows.map((row, k) => scale(row, weights[k])).reduce((a, b) => add(a, b));
      return { weights, combine, state };
    },
  }),
};
`;
}
