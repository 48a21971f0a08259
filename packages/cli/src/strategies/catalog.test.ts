import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { GradientStrategy } from '@multigrad/core/strategy';
import { requireExperiment } from '../experiments/index.ts';
import { builtinPlugins } from './builtin.ts';
import { chooseStrategies, expandAll, outsideSpecifiers } from './catalog.ts';

const experiment = requireExperiment('cg-mnist');
let folder: string;
let count = 0;

const module = (name: string): string => `
const strategy = { specification: 1, name: '${name}', needs: { gradients: 'none' }, init: () => null,
  integrate: ({ objectives }, state) => ({ weights: new Float64Array(objectives.length).fill(1), state }) };
export const plugin = { specification: 1, name: '${name}', title: 'Mine', summary: 'Adds.', paper: null,
  options: { rate: { kind: 'number', default: 1, description: 'A rate.' } }, create: () => strategy };
`;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'multigrad-catalog-'));
  writeFileSync(join(folder, 'mine.mjs'), module('mine'));
  writeFileSync(join(folder, 'broken.mjs'), 'throw new Error("not today");');
  writeFileSync(join(folder, 'empty.mjs'), 'export const strategy = 1;');
  writeFileSync(
    join(folder, 'future.mjs'),
    'export const plugin = { specification: 2, name: "future" };',
  );
  const packages = join(folder, 'node_modules', 'their-strategy');
  mkdirSync(packages, { recursive: true });
  writeFileSync(
    join(packages, 'package.json'),
    JSON.stringify({ name: 'their-strategy', type: 'module', exports: './index.js' }),
  );
  writeFileSync(join(packages, 'index.js'), module('their-own'));
});

afterAll(() => rmSync(folder, { recursive: true }));

async function choose(specifier: string): Promise<GradientStrategy> {
  const [chosen] = await chooseStrategies(experiment, [specifier], folder);
  return chosen!.create(7);
}

function weights(strategy: GradientStrategy, objectives: readonly string[]): number[] {
  const state = strategy.init({ key: 'all', objectives, tensors: ['w'] });
  const group = { objectives, step: 0 } as Parameters<GradientStrategy['integrate']>[0];
  return [...strategy.integrate(group, state).weights];
}

describe('chooseStrategies', () => {
  it('finds every strategy that a comparison takes by default', async () => {
    const chosen = await chooseStrategies(experiment, experiment.strategies, folder);
    expect(chosen.map(({ plugin }) => plugin.name)).toEqual(experiment.strategies);
  });

  it.each([
    [
      'get title() { throw new Error("no title today") },',
      'odd.mjs` cannot be read: no title today',
    ],
    ['create: () => { throw new TypeError("no maker") },', '`create` threw. TypeError: no maker'],
    ['create: async () => strategy,', 'should have `specification` 1'],
    ['create: () => ({ ...strategy, get needs() { throw new Error("no needs") } }),', 'no needs'],
    ['get create() { throw null },', 'odd.mjs` cannot be read: null'],
  ])('says what is wrong with a plugin: %s', async (field, message) => {
    const path = join(folder, `${String(count++)}-odd.mjs`);
    const code = module('odd').replace(
      'create: () => strategy',
      `create: () => strategy, ${field}`,
    );
    writeFileSync(path, code);
    await expect(choose(path)).rejects.toThrow(message);
    await expect(choose(path)).rejects.toMatchObject({ code: 'incompatible-strategy' });
  });

  it('takes what is named in an option for no strategy: options are numbers, words, weights and objectives', () => {
    const kinds = builtinPlugins.flatMap(({ options }) =>
      Object.values(options as Record<string, { readonly kind: string }>).map(({ kind }) => kind),
    );
    const known = ['number', 'choice', 'boolean', 'weights', 'objective'];
    expect(kinds.filter((kind) => !known.includes(kind))).toEqual([]);
    expect(
      outsideSpecifiers(experiment, ['sum:x=./mine.mjs', './mine.mjs', 'mmpareto:gamma=2']),
    ).toEqual(['./mine.mjs']);
  });

  it('makes of `joint` the sum with all weight on the baseline objective, by name', async () => {
    const joint = await choose('joint');
    expect(weights(joint, ['color', 'multimodal', 'gray'])).toEqual([0, 1, 0]);
  });

  it('gives a random strategy the seed of the run, unless the user wrote one', async () => {
    const description = { key: 'g', objectives: ['a', 'b'], tensors: ['w'] };
    const states = async (specifier: string): Promise<unknown[]> => {
      const [chosen] = await chooseStrategies(experiment, [specifier], folder);
      return [1, 2].map((seed) => chosen!.create(seed).init(description));
    };
    const [one, two] = await states('pcgrad');
    expect(one).not.toEqual(two);
    const [same, again] = await states('pcgrad:seed=1');
    expect(same).toEqual(again);
    expect(same).toEqual(one);
  });

  it('loads another author’s plugin from a path and from a package', async () => {
    expect((await choose('./mine.mjs')).name).toBe('mine');
    expect((await choose('./mine.mjs:rate=2')).name).toBe('mine');
    expect((await choose(join(folder, 'mine.mjs'))).name).toBe('mine');
    expect((await choose('their-strategy')).name).toBe('their-own');
  });

  it.each([
    ['mmparetto', 'unknown-strategy', 'There is no strategy `mmparetto`. Did you mean `mmpareto`?'],
    ['./absent.mjs', 'unknown-strategy', 'There is no strategy file'],
    ['sum:gamma=2', 'invalid-option', '`sum` has no option `gamma`'],
    ['mmpareto:gama=2', 'invalid-option', 'Did you mean `gamma`?'],
    ['mmpareto:gamma=0.5', 'invalid-option', 'Found 0.5.'],
    ['./mine.mjs:speed=2', 'invalid-option', '`mine` has no option `speed`'],
    [
      './broken.mjs',
      'incompatible-strategy',
      'The strategy `./broken.mjs` does not load: not today',
    ],
    ['./empty.mjs', 'incompatible-strategy', './empty.mjs: a strategy plugin should be an object'],
    ['./future.mjs', 'incompatible-strategy', 'specification 2'],
  ])('refuses %s', async (specifier, code, message) => {
    await expect(choose(specifier)).rejects.toMatchObject({
      code,
      message: expect.stringContaining(message) as string,
    });
  });

  it('says how a file is named where a bare name is unknown', async () => {
    await expect(choose('mine')).rejects.toThrow('a file is named by its path, as in `./mine.js`');
  });
});

describe('expandAll', () => {
  it('names every strategy once, those with options as written', () => {
    const all = expandAll(['mmpareto:gamma=2', 'all', './mine.js']);
    expect(all[0]).toBe('mmpareto:gamma=2');
    expect(all.at(-1)).toBe('./mine.js');
    const names = builtinPlugins.map(({ name }) => name);
    expect(all.slice(1, -1)).toEqual(names.filter((name) => name !== 'mmpareto'));
    expect(expandAll(['sum', 'mgda'])).toEqual(['sum', 'mgda']);
  });
});
