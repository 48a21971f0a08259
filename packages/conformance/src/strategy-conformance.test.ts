import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  type GradientStrategy,
  type GroupGradients,
  type Json,
  MultigradError,
  type StrategyPlugin,
  type StrategyProperties,
} from '@multigrad/core/strategy';
import { describe, expect, it } from 'vitest';
import { type ConformanceOptions, strategyConformance } from './index.ts';

// The kit is worth what it catches: strategies with one fault each, and the tests that have to fail for it.

const meanProperties: StrategyProperties = {
  nonConflicting: { not: 'adds the gradients whatever their conflict' },
  permutation: true,
  homogeneity: 1,
  linearUnderRowScaling: true,
  single: 1,
  stationary: 'moves',
};

type Integrate = (gradients: GroupGradients, state: Json) => { weights: Float64Array; state: Json };

const meanOf = ({ objectives }: GroupGradients): Float64Array =>
  new Float64Array(objectives.length).fill(1 / objectives.length);

function pluginOf(
  integrate: Integrate,
  parts: Partial<GradientStrategy> = {},
  options: StrategyPlugin['options'] = {},
): StrategyPlugin {
  const create = (): GradientStrategy => ({
    specification: 1,
    name: 'fake',
    needs: { gradients: 'gramian' },
    init: () => null,
    integrate,
    ...parts,
  });
  return {
    specification: 1,
    name: 'fake',
    title: 'Fake',
    summary: 'Stands in for a strategy.',
    paper: null,
    options,
    create,
  };
}

/** Titles and messages of the tests that fail. */
function failuresOf(
  plugin: StrategyPlugin,
  properties: Partial<StrategyProperties> = {},
  options: Partial<ConformanceOptions> = {},
): Record<string, string> {
  const failures: Record<string, string> = {};
  const runner = {
    describe: (_: string, body: () => void) => {
      body();
    },
    it: (name: string, body: () => void) => {
      try {
        body();
      } catch (error) {
        const { message, cause } = error as Error;
        failures[name] = `${message} ${cause instanceof Error ? cause.message : ''}`;
      }
    },
  };
  strategyConformance(runner, {
    plugin,
    properties: { ...meanProperties, ...properties },
    seed: 1,
    ...options,
  });
  return failures;
}

const mean: Integrate = (gradients, state) => ({ weights: meanOf(gradients), state });
const finite =
  'answers zero, duplicated, opposite, dependent and extreme gradients with finite numbers';
const order = 'leaves the update as it is under another order of objectives';

it('passes a strategy that is what it says', () => {
  expect(failuresOf(pluginOf(mean))).toEqual({});
});

