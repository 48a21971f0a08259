import { MultigradError } from '@multigrad/core/strategy';
import { describeValue } from '@multigrad/core/support';
import type { Experiment } from '@multigrad/experiment';

/**
 * The error for what an experiment opened or returned.
 *
 * @param what - the field and what it should be
 */
export function invalidExperiment(
  { name }: Experiment,
  what: string,
  found: unknown,
): MultigradError {
  return new MultigradError(
    'invalid-experiment',
    `Experiment \`${name}\`: ${what}. Found ${describeValue(found)}.`,
  );
}

/** Names for a message. */
export function listed(names: readonly string[]): string {
  return names.map((name) => `\`${name}\``).join(', ');
}

/**
 * The error for what a function of an experiment threw, with the place in the experiment's file; errors of multigrad stay as
 * they are.
 *
 * @param field - the function
 */
export function thrownBy({ name }: Experiment, field: string, cause: unknown): MultigradError {
  if (MultigradError.isInstance(cause)) return cause;
  const text = cause instanceof Error ? String(cause) : describeValue(cause);
  return new MultigradError(
    'invalid-experiment',
    `Experiment \`${name}\`: \`${field}\` threw. ${text}${placeOf(cause)}`,
    { cause },
  );
}

/** Where an error was thrown, without the frames of packages. */
function placeOf(cause: unknown): string {
  const frames = cause instanceof Error ? (cause.stack ?? '').split('\n').slice(1) : [];
  const own = frames.find((frame) => !/node_modules|node:|\/packages\//.test(frame));
  return own === undefined ? '' : ` (${own.trim()})`;
}
