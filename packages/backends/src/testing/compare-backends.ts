import { MultigradError } from '@multigrad/core/strategy';

/** Numbers of a tensor or of a reference. */
export type Values = Float32Array | Float64Array | readonly number[];

/**
 * `max |found − expected| / max |expected|`, the largest magnitude taken over the finite expected numbers.
 *
 * The result is infinite where NaN and infinities are not those that are expected, and where only zeros are expected and
 * another number is found.
 *
 * @throws MultigradError `invalid-argument` when the lengths differ
 */
export function relativeDifference(found: Values, expected: Values): number {
  if (found.length !== expected.length) {
    throw new MultigradError(
      'invalid-argument',
      `The values to compare should be ${expected.length}. Found ${found.length}.`,
    );
  }
  let difference = 0;
  let magnitude = 0;
  for (let i = 0; i < expected.length; i += 1) {
    const [value, target] = [found[i]!, expected[i]!];
    if (Number.isFinite(target)) magnitude = Math.max(magnitude, Math.abs(target));
    if (Object.is(value, target)) continue;
    const distance = Math.abs(value - target);
    difference = Math.max(difference, Number.isFinite(distance) ? distance : Infinity);
  }
  return difference === 0 ? 0 : difference / magnitude;
}
