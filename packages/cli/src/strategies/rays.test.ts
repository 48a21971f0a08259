import { describe, expect, it } from 'vitest';
import { experiments } from '../experiments/index.ts';
import { builtinPlugins } from './builtin.ts';
import { chooseStrategies } from './catalog.ts';
import { raySpecifiers, spreadRays } from './rays.ts';

const experiment = experiments.find(({ name }) => name === 'multi-mnist')!;

describe('spreadRays', () => {
  it('has equal angles for two objectives', () => {
    const rays = spreadRays(['a', 'b'], 3);
    const angles = rays.map(({ a, b }) => (Math.atan2(b!, a!) * 180) / Math.PI);
    [15, 45, 75].forEach((angle, at) => expect(angles[at]).toBeCloseTo(angle, 12));
    expect(rays.map((ray) => Math.hypot(...Object.values(ray)))).toEqual([
      expect.closeTo(1, 12),
      expect.closeTo(1, 12),
      expect.closeTo(1, 12),
    ]);
  });

  it('has a lattice for three, none on an edge', () => {
    for (const count of [1, 3, 6, 10, 15]) {
      const rays = spreadRays(['a', 'b', 'c'], count);
      expect(rays).toHaveLength(count);
      expect(new Set(rays.map((ray) => JSON.stringify(ray))).size).toBe(count);
      expect(Math.min(...rays.flatMap((ray) => Object.values(ray)))).toBeGreaterThan(0);
    }
    expect(() => spreadRays(['a', 'b', 'c'], 8)).toThrow('such as 6, 10, 15');
  });

  it('refuses other numbers of objectives', () => {
    expect(() => spreadRays(['a'], 4)).toThrow(
      'A front needs two or three objectives. Found 1: a.',
    );
  });
});

describe('raySpecifiers', () => {
  const rays = spreadRays(experiment.objectives, 2);

  it('gives every strategy with a preference what its rays mean to it', async () => {
    const able = builtinPlugins.filter(({ options }) =>
      Object.values(options).some(
        (spec) => spec.kind === 'weights' && spec.preference !== undefined,
      ),
    );
    expect(able.map(({ name }) => name)).toEqual(
      expect.arrayContaining(['epo', 'pmgda', 'ferero', 'upgrad', 'dualproj', 'pbi', 'sum']),
    );
    for (const { name } of able) {
      const specifiers = await raySpecifiers(experiment, name, rays, '.');
      const chosen = await chooseStrategies(experiment, specifiers, '.');
      expect(chosen.map(({ plugin }) => plugin.name)).toEqual([name, name]);
    }
    // cos 22.5° : sin 22.5°, and the other way round where a greater preference asks for a smaller loss.
    expect(await raySpecifiers(experiment, 'pmgda:sigma=0.5', rays, '.')).toEqual([
      'pmgda:sigma=0.5,preference.left=0.707107,preference.right=0.292893',
      'pmgda:sigma=0.5,preference.left=0.292893,preference.right=0.707107',
    ]);
    expect((await raySpecifiers(experiment, 'epo', rays, '.'))[0]).toBe(
      'epo:preference.left=0.292893,preference.right=0.707107',
    );
  });

  it('refuses a strategy without a preference, naming those with one, and a preference that is given', async () => {
    await expect(raySpecifiers(experiment, 'mgda', rays, '.')).rejects.toThrow(
      /`mgda` takes no preference among objectives.*epo, pmgda, ferero/,
    );
    await expect(raySpecifiers(experiment, 'epo:preference.left=2', rays, '.')).rejects.toThrow(
      'its option `preference.left` should be left out',
    );
  });
});
