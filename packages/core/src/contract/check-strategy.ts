import { describeValue } from '../base/describe-value.ts';
import { MultigradError } from '../base/errors.ts';
import type { Needs } from './needs.ts';
import type { GradientStrategy } from './strategy.ts';

const gradientNeeds = ['none', 'gramian', 'tensor-gramians', 'rows'];
const lossNeeds = ['now', 'now-and-after-step', 'epoch-means', 'now-and-epoch-means'];

/**
 * Checks that a value follows the strategy contract as this version understands it: its specification, its name, what
 * its needs say, and that its methods are functions.
 *
 * @throws MultigradError `incompatible-strategy` naming the member, what was found and what was expected
 *
 * @example
 * ```ts
 * import { assertStrategy, MultigradError } from '@multigrad/core/strategy';
 *
 * try {
 *   assertStrategy({ specification: 2, name: 'future' });
 * } catch (error) {
 *   console.log(MultigradError.isInstance(error) && error.message);
 *   // Strategy `future` should have `specification` 1. Found 2.
 * }
 * ```
 */
export function assertStrategy(value: unknown): asserts value is GradientStrategy {
  if (typeof value !== 'object' || value === null) {
    throw new MultigradError(
      'incompatible-strategy',
      `A strategy should be an object such as a factory returns: mmpareto(), not mmpareto. Found ${describeValue(value)}.`,
    );
  }
  const strategy = value as Partial<Record<keyof GradientStrategy, unknown>>;
  const name = typeof strategy.name === 'string' ? `Strategy \`${strategy.name}\`` : 'A strategy';
  const expect = (holds: boolean, member: string, expected: string, found: unknown): void => {
    if (holds) return;
    throw new MultigradError(
      'incompatible-strategy',
      `${name} should have \`${member}\` ${expected}. Found ${describeValue(found)}.`,
    );
  };
  expect(strategy.specification === 1, 'specification', '1', strategy.specification);
  expect(
    typeof strategy.name === 'string' && strategy.name !== '',
    'name',
    'a non-empty string',
    strategy.name,
  );
  const needs = (strategy.needs ?? {}) as Readonly<Partial<Record<keyof Needs, unknown>>>;
  const oneOf = (words: readonly string[]): string =>
    `one of ${words.map((word) => `'${word}'`).join(', ')}`;
  expect(
    gradientNeeds.includes(needs.gradients as string),
    'needs.gradients',
    oneOf(gradientNeeds),
    needs.gradients,
  );
  expect(
    needs.losses === undefined || lossNeeds.includes(needs.losses as string),
    'needs.losses',
    `${oneOf(lossNeeds)}, or left out`,
    needs.losses,
  );
  const { gradients, memory, batches } = needs;
  expect(
    memory === undefined || memory === true || memory === 'squares',
    'needs.memory',
    "true, 'squares', or left out",
    memory,
  );
  expect(
    batches === undefined || (Number.isInteger(batches) && (batches as number) >= 1),
    'needs.batches',
    'an integer >= 1, or left out',
    batches,
  );
  expect(
    gradients === 'gramian' || (memory === undefined && (batches ?? 1) === 1),
    'needs.gradients',
    "'gramian' where it needs memory or several batches",
    gradients,
  );
  for (const method of ['init', 'integrate'] as const) {
    expect(typeof strategy[method] === 'function', method, 'a function', strategy[method]);
  }
  for (const hook of ['needsNow', 'onStepEnd', 'onEpochEnd'] as const) {
    const found = strategy[hook];
    expect(
      found === undefined || typeof found === 'function',
      hook,
      'a function, or left out',
      found,
    );
  }
}
