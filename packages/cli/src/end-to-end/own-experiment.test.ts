import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import { type Call, callCommandLine } from '../testing/call-command-line.ts';

// Experiments in files of a user, who imports TensorFlow.js from the packages of this repository.
const root = join(import.meta.dirname, '..', '..', '..', '..');
const cache = join(root, 'node_modules', '.cache');
mkdirSync(cache, { recursive: true });
const base = mkdtempSync(join(cache, 'own-experiment-'));
let folder = base;
let number = 0;

beforeEach(() => {
  folder = join(base, String(number));
  number += 1;
  mkdirSync(folder);
});
afterAll(() => rmSync(base, { recursive: true }));

async function run(...args: string[]): Promise<Call> {
  return callCommandLine(folder, args);
}

const sound = `
import * as tf from '@tensorflow/tfjs-core';

const points = {
  count: 64,
  batch: (indices) => {
    const x = tf.tensor1d(Array.from(indices, (i) => i / 32 - 1));
    return { x, y: tf.mul(x, 3) };
  },
};

export const experiment = {
  name: 'two-slopes',
  title: 'Two slopes',
  objectives: ['steep', 'Flat_1'],
  metrics: { error: { title: 'mean error', direction: 'lower', unit: 'm' } },
  settings: { start: { kind: 'number', default: 0, description: 'Slope at the start.' } },
  open: ({ start }, seed) => {
    const slope = tf.variable(tf.scalar(start + seed));
    return {
      network: { variables: { slope } },
      data: { train: points, test: points },
      objectives: ({ x, y }) => {
        const measured = (target) => {
          const difference = tf.sub(tf.mul(slope, x), target);
          return { loss: tf.mean(tf.square(difference)), metrics: { error: tf.mean(tf.abs(difference)) } };
        };
        return { steep: measured(y), Flat_1: measured(x) };
      },
    };
  },
};
`;
const write = (text: string, name = 'mine.mjs'): void => writeFileSync(join(folder, name), text);
const few = ['--epochs', '2', '--batch-size', '16', '--backend', 'cpu'];

describe('an experiment of the user’s own', () => {
  it('is compared, and tables show its metric, with fewer of it as better', async () => {
    write(sound);
    const strategies = ['--strategies', 'sum,only-flat-1,mgda', '--seeds', '2'];
    const { code, out, err } = await run(
      'compare',
      './mine.mjs',
      ...strategies,
      ...few,
      '--out',
      'o',
    );
    expect(err).toBe('');
    expect(code).toBe(0);
    expect(out).toContain('Two slopes: 3 strategies, 2 seeds, into o');
    expect(out).toContain('test mean error m ↓');
    const csv = readFileSync(join(folder, 'o', 'table.csv'), 'utf8');
    expect(csv.split('\n')[0]).toContain('steep_test_error_mean');
    const row = (name: string): string[] =>
      csv
        .split('\n')
        .find((line) => line.startsWith(`${name},`))!
        .split(',');
    const column = csv.split('\n')[0]!.split(',').indexOf('steep_test_error_mean');
    // What trains on the flat slope alone has the larger error on the steep one.
    expect(Number(row('only-flat-1')[column])).toBeGreaterThan(Number(row('sum')[column]));
    const page = readFileSync(join(folder, 'o', 'report.html'), 'utf8');
    expect(page).toContain('Two slopes');
    expect(page).toContain('test mean error (m)');
  });

  it('is found again by resume, also where both folders moved, and its code needs --trust', async () => {
    write(sound);
    await run('train', './mine.mjs', '--strategy', 'sum', ...few, '--out', 'o');
    mkdirSync(join(folder, 'moved'));
    for (const name of ['mine.mjs', 'o'])
      renameSync(join(folder, name), join(folder, 'moved', name));
    const refused = await run('resume', 'moved/o');
    expect(refused.code).toBe(2);
    expect(refused.err).toContain(
      'names code that is no part of multigrad, and would be run: "./mine.mjs"',
    );
    const { code, out } = await run('resume', 'moved/o', '--trust');
    expect(code).toBe(0);
    expect(out).toContain('already holds all');
    expect((await run('report', 'moved/o')).code).toBe(0);
    expect((await run('export', 'moved/o', '--to', 'e', '--trust')).code).toBe(0);
    expect(existsSync(join(folder, 'e', 'weights.safetensors'))).toBe(true);
    write(sound.replace('mul(x, 3)', 'mul(x, 4)'), 'moved/mine.mjs');
    const changed = await run('resume', 'moved/o', '--trust');
    expect(changed.code).toBe(1);
    expect(changed.err).toContain('has changed since');
  });

  it('selects the epoch of the lowest error', async () => {
    write(sound);
    const selection = ['--select', 'best', '--validation-size', '16'];
    const given = ['--strategy', 'sum', ...few, '--out', 'o', ...selection];
    expect((await run('train', './mine.mjs', ...given)).code).toBe(0);
    const refused = await run('train', './mine.mjs', ...given.slice(0, -2), '--out', 'p');
    expect(refused.err).toContain('needs a `validation-size` of at least 1');
    expect(existsSync(join(folder, 'p'))).toBe(false);
  });

  it('is checked and analyzed', async () => {
    write(sound);
    expect((await run('check', './mine.mjs', '--backend', 'cpu')).out).toContain('all agree');
    expect((await run('compare', './mine.mjs', '--help')).out).toContain('--start <number>');
  });
});