describe('catches a strategy that', () => {
  it('divides by the length of a zero gradient', () => {
    const unit = pluginOf(({ objectives, gramian }, state) => ({
      weights: Float64Array.from(
        objectives,
        (_, k) => gramian.values[k * gramian.size + k]! ** -0.5,
      ),
      state,
    }));
    const failures = failuresOf(unit, {
      homogeneity: 0,
      linearUnderRowScaling: { not: 'x' },
      single: ({ length }) => 1 / length,
    });
    expect(failures[finite]).toContain('finite weights');
    expect(failures[finite]).toMatch(/Counterexample: .*rows/);
  });

  it('compares with an absolute number', () => {
    const failures = failuresOf(
      pluginOf((gradients, state) => ({
        weights: meanOf(gradients).map((weight, k) =>
          gradients.gramian.values[k * gradients.gramian.size + k]! < 1e-8 ? 0 : weight,
        ),
        state,
      })),
    );
    expect(Object.keys(failures)).toEqual(
      expect.arrayContaining(['is homogeneous of degree 1, from 1e-15 to 1e15']),
    );
  });

  it('writes into the Gramian, or into its state', () => {
    const gramian = pluginOf((gradients, state) => {
      gradients.gramian.values[0] = 1;
      return { weights: meanOf(gradients), state };
    });
    const shown = 'leaves what it is shown and its state as they are';
    expect(Object.keys(failuresOf(gramian))).toEqual([shown]);
    const state = pluginOf(
      (gradients, given) => {
        (given as { steps: number }).steps += 1;
        return { weights: meanOf(gradients), state: given };
      },
      { init: () => ({ steps: 0 }) },
    );
    expect(failuresOf(state)[shown]).toContain('read only');
  });

  it('knows objectives by their place', () => {
    const failures = failuresOf(
      pluginOf(
        (gradients, state) => {
          const last = state as number[];
          const weights = meanOf(gradients).map((weight, k) => (weight + (last[k] ?? weight)) / 2);
          weights[0]! *= 1.5;
          return { weights, state: [...weights] };
        },
        { init: () => [] },
      ),
      { single: { not: 'weights the first' } },
    );
    expect(failures[order]).toContain('with objectives in order');
  });

  it('remembers what JSON does not', () => {
    const failures = failuresOf(
      pluginOf(
        (gradients, state) => {
          const seen = state as unknown as Map<string, number>;
          const scale = 1 + seen.size;
          const next = new Map([...seen, [String(gradients.step), 1] as const]);
          return {
            weights: meanOf(gradients).map((weight) => weight * scale),
            state: next as unknown as Json,
          };
        },
        { init: () => new Map() as unknown as Json },
      ),
      { single: { not: 'grows' } },
    );
    expect(Object.keys(failures)).toContain(
      'resumes from a state that went through JSON with the same bits',
    );
  });

  it('remembers outside of its state, or ignores its seed', () => {
    let calls = 0;
    const failures = failuresOf(
      pluginOf(
        (gradients, state) => {
          calls += 1;
          return { weights: meanOf(gradients).map((weight) => weight * (1 + (calls % 7))), state };
        },
        {},
        { seed: { kind: 'number', default: 0, integer: true, description: 'A seed.' } },
      ),
      { single: { not: 'varies' } },
    );
    expect(Object.keys(failures)).toContain(
      'is deterministic: a second run, and a second strategy, give the same bits',
    );
    const seedless = pluginOf(
      mean,
      {},
      { seed: { kind: 'number', default: 0, integer: true, description: 'A seed.' } },
    );
    expect(failuresOf(seedless)['draws otherwise with another seed']).toContain('Found none');
  });

  it('reads what it did not ask for, has another name, or answers too few weights', () => {
    const curious = pluginOf((gradients, state) => {
      return { weights: Float64Array.from(gradients.losses), state };
    });
    expect(failuresOf(curious)[finite]).toContain('without asking for it');
    const renamed = pluginOf(mean, { name: 'other' });
    expect(failuresOf(renamed)['is a plugin that makes strategies of its name']).toContain(
      'Found other',
    );
    const short = pluginOf((_, state) => ({ weights: Float64Array.of(1), state }));
    expect(failuresOf(short)[finite]).toContain('one weight for each');
  });

  it('has a property that is denied, or lacks one that is declared', () => {
    const failures = failuresOf(pluginOf(mean), {
      nonConflicting: true,
      permutation: { not: 'says so' },
      homogeneity: { not: 'says so' },
      linearUnderRowScaling: 'independent',
      single: 2,
      stationary: 'zero',
    });
    expect(Object.keys(failures)).toEqual([
      'conflicts with no gradient',
      'does not leave the update as it is under another order of objectives: says so',
      'is not homogeneous of degree 1: says so',
      'is not linear in factors on the gradients where they are not',
      'has 2 times the gradient of one objective',
      'stands still at Pareto stationary gradients',
    ]);
    expect(failures['is not homogeneous of degree 1: says so']).toContain('Found none among 1000');
  });

  it('answers fewer objectives than it says it can, or fails where a property is denied', () => {
    const some = { ...meanProperties, single: { not: 'needs two' } };
    const failures = failuresOf(pluginOf(mean), some, { sizes: { minimum: 2 } });
    expect(failures['refuses fewer than 2 objectives, as unsupported']).toContain('gave an answer');
    const refusing = pluginOf((gradients, state) => {
      if (gradients.objectives.length < 2) throw new MultigradError('unsupported', 'needs two');
      return mean(gradients, state);
    });
    expect(failuresOf(refusing, some, { sizes: { minimum: 2 } })).toEqual({});
    const broken = pluginOf(() => {
      throw new TypeError('broken');
    });
    expect(failuresOf(broken)['moves on at some Pareto stationary gradients']).toContain('broken');
  });
});

it('refuses options that make no sense', () => {
  const plugin = pluginOf(mean);
  for (const [options, message] of [
    [{ runs: 0 }, 'Option `runs` of strategyConformance should be an integer >= 1. Found 0.'],
    [{ tolerance: 0 }, '`tolerance`'],
    [{ K: { min: 3, max: 2 } }, '`K.max`'],
    [{ sizes: { minimum: 3 } }, '`properties.single`'],
  ] as const) {
    expect(() => {
      failuresOf(plugin, {}, options);
    }).toThrow(message);
  }
});

it('takes the properties from the plugin, and needs some', () => {
  const runner = { describe: () => undefined, it: () => undefined };
  strategyConformance(runner, { plugin: { ...pluginOf(mean), properties: meanProperties } });
  expect(() => {
    strategyConformance(runner, { plugin: pluginOf(mean) });
  }).toThrow('should say what fake promises');
});

it('runs under node:test, from the built package', () => {
  const folder = mkdtempSync(join(import.meta.dirname, '..', 'dist', 'node-test-'));
  try {
    const file = join(folder, 'sum.test.mjs');
    writeFileSync(
      file,
      `import { strategyConformance } from '@multigrad/conformance';
import { plugin } from '@multigrad/strategy-sum';
import { describe, it } from 'node:test';
strategyConformance({ describe, it }, { plugin, properties: ${JSON.stringify(meanProperties)} });
`,
    );
    const output = execFileSync(process.execPath, ['--test', '--test-reporter=tap', file], {
      encoding: 'utf8',
      // The variable tells node:test that it runs within itself.
      env: { ...process.env, NODE_TEST_CONTEXT: undefined },
    });
    expect(output).toMatch(/# pass [1-9]\d/);
    expect(output).toMatch(/# fail 0/);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
