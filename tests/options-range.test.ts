import {
  type GradientStrategy,
  integrateMatrix,
  type Json,
  MultigradError,
  type OptionSpec,
  type MemoryRows,
  type StrategyPlugin,
} from '@multigrad/core/strategy';
import { entangledRows } from '@multigrad/test-support';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { builtinPlugins } from '../packages/cli/src/strategies/builtin.ts';

// Whatever options a plugin's descriptions allow, and whatever gradients come: finite numbers or an error that says what is
// wrong, and a state that goes through JSON. Promises over the whole range of options are tested beside each strategy.

const sizes = [1, 2, 12];

/** A magnitude anywhere between two positive bounds, by its logarithm. */
function magnitude(least: number, most: number): fc.Arbitrary<number> {
  const [low, high] = [Math.log(least), Math.log(most)];
  return fc
    .double({ min: 0, max: 1, noNaN: true })
    .map((share) => Math.min(most, Math.max(least, Math.exp(low + share * (high - low)))));
}

function valuesOf(option: OptionSpec): fc.Arbitrary<unknown> {
  switch (option.kind) {
    case 'boolean':
      return fc.boolean();
    case 'choice':
      return fc.constantFrom(...option.choices);
    case 'objective':
      return fc.option(fc.nat(12).map(String));
    // Some refuse weights above 1.
    case 'weights':
      return fc.option(
        fc.dictionary(
          fc.nat(12).map(String),
          fc.oneof(fc.constant(0), fc.constant(1), magnitude(1e-300, 1e300)),
        ),
      );
    case 'number': {
      const { minimum, exclusiveMinimum, maximum, integer, nullable } = option;
      const least = minimum ?? exclusiveMinimum;
      const ends = [minimum, maximum].filter((end) => end !== undefined);
      const inside =
        integer === true
          ? // Counts, of turns among them.
            fc.integer({ min: least ?? -1000, max: Math.min(maximum ?? 1000, 1000) })
          : least === undefined
            ? fc.oneof(
                magnitude(1e-300, 1e300),
                magnitude(1e-300, 1e300).map((value) => -value),
              )
            : magnitude(Math.max(least, 1e-300), maximum ?? 1e300);
      const any: fc.Arbitrary<unknown> = fc.oneof(inside, fc.constantFrom(...ends, option.default));
      return nullable === true ? fc.option(any) : any;
    }
  }
}

function optionsOf({ options }: StrategyPlugin): fc.Arbitrary<Record<string, unknown>> {
  const each = Object.entries(options).map(([name, option]) => [name, valuesOf(option)] as const);
  return fc.record(Object.fromEntries(each), { requiredKeys: [], noNullPrototype: true });
}

/** Zero, equal and opposite rows, dependent ones, each a magnitude of its own. */
const jacobians = fc
  .record({
    seed: fc.nat(1e6),
    size: fc.constantFrom(...sizes),
    zeros: fc.boolean(),
    magnitudes: fc.oneof(
      fc.constant([1]),
      fc.array(magnitude(1e-150, 1e150), { minLength: 1, maxLength: 12 }),
    ),
  })
  .map(({ seed, size, zeros, magnitudes }) =>
    entangledRows(seed, Math.max(2, size))
      .slice(0, size)
      .map((row, k) =>
        row.map((value) => (zeros && k % 5 === 3 ? 0 : value * magnitudes[k % magnitudes.length]!)),
      ),
  );

const losses = fc.array(fc.oneof(fc.constantFrom(0, 1), magnitude(1e-300, 1e300)), {
  minLength: 12,
  maxLength: 12,
});

/** A number that JSON cannot hold becomes null on the way. */
function throughJson(state: Json): Json {
  const text = JSON.stringify(state);
  expect(text).not.toMatch(/[:[,]null/);
  return JSON.parse(text) as Json;
}

function threeSteps(
  strategy: GradientStrategy,
  rows: readonly number[][],
  given: readonly number[],
): void {
  const objectives = rows.map((_, k) => String(k));
  const own = given.slice(0, rows.length);
  // Batches that agree in some rows and not in others.
  const batches = Array.from({ length: (strategy.needs.batches ?? 1) - 1 }, (_, batch) =>
    rows.map((row, k) => row.map((value) => ((k * 7 + batch) % 4 === 0 ? -value : 1.1 * value))),
  );
  let state = strategy.init({ key: 'matrix', objectives, tensors: ['matrix'] });
  let memory: MemoryRows | undefined;
  for (let step = 0; step < 3; step += 1) {
    const result = integrateMatrix(strategy, rows, {
      losses: own,
      batches,
      state,
      step,
      ...(memory === undefined ? {} : { memory }),
    });
    expect([...result.weights, ...result.update].every(Number.isFinite)).toBe(true);
    state = throughJson(result.state);
    memory = result.memory;
    const after = Float64Array.from(own, (loss) => loss / (step + 2));
    if (strategy.onStepEnd) state = throughJson(strategy.onStepEnd(after, objectives, state));
    if (strategy.onEpochEnd) state = throughJson(strategy.onEpochEnd(after, objectives, state));
  }
}

describe.each(builtinPlugins.map((plugin) => [plugin.name, plugin] as const))('%s', (_, plugin) => {
  it('answers with finite numbers or says why not, for all options and gradients', () => {
    let answered = 0;
    fc.assert(
      fc.property(optionsOf(plugin), jacobians, losses, (options, rows, given) => {
        try {
          threeSteps(plugin.create(options), rows, given);
          answered += 1;
        } catch (error) {
          if (!MultigradError.isInstance(error)) throw error;
          expect(['invalid-objective', 'non-finite', 'unsupported', 'invalid-option']).toContain(
            error.code,
          );
        }
      }),
      { numRuns: 150 },
    );
    // Errors throughout would prove nothing.
    expect(answered).toBeGreaterThan(5);
  });
});