describe('a broken experiment leaves no folder, and its error names what is wrong', () => {
  it.each([
    ['a file that is not there', null, 'There is no experiment file'],
    [
      'a file that does not compile',
      'export const = 3;',
      'The module `./mine.mjs` does not load: SyntaxError',
    ],
    [
      'a module without an experiment',
      'export const other = 1;',
      'should export `experiment`, made by `defineExperiment`. Found `other`.',
    ],
    [
      'an experiment that is a number',
      'export const experiment = 3;',
      'An experiment should be an object made by `defineExperiment`. Found 3.',
    ],
    [
      'a misspelt field',
      sound.replace('objectives: [', 'objektives: ['),
      'there is no field `objektives`. Did you mean `objectives`?',
    ],
    [
      'a field that is missing',
      sound.replace("name: 'two-slopes',", ''),
      '`name` should be a name in kebab case',
    ],
    [
      'the name of a built-in one',
      sound.replace('two-slopes', 'cg-mnist'),
      'other than those of built-in experiments. Found "cg-mnist".',
    ],
    [
      'a setting of an unknown kind',
      sound.replace("kind: 'number'", "kind: 'int'"),
      '`settings.start.kind` should be one of number',
    ],
    [
      'an open that throws',
      sound.replace('const slope =', 'null.x; const slope ='),
      '`open` threw. TypeError',
    ],
    [
      'an open that returns nothing',
      sound
        .replace('return {\n      network', 'return; ({\n      network')
        .replace('    };\n  },\n};', '    });\n  },\n};'),
      '`open` should return an object with `network`, `data` and `objectives`. Found undefined.',
    ],
    [
      'a network that is none',
      sound.replace('{ variables: { slope } }', '3'),
      '`network` of what `open` returns should be a tf.LayersModel',
    ],
    [
      'data that are none',
      sound.replace('test: points', 'test: []'),
      '`data.test` of what `open` returns should be samples',
    ],
    [
      'a forward pass that throws',
      sound.replace('const difference', 'null.x; const difference'),
      '`objectives` threw. TypeError',
    ],
    [
      'a metric that no forward pass returns',
      sound.replace('metrics: { error: tf', 'metrics: { mistake: tf'),
      'objective `steep` should have the metric `error`',
    ],
    [
      'an objective that it does not name',
      sound.replace('steep: measured', 'deep: measured'),
      '`objectives` should return losses of `steep`, `Flat_1`. Found "deep".',
    ],
    [
      'an objective that never comes',
      sound.replace('steep: measured(y),', ''),
      'in one of the first 8 batches at least',
    ],
    [
      'a loss that is no scalar',
      sound.replace('tf.mean(tf.square(difference))', 'difference'),
      'the loss of objective `steep` should be a scalar tensor',
    ],
    [
      'a batch that is larger than the data',
      sound.replace('count: 64', 'count: 8'),
      '`batch-size` of `two-slopes` should be at most the number of training samples, 8. Found 16.',
    ],
  ])('%s', async (_, text, message) => {
    if (text !== null) write(text);
    const { code, err } = await run('compare', './mine.mjs', ...few, '--out', 'o');
    expect(err).toContain(message);
    expect(code).toBe(2);
    expect(existsSync(join(folder, 'o'))).toBe(false);
  });
});
